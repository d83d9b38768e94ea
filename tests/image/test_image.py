"""Images: canonical views of their voxels, and values that belong to a grid."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical, to_canonical

SIGNED_ORDERS = [
    (axes, signs)
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def grid_with(axes: tuple[int, ...], signs: tuple[int, ...], shape: tuple[int, int, int]) -> Grid:
    """A grid whose array axis `a` runs along world axis `axes[a]`, falling where the sign is -1."""
    affine = np.eye(4)
    affine[:3, :3] = 0.0
    for axis, (world, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[world, axis] = sign * (1.0 + world)
    return Grid(shape, affine)


@pytest.mark.parametrize(("axes", "signs"), SIGNED_ORDERS)
def test_the_canonical_view_undoes_every_flip_and_permutation(
    axes: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    truth = np.arange(24).reshape(2, 3, 4)
    stored = truth.transpose(axes)[tuple(slice(None, None, sign) for sign in signs)]
    grid = grid_with(axes, signs, stored.shape)
    np.testing.assert_array_equal(to_canonical(stored, grid), truth)
    np.testing.assert_array_equal(from_canonical(truth, grid), stored)


@settings(deadline=None)
@given(st.sampled_from(SIGNED_ORDERS), st.tuples(*[st.integers(1, 4)] * 3))
def test_canonical_views_go_there_and_back_without_a_copy(
    order: tuple[tuple[int, ...], tuple[int, ...]], shape: tuple[int, int, int]
) -> None:
    grid = grid_with(*order, shape)
    data = np.arange(np.prod(shape)).reshape(shape)
    view = to_canonical(data, grid)
    assert view.shape == grid.canonical().shape
    assert np.shares_memory(view, data)
    np.testing.assert_array_equal(from_canonical(view, grid), data)


def test_a_canonical_voxel_lies_where_the_file_puts_it() -> None:
    turn = np.radians(20.0)
    affine = np.array(
        [
            [0.0, -1.5 * np.cos(turn), np.sin(turn), 7.0],
            [0.0, 1.5 * np.sin(turn), np.cos(turn), -3.0],
            [-2.0, 0.0, 0.0, 11.0],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    grid = Grid((3, 4, 5), affine)
    data = np.arange(60).reshape(3, 4, 5)
    view = to_canonical(data, grid)
    for index in np.ndindex(view.shape):
        (stored,) = np.argwhere(data == view[index])
        np.testing.assert_allclose(grid.canonical().to_world(index), grid.to_world(stored))


def test_voxels_without_orientation_are_not_moved() -> None:
    grid = Grid((2, 3, 4), np.diag([-1.0, 1.0, 1.0, 1.0]), oriented=False)
    data = np.arange(24).reshape(2, 3, 4)
    assert to_canonical(data, grid) is data
    assert from_canonical(data, grid) is data


def test_an_image_has_the_shape_of_its_grid() -> None:
    grid = Grid.from_spacing((2, 3, 4), (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="shape"):
        Image(np.zeros((2, 3, 5)), grid)
    image = Image(np.zeros((2, 3, 4)), grid)
    assert image.with_data(np.ones((2, 3, 4))).grid is grid
