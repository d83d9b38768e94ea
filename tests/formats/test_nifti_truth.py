"""Real files: what must equal what, voxel by voxel and corner by corner, and what must fail."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import pytest

from leuko.errors import LeukoError, ReadError, UnusableInput
from leuko.findings import Policy
from leuko.formats.read import read_scan
from leuko.image.image import Image, to_canonical

ORIENTATIONS = ["AIL", "ASR", "IAR", "IPL", "LAS", "LPI", "LPS", "PSR", "RSP", "SAR", "SPL"]
SAME = {
    "big_endian.nii.gz": {"nifti.units_unknown", "nifti.big_endian"},
    "float64.nii.gz": {"nifti.units_unknown"},
    "four_d_one_volume.nii.gz": {"nifti.units_unknown", "nifti.singleton_axes"},
    "header_extension.nii.gz": {"nifti.units_unknown", "nifti.extension"},
    "int64.nii.gz": {"nifti.units_unknown", "nifti.int64"},
    "nifti1.nii": set(),
    "nifti2.nii.gz": {"nifti.units_unknown"},
    "pair.hdr": {"nifti.units_unknown"},
    "pair.img": {"nifti.units_unknown"},
    "pair2.hdr": {"nifti.units_unknown"},
    "pair2.img": {"nifti.units_unknown"},
    "qfac_minus1_qform_only.nii.gz": {"nifti.units_unknown"},
    "qform_code_0_sform_only.nii.gz": set(),
    "scl_slope_inter.nii.gz": {"nifti.units_unknown", "nifti.scaled"},
    "scl_slope_nan.nii.gz": {"nifti.scaling_invalid"},
    "scl_slope_zero.nii.gz": set(),
    "sform_code_0_qform_only.nii.gz": set(),
    "sform_qform_disagree.nii.gz": {"nifti.units_unknown", "nifti.sform_qform_disagree"},
    "uncompressed_named_gz/reference.nii.gz": {"file.name_misleads"},
    "units_metre.nii.gz": {"nifti.units_converted"},
}
MUST_FAIL = {
    "empty.nii.gz": "empty.nii.gz is empty (0 bytes).",
    "huge_dims.nii": "huge_dims.nii claims 30000 x 30000 x 30000 voxels, more than any scan has.",
    "not_gzip.nii.gz": "not_gzip.nii.gz is truncated: its header promises 55,296 bytes of voxels, "
    "the file has 3,648.",
    "truncated.nii": "truncated.nii is truncated: its header promises 55,296 bytes of voxels, "
    "the file has 27,472.",
    "truncated.nii.gz": "truncated.nii.gz is truncated: its header promises 55,296 bytes of "
    "voxels, the file has 32,262.",
}


@pytest.fixture(scope="module")
def formats(shared_data: Path) -> Path:
    return shared_data / "formats"


@pytest.fixture(scope="module")
def reference(formats: Path) -> Image:
    return read_scan(formats / "derived/reference.nii.gz")


def canonical_corners(image: Image) -> npt.NDArray[np.float64]:
    grid = image.grid.canonical()
    return grid.to_world(list(itertools.product(*((0, n - 1) for n in grid.shape))))


def assert_same_image(image: Image, truth: Image, *, corners_mm: float) -> None:
    np.testing.assert_array_equal(
        to_canonical(image.data, image.grid), to_canonical(truth.data, truth.grid)
    )
    np.testing.assert_allclose(canonical_corners(image), canonical_corners(truth), atol=corners_mm)


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_every_orientation_is_the_same_head(formats: Path, code: str) -> None:
    image = read_scan(formats / f"orientations/{code}.nii.gz")
    assert image.grid.orientation.code == code
    truth = read_scan(formats / "orientations/RAS.nii.gz")
    assert_same_image(image, truth, corners_mm=1e-5)


@pytest.mark.parametrize("name", SAME)
def test_every_way_to_write_the_reference_reads_the_same(
    formats: Path, reference: Image, name: str
) -> None:
    image = read_scan(formats / "derived" / name)
    assert_same_image(image, reference, corners_mm=2e-5)
    assert {finding.code for finding in image.findings} == SAME[name]


def test_without_both_codes_only_the_voxels_are_equal(formats: Path, reference: Image) -> None:
    image = read_scan(formats / "derived/both_codes_0.nii.gz")
    np.testing.assert_array_equal(image.data, reference.data)
    assert not image.grid.oriented
    assert {finding.code for finding in image.findings} == {"grid.orientation_unknown"}


@pytest.mark.parametrize("name", MUST_FAIL)
@pytest.mark.parametrize("policy", Policy)
def test_what_must_fail_says_why_in_a_sentence(formats: Path, name: str, policy: Policy) -> None:
    with pytest.raises(ReadError) as caught:
        read_scan(formats / "derived/must_fail" / name, policy=policy)
    assert str(caught.value) == MUST_FAIL[name]
    assert caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("rgb_ct_perfusion.nii.gz", "colours"),
        ("functional.nii", "20 volumes"),
        ("example_nifti2.nii.gz", "2 volumes"),
    ],
)
def test_what_is_no_scan_is_refused(formats: Path, name: str, sentence: str) -> None:
    with pytest.raises(UnusableInput, match=sentence):
        read_scan(formats / "nifti" / name)


@pytest.mark.parametrize(
    "name",
    [
        "FLAIR.nii.gz",
        "lesion.nii.gz",
        "anatomical.nii",
        "hippo.nii.gz",
        "low_res.nii.gz",
        "minimal.nii.gz",
        "ras.hdr",
        "reoriented_anat_moved.nii",
        "standard.nii.gz",
    ],
)
def test_real_files_equal_what_nibabel_reads(formats: Path, name: str) -> None:
    path = formats / "nifti" / name
    image, oracle = read_scan(path), nibabel.load(path)
    np.testing.assert_allclose(image.data, oracle.get_fdata(), rtol=1e-6)
    if image.grid.oriented:
        np.testing.assert_allclose(image.grid.affine, oracle.affine, atol=1e-6)


def test_the_hash_is_that_of_the_file(formats: Path) -> None:
    path = formats / "nifti/FLAIR.nii.gz"
    source = read_scan(path).source
    assert source is not None
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_hash_of_a_pair_is_that_of_header_then_voxels(formats: Path) -> None:
    source = read_scan(formats / "derived/pair.img").source
    assert source is not None
    parts = [(formats / f"derived/pair.{half}").read_bytes() for half in ("hdr", "img")]
    assert source.sha256 == hashlib.sha256(b"".join(parts)).hexdigest()


def outcome(path: Path) -> Image | LeukoError:
    try:
        return read_scan(path, policy=Policy.LENIENT)
    except LeukoError as error:
        return error


def test_every_file_is_read_or_refused_with_a_way_out(formats: Path) -> None:
    for path in sorted(path for path in formats.rglob("*") if path.is_file()):
        result = outcome(path)
        if isinstance(result, Image):
            assert np.all(np.isfinite(result.data)), path
            continue
        assert result.exit_code in (3, 4, 5), path
        assert result.what.endswith("."), path
        assert result.hint, path
        assert str(path.parent) not in result.what + result.hint
