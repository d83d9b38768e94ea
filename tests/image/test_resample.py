"""Resampling in world space against SimpleITK, and laws that hold for every image."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.errors import GridMismatch, UsageError
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.image.resample import KERNELS, resample
from leuko.image.resample_grids import isotropic, with_spacing

TURN = 0.4


def turned(shape: tuple[int, int, int], spacing: tuple[float, ...], *, angle: float = TURN) -> Grid:
    """A grid turned about an odd axis, its first voxel at an odd place."""
    axis = np.array([1.0, 2.0, -0.5])
    axis /= np.linalg.norm(axis)
    cross = np.cross(np.eye(3), axis)
    rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag(spacing)
    affine[:3, 3] = [-10.3, 4.2, 7.7]
    return Grid(shape, affine)


def smooth(grid: Grid) -> npt.NDArray[np.float32]:
    """A field that is the same function of the world on every grid."""
    x, y, z = np.moveaxis(grid.to_world(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    return np.asarray(100 + 20 * np.sin(x / 9) + 15 * np.cos(y / 7) + z, dtype=np.float32)


def noise(shape: tuple[int, ...], *, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def by_simpleitk(image: Image, onto: Grid, kernel: str) -> npt.NDArray[np.float32]:
    sitk = pytest.importorskip("SimpleITK")
    lps = np.diag([-1.0, -1.0, 1.0])

    def place(target: Any, grid: Grid) -> None:
        spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
        target.SetSpacing(spacing.tolist()) if hasattr(target, "SetSpacing") else None
        target.SetOrigin((lps @ grid.affine[:3, 3]).tolist())
        target.SetDirection((lps @ grid.affine[:3, :3] / spacing).ravel().tolist())

    moving = sitk.GetImageFromArray(np.ascontiguousarray(image.data.T))
    place(moving, image.grid)
    reference = sitk.Image(list(onto.shape), sitk.sitkFloat32)
    place(reference, onto)
    method = {
        "nearest": sitk.sitkNearestNeighbor,
        "linear": sitk.sitkLinear,
        "cubic": sitk.sitkBSpline,
    }[kernel]
    found = sitk.Resample(moving, reference, sitk.Transform(), method, -7.0, sitk.sitkFloat32)
    return np.asarray(sitk.GetArrayFromImage(found)).T


def aligned_target() -> Grid:
    affine = np.diag([-0.8, 0.9, 1.3, 1.0])
    affine[:3, 3] = [12.1, -6.3, -4.4]
    return Grid((30, 31, 17), affine)


@pytest.mark.parametrize("kernel", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("onto", [aligned_target(), turned((26, 24, 30), (0.9, 0.8, 0.7))])
def test_values_equal_those_of_simpleitk(kernel: Any, onto: Grid) -> None:
    affine = np.diag([1.0, 1.1, 1.4, 1.0])
    affine[:3, 3] = [-11.0, -9.0, -6.0]
    image = Image(noise((21, 23, 19)), Grid((21, 23, 19), affine))
    ours = resample(image, onto=onto, kernel=kernel, fill=-7.0).data
    theirs = by_simpleitk(image, onto, kernel)
    differs = np.abs(ours - theirs) > 1e-4
    # Which cell a place on the very edge or half-way belongs to is a matter of rounding.
    assert differs.mean() < 1e-3
    assert (theirs == -7.0).mean() < 0.95


@given(
    axes=st.permutations([0, 1, 2]),
    flips=st.tuples(*[st.booleans()] * 3),
    kernel=st.sampled_from(KERNELS),
    angle=st.sampled_from([0.0, 0.4]),
    scale=st.sampled_from([0.7, 1.0, 2.3]),
)
@settings(max_examples=60, deadline=None)
def test_a_flipped_or_permuted_image_gives_the_same_result(
    axes: list[int], flips: tuple[bool, ...], kernel: Any, angle: float, scale: float
) -> None:
    shape = (7, 9, 6)
    grid = Grid(shape, np.array([[1.1, 0, 0, 3], [0, 0.8, 0, -2], [0, 0, 2.0, 1], [0, 0, 0, 1.0]]))
    data = np.random.default_rng(1).integers(0, 5, shape).astype(np.int16)
    onto = turned((8, 7, 6), (scale, 1.3 * scale, scale), angle=angle)
    expected = resample(Image(data, grid), onto=onto, kernel=kernel)

    moved, affine = data.transpose(axes), grid.affine.copy()
    affine[:3, :3] = affine[:3, axes]
    for axis, flip in enumerate(flips):
        if flip:
            moved = np.flip(moved, axis)
            affine[:3, 3] += affine[:3, axis] * (moved.shape[axis] - 1)
            affine[:3, axis] *= -1
    other = Image(moved, Grid((moved.shape[0], moved.shape[1], moved.shape[2]), affine))
    found = resample(other, onto=onto, kernel=kernel)
    assert np.array_equal(expected.data, found.data)


@given(
    axes=st.permutations([0, 1, 2]),
    flips=st.tuples(*[st.booleans()] * 3),
    kernel=st.sampled_from(KERNELS),
)
@settings(max_examples=40, deadline=None)
def test_grids_with_the_same_centres_copy_values_without_change(
    axes: list[int], flips: tuple[bool, ...], kernel: Any
) -> None:
    grid = turned((5, 6, 7), (0.9, 1.7, 1.1))
    data = noise(grid.shape)
    affine = grid.affine.copy()
    affine[:3, :3] = affine[:3, axes]
    expected = data.transpose(axes)
    for axis, flip in enumerate(flips):
        if flip:
            expected = np.flip(expected, axis)
            affine[:3, 3] += affine[:3, axis] * (expected.shape[axis] - 1)
            affine[:3, axis] *= -1
    onto = Grid((expected.shape[0], expected.shape[1], expected.shape[2]), affine)
    assert np.array_equal(expected, resample(Image(data, grid), onto=onto, kernel=kernel).data)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_same_grid_returns_the_same_values_and_type(kernel: Any) -> None:
    image = Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), Grid((3, 4, 5), np.eye(4)))
    found = resample(image, onto=image.grid, kernel=kernel)
    assert found.data is image.data


@pytest.mark.parametrize("kernel", ["linear", "cubic"])
def test_whole_factors_average_blocks(kernel: Any) -> None:
    image = Image(noise((8, 12, 6)), Grid((8, 12, 6), np.eye(4)))
    onto = with_spacing(image.grid, (2.0, 3.0, 1.0))
    found = resample(image, onto=onto, kernel=kernel).data
    blocks = image.data.reshape(4, 2, 4, 3, 6, 1).mean(axis=(1, 3, 5))
    inner = (slice(1, -1), slice(1, -1), slice(None))
    if kernel == "linear":
        # Samples lie at the old centres where there are as many samples as voxels.
        assert np.allclose(blocks, found, atol=1e-5)
    assert np.corrcoef(blocks[inner].ravel(), found[inner].ravel())[0, 1] > 0.98


@pytest.mark.parametrize("kernel", ["linear", "cubic"])
def test_an_oblique_grid_averages_like_a_straight_one(kernel: Any) -> None:
    """The two ways of computing agree where both could be taken."""
    grid = Grid((24, 22, 20), np.diag([1.0, 1.0, 1.5, 1.0]))
    image = Image(noise(grid.shape), grid)
    straight = with_spacing(grid, (2.2, 0.8, 4.0))
    affine = straight.affine.copy()
    affine[0, 1] += 1e-3  # leaves its line by 0.03 voxels, so that the general way is taken
    oblique = Grid(straight.shape, affine)
    one = resample(image, onto=straight, kernel=kernel).data
    other = resample(image, onto=oblique, kernel=kernel).data
    assert np.abs(one - other).max() < 0.1
    assert np.abs(one - other).mean() < 0.01


@pytest.mark.parametrize("kernel", ["linear", "cubic"])
def test_a_smooth_field_keeps_its_values_in_the_world(kernel: Any) -> None:
    grid = turned((40, 44, 36), (1.0, 0.9, 1.2), angle=-0.3)
    onto = with_spacing(grid, (2.0, 2.0, 2.0))
    found = resample(Image(smooth(grid), grid), onto=onto, kernel=kernel).data
    inner = (slice(2, -2),) * 3
    assert np.abs(found - smooth(onto))[inner].max() < 0.3


def test_fine_stripes_do_not_become_coarse_ones() -> None:
    """Stripes finer than the new voxels vanish into grey, not into false stripes."""
    grid = Grid((120, 8, 8), np.eye(4))
    stripes = np.sin(np.arange(120) * 2 * np.pi / 2.7).astype(np.float32)
    image = Image(np.broadcast_to(stripes[:, None, None], grid.shape).copy(), grid)
    onto = with_spacing(grid, (2.5, 1, 1))
    kept = resample(image, onto=onto, kernel="linear").data.std()
    naive = resample(image, onto=onto, kernel="nearest").data.std()
    assert kept < 0.3 * naive


def test_labels_are_never_invented_and_keep_their_volume() -> None:
    x, y, z = np.indices((40, 40, 40)) - 19.5
    labels = np.zeros((40, 40, 40), dtype=np.uint8)
    labels[x**2 + y**2 + z**2 < 15**2] = 3
    labels[(x - 4) ** 2 + y**2 + z**2 < 7**2] = 200
    image = Image(labels, Grid(labels.shape, np.eye(4)))
    for onto in (
        with_spacing(image.grid, (0.7, 1.9, 1.3)),
        Grid((60, 60, 60), turned((60, 60, 60), (0.9, 0.9, 0.9)).affine),
    ):
        centred = onto.affine.copy()
        centred[:3, 3] = 19.5 - centred[:3, :3] @ ((np.array(onto.shape) - 1) / 2)
        grid = Grid(onto.shape, centred)
        found = resample(image, onto=grid, kernel="label").data
        assert found.dtype == np.uint8
        assert {0, 3, 200} == set(np.unique(found).tolist())
        for value in (3, 200):
            before = (labels == value).sum()
            after = (found == value).sum() * grid.voxel_mm3
            assert abs(after / before - 1) < 0.04


def test_smaller_labels_win_by_majority_when_shrinking() -> None:
    labels = np.zeros((4, 4, 4), dtype=np.int32)
    labels[:2, :2, :2] = 7
    labels[0, 0, 0] = 0
    labels[2:, 2:, 2:][0, 0, 0] = 9
    image = Image(labels, Grid((4, 4, 4), np.eye(4)))
    found = resample(image, onto=with_spacing(image.grid, (2, 2, 2)), kernel="label").data
    assert found[0, 0, 0] == 7
    assert found[1, 1, 1] == 0


def test_places_that_the_image_does_not_cover_become_the_fill() -> None:
    image = Image(np.full((4, 4, 4), 5, dtype=np.int16), Grid((4, 4, 4), np.eye(4)))
    affine = np.eye(4)
    affine[0, 3] = -2.0
    for kernel in KERNELS:
        found = resample(image, onto=Grid((8, 4, 4), affine), kernel=kernel, fill=-1).data
        assert (found[:2] == -1).all()
        assert (found[2:6] == 5).all()
        assert (found[6:] == -1).all()


def test_every_volume_of_a_series_is_resampled() -> None:
    data = noise((6, 5, 4, 3))
    image = Image(data, Grid((6, 5, 4), np.diag([1.0, 1.2, 2.0, 1.0])), seconds=2.5)
    onto = isotropic(image.grid)
    found = resample(image, onto=onto, kernel="cubic")
    assert found.data.shape == (*onto.shape, 3)
    assert found.seconds == 2.5
    for index in range(3):
        alone = resample(image.volume(index), onto=onto, kernel="cubic").data
        assert np.array_equal(alone, found.data[..., index])


def test_a_transform_takes_places_of_the_result_to_places_of_the_image() -> None:
    grid = Grid((20, 20, 20), np.eye(4))
    image = Image(noise(grid.shape), grid)
    shift = np.eye(4)
    shift[:3, 3] = [3, 0, -2]
    found = resample(image, onto=grid, through=shift).data
    assert np.array_equal(image.data[3:, :, :-2], found[:-3, :, 2:])


def test_a_single_slice_is_resampled_in_its_plane() -> None:
    image = Image(noise((10, 12, 1)), Grid((10, 12, 1), np.diag([1.0, 1.0, 5.0, 1.0])))
    onto = with_spacing(image.grid, (0.5, 0.5, None))
    for kernel in KERNELS:
        assert resample(image, onto=onto, kernel=kernel).data.shape == (20, 24, 1)


def test_truth_values_stay_truth_values() -> None:
    image = Image(noise((9, 9, 9)) > 0, Grid((9, 9, 9), np.eye(4)))
    for onto, kernel in itertools.product(
        (isotropic(image.grid, 0.7), turned((9, 9, 9), (1, 1, 1))), ("nearest", "label")
    ):
        assert resample(image, onto=onto, kernel=kernel).data.dtype == np.bool_  # type: ignore[arg-type]


def test_memory_layout_of_the_result_is_c_order() -> None:
    image = Image(noise((5, 6, 7)), turned((5, 6, 7), (1, 1, 1)))
    assert resample(image, onto=isotropic(image.grid, 0.8)).data.flags.c_contiguous


def test_grids_that_cannot_be_compared_are_refused() -> None:
    known = Grid((3, 3, 3), np.eye(4))
    image = Image(np.zeros((3, 3, 3)), known)
    with pytest.raises(GridMismatch, match="how it lies in the body"):
        resample(image, onto=Grid((3, 3, 3), np.eye(4), oriented=False))
    with pytest.raises(GridMismatch, match="known size"):
        resample(image, onto=Grid((3, 3, 3), np.eye(4), sized=False))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kernel": "sinc"}, "no kernel 'sinc'"),
        ({"fill": np.nan}, "no number"),
        ({"through": np.eye(3)}, "4x4"),
        ({"kernel": "nearest", "fill": 300}, "does not fit"),
        ({"kernel": "label", "fill": 0.5}, "does not fit"),
    ],
)
def test_what_cannot_be_used_is_said(arguments: dict[str, Any], said: str) -> None:
    image = Image(np.zeros((3, 3, 3), dtype=np.uint8), Grid((3, 3, 3), np.eye(4)))
    with pytest.raises(UsageError, match=said):
        resample(image, onto=isotropic(image.grid, 0.5), **arguments)


def test_a_scan_is_not_taken_for_a_label_map() -> None:
    image = Image(noise((20, 20, 20)), Grid((20, 20, 20), np.eye(4)))
    with pytest.raises(UsageError, match="no label map"):
        resample(image, onto=isotropic(image.grid, 0.5), kernel="label")


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (0.3, 1.7, None), (5.0, 5.0, 50.0)])
def test_other_voxels_cover_the_same_box(spacing: Any) -> None:
    grid = turned((20, 30, 24), (1.0, 0.9, 1.3))
    other = with_spacing(grid, spacing)
    for mm, new, old in zip(spacing, other.spacing, grid.spacing, strict=True):
        assert (old if mm is None else mm) == pytest.approx(new)
    middle = [(np.array(g.shape) - 1) / 2 for g in (grid, other)]
    assert np.allclose(grid.to_world(middle[0]), other.to_world(middle[1]))
    assert grid.orientation == other.orientation


def test_isotropic_takes_the_finest_voxel_by_default() -> None:
    grid = Grid((10, 10, 5), np.diag([0.9, 1.0, 4.0, 1.0]))
    assert isotropic(grid).spacing == (0.9, 0.9, 0.9)
    assert isotropic(grid, 2).shape == (5, 5, 10)


@pytest.mark.parametrize("spacing", [(0, 1, 1), (1, -1, 1), (np.nan, 1, 1), (1, 1), (1e-7,) * 3])
def test_impossible_voxel_sizes_are_refused(spacing: Any) -> None:
    with pytest.raises(UsageError):
        with_spacing(Grid((10, 10, 10), np.eye(4)), spacing)


@pytest.mark.parametrize("angle", [0.0, TURN])
@pytest.mark.parametrize("scale", [0.6, 2.4])
def test_each_label_is_where_most_of_it_is(angle: float, scale: float) -> None:
    """Looking only near each label finds what looking everywhere finds."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 6, (6, 7, 5))
    labels = coarse.repeat(3, 0).repeat(3, 1).repeat(3, 2).astype(np.uint8)
    grid = Grid(labels.shape, np.diag([1.0, 0.9, 1.3, 1.0]))
    onto = turned((14, 15, 13), (scale, scale, scale), angle=angle)
    shares = np.stack(
        [
            resample(Image((labels == value).astype(np.float32), grid), onto=onto).data
            for value in range(6)
        ]
    )
    found = resample(Image(labels, grid), onto=onto, kernel="label").data
    most = shares.max(axis=0)
    chosen = np.take_along_axis(shares, found[None].astype(int), axis=0)[0]
    assert np.allclose(chosen, most, atol=1e-4)


@pytest.mark.parametrize("kernel", ["linear", "cubic"])
@pytest.mark.parametrize(
    ("moved", "fixed"),
    [
        ("wmh/tabriz/105465/t1.nii.gz", "wmh/tabriz/105465/flair.nii.gz"),
        ("formats/nifti/FLAIR.nii.gz", "formats/derived/reference.nii.gz"),
    ],
)
def test_real_scans_lie_where_simpleitk_puts_them(
    shared_data: Any, moved: str, fixed: str, kernel: Any
) -> None:
    from leuko.formats.read import read

    image, onto = read(shared_data / moved), read(shared_data / fixed).grid
    ours = resample(image, onto=onto, kernel=kernel, fill=-7.0).data
    floats = image.with_data(image.data.astype(np.float32))
    theirs = by_simpleitk(floats, onto, kernel)
    assert (theirs != -7.0).mean() > 0.5
    assert np.abs(ours - theirs).max() < 1e-4 * np.ptp(floats.data)
