"""`leuko info`: what is shown of which image, what stays hidden, and how it is printed."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import leuko
from leuko.cli import main
from leuko.cli.info_tables import BLOCKS, bars
from leuko.errors import ReadError, SafetyRefusal, UnusableInput, UsageError
from leuko.formats.nifti_described import describe_nifti
from leuko.formats.nifti_header import header_dtype
from leuko.pipelines.information import as_json, info
from leuko.pipelines.information_values import values_of


@pytest.fixture(autouse=True)
def _odd_values_of_real_files() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pydicom")
        yield


@pytest.fixture
def sample(repository: Path) -> Path:
    return repository / "src" / "leuko" / "models" / "sample" / "flair.nii.gz"


def case(shared_data: Path, name: str) -> Path:
    return shared_data / "dicom" / "conversion" / name / "in.zip"


def header(**values: object) -> bytes:
    """A NIfTI-1 header of 4 x 5 x 6 voxels."""
    fields = np.zeros((), dtype=header_dtype(1))
    fields["sizeof_hdr"], fields["datatype"], fields["bitpix"] = 348, 4, 16
    fields["dim"][:4] = (3, 4, 5, 6)
    fields["magic"] = b"n+1\0"
    fields["vox_offset"] = 352
    for name, value in values.items():
        fields[name] = value
    return fields.tobytes()


# ---------------------------------------------------------------- NIfTI and pictures


def test_a_nifti_file_is_described(sample: Path) -> None:
    found = info(sample)
    assert found.geometry is not None
    assert found.values is not None
    assert found.nifti is not None
    assert (200, 250, 24) == found.geometry.shape
    assert (0.9, 0.9, 6.0) == found.geometry.spacing_mm
    assert "RAS" == found.geometry.orientation
    assert "RAS+ mm" == found.geometry.coordinate_system
    assert found.geometry.regular
    assert ("mm", "16-bit integer") == (found.nifti.space_unit, found.nifti.stored_type)
    data = leuko.read(sample).data
    assert data.max() == found.values.maximum
    assert np.isclose(data.mean(), found.values.mean)
    assert data.size == sum(found.values.histogram)
    assert np.isclose(np.percentile(data, 50), found.values.percentiles["p50"])


@pytest.mark.parametrize(
    ("code", "times"),
    [
        (0, ()),
        (1, (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        (2, (0.5, 0.4, 0.3, 0.2, 0.1, 0.0)),
        (3, (0.0, 0.3, 0.1, 0.4, 0.2, 0.5)),
        (4, (0.5, 0.2, 0.4, 0.1, 0.3, 0.0)),
        (5, (0.3, 0.0, 0.4, 0.1, 0.5, 0.2)),
        (6, (0.2, 0.5, 0.1, 0.4, 0.0, 0.3)),
    ],
)
def test_slice_timing_follows_the_code(code: int, times: tuple[float, ...]) -> None:
    """The six orders of nifti1.h, in seconds although the file counts milliseconds."""
    found = describe_nifti(
        header(
            slice_code=code, slice_duration=100, slice_end=5, dim_info=3 << 4, xyzt_units=2 | 16
        ),
        name="a.nii",
    )
    assert times == found.slice_times
    assert "third" == found.slice_axis


def test_intent_units_and_scaling_are_words() -> None:
    found = describe_nifti(
        header(intent_code=1002, xyzt_units=1 | 8, scl_slope=2, scl_inter=-5, qform_code=4),
        name="a",
    )
    assert ("labels", "m", "s") == (found.intent, found.space_unit, found.time_unit)
    assert (2.0, -5.0, "MNI 152") == (found.slope, found.intercept, found.qform)


def test_a_broken_slope_counts_as_none() -> None:
    assert 1.0 == describe_nifti(header(scl_slope=np.nan, scl_inter=3), name="a").slope
    assert 0.0 == describe_nifti(header(scl_slope=0, scl_inter=3), name="a").intercept


def test_texts_of_a_nifti_header_are_hidden(tmp_path: Path) -> None:
    file = tmp_path / "a.nii"
    file.write_bytes(header(descrip=b"John Doe 1956", pixdim=1) + bytes(4 + 240))
    hidden, shown = (
        {field.name: field.value for field in info(file, tags=True, patient=p).tags}
        for p in (False, True)
    )
    assert "(hidden)" == hidden["descrip"]
    assert "John Doe 1956" == shown["descrip"]
    assert "352" == hidden["vox_offset"]


def test_a_picture_has_no_millimetres(shared_data: Path) -> None:
    found = info(shared_data / "formats" / "images2d" / "gray16.png")
    assert found.geometry is not None
    assert not found.geometry.sized
    assert "" == found.geometry.orientation
    assert "array axes, pixels" == found.geometry.coordinate_system


def test_a_label_map_shows_its_labels() -> None:
    labels = np.zeros((5, 5, 5), np.uint8)
    labels[2:4] = 3
    assert (0, 3) == values_of(labels).labels
    assert () == values_of(np.arange(1000, dtype=np.int16)).labels
    assert () == values_of(labels.astype(np.float32)).labels


# ---------------------------------------------------------------- DICOM


def test_an_enhanced_object_is_described_through_its_functional_groups(shared_data: Path) -> None:
    found = info(case(shared_data, "siemens_xa10_enhanced_4d"))
    assert found.dicom is not None
    assert found.geometry is not None
    assert (64, 64, 6, 4) == found.geometry.shape
    assert 0.5 == found.geometry.seconds_between_volumes
    assert 30.0 == found.dicom["acquisition"]["EffectiveEchoTime"]
    assert 12 == found.dicom["photometric"]["BitsStored"]
    assert "patient" not in found.dicom


def test_every_vendors_series_can_be_described(shared_data: Path) -> None:
    for zipped in sorted((shared_data / "dicom" / "conversion").glob("*/in.zip")):
        found = info(zipped)
        assert found.dicom is not None
        assert found.dicom["photometric"] or len(found.series) > 1, zipped.parent.name
        assert json.loads(as_json(found))["name"] == "in.zip"


def test_a_study_lists_its_series_and_one_can_be_chosen(shared_data: Path) -> None:
    study = shared_data / "dicom" / "study" / "brain_tumor_progression_PGBM-003" / "in.zip"
    found = info(study)
    assert found.geometry is None
    assert 5 == len(found.series)
    key = next(item.key for item in found.series if item.description == "FLAIR_reg")
    flair = info(study, series=key)
    assert flair.geometry is not None
    assert (280, 320, 22) == flair.geometry.shape
    assert flair.dicom is not None
    assert 2600.0 == flair.dicom["acquisition"]["InversionTime"]
    with pytest.raises(UsageError, match="No series"):
        info(study, series="999")


def test_why_a_series_cannot_be_read_is_a_finding(shared_data: Path) -> None:
    found = info(shared_data / "dicom" / "failing" / "missing_slice_derived.zip")
    assert found.geometry is None
    assert found.series[0].unusable
    assert any(finding.code == "dicom.unreadable" for finding in found.findings)
    assert found.dicom is not None
    assert found.dicom["photometric"]["Rows"] == 256


def test_burned_in_text_and_overlays_are_named(shared_data: Path) -> None:
    failing = shared_data / "dicom" / "failing"
    burned = info(failing / "burned_in_annotation.zip")
    assert "dicom.burned_in" in {finding.code for finding in burned.findings}
    overlaid = info(failing / "overlay.zip")
    assert overlaid.dicom is not None
    assert "dicom.overlays" in {finding.code for finding in overlaid.findings}
    assert overlaid.dicom["annotations"]["Overlays"]


def test_the_patient_is_shown_only_where_asked_for(shared_data: Path, tmp_path: Path) -> None:
    """In the groups and in the listing, nested, private and repeated in other texts."""
    from pydicom import dcmread
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    with zipfile.ZipFile(case(shared_data, "hitachi_anat")) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dcm"))
        archive.extract(name, tmp_path)
    ds = dcmread(tmp_path / name)
    ds.PatientName, ds.PatientID = "Quixote^Zebulon", "QX7781234"
    ds.OperatorsName = "DrHolloway"
    ds.SeriesDescription = "FLAIR of Quixote"
    inner = Dataset()
    inner.PersonName = "Zebulon"
    ds.ContributingEquipmentSequence = Sequence([inner])
    ds.add_new(0x00090010, "LO", "SOME MAKER")
    ds.add_new(0x00091001, "LO", "QX7781234")
    ds.add_new(0x00091002, "FL", 3.5)
    file = tmp_path / "a.dcm"
    ds.save_as(file)
    plain, full = info(file, tags=True), info(file, tags=True, patient=True)
    text = as_json(plain).upper()
    for word in ("QUIXOTE", "ZEBULON", "QX7781234", "DRHOLLOWAY"):
        assert word not in text
        assert word in as_json(full).upper()
    assert full.dicom is not None
    assert "QX7781234" == full.dicom["patient"]["PatientID"]
    values = {field.tag: field.value for field in plain.tags}
    assert values["(0009,1002)"] in ("3.5", "(4 bytes)")
    assert values["(0009,1001)"] in ("(hidden)", "(10 bytes)")
    assert "SOME MAKER" == values["(0009,0010)"]


def test_the_listing_gives_every_element_with_its_representation(shared_data: Path) -> None:
    found = info(case(shared_data, "siemens_mosaic_cor"), tags=True)
    tags = {field.tag: field for field in found.tags}
    assert ("US", "12") == (tags["(0028,0101)"].vr, tags["(0028,0101)"].value)
    assert max(field.depth for field in found.tags) >= 1
    assert all(len(field.value) < 200 for field in found.tags)


def test_a_damaged_file_is_shown_as_far_as_it_goes(shared_data: Path, tmp_path: Path) -> None:
    """Bytes changed at random: what can be decoded is shown, or one of our errors says why not."""
    rng = np.random.default_rng(5)
    with zipfile.ZipFile(case(shared_data, "philips_enhanced_fmri")) as archive:
        content = archive.read(next(n for n in archive.namelist() if not n.endswith("/")))
    file = tmp_path / "a.dcm"
    shown = 0
    for _ in range(12):
        damaged = bytearray(content)
        for place in rng.integers(200, 9000, 10):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged)
        with suppress(ReadError, UnusableInput, SafetyRefusal):
            shown += len(info(file, tags=True).tags) > 0
    assert shown


# ---------------------------------------------------------------- printing


def test_bars_stand_on_each_other() -> None:
    """Heights are square roots; one that towers above all others is cut."""
    assert ["  █", " ██"] == bars([0, 4, 16], height=2)
    assert ["  █", " ██"] == bars([0, 4, 100000], height=2)
    assert ["█▃", "██"] == bars([4, 2], height=2)
    assert set("".join(bars(list(range(64))))) <= set(BLOCKS)
    assert ["   "] * 4 == bars([0, 0, 0])


def test_the_command_prints_tables_and_json(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["info", str(sample)])
    shown = capsys.readouterr().out
    for word in ("200 × 250 × 24", "RAS", "Histogram", "16-bit integer", "scanner"):
        assert word in shown
    assert 0 == main(["info", str(sample), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert 1 == told["schema"]
    assert {
        "schema", "name", "format", "geometry", "values", "nifti", "dicom", "series", "left_out",
        "findings", "tags",
    } == set(told)  # fmt: skip
    assert 0 == main(["info", str(sample), "--tags"])
    assert "vox_offset" in capsys.readouterr().out


def test_what_is_no_image_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no image")
    with pytest.raises(ReadError, match="not an image"):
        info(tmp_path / "a.txt")
    with pytest.raises(ReadError):
        info(tmp_path / "missing.nii")
    with pytest.raises(ReadError):
        info(tmp_path)
