"""Every sample series equals its NIfTI truth voxel by voxel, in world space."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from leuko.dicom.files import scan
from leuko.dicom.image import load, read_dicom
from leuko.errors import LeukoError, ReadError, SafetyRefusal, UsageError
from leuko.findings import Severity
from leuko.image.image import Image

# Case -> stacks with the truth of each; the rest hold one stack with truth.nii.gz.
SEVERAL = {
    "philips_classic_dual_echo_mag_phase": {
        "1301-e1": "truth_1301_Dualecho_iso_e1.nii.gz",
        "1301-e1-phase": "truth_1301_Dualecho_iso_e1_ph.nii.gz",
        "1301-e2": "truth_1301_Dualecho_iso_e2.nii.gz",
        "1301-e2-phase": "truth_1301_Dualecho_iso_e2_ph.nii.gz",
    },
    "philips_enhanced_b0_fieldmap": {
        "801-e1": "truth_801_B0_NS_e1.nii.gz",
        "801-real": "truth_801_B0_NS_e2_fieldmaphz.nii.gz",
    },
    "siemens_pd_t2_two_echoes": {
        "3-e1": "truth_3_pdt2_tse_sag_ISO_18mm_e1.nii.gz",
        "3-e2": "truth_3_pdt2_tse_sag_ISO_18mm_e2.nii.gz",
    },
}
CASES = [
    "canon_classic_dwi_2vol", "canon_v61_classic_dwi", "ge_3d_sag_t1", "ge_dwi_4d",
    "ge_epi_ascending", "ge_epi_interleaved", "ge_feet_first_epi_4d", "generic_non_isotropic",
    "generic_t1_compressed_j2k", "generic_t1_compressed_jpegls", "hitachi_anat",
    "philips_classic_asl_cbf", "philips_classic_dual_echo_mag_phase", "philips_classic_epi",
    "philips_enhanced_b0_fieldmap", "philips_enhanced_fmri", "siemens_2d_sag_t1_decubitus_left",
    "siemens_2d_sag_t1_hfs", "siemens_mosaic_ax_j2k", "siemens_mosaic_cor",
    "siemens_mosaic_epi_skyra", "siemens_mosaic_sag", "siemens_pd_t2_two_echoes",
    "siemens_rect_matrix", "siemens_xa10_enhanced_4d", "siemens_xa30_classic_jpegll_fragmented",
    "siemens_xa30_enhanced_fieldmap", "toshiba_classic_dwi_1vol", "uih_3d_sag_t1",
    "uih_grid_dwi_4d",
]  # fmt: skip


@pytest.fixture
def unpack(shared_data, tmp_path):
    """A function that unpacks an archive of the samples and returns the folder."""

    def unpacked(name: str) -> Path:
        with zipfile.ZipFile(shared_data / "dicom" / name) as archive:
            archive.extractall(tmp_path / "in")
        return tmp_path / "in"

    return unpacked


def assert_equals_truth(image: Image, path: Path) -> None:
    """Same voxels at the same places, and the same order of volumes."""
    reference = nibabel.load(path)
    truth = np.asarray(reference.dataobj, dtype=np.float64)
    truth = truth.reshape(*truth.shape[:3], -1)
    data = image.data.reshape(*image.grid.shape, -1)
    assert truth[..., 0].size == data[..., 0].size
    assert truth.shape[3] == data.shape[3]
    index = np.stack(np.indices(image.grid.shape), axis=-1).reshape(-1, 3)
    world = image.grid.to_world(index)
    inverse = np.linalg.inv(reference.affine)
    found = world @ inverse[:3, :3].T + inverse[:3, 3]
    nearest = np.rint(found).astype(int)
    offset = (found - nearest) @ reference.affine[:3, :3].T
    assert np.abs(offset).max() < 0.01  # mm
    assert nearest.min() >= 0
    assert np.all(nearest.max(axis=0) < truth.shape[:3])
    expected = truth[nearest[:, 0], nearest[:, 1], nearest[:, 2]]
    scale = max(1.0, np.abs(expected).max())
    difference = np.abs(data.reshape(len(index), -1, order="C") - expected).max()
    assert difference <= 1e-6 * scale


@pytest.mark.parametrize("case", CASES)
def test_series_of_seven_vendors_equal_their_truth(case, shared_data, unpack):
    folder = unpack(f"conversion/{case}/in.zip")
    stacks = {stack.key: stack for stack in scan(folder).stacks}
    expected = SEVERAL.get(case) or dict.fromkeys(stacks, "truth.nii.gz")
    assert set(expected) == set(stacks)
    for key, truth in expected.items():
        assert_equals_truth(load(stacks[key]), shared_data / "dicom/conversion" / case / truth)


def test_a_colour_series_is_read_as_luminance_and_refused_as_a_scan(shared_data, unpack):
    image = read_dicom(unpack("conversion/rgb_mr_colour_series/in.zip"))
    assert {f.code for f in image.findings if f.severity is Severity.REFUSAL} == {"dicom.colour"}
    reference = nibabel.load(shared_data / "dicom/conversion/rgb_mr_colour_series/truth.nii.gz")
    colours = np.asarray(reference.dataobj)
    weights = {"R": 0.299, "G": 0.587, "B": 0.114}
    truth = sum(weight * colours[name].astype(float) for name, weight in weights.items())
    assert image.data.shape == truth.shape
    index = np.stack(np.indices(image.grid.shape), axis=-1).reshape(-1, 3)
    inverse = np.linalg.inv(reference.affine)
    nearest = np.rint(image.grid.to_world(index) @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    if nearest.min() >= 0 and np.all(nearest.max(axis=0) < truth.shape):
        found = truth[tuple(nearest.T)]
        np.testing.assert_allclose(image.data.reshape(-1), found, atol=1.0)


@pytest.mark.parametrize(
    ("reason", "error", "words"),
    [
        ("not_a_volume", SafetyRefusal, "one position"),
        ("inconsistent_slice_increment", SafetyRefusal, "missing"),
        ("inconsistent_slice_orientation", UsageError, "202.*501"),
        ("gantry_tilt_variable_spacing", SafetyRefusal, "varies from 1.081 to 6.999"),
        ("localizer_three_planes", UsageError, "5-ax.*5-cor.*5-sag"),
        ("missing_slice_derived", SafetyRefusal, "after slice 2 the next lies 9.6 mm away"),
        ("mosaic_without_private_headers_derived", SafetyRefusal, "CSA"),
        ("not_an_image", ReadError, "no DICOM image"),
        ("damaged_or_odd", UsageError, "3 series"),
    ],
)
def test_a_series_that_is_no_image_is_refused_with_its_reason(reason, error, words, unpack):
    with pytest.raises(error, match=words):
        read_dicom(unpack(f"failing/{reason}.zip"))


@pytest.mark.parametrize(
    ("reason", "code", "severity"),
    [
        ("too_few_slices", "dicom.two_slices", Severity.WARNING),
        ("burned_in_annotation", "dicom.burned_in", Severity.WARNING),
        ("secondary_capture", "dicom.not_anatomy", Severity.WARNING),
        ("overlay", "grid.single_slice", Severity.REFUSAL),
    ],
)
def test_what_can_be_read_carries_its_finding(reason, code, severity, unpack):
    image = read_dicom(unpack(f"failing/{reason}.zip"))
    assert severity in {finding.severity for finding in image.findings if finding.code == code}


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("duplicate_files_same_uid_derived", "dicom.same_file"),
        ("duplicate_slice_new_uid_derived", "dicom.duplicates"),
    ],
)
def test_slices_that_are_there_twice_count_once(reason, code, shared_data, unpack):
    image = read_dicom(unpack(f"failing/{reason}.zip"))
    assert code in {finding.code for finding in image.findings}
    assert_equals_truth(image, shared_data / "dicom/conversion/hitachi_anat/truth.nii.gz")


def test_a_series_per_slice_is_joined_and_said(unpack):
    image = read_dicom(unpack("failing/series_uid_per_slice_derived.zip"))
    assert image.data.shape == (80, 80, 5)
    assert "dicom.series_joined" in {finding.code for finding in image.findings}


def test_rubbish_above_the_stored_bits_is_dropped(unpack):
    folder = unpack("failing/twelve_bit_stored.zip")
    (truth,) = folder.glob("*_truth.nii.gz")
    image = read_dicom(folder)
    assert image.data.max() == 4095
    assert_equals_truth(image, truth)


@pytest.mark.parametrize(
    ("file", "error", "words"),
    [
        ("MR_truncated.dcm", ReadError, "8130 of 8192 bytes"),
        ("ExplVR_BigEndNoMeta.dcm", ReadError, "radiotherapy"),
        ("ExplVR_LitEndNoMeta.dcm", ReadError, "radiotherapy"),
        ("rtplan_truncated.dcm", ReadError, "no image"),
        ("badVR.dcm", ReadError, "no image"),
        ("UN_sequence.dcm", ReadError, "without pixels"),
        ("no_meta.dcm", ReadError, "no image"),
        ("nested_priv_SQ.dcm", ReadError, "no image"),
        ("meta_missing_tsyntax.dcm", ReadError, "no image"),
        ("empty_charset_LEI.dcm", ReadError, "no image"),
        ("no_meta_group_length.dcm", ReadError, "no image"),
    ],
)
def test_damaged_files_give_one_clear_sentence(file, error, words, unpack):
    with pytest.raises(error, match=words):
        read_dicom(unpack("failing/damaged_or_odd.zip") / file)


def test_a_codestream_and_a_header_that_differ_on_the_sign_keep_the_smooth_image(unpack):
    image = read_dicom(unpack("failing/damaged_or_odd.zip") / "J2K_pixelrep_mismatch.dcm")
    assert (-2000, 1896) == (image.data.min(), image.data.max())
    assert "dicom.sign" in {finding.code for finding in image.findings}


@pytest.mark.parametrize("folder", ["mr_small", "emri_small"])
def test_every_lossless_transfer_syntax_gives_the_same_pixels(folder, shared_data):
    base = shared_data / "dicom" / "transfer_syntaxes" / folder
    truth = np.load(base / "truth_pixels.npy")
    files = sorted(base.glob("*.dcm"))
    assert len(files) == {"mr_small": 8, "emri_small": 5}[folder]
    for file in files:
        data = read_dicom(file).data
        found = data[..., 0].T if folder == "mr_small" else data[:, :, 0].transpose(2, 1, 0)
        np.testing.assert_array_equal(found, truth, err_msg=file.name)


def outcome(file: Path) -> str:
    """What reading a file comes to."""
    try:
        codes = {finding.code for finding in read_dicom(file).findings}
    except LeukoError as error:
        return type(error).__name__ if file.name in str(error) else f"unnamed: {error}"
    return "lossy" if "dicom.lossy" in codes else "read"


def test_lossy_and_special_encodings_are_read_or_refused_in_a_sentence(shared_data):
    base = shared_data / "dicom" / "transfer_syntaxes" / "other"
    found = {file.name: outcome(file) for file in sorted(base.glob("*.dcm"))}
    assert found == {
        "693_J2KI.dcm": "lossy",
        "JPEG-lossy.dcm": "lossy",
        "JPEG2000-embedded-sequence-delimiter.dcm": "ReadError",
        "JPEG2000.dcm": "lossy",
        "JPEGLSNearLossless_16.dcm": "lossy",
        "JPGExtended.dcm": "lossy",
        "SC_rgb_jpeg_dcmtk.dcm": "lossy",
        "SC_rgb_small_odd_jpeg.dcm": "lossy",
        "examples_jpeg2k.dcm": "read",
        "image_dfl.dcm": "read",
    }


def test_a_dicomdir_is_an_index_and_no_image(shared_data):
    folder = shared_data / "dicom" / "dicomdir"
    whole = scan(folder)
    indexes = [skipped for skipped in whole.skipped if "DICOMDIR" in skipped.reason]
    assert len(indexes) == 7
    by_index = scan(folder / "DICOMDIR")
    assert len(by_index.stacks) == len(whole.stacks)
    assert not by_index.skipped
    assert "cervical lat" in {stack.description.casefold() for stack in whole.stacks}


def test_the_study_flair_equals_its_truth(shared_data, unpack):
    case = shared_data / "dicom" / "study" / "brain_tumor_progression_PGBM-003"
    folder = unpack("study/brain_tumor_progression_PGBM-003/in.zip")
    series = json.loads((case / "series.json").read_text())
    assert series
    image = read_dicom(folder, series="FLAIR_reg")
    assert_equals_truth(image, case / "truth_flair.nii.gz")
    with pytest.raises(UsageError, match=r"5 series.*FLAIR_reg"):
        read_dicom(folder)


def test_a_damaged_jpeg_of_12_bits_ends_no_process(shared_data, tmp_path):
    file = shared_data / "dicom" / "transfer_syntaxes" / "other" / "JPGExtended.dcm"
    content = file.read_bytes()
    start = content.index(b"\xff\xd8\xff")
    (tmp_path / "f").write_bytes(content[: start + 20] + bytes(200) + content[start + 220 :])
    with pytest.raises(ReadError, match="The pixels of f are damaged"):
        read_dicom(tmp_path / "f")


@pytest.mark.parametrize(
    ("case", "weights"),
    [("ge_dwi_4d", "b = 0, 1000 (2 times)"), ("canon_classic_dwi_2vol", "b = 0, 1500")],
)
def test_b_values_that_no_array_holds_are_said(case, weights, unpack):
    findings = read_dicom(unpack(f"conversion/{case}/in.zip")).findings
    told = [finding.what for finding in findings if finding.code == "dicom.diffusion"]
    assert len(told) == 1
    assert weights in told[0]


def test_an_index_in_a_folder_tells_that_files_are_missing(shared_data, tmp_path):
    """A slice lost at either end of a series shows nowhere else."""
    folder = tmp_path / "medium"
    shutil.copytree(shared_data / "dicom" / "dicomdir", folder)
    assert "dicom.index_incomplete" not in {finding.code for finding in scan(folder).findings}
    next(path for path in (folder / "77654033").rglob("*") if path.is_file()).unlink()
    found = {finding.code: finding.what for finding in scan(folder).findings}
    assert found["dicom.index_incomplete"].startswith("1 file that the DICOMDIR names is not")
