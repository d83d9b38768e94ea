"""Grids: spacing, orientation, canonical order, equality and places."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.errors import GridMismatch
from leuko.image.grid import Grid, require_same_grid

SIGNED_ORDERS = [
    (axes, signs)
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
LETTERS = ("RL", "AP", "SI")


def rotation(angles: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """A rotation about x, then y, then z by angles in degrees."""
    turned = np.eye(3)
    for axis, degrees in enumerate(angles):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        first, second = [(1, 2), (0, 2), (0, 1)][axis]
        step = np.eye(3)
        step[first, first] = step[second, second] = c
        step[first, second], step[second, first] = -s, s
        turned = step @ turned
    return turned


def affine_of(
    columns: npt.NDArray[np.float64], origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> npt.NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = columns
    affine[:3, 3] = origin
    return affine


def reordered(grid: Grid, axes: tuple[int, ...], signs: tuple[int, ...]) -> Grid:
    """The grid of an array transposed by `axes` and then flipped where the sign is -1."""
    shape = tuple(grid.shape[axis] for axis in axes)
    columns = grid.affine[:3, list(axes)].copy()
    origin = grid.affine[:3, 3].copy()
    for axis, sign in enumerate(signs):
        if sign < 0:
            origin = origin + columns[:, axis] * (shape[axis] - 1)
            columns[:, axis] = -columns[:, axis]
    return Grid((shape[0], shape[1], shape[2]), affine_of(columns, tuple(origin)), grid.oriented)


quarter_turns = st.sampled_from([-135.0, -90.0, -45.0, 0.0, 45.0, 90.0, 180.0])
angles = st.tuples(*[st.one_of(quarter_turns, st.floats(-180, 180))] * 3)
spacings = st.tuples(*[st.floats(0.4, 10.0)] * 3)
shapes = st.tuples(*[st.integers(1, 5)] * 3)


@st.composite
def oblique_grids(draw: st.DrawFn) -> Grid:
    columns = rotation(draw(angles)) * np.array(draw(spacings))
    return Grid(draw(shapes), affine_of(columns, (-71.0, 12.5, 33.0)))


@pytest.mark.parametrize(("axes", "signs"), SIGNED_ORDERS)
def test_orientation_code_names_where_each_axis_points(
    axes: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    columns = np.zeros((3, 3))
    for axis, (world, sign) in enumerate(zip(axes, signs, strict=True)):
        columns[world, axis] = sign * 2.0
    expected = "".join(LETTERS[w][int(s < 0)] for w, s in zip(axes, signs, strict=True))
    assert Grid((2, 3, 4), affine_of(columns)).orientation.code == expected


@settings(deadline=None)
@given(oblique_grids(), st.sampled_from(SIGNED_ORDERS))
def test_every_order_of_axes_has_the_same_canonical_grid(
    grid: Grid, order: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    other = reordered(grid, *order)
    assert other.canonical().shape == grid.canonical().shape
    assert other.canonical().spacing == grid.canonical().spacing
    np.testing.assert_array_equal(
        other.canonical().affine[:3, :3] + 0.0, grid.canonical().affine[:3, :3] + 0.0
    )
    assert other.canonical().corner_distance(grid.canonical()) < 1e-9
    assert other.voxel_mm3 == pytest.approx(grid.voxel_mm3, rel=1e-12)


@settings(deadline=None)
@given(oblique_grids())
def test_canonical_order_is_its_own_canonical_order(grid: Grid) -> None:
    canonical = grid.canonical()
    assert canonical.orientation.axes == (0, 1, 2)
    assert canonical.orientation.flipped == (False, False, False)
    assert canonical.canonical() == canonical


@pytest.mark.parametrize("turn", [(0.0, 0.0, 45.0), (45.0, 0.0, 0.0), (0.0, -45.0, 0.0)])
@pytest.mark.parametrize(("axes", "signs"), SIGNED_ORDERS)
def test_ties_at_45_degrees_do_not_depend_on_the_order_of_axes(
    turn: tuple[float, float, float], axes: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    grid = Grid((3, 4, 5), affine_of(rotation(turn) * np.array([1.0, 1.0, 2.0])))
    other = reordered(grid, axes, signs)
    assert other.canonical().shape == grid.canonical().shape
    np.testing.assert_array_equal(
        other.canonical().affine[:3, :3] + 0.0, grid.canonical().affine[:3, :3] + 0.0
    )


@settings(deadline=None)
@given(oblique_grids(), st.lists(st.tuples(*[st.floats(-50, 50)] * 3), min_size=1, max_size=4))
def test_world_and_voxel_coordinates_are_inverse(
    grid: Grid, points: list[tuple[float, float, float]]
) -> None:
    np.testing.assert_allclose(grid.to_voxel(grid.to_world(points)), points, atol=1e-6)


def test_spacing_is_rounded_and_volume_follows_from_it() -> None:
    grid = Grid((2, 2, 2), np.diag([0.99999994, 1.00000012, 2.9999998, 1.0]))
    assert grid.spacing == (1.0, 1.0, 3.0)
    assert grid.voxel_mm3 == 3.0


def test_volume_of_a_sheared_voxel_is_its_determinant() -> None:
    affine = np.eye(4)
    affine[0, 2] = 1.0  # third axis at 45 degrees: spacing sqrt(2), volume still 1
    assert Grid((2, 2, 2), affine).spacing == (1.0, 1.0, 1.4142)
    assert Grid((2, 2, 2), affine).voxel_mm3 == pytest.approx(1.0)


def test_a_grid_without_orientation_stays_as_it_is() -> None:
    grid = Grid((2, 3, 4), np.diag([-1.0, 1.0, 1.0, 1.0]), oriented=False)
    assert grid.canonical() is grid
    assert "orientation unknown" in repr(grid)


def test_grids_compare_by_value_and_hash_alike() -> None:
    first = Grid.from_spacing((2, 3, 4), (1.0, 1.0, 2.0))
    second = Grid.from_spacing((2, 3, 4), (1.0, 1.0, 2.0))
    assert first == second
    assert hash(first) == hash(second)
    assert first != Grid.from_spacing((2, 3, 4), (1.0, 1.0, 2.1))
    assert first != Grid((2, 3, 4), first.affine, oriented=False)
    assert repr(first) == "Grid(2x3x4, 1x1x2 mm, RAS)"


def test_the_affine_of_a_grid_is_its_own_and_cannot_be_changed() -> None:
    affine = np.eye(4)
    grid = Grid((2, 2, 2), affine)
    affine[0, 3] = 99.0
    assert grid.affine[0, 3] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 3] = 1.0
    with pytest.raises(ValueError, match="4x4"):
        Grid((2, 2, 2), np.eye(3))


def test_grids_of_another_shape_or_place_are_refused() -> None:
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    moved = Grid((4, 4, 4), affine_of(np.eye(3), (0.01, 0.0, 0.0)))
    nudged = Grid((4, 4, 4), affine_of(np.eye(3), (0.0005, 0.0, 0.0)))
    require_same_grid(grid, nudged, what="The mask", other_what="the scan")
    with pytest.raises(GridMismatch, match=r"lie up to 0\.01 mm apart") as caught:
        require_same_grid(grid, moved, what="The mask", other_what="the scan")
    assert caught.value.exit_code == 5
    other = Grid.from_spacing((4, 4, 5), (1.0, 1.0, 1.0))
    with pytest.raises(GridMismatch, match="voxels"):
        require_same_grid(grid, other, what="The mask", other_what="the scan")
