"""An image put onto another grid of the same voxels: every value in its place, or refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.errors import GridMismatch
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.image.place import placed

ORDERS = [
    (axes, signs)
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def oblique(shape: tuple[int, int, int], *, spacing: tuple[float, float, float]) -> Grid:
    c, s = np.cos(0.3), np.sin(0.3)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) * spacing
    affine[:3, 3] = (-12.5, 30.25, 7.0)
    return Grid(shape, affine)


def turned(image: Image, axes: tuple[int, ...], signs: tuple[int, ...]) -> Image:
    """The same voxels in the same places, stored in another order."""
    data = image.data.transpose((*axes, *range(3, image.data.ndim)))
    affine = image.grid.affine.copy()
    affine[:3, :3] = affine[:3, list(axes)]
    for axis, sign in enumerate(signs):
        if sign < 0:
            data = np.flip(data, axis)
            affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
            affine[:3, axis] *= -1
    return Image(data, Grid(data.shape[:3], affine))


@pytest.mark.parametrize(("axes", "signs"), ORDERS)
def test_any_order_of_axes_is_put_back(axes: tuple[int, ...], signs: tuple[int, ...]) -> None:
    grid = oblique((4, 5, 6), spacing=(1, 1.5, 4))
    image = Image(np.arange(120).reshape(4, 5, 6), grid)
    np.testing.assert_array_equal(image.data, placed(turned(image, axes, signs), onto=grid))


@settings(max_examples=60, deadline=None)
@given(
    starts=st.tuples(*[st.integers(-3, 3)] * 3),
    sizes=st.tuples(*[st.integers(1, 7)] * 3),
    order=st.sampled_from(ORDERS),
)
def test_a_part_goes_to_its_place_and_nothing_is_lost(
    starts: tuple[int, int, int],
    sizes: tuple[int, int, int],
    order: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    grid = oblique((4, 5, 6), spacing=(1, 1.5, 4))
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world(starts)
    part = Image(np.ones(sizes, np.uint8), Grid(sizes, affine))
    wanted = np.zeros(grid.shape, np.uint8)
    inside = True
    for index in itertools.product(*(range(n) for n in sizes)):
        place = tuple(i + start for i, start in zip(index, starts, strict=True))
        if all(0 <= p < n for p, n in zip(place, grid.shape, strict=True)):
            wanted[place] = 1
        else:
            inside = False
    image = turned(part, *order)
    if inside:
        np.testing.assert_array_equal(wanted, placed(image, onto=grid))
    else:
        with pytest.raises(GridMismatch):
            placed(image, onto=grid)


def test_zeros_may_be_cropped_away() -> None:
    grid = oblique((4, 5, 6), spacing=(1, 1, 3))
    wide = Image(np.zeros((4, 5, 9), np.uint8), Grid((4, 5, 9), grid.affine))
    wide.data[2, 2, 2] = 1
    assert placed(wide, onto=grid)[2, 2, 2] == 1


def test_volumes_stay_the_last_axis() -> None:
    grid = oblique((4, 5, 6), spacing=(1, 1, 3))
    image = Image(np.random.default_rng(0).random((4, 5, 6, 2)), grid)
    back = placed(turned(image, (2, 0, 1), (1, -1, -1)), onto=grid)
    np.testing.assert_array_equal(image.data, back)


def test_rounded_headers_are_the_same_grid_and_a_shift_is_not() -> None:
    grid = oblique((64, 64, 20), spacing=(0.9, 0.9, 5))
    image = Image(np.ones(grid.shape, np.uint8), grid)
    rounded = Grid(grid.shape, np.round(grid.affine, 4))
    assert placed(image, onto=rounded).all()
    affine = grid.affine.copy()
    affine[:3, 3] += 0.15
    with pytest.raises(GridMismatch, match="mm"):
        placed(image, onto=Grid(grid.shape, affine))


@pytest.mark.parametrize("scale", [0.5, 1.02, 2.0])
def test_other_voxel_sizes_are_refused(scale: float) -> None:
    grid = oblique((8, 8, 8), spacing=(1, 1, 1))
    other = oblique((8, 8, 8), spacing=(scale, scale, scale))
    with pytest.raises(GridMismatch):
        placed(Image(np.ones((8, 8, 8), np.uint8), other), onto=grid)
