"""What a segmentation says: patient, study, codes, segments, UIDs; and what a reader gets back."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from wmh_objects import (
    MAKER,
    ORIENTATIONS,
    WHEN,
    affine_of,
    saved,
    speckled,
    wmh_object,
    wmh_segment,
)

from classic_mr import Study, slice_headers, write_file
from dicom_oracles import assert_same_points, errors_of, points_by_highdicom, points_of
from leuko.dicom import codes
from leuko.dicom.codes import PRIVATE_SCHEME, Code
from leuko.dicom.identity import Maker, encode, uid_of
from leuko.dicom.seg_colour import cielab
from leuko.dicom.seg_reader import read_seg, segment_names
from leuko.errors import ReadError, SafetyRefusal, UsageError
from leuko.image.grid import Grid
from leuko.image.image import Image

SHAPE = (9, 7, 5)
AFFINE = affine_of(ORIENTATIONS["oblique"], (0.9, 0.9, 5.5))
GRID = Grid(SHAPE, AFFINE)


@pytest.fixture
def headers() -> list[Dataset]:
    return slice_headers(AFFINE, SHAPE)


def test_every_code_is_in_the_standards_own_dictionary() -> None:
    from pydicom.sr._concepts_dict import concepts

    many: dict[tuple[str, str], set[str]] = {}
    for scheme, keywords in concepts.items():
        for meanings in keywords.values():
            for value, (meaning, _) in meanings.items():
                many.setdefault((scheme, value), set()).add(meaning.lower())
    for name, code in vars(codes).items():
        if not isinstance(code, Code):
            continue
        assert len(code.meaning) <= 64, name
        assert len(code.value) <= 16, name
        if code.scheme in (PRIVATE_SCHEME, "UCUM", "RFC5646"):
            continue
        assert (code.scheme, code.value) in many, name
        assert code.meaning.lower() in many[code.scheme, code.value], name


def test_the_hyperintensities_carry_the_standards_own_code(headers: list[Dataset]) -> None:
    segment = wmh_object(speckled(GRID), headers).SegmentSequence[0]
    kind = segment.SegmentedPropertyTypeCodeSequence[0]
    assert ("110702", "DCM") == (kind.CodeValue, kind.CodingSchemeDesignator)
    assert segment.SegmentAlgorithmType == "AUTOMATIC"
    assert segment.TrackingID == "WMH"


def test_an_object_belongs_to_the_patient_study_and_frame_of_its_source(
    headers: list[Dataset],
) -> None:
    made = wmh_object(speckled(GRID), headers)
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
        "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
        "FrameOfReferenceUID", "SpecificCharacterSet",
    ):  # fmt: skip
        assert made[keyword].value == headers[0][keyword].value, keyword
    assert made.SeriesInstanceUID != headers[0].SeriesInstanceUID
    assert made.ContentDate == "20260304"


def test_it_is_valid(headers: list[Dataset], tmp_path: Path) -> None:
    assert errors_of(saved(wmh_object(speckled(GRID), headers), tmp_path / "seg.dcm")) == []


def test_names_in_any_character_set_come_through(headers: list[Dataset], tmp_path: Path) -> None:
    for header in headers:
        header.SpecificCharacterSet = ["ISO 2022 IR 6", "ISO 2022 IR 87"]
        header.PatientName = "Yamada^Tarou=山田^太郎"
    path = saved(wmh_object(speckled(GRID), headers), tmp_path / "seg.dcm")
    assert str(pydicom.dcmread(path).PatientName) == "Yamada^Tarou=山田^太郎"


def test_attributes_that_the_source_lacks_or_writes_wrong_are_empty(
    headers: list[Dataset], tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spoil(headers)
    made = wmh_object(speckled(GRID), headers)
    assert (made.PatientName, made.StudyDate, made.PatientSex) == ("", "", "")
    assert "PatientAge" not in made
    assert errors_of(saved(made, tmp_path / "seg.dcm")) == []


def spoil(headers: list[Dataset]) -> None:
    for header in headers:
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyTime", "StudyID",
                        "AccessionNumber", "ReferringPhysicianName"):  # fmt: skip
            del header[keyword]
        with pydicom.config.disable_value_validation():
            header.StudyDate = "***"
            header.PatientSex = "female"
            header.PatientAge = "74"


def test_without_a_frame_of_reference_one_is_made_from_the_series(
    headers: list[Dataset], tmp_path: Path
) -> None:
    for header in headers:
        del header.FrameOfReferenceUID
    made = wmh_object(speckled(GRID), headers)
    assert made.FrameOfReferenceUID == uid_of("frame of reference", headers[0].SeriesInstanceUID)
    assert errors_of(saved(made, tmp_path / "seg.dcm")) == []


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "PatientID", "FrameOfReferenceUID"])
def test_images_of_two_patients_studies_or_frames_are_refused(
    keyword: str, headers: list[Dataset]
) -> None:
    setattr(headers[2], keyword, "1.2.3.4")
    with pytest.raises(SafetyRefusal, match="different"):
        wmh_object(speckled(GRID), headers)


def test_images_of_no_study_are_refused(headers: list[Dataset]) -> None:
    for header in headers:
        del header.StudyInstanceUID
    with pytest.raises(SafetyRefusal, match="no study"):
        wmh_object(speckled(GRID), headers)


# ---------------------------------------------------------------- UIDs


def test_two_runs_give_the_same_uids_and_another_mask_gives_others(headers: list[Dataset]) -> None:
    mask = speckled(GRID)
    first = wmh_object(mask, headers)
    later = wmh_object(mask, headers, when=WHEN + timedelta(days=3))
    assert first.SOPInstanceUID == later.SOPInstanceUID
    assert first.ContentDate != later.ContentDate
    others = [
        wmh_object(speckled(GRID, seed=1), headers),
        wmh_object(mask, headers, maker=Maker(version="0.2", serial=MAKER.serial)),
        wmh_object(mask, slice_headers(AFFINE, SHAPE, study=Study(number=2))),
    ]
    uids = {made.SOPInstanceUID for made in (first, *others)}
    assert len(uids) == 4
    assert len({made.SeriesInstanceUID for made in (first, *others)}) == 4


def test_uids_are_uuids_as_the_standard_wants_them() -> None:
    import uuid

    made = uid_of("one", b"two")
    number = uuid.UUID(int=int(made.removeprefix("2.25.")))
    assert number.variant == uuid.RFC_4122
    assert number.version == 8
    assert pydicom.uid.UID(made).is_valid
    assert uid_of("onet", b"wo") != made


# ---------------------------------------------------------------- masks of all kinds


def test_an_empty_mask_is_a_valid_object_with_every_plane(
    headers: list[Dataset], tmp_path: Path
) -> None:
    empty = Image(np.zeros(SHAPE, np.uint8), GRID)
    made = wmh_object(empty, headers)
    path = saved(made, tmp_path / "seg.dcm")
    assert made.NumberOfFrames == SHAPE[2]
    assert errors_of(path) == []
    found = read_seg(path)
    assert found.data.shape == SHAPE
    assert not found.data.any()
    assert len(points_by_highdicom(path)) == 0


def test_probabilities_come_back_within_half_a_step(headers: list[Dataset], tmp_path: Path) -> None:
    values = np.random.default_rng(3).random(SHAPE).astype(np.float32)
    made = wmh_object(Image(values, GRID), headers, probability=True)
    path = saved(made, tmp_path / "seg.dcm")
    assert errors_of(path) == []
    found = read_seg(path)
    assert made.SegmentationFractionalType == "PROBABILITY"
    assert found.data.dtype == np.float32
    turned = Image(found.data, found.grid)
    np.testing.assert_allclose(turned.grid.affine, AFFINE, atol=1e-4)
    np.testing.assert_allclose(found.data, values, atol=0.5001 / 255)


def test_several_segments_come_back_with_their_names(
    headers: list[Dataset], tmp_path: Path
) -> None:
    labels = np.random.default_rng(4).integers(0, 4, SHAPE).astype(np.uint8)
    labels[labels == 2] = 0  # a value without a voxel
    segments = [
        replace(
            wmh_segment(value), label=f"tissue {value}", side=codes.LEFT, tracking_id=f"t{value}"
        )
        for value in (1, 2, 3)
    ]
    path = saved(wmh_object(Image(labels, GRID), headers, segments=segments), tmp_path / "seg.dcm")
    assert errors_of(path) == []
    found = read_seg(path)
    assert segment_names(path) == {1: "tissue 1", 2: "tissue 3"}
    assert_same_points(points_of(Image(labels == 3, GRID)),
                       points_of(Image(found.data == 2, found.grid)))  # fmt: skip
    assert_same_points(points_of(Image(labels == 1, GRID)), points_by_highdicom(path, segment=1))


def test_probabilities_of_several_segments_are_refused(headers: list[Dataset]) -> None:
    with pytest.raises(UsageError):
        wmh_object(speckled(GRID), headers, segments=[wmh_segment()] * 2, probability=True)


def test_lossy_sources_are_told(headers: list[Dataset], tmp_path: Path) -> None:
    for header in headers:
        header.LossyImageCompression = "01"
        header.LossyImageCompressionRatio = 12
        header.LossyImageCompressionMethod = "ISO_10918_1"
    made = wmh_object(speckled(GRID), headers)
    assert (made.LossyImageCompression, made.LossyImageCompressionRatio) == ("01", 12)
    assert errors_of(saved(made, tmp_path / "seg.dcm")) == []


def test_colours_are_as_the_standard_scales_them() -> None:
    white = cielab(255, 255, 255)
    assert white == pytest.approx([65535, 32896, 32896], abs=15)
    assert cielab(0, 0, 0) == pytest.approx([0, 32896, 32896], abs=1)
    red = cielab(255, 0, 0)  # L* 54.3, a* 80.8, b* 69.9 under D50
    assert red == pytest.approx(
        [54.29 * 655.35, (80.81 + 128) * 257, (69.89 + 128) * 257], rel=2e-3
    )


# ---------------------------------------------------------------- foreign and broken files


def test_a_segmentation_of_another_maker_equals_its_nrrd(shared_data: Path) -> None:
    import SimpleITK as sitk  # noqa: N813

    from dicom_oracles import points_of_simpleitk

    folder = shared_data / "dicom" / "seg" / "dcmqi_24x38x3"
    found = read_seg(folder / "seg" / "label.seg")
    assert segment_names(folder / "seg" / "label.seg") == {1: "Liver"}
    truth = sitk.ReadImage(str(folder / "nrrd" / "label.nrrd"))
    assert_same_points(points_of_simpleitk(truth), points_of(found))


def by_highdicom(
    stack: np.ndarray, kind: str, headers: list[Dataset], folder: Path, *, count: int
) -> Path:
    """A segmentation that highdicom makes of `stack` (plane, row, column, perhaps segment)."""
    import highdicom
    from pydicom.sr.coding import Code as Theirs

    for number, header in enumerate(headers):
        header.PixelData = bytes(2 * SHAPE[0] * SHAPE[1])
        write_file(folder / f"source{number}", header)
    described = [
        highdicom.seg.SegmentDescription(
            n,
            f"segment {n}",
            Theirs("49755003", "SCT", "something"),
            Theirs("52988006", "SCT", "something"),
            highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for n in range(1, count + 1)
    ]
    theirs = highdicom.seg.Segmentation(
        [pydicom.dcmread(folder / f"source{n}") for n in range(SHAPE[2])],
        stack, highdicom.seg.SegmentationTypeValues(kind), described,
        highdicom.UID(), 1, highdicom.UID(), 1, "maker", "model", "1", "1",
    )  # fmt: skip
    theirs.save_as(folder / "theirs.dcm")
    return folder / "theirs.dcm"


def test_overlapping_segments_are_volumes(headers: list[Dataset], tmp_path: Path) -> None:
    first = speckled(GRID)
    stack = np.stack([first.data.T, np.ones(SHAPE, np.uint8).T], axis=-1)
    found = read_seg(by_highdicom(stack, "BINARY", headers, tmp_path, count=2))
    assert found.data.shape == (*SHAPE, 2)
    assert_same_points(points_of(first), points_of(Image(found.data[..., 0], found.grid)))


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_label_maps_of_another_maker_are_read(
    kind: str, headers: list[Dataset], tmp_path: Path
) -> None:
    """As segments in frames of their own, and as the label maps that the standard has by now."""
    labels = np.random.default_rng(6).integers(0, 4, SHAPE).astype(np.uint8)
    path = by_highdicom(labels.T, kind, headers, tmp_path, count=3)
    found = read_seg(path)
    assert list(segment_names(path)) == [1, 2, 3] or list(segment_names(path)) == [0, 1, 2, 3]
    for value in (1, 2, 3):
        assert_same_points(points_of(Image(labels == value, GRID)),
                           points_of(Image(found.data == value, found.grid)))  # fmt: skip


def test_fractions_of_another_maker_are_read(headers: list[Dataset], tmp_path: Path) -> None:
    values = np.random.default_rng(7).random(SHAPE).astype(np.float32)
    found = read_seg(by_highdicom(values.T, "FRACTIONAL", headers, tmp_path, count=1))
    assert found.data.dtype == np.float32
    expected = points_of(Image(values > 0.5, GRID))
    assert_same_points(expected, points_of(Image(found.data > 0.5, found.grid)))


def damaged(made: Dataset, how: str) -> bytes:
    content = encode(made)
    if how == "truncated":
        return content[: -len(made.PixelData) // 2]
    if how == "cut in the header":
        return content[:900]
    if how == "no frames":
        del made.PerFrameFunctionalGroupsSequence
    if how == "places missing":
        del made.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    if how == "frames missing":
        made.PerFrameFunctionalGroupsSequence = made.PerFrameFunctionalGroupsSequence[:2]
    if how == "huge":
        made.Rows = made.Columns = 65535
        made.NumberOfFrames = 100000
    if how == "nowhere":
        with pydicom.config.disable_value_validation():
            position = made.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0]
            position.ImagePositionPatient = ["nan", "0", "0"]
    if how == "far away":
        position = made.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0]
        position.ImagePositionPatient = ["0", "0", "1e12"]
    if how == "not a segmentation":
        made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    return encode(made)


@pytest.mark.parametrize(
    "how",
    ["truncated", "cut in the header", "no frames", "places missing", "frames missing", "huge",
     "far away", "nowhere", "not a segmentation"],
)  # fmt: skip
def test_broken_files_end_in_one_clear_error(
    how: str, headers: list[Dataset], tmp_path: Path
) -> None:
    path = tmp_path / "seg.dcm"
    path.write_bytes(damaged(wmh_object(speckled(GRID), headers), how))
    with pytest.raises((ReadError, SafetyRefusal)):
        read_seg(path)


def test_flipped_bytes_never_end_in_anything_but_our_errors(
    headers: list[Dataset], tmp_path: Path
) -> None:
    content = bytearray(encode(wmh_object(speckled(GRID), headers)))
    random = np.random.default_rng(11)
    path = tmp_path / "seg.dcm"
    for _ in range(150):
        broken = content.copy()
        for place in random.integers(132, len(broken), random.integers(1, 12)):
            broken[place] = random.integers(0, 256)
        path.write_bytes(broken)
        with contextlib.suppress(ReadError, SafetyRefusal):
            read_seg(path)


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID"])
def test_images_that_cannot_be_referred_to_are_refused(
    keyword: str, headers: list[Dataset]
) -> None:
    del headers[1][keyword]
    with pytest.raises(SafetyRefusal, match=keyword):
        wmh_object(speckled(GRID), headers)
