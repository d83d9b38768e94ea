"""Real files of every volumetric format: each equals what TRUTH.md says, voxel by voxel."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from axis_orders import same_place

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Policy
from leuko.formats.read import read, read_scan
from leuko.image.image import Image, to_canonical

REFERENCE = {
    "mgh.mgz": "mgh", "mgh_float.mgh": "mgh", "sitk.mha": "metaimage", "sitk.nhdr": "nrrd",
    "sitk_lps_gzip.nrrd": "nrrd", "sitk_lps_raw.nrrd": "nrrd", "teem_lps_bzip2.nrrd": "nrrd",
    "teem_lps_hex.nrrd": "nrrd", "teem_lps_text.nrrd": "nrrd", "pynrrd_ras_ascii.nrrd": "nrrd",
    "pynrrd_ras_big_endian.nrrd": "nrrd", "pynrrd_ras_bzip2.nrrd": "nrrd",
    "pynrrd_ras_gzip.nrrd": "nrrd", "pynrrd_ras_raw.nrrd": "nrrd", "minc1_netcdf.mnc": "minc1",
    "minc2_hdf5.mnc": "minc2", "minc2_by_itk.mnc": "minc2",
    "analyze/spm99_with_mat.hdr": "analyze", "analyze/spm99_with_mat.img": "analyze",
}  # fmt: skip
SAME_SCAN = ("mgh.mgz", "mha.mha", "nrrd.nhdr", "afni.BRIK+orig.HEAD", "afni.BRIK+orig.BRIK")
BALLS = (
    "BallBinary30x30x30.nrrd", "BallBinary30x30x30.nhdr", "BallBinary30x30x30_bz2.nrrd",
    "BallBinary30x30x30_gz.nrrd", "BallBinary30x30x30_gz_lineskip.nrrd",
    "BallBinary30x30x30_gz_byteskip_minus_one.nrrd",
    "BallBinary30x30x30_byteskip_minus_one.nhdr",
    "BallBinary30x30x30_byteskip_minus_one_nifti.nhdr",
)  # fmt: skip
MINC_3D = ("minc1_1_scale", "minc1-no-att", "tiny", "minc2_1_scale", "minc2-no-att", "small")
MINC_4D = ("minc1_4d", "minc2_4d", "minc2-4d-d")


@pytest.fixture(scope="module")
def formats(shared_data: Path) -> Path:
    return shared_data / "formats"


@pytest.fixture(scope="module")
def reference(formats: Path) -> Image:
    return read(formats / "derived/reference.nii.gz")


@pytest.mark.parametrize("name", REFERENCE)
def test_every_way_to_store_the_reference_equals_it(
    formats: Path, reference: Image, name: str
) -> None:
    image = read_scan(formats / "derived" / name)
    same_place(image, reference, mm=2e-5)
    assert image.source is not None
    assert image.source.format == REFERENCE[name]


@pytest.mark.parametrize("name", SAME_SCAN)
def test_one_scan_by_five_programs_is_the_same(formats: Path, name: str) -> None:
    truth = read(formats / "same_image/truth_from_dicom.nii.gz")
    same_place(read_scan(formats / "same_image" / name), truth, mm=1.2e-4)


def test_a_real_nrrd_equals_its_nifti(formats: Path) -> None:
    truth = read(formats / "nifti/FLAIR.nii.gz")
    same_place(read_scan(formats / "nrrd/FLAIR.nrrd"), truth, mm=2e-5)


@pytest.mark.parametrize("name", BALLS)
def test_every_encoding_and_skip_of_nrrd_gives_the_same_voxels(formats: Path, name: str) -> None:
    truth = nibabel.load(formats / "nrrd/BallBinary30x30x30.nii.gz").get_fdata()
    np.testing.assert_array_equal(read_scan(formats / "nrrd" / name).data, truth)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("BallBinary30x30x30_byteskip_minus_five.nhdr", "'-5' is no number"),
        ("BallBinary30x30x30_nifti.nhdr", "holds more than the 54,000 bytes"),
    ],
)
def test_an_nrrd_that_must_fail_says_why(formats: Path, name: str, why: str) -> None:
    with pytest.raises(ReadError, match=why):
        read(formats / "nrrd" / name)


@pytest.mark.parametrize(
    "name", ["test1d_ascii.nrrd", "test2d_ascii.nrrd", "test_customFields.nrrd",
             "test_simple4d_raw.nrrd"]
)  # fmt: skip
def test_an_nrrd_that_is_no_volume_is_refused_as_a_scan(formats: Path, name: str) -> None:
    assert read(formats / "nrrd" / name).data.ndim == 3
    with pytest.raises(UnusableInput):
        read_scan(formats / "nrrd" / name)


def test_without_directions_only_the_voxels_of_an_nrrd_are_known(
    formats: Path, reference: Image
) -> None:
    image = read_scan(formats / "derived/no_space_directions.nrrd")
    np.testing.assert_array_equal(image.data, reference.data)
    assert not image.grid.oriented
    assert image.grid.spacing == (1.0, 1.0, 1.0)


def test_a_list_axis_of_an_nrrd_comes_last(formats: Path, reference: Image) -> None:
    image = read(formats / "derived/pynrrd_4d_list_axis_first.nrrd")
    same_place(image.volume(0), reference, mm=2e-5)
    np.testing.assert_array_equal(image.data[..., 1], reference.data // 2)


@pytest.mark.parametrize("name", MINC_3D)
def test_minc_equals_what_minc_tools_make_of_it(formats: Path, name: str) -> None:
    image = read(formats / f"minc/{name}.mnc")
    truth = read(formats / f"minc/{name}_mnc2nii.nii.gz")
    ours, theirs = (to_canonical(i.data, i.grid) for i in (image, truth))
    np.testing.assert_allclose(ours, theirs, atol=4e-6, rtol=0)
    assert image.grid.canonical().corner_distance(truth.grid.canonical()) < 1e-6


@pytest.mark.parametrize("name", MINC_4D)
def test_time_of_a_4d_minc_comes_last(formats: Path, name: str) -> None:
    image = read(formats / f"minc/{name}.mnc")
    truth = read(formats / f"minc/{name}_mnc2nii.nii.gz")
    assert image.volumes == truth.volumes > 1
    ours, theirs = (to_canonical(i.data, i.grid) for i in (image, truth))
    np.testing.assert_allclose(ours, theirs, atol=4e-6, rtol=0)
    assert image.seconds == 1.0


def test_a_minc_whose_dimensions_contradict_its_voxels_is_refused(formats: Path) -> None:
    with pytest.raises(ReadError, match="promises 642 voxels along xspace, and holds 10"):
        read(formats / "minc/minc2_baddim.mnc")


@pytest.mark.parametrize("name", ["minc1-no-att.mnc", "minc2-no-att.mnc"])
def test_a_minc_without_voxel_size_is_refused_as_a_scan(formats: Path, name: str) -> None:
    with pytest.raises(UnusableInput, match="does not give the voxel size"):
        read_scan(formats / "minc" / name)
    read_scan(formats / "minc" / name, policy=Policy.LENIENT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # nibabel leaves files open
def test_mgh_equals_nibabels(formats: Path) -> None:
    for name in ("mgh/wm.mgz", "mgh/test.mgz", "derived/mgh.mgz", "derived/mgh_float.mgh"):
        image, oracle = read(formats / name), nibabel.load(formats / name)
        np.testing.assert_array_equal(image.data, np.asanyarray(oracle.dataobj))
        np.testing.assert_allclose(image.grid.affine, oracle.affine, atol=1e-4)


def test_a_conformed_volume_is_called_so(formats: Path) -> None:
    image = read_scan(formats / "mgh/wm.mgz")
    assert image.grid.orientation.code == "LIA"
    assert "mgh.conformed" in {finding.code for finding in image.findings}


def test_analyze_without_mat_has_no_orientation(formats: Path, reference: Image) -> None:
    image = read(formats / "derived/analyze/plain.hdr")
    np.testing.assert_array_equal(image.data, reference.data)
    assert not image.grid.oriented
    assert {f.code for f in image.findings} == {"grid.orientation_unknown"}


def test_an_analyze_header_alone_is_refused(formats: Path) -> None:
    with pytest.raises(ReadError, match=r"its voxels, header_only_spm2\.img, are missing"):
        read(formats / "analyze/header_only_spm2.hdr")


def test_hdr_of_nifti_is_told_from_analyze_by_its_magic(formats: Path) -> None:
    source = read(formats / "nifti/ras.hdr").source
    assert source is not None
    assert source.format == "nifti1"


def test_complex_numbers_of_a_real_file_become_their_magnitude(formats: Path) -> None:
    path = formats / "nifti/complex_image.nii.gz"
    truth = np.abs(np.asanyarray(nibabel.load(path).dataobj))
    image = read(path)
    np.testing.assert_allclose(image.data, truth, rtol=1e-6)
    assert "nifti.complex" in {finding.code for finding in image.findings}


def test_colours_of_a_real_file_become_brightness(formats: Path) -> None:
    path = formats / "nifti/rgb_ct_perfusion.nii.gz"
    colours = np.asanyarray(nibabel.load(path).dataobj)
    truth = 0.299 * colours["R"] + 0.587 * colours["G"] + 0.114 * colours["B"]
    np.testing.assert_allclose(read(path).data, truth, atol=1e-4)
    with pytest.raises(UnusableInput, match="colours"):
        read_scan(path)


def test_real_4d_files_keep_their_volumes(formats: Path) -> None:
    for name, seconds in (("functional.nii", 2.0), ("example_nifti2.nii.gz", 2000.0)):
        image, oracle = read(formats / "nifti" / name), nibabel.load(formats / "nifti" / name)
        np.testing.assert_allclose(image.data, oracle.get_fdata(), rtol=1e-6)
        assert image.seconds == seconds


def test_the_dicom_segmentations_nrrd_has_its_315_voxels(shared_data: Path) -> None:
    folder = shared_data / "dicom/seg/dcmqi_24x38x3/nrrd"
    image = read(next(folder.glob("*.nrrd")))
    assert np.count_nonzero(image.data) == 315
