"""Everything odd that a NIfTI header may say: what leuko makes of it, and that it says so."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Policy, Severity
from leuko.formats.geometry import LABELS
from leuko.formats.read import read, read_mask, read_scan
from leuko.image.image import Image

NiftiMaker = Callable[..., Path]
COUNT = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def codes(image: Image) -> set[str]:
    return {finding.code for finding in image.findings}


def severity(image: Image, code: str) -> Severity:
    (found,) = [finding.severity for finding in image.findings if finding.code == code]
    return found


def srow(affine: Any) -> dict[str, Any]:
    affine = np.asarray(affine, dtype=float)
    return {"srow_x": affine[0], "srow_y": affine[1], "srow_z": affine[2]}


def test_a_plain_file_raises_no_findings_and_keeps_its_type(make_nifti: NiftiMaker) -> None:
    path = make_nifti(data=COUNT)
    image = read_scan(path)
    assert image.findings == ()
    assert image.data.dtype == np.int16
    assert image.data.dtype.isnative
    np.testing.assert_array_equal(image.data, COUNT)
    np.testing.assert_array_equal(image.grid.affine, np.eye(4))
    assert image.source is not None
    assert (image.source.name, image.source.format) == ("scan.nii.gz", "nifti1")
    assert image.source.header == gzip.decompress(path.read_bytes())[:348]


# ------------------------------------------------------------------ where the voxels lie


def test_sform_and_qform_that_disagree_are_told_and_the_sform_counts(
    make_nifti: NiftiMaker,
) -> None:
    image = read_scan(make_nifti(qoffset_x=5.0))
    assert severity(image, "nifti.sform_qform_disagree") is Severity.WARNING
    assert "5 mm" in image.findings[0].what
    np.testing.assert_array_equal(image.grid.affine, np.eye(4))


def test_sform_and_qform_may_differ_by_rounding(make_nifti: NiftiMaker) -> None:
    assert read_scan(make_nifti(qoffset_x=0.09)).findings == ()


def test_a_small_volume_may_not_differ_in_angle_either(make_nifti: NiftiMaker) -> None:
    """0.2 degrees move the corners of this volume by less than 0.1 mm."""
    image = read_scan(make_nifti(quatern_d=float(np.sin(np.radians(0.1)))))
    assert codes(image) == {"nifti.sform_qform_disagree"}


def test_a_mirrored_qform_is_called_so(make_nifti: NiftiMaker) -> None:
    pixdim = [-1, 1, 1, 1, 1, 1, 1, 1]
    image = read_scan(make_nifti(pixdim=pixdim))
    assert "mirror image" in image.findings[0].what


def test_without_a_qform_code_the_sform_counts(make_nifti: NiftiMaker) -> None:
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    fields = {"qform_code": 0, "pixdim": [1, 2, 2, 3, 0, 0, 0, 0], **srow(affine)}
    image = read_scan(make_nifti(**fields))
    np.testing.assert_array_equal(image.grid.affine, affine)
    assert image.findings == ()


def test_without_an_sform_code_the_qform_counts(make_nifti: NiftiMaker) -> None:
    image = read_scan(make_nifti(sform_code=0, qoffset_y=-7.0, **srow(np.zeros((3, 4)))))
    assert image.grid.affine[1, 3] == -7.0
    assert image.findings == ()


@pytest.mark.parametrize(("qfac", "third"), [(-1.0, -1.0), (0.0, 1.0), (1.0, 1.0)])
def test_qfac_mirrors_the_third_axis_and_0_means_1(
    make_nifti: NiftiMaker, qfac: float, third: float
) -> None:
    image = read_scan(make_nifti(sform_code=0, pixdim=[qfac, 1, 1, 1, 0, 0, 0, 0]))
    assert image.grid.affine[2, 2] == third


def test_without_both_codes_orientation_is_unknown(make_nifti: NiftiMaker) -> None:
    path = make_nifti(sform_code=0, qform_code=0, pixdim=[1, 1, 1, 5, 0, 0, 0, 0])
    image = read_scan(path)
    assert not image.grid.oriented
    assert image.grid.spacing == (1.0, 1.0, 5.0)
    assert severity(image, "grid.orientation_unknown") is Severity.WARNING


def test_a_negative_voxel_size_has_its_magnitude(make_nifti: NiftiMaker) -> None:
    pixdim = [1, -1, 1, 1, 0, 0, 0, 0]
    image = read_scan(make_nifti(pixdim=pixdim))
    assert severity(image, "nifti.negative_pixdim") is Severity.NOTE
    assert image.grid.voxel_mm3 == 1.0
    alone = read_scan(make_nifti(pixdim=pixdim, sform_code=0))
    assert severity(alone, "nifti.negative_pixdim") is Severity.WARNING
    np.testing.assert_array_equal(alone.grid.affine, np.eye(4))


def test_shear_is_kept_and_told(make_nifti: NiftiMaker) -> None:
    affine = np.eye(4)
    affine[0, 1] = 0.2
    image = read_scan(make_nifti(qform_code=0, **srow(affine)))
    assert severity(image, "grid.shear") is Severity.WARNING
    np.testing.assert_allclose(image.grid.affine, affine, atol=1e-7)
    assert image.grid.voxel_mm3 == pytest.approx(1.0)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_an_impossible_sform_is_passed_over(make_nifti: NiftiMaker, value: float) -> None:
    image = read_scan(make_nifti(srow_x=[value, 0, 0, 0], qoffset_x=3.0))
    assert severity(image, "nifti.sform_invalid") is Severity.WARNING
    assert image.grid.affine[0, 3] == 3.0


@pytest.mark.parametrize("quatern_b", [np.nan, 3.0])
def test_an_impossible_qform_is_passed_over(make_nifti: NiftiMaker, quatern_b: float) -> None:
    image = read_scan(make_nifti(quatern_b=quatern_b))
    assert codes(image) == {"nifti.qform_invalid"}
    alone = read_scan(make_nifti(quatern_b=quatern_b, sform_code=0))
    assert codes(alone) == {"nifti.qform_invalid", "grid.orientation_unknown"}


def test_a_voxel_size_that_contradicts_the_sform_is_told(make_nifti: NiftiMaker) -> None:
    image = read_scan(make_nifti(qform_code=0, pixdim=[1, 1, 1, 3, 0, 0, 0, 0]))
    assert severity(image, "nifti.pixdim_disagrees") is Severity.WARNING
    assert image.grid.spacing == (1.0, 1.0, 1.0)


def test_a_missing_voxel_size_is_refused_unless_lenient(make_nifti: NiftiMaker) -> None:
    path = make_nifti(sform_code=0, qform_code=0, pixdim=np.zeros(8))
    with pytest.raises(UnusableInput, match="does not give the voxel size"):
        read_scan(path)
    image = read_scan(path, policy=Policy.LENIENT)
    assert image.grid.spacing == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("units", "scale", "code"),
    [
        (1, 1e3, "nifti.units_converted"),
        (2, 1.0, None),
        (3, 1e-3, "nifti.units_converted"),
        (0, 1.0, "nifti.units_unknown"),
        (5, 1.0, "nifti.units_unknown"),
        (2 | 8, 1.0, None),  # with seconds
    ],
)
def test_lengths_become_millimetres(
    make_nifti: NiftiMaker, units: int, scale: float, code: str | None
) -> None:
    size = 1.0 / scale
    affine = np.diag([size, size, size, 1.0])
    affine[0, 3] = 10 * size
    fields = {"pixdim": [1, *[size] * 3, 0, 0, 0, 0], "qoffset_x": 10 * size, **srow(affine)}
    for only in ({}, {"sform_code": 0}):
        image = read_scan(make_nifti(xyzt_units=units, **fields, **only))
        assert image.grid.spacing == (1.0, 1.0, 1.0)
        assert image.grid.affine[0, 3] == pytest.approx(10.0)
        assert codes(image) == ({code} if code else set())


@pytest.mark.parametrize(
    ("size", "code"),
    [
        (0.19, "grid.spacing_unusual"),
        (10.5, "grid.spacing_unusual"),
        (0.001, "grid.spacing_implausible"),
        (1000.0, "grid.spacing_implausible"),
    ],
)
def test_implausible_voxels(make_nifti: NiftiMaker, size: float, code: str) -> None:
    affine = np.diag([1.0, 1.0, size, 1.0])
    path = make_nifti(qform_code=0, pixdim=[1, 1, 1, size, 0, 0, 0, 0], **srow(affine))
    assert codes(read_scan(path, policy=Policy.LENIENT)) == {code}
    refused = Policy.DEFAULT if code == "grid.spacing_implausible" else Policy.STRICT
    with pytest.raises(UnusableInput, match="voxel of"):
        read_scan(path, policy=refused)


def test_one_slice_is_no_volume(make_nifti: NiftiMaker) -> None:
    path = make_nifti(data=np.ones((4, 5), dtype=np.int16))
    with pytest.raises(UnusableInput, match="a slice, not a volume"):
        read_scan(path)
    assert read_scan(path, policy=Policy.LENIENT).data.shape == (4, 5, 1)


# ------------------------------------------------------------------ what the numbers mean


def test_slope_and_intercept_are_applied(make_nifti: NiftiMaker) -> None:
    image = read_scan(make_nifti(data=COUNT, scl_slope=0.5, scl_inter=-3.0))
    assert image.data.dtype == np.float32
    np.testing.assert_array_equal(image.data, COUNT * 0.5 - 3.0)
    assert codes(image) == {"nifti.scaled"}


def test_an_intercept_alone_is_applied(make_nifti: NiftiMaker) -> None:
    image = read_scan(make_nifti(data=COUNT, scl_slope=1.0, scl_inter=-1024.0))
    np.testing.assert_array_equal(image.data, COUNT - 1024.0)


@pytest.mark.parametrize(("slope", "inter"), [(0.0, 0.0), (0.0, 5.0), (0.0, np.nan)])
def test_a_slope_of_0_means_no_scaling(make_nifti: NiftiMaker, slope: float, inter: float) -> None:
    image = read_scan(make_nifti(data=COUNT, scl_slope=slope, scl_inter=inter))
    assert image.data.dtype == np.int16
    np.testing.assert_array_equal(image.data, COUNT)
    assert image.findings == ()


@pytest.mark.parametrize(("slope", "inter"), [(np.nan, 0.0), (np.inf, 0.0), (2.0, np.nan)])
def test_scaling_that_is_no_number_is_ignored(
    make_nifti: NiftiMaker, slope: float, inter: float
) -> None:
    image = read_scan(make_nifti(data=COUNT, scl_slope=slope, scl_inter=inter))
    np.testing.assert_array_equal(image.data, COUNT)
    assert codes(image) == {"nifti.scaling_invalid"}


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
def test_64_bit_integers_are_read_and_told(make_nifti: NiftiMaker, kind: Any) -> None:
    image = read_scan(make_nifti(data=COUNT.astype(kind)))
    assert image.data.dtype == kind
    assert severity(image, "nifti.int64") is Severity.NOTE


@pytest.mark.parametrize("kind", [np.complex64, np.complex128])
def test_complex_numbers_become_their_magnitude_and_never_silently(
    make_nifti: NiftiMaker, kind: Any
) -> None:
    image = read_scan(make_nifti(data=COUNT.astype(kind) * (3 + 4j)))
    assert severity(image, "nifti.complex") is Severity.WARNING
    np.testing.assert_allclose(image.data, 5.0 * COUNT, rtol=1e-6)


@pytest.mark.parametrize("channels", ["RGB", "RGBA"])
def test_colours_become_brightness_and_are_no_scan(make_nifti: NiftiMaker, channels: str) -> None:
    data = np.zeros((2, 3, 4), dtype=[(c, "u1") for c in channels])
    data["R"], data["G"], data["B"] = 100, 200, np.arange(24).reshape(2, 3, 4)
    path = make_nifti(data=data)
    np.testing.assert_allclose(read(path).data, 29.9 + 117.4 + 0.114 * data["B"], rtol=1e-5)
    with pytest.raises(UnusableInput, match="colours"):
        read_scan(path)


@pytest.mark.parametrize("code", [1, 1536, 2048])
def test_bits_and_numbers_of_128_bits_are_refused(make_nifti: NiftiMaker, code: int) -> None:
    with pytest.raises(UnusableInput, match="not the grey values"):
        read(make_nifti(datatype=code))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_voxels_that_are_no_number_become_0_and_are_counted(
    make_nifti: NiftiMaker, kind: Any
) -> None:
    data = COUNT.astype(kind)
    data[0, 0, 0], data[1, 2, 3], data[1, 0, 0] = np.nan, np.inf, -np.inf
    image = read_scan(make_nifti(data=data))
    assert image.data.dtype == np.float32
    assert severity(image, "voxels.not_finite") is Severity.WARNING
    assert image.findings[0].what.startswith("3 voxels")
    expected = np.where(np.isfinite(data), data, 0)
    np.testing.assert_array_equal(image.data, expected)


def test_large_labels_that_64_bit_floats_held_are_told(make_nifti: NiftiMaker) -> None:
    data = COUNT.astype(np.float64)
    data[0, 0, 0] = 614454277  # a label of a mouse atlas
    image = read(make_nifti(data=data))
    assert severity(image, "voxels.rounded") is Severity.WARNING
    assert "voxels.rounded" not in codes(read(make_nifti(data=COUNT * 1e6 / 3)))


def test_numbers_beyond_32_bits_count_as_infinite(make_nifti: NiftiMaker) -> None:
    data = COUNT.astype(np.float64)
    data[0, 0, 0] = 1e300
    image = read_scan(make_nifti(data=data))
    assert codes(image) == {"voxels.not_finite"}
    assert image.data[0, 0, 0] == 0


@pytest.mark.parametrize(
    ("intent", "word"),
    [(3, "statistics"), (1007, "vectors"), (2003, "RGB"), (777, "derived")],
)
def test_an_intent_other_than_intensities_is_told(
    make_nifti: NiftiMaker, intent: int, word: str
) -> None:
    path = make_nifti(intent_code=intent)
    image = read_scan(path)
    assert severity(image, "nifti.intent") is Severity.WARNING
    assert word in image.findings[0].what
    with pytest.raises(UnusableInput):
        read_scan(path, policy=Policy.STRICT)


def test_a_mask_may_be_a_label_map_but_no_statistic(make_nifti: NiftiMaker) -> None:
    assert severity(read_scan(make_nifti(intent_code=1002)), LABELS) is Severity.WARNING
    assert read_mask(make_nifti(intent_code=1002)).findings == ()
    assert codes(read_mask(make_nifti(intent_code=3))) == {"nifti.intent"}


# ------------------------------------------------------------------ how the file is laid out


@pytest.mark.parametrize("extra", [(1,), (1, 1), (1, 1, 1, 1)])
def test_one_volume_in_four_dimensions_is_a_volume(
    make_nifti: NiftiMaker, extra: tuple[int, ...]
) -> None:
    image = read_scan(make_nifti(data=COUNT.reshape(2, 3, 4, *extra)))
    assert severity(image, "nifti.singleton_axes") is Severity.NOTE
    np.testing.assert_array_equal(image.data, COUNT)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 4, 1, 3), (2, 3, 1, 4)])
def test_several_volumes_are_read_but_no_scan(
    make_nifti: NiftiMaker, shape: tuple[int, ...]
) -> None:
    data = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    path = make_nifti(data=data)
    image = read(path)
    assert image.volumes == np.prod(shape[3:])
    np.testing.assert_array_equal(image.data, data.reshape(*shape[:3], -1, order="F"))
    np.testing.assert_array_equal(image.volume(1).data, image.data[..., 1])
    with pytest.raises(UnusableInput, match="volumes, where one is needed"):
        read_scan(path, policy=Policy.LENIENT)


@pytest.mark.parametrize(
    ("units", "seconds"), [(2 + 8, 2.5), (2 + 16, 0.0025), (2, 2.5), (2 + 32, None)]
)
def test_the_time_between_volumes_is_in_seconds(
    make_nifti: NiftiMaker, units: int, seconds: float | None
) -> None:
    data = np.ones((2, 3, 4, 5), dtype=np.int16)
    path = make_nifti(data=data, xyzt_units=units, pixdim=[1, 1, 1, 1, 2.5, 0, 0, 0])
    assert read(path).seconds == pytest.approx(seconds)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "pair"])
def test_every_layout_is_read(make_nifti: NiftiMaker, version: int, order: str, name: str) -> None:
    path = make_nifti(name, COUNT, version=version, order=order, pair=name == "pair")
    image = read_scan(path)
    np.testing.assert_array_equal(image.data, COUNT)
    assert image.data.dtype.isnative
    assert image.source is not None
    assert image.source.format == f"nifti{version}"
    assert len(image.source.header) == (348 if version == 1 else 540)
    assert codes(image) == ({"nifti.big_endian"} if order == ">" else set())


@pytest.mark.parametrize("half", [".hdr", ".img"])
def test_either_half_of_a_pair_names_both(make_nifti: NiftiMaker, half: str) -> None:
    path = make_nifti("pair", COUNT, pair=True)
    first, second = read_scan(path), read_scan(path.with_suffix(half))
    np.testing.assert_array_equal(second.data, first.data)
    assert first.source == second.source


@pytest.mark.parametrize("missing", [".hdr", ".img"])
def test_half_a_pair_says_which_half_is_missing(make_nifti: NiftiMaker, missing: str) -> None:
    path = make_nifti("pair", COUNT, pair=True)
    kept = path.with_suffix({".hdr": ".img", ".img": ".hdr"}[missing])
    path.with_suffix(missing).unlink()
    with pytest.raises(ReadError, match=rf"pair\{missing}.* missing"):
        read_scan(kept)


def test_a_pair_may_be_compressed(make_nifti: NiftiMaker) -> None:
    path = make_nifti("pair", COUNT, pair=True)
    voxels = path.with_suffix(".img")
    voxels.with_name("pair.img.gz").write_bytes(gzip.compress(voxels.read_bytes()))
    voxels.unlink()
    np.testing.assert_array_equal(read_scan(path).data, COUNT)


def test_header_extensions_are_passed_over(make_nifti: NiftiMaker) -> None:
    extension = (64).to_bytes(4, "little") + bytes(4) + b"A" * 56
    image = read_scan(make_nifti(data=COUNT, extension=extension))
    assert severity(image, "nifti.extension") is Severity.NOTE
    assert "64 bytes" in image.findings[0].what
    np.testing.assert_array_equal(image.data, COUNT)


def test_voxels_cannot_lie_inside_the_header(make_nifti: NiftiMaker) -> None:
    image = read_scan(make_nifti(data=COUNT, vox_offset=100))
    assert codes(image) == {"nifti.vox_offset_invalid"}
    np.testing.assert_array_equal(image.data, COUNT)
    np.testing.assert_array_equal(read_scan(make_nifti(data=COUNT, vox_offset=0)).data, COUNT)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_what_follows_the_voxels_is_ignored(make_nifti: NiftiMaker, name: str) -> None:
    path = make_nifti(name, COUNT, trailing=b"rubbish" * 1000)
    path.write_bytes(path.read_bytes() + bytes(100))
    np.testing.assert_array_equal(read_scan(path).data, COUNT)


@pytest.mark.parametrize(("made", "named"), [("a.nii", "a.nii.gz"), ("a.nii.gz", "a.nii")])
def test_content_decides_and_a_misleading_name_is_told(
    make_nifti: NiftiMaker, made: str, named: str
) -> None:
    path = make_nifti(made, COUNT)
    image = read_scan(path.rename(path.with_name(named)))
    assert codes(image) == {"file.name_misleads"}
    np.testing.assert_array_equal(image.data, COUNT)


def test_a_type_code_that_does_not_exist_is_refused(make_nifti: NiftiMaker) -> None:
    with pytest.raises(ReadError, match="type code 99"):
        read_scan(make_nifti(datatype=99))


@pytest.mark.parametrize("dim", [[0, 2, 3, 4, 1, 1, 1, 1], [9, 2, 3, 4, 1, 1, 1, 1],
                                 [3, 2, -3, 4, 1, 1, 1, 1], [3, 2, 0, 4, 1, 1, 1, 1]])  # fmt: skip
def test_impossible_dimensions_are_refused(make_nifti: NiftiMaker, dim: list[int]) -> None:
    with pytest.raises(ReadError, match="its dimensions are"):
        read_scan(make_nifti(dim=dim))


def test_a_policy_decides_which_findings_refuse(make_nifti: NiftiMaker) -> None:
    warned = make_nifti("warned.nii", qoffset_x=5.0)
    noted = make_nifti("noted.nii", xyzt_units=0)
    assert codes(read_scan(warned)) == {"nifti.sform_qform_disagree"}
    assert codes(read_scan(noted, policy=Policy.STRICT)) == {"nifti.units_unknown"}
    with pytest.raises(UnusableInput, match="two ways") as caught:
        read_scan(warned, policy=Policy.STRICT)
    assert caught.value.exit_code == 4
    assert caught.value.hint


def test_only_a_fourth_axis_of_its_own_is_time(tmp_path: Path) -> None:
    for shape, seconds in (((2, 3, 4, 5), 2.5), ((2, 3, 4, 1, 5), None), ((2, 3, 4, 2, 5), None)):
        other = nibabel.Nifti1Image(np.zeros(shape, np.int16), np.eye(4))
        other.header.set_xyzt_units("mm", "sec")
        other.header["pixdim"][4] = 2.5
        nibabel.save(other, tmp_path / "a.nii")
        assert read(tmp_path / "a.nii").seconds == seconds
