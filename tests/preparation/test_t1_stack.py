"""The T1 on the pixels of a prepared FLAIR."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical
from leuko.inference.slices import with_neighbours
from leuko.preparation.prepare import Prepared, prepare
from leuko.preparation.t1 import BRIGHTEST, no_t1, stack_grid, t1_stack

SHAPE, SPACING = (48, 56, 8), (1.0, 0.9, 6.0)


def smooth_head(shape: tuple[int, int, int]) -> np.ndarray:
    """Levels from 20 to 180, not mirror symmetric, the same in any sampling of the same box."""
    x, y, z = np.meshgrid(*((np.arange(n) + 0.5) / n for n in shape), indexing="ij")
    return np.asarray(100 + 80 * np.sin(5 * x + 1) * np.cos(4 * y) * np.cos(2 * z), np.float32)


def prepared_flair() -> tuple[Prepared, Grid]:
    grid = Grid.from_spacing(SHAPE, SPACING)
    data = smooth_head(SHAPE)
    made = prepare(data, spacing=SPACING, pixel_mm=0.8, neighbours_mm=(3.0,), level=100.0)
    return made, grid


def finer_t1(factors: tuple[int, int, int]) -> Image:
    """The same box of the world as the FLAIR's in finer voxels."""
    x, y, z = (n * f for n, f in zip(SHAPE, factors, strict=True))
    steps = [s / f for s, f in zip(SPACING, factors, strict=True)]
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = [(step - whole) / 2 for step, whole in zip(steps, SPACING, strict=True)]
    return Image(smooth_head((x, y, z)), Grid((x, y, z), affine))


def test_the_flair_itself_as_its_t1_lies_where_the_flair_lies() -> None:
    prepared, grid = prepared_flair()
    flair = Image(smooth_head(SHAPE), grid)
    found = t1_stack(flair, grid=grid, geometry=prepared.geometry, level=100.0)
    assert found.shape == prepared.slices.shape
    inside = prepared.slices > 0
    np.testing.assert_allclose(found[inside], prepared.slices[inside], atol=0.02)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_pixels_of_the_stack_lie_where_its_grid_says(axis: int) -> None:
    grid = Grid((20, 24, 28), np.array([[0, 2, 0, 5], [1, 0, 0, -3], [0, 0, 3, 7], [0, 0, 0, 1]]))
    spacing = tuple(float(s) for s in np.insert(np.array([1.0, 1.0]), axis, 5.0))
    data = np.full(grid.shape, 100.0, np.float32)
    geometry = prepare(
        data, spacing=spacing, pixel_mm=0.8, neighbours_mm=(3.0,), axis=axis
    ).geometry
    found = stack_grid(grid, geometry)
    assert found.shape == tuple(
        np.insert(np.array(geometry.stack_shape[1:]), axis, grid.shape[axis])
    )
    pixel = np.array([3.0, 5.0, 4.0])
    voxel = pixel.copy()
    voxel[axis] += geometry.first
    first, second = (k for k in range(3) if k != axis)
    voxel[first] = geometry.rows.voxel_of(pixel[[first]])[0]
    voxel[second] = geometry.columns.voxel_of(pixel[[second]])[0]
    np.testing.assert_allclose(found.to_world(pixel), grid.to_world(voxel), atol=1e-9)


@pytest.mark.parametrize("code", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(True, False, False), (True, True, True), (False, True, False)])
def test_flips_and_permutations_of_the_t1s_array_change_nothing(
    code: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    prepared, grid = prepared_flair()
    t1 = finer_t1((1, 1, 3))
    columns = t1.grid.affine[:3, list(code)].copy()
    shape = tuple(t1.grid.shape[k] for k in code)
    origin = t1.grid.affine[:3, 3].copy()
    for axis, flip in enumerate(flips):
        if flip:
            origin += columns[:, axis] * (shape[axis] - 1)
            columns[:, axis] *= -1
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = columns, origin
    turned = Grid((shape[0], shape[1], shape[2]), affine)
    stored = Image(np.ascontiguousarray(from_canonical(t1.data, turned)), turned)
    assert stored.grid.shape != t1.grid.shape or any(flips)
    one, other = (t1_stack(image, grid=grid, geometry=prepared.geometry) for image in (t1, stored))
    np.testing.assert_array_equal(one, other)


def test_a_finer_t1_is_averaged_over_the_slices_thickness() -> None:
    """Planes of 0 and 200 in turn: sampled at points the slices would be either, or stripes."""
    prepared, grid = prepared_flair()
    t1 = finer_t1((1, 1, 6))
    striped = np.zeros(t1.grid.shape, np.float32)
    striped[:, :, ::2] = 200.0
    found = t1_stack(Image(striped, t1.grid), grid=grid, geometry=prepared.geometry, level=100.0)
    middle = found[1:-1, 8:-8, 8:-8]
    np.testing.assert_allclose(middle, 1.0, atol=0.05)


def test_a_shift_found_by_registration_is_undone() -> None:
    prepared, grid = prepared_flair()
    t1, shift = finer_t1((1, 1, 1)), np.eye(4)
    shift[:3, 3] = (7.0, -4.0, 6.0)
    moved = Image(t1.data, Grid(t1.grid.shape, shift @ t1.grid.affine))
    straight = t1_stack(t1, grid=grid, geometry=prepared.geometry)
    found = t1_stack(moved, grid=grid, geometry=prepared.geometry, through=shift)
    np.testing.assert_allclose(found, straight, atol=1e-4)
    assert np.abs(t1_stack(moved, grid=grid, geometry=prepared.geometry) - straight).max() > 0.2


def test_where_the_t1_does_not_reach_the_channel_is_zero_and_nowhere_too_bright() -> None:
    prepared, grid = prepared_flair()
    t1 = finer_t1((1, 1, 1))
    low = np.array(t1.data[:, :, :4])
    low[20, 20, 2] = 1e6
    found = t1_stack(
        Image(low, Grid(low.shape, t1.grid.affine)),
        grid=grid,
        geometry=prepared.geometry,
        level=100,
    )
    assert not found[4:].any()
    assert found[:4].any()
    assert found.min() >= 0.0
    assert found.max() == BRIGHTEST


def test_the_network_sees_the_t1_of_the_slice_as_fourth_channel_and_zero_without_one() -> None:
    prepared, _ = prepared_flair()
    t1 = np.arange(prepared.slices.size, dtype=np.float32).reshape(prepared.slices.shape)
    alone = with_neighbours(prepared.slices, [0, 3], distances=(1,))
    both = with_neighbours(prepared.slices, [0, 3], distances=(1,), t1=t1, channels=4)
    nothing = with_neighbours(
        prepared.slices, [0, 3], distances=(1,), t1=no_t1(prepared.geometry), channels=4
    )
    np.testing.assert_array_equal(both[:, :3], alone)
    np.testing.assert_array_equal(both[:, 3], t1[[0, 3]])
    np.testing.assert_array_equal(nothing[:, :3], alone)
    assert not nothing[:, 3].any()
    assert both.dtype == nothing.dtype == np.float32
