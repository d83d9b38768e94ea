"""Linear maps, chains and bends, as maps of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.image.grid import Grid
from leuko.registration.deformation import BSpline, DisplacementField, as_field
from leuko.registration.transforms import Affine, Composite, compose

POINTS = np.random.default_rng(0).uniform(-80, 80, (50, 3))


def triples(low: float, high: float) -> st.SearchStrategy[tuple[float, float, float]]:
    return st.tuples(*[st.floats(low, high)] * 3)


@st.composite
def rigids(draw: st.DrawFn) -> Affine:
    return Affine.rigid(
        degrees=draw(triples(-80, 80)), shift=draw(triples(-50, 50)), centre=draw(triples(-30, 30))
    )


@st.composite
def affines(draw: st.DrawFn) -> Affine:
    matrix = draw(rigids()).matrix.copy()
    numbers = draw(st.lists(st.floats(-0.2, 0.2), min_size=9, max_size=9))
    matrix[:3, :3] = matrix[:3, :3] @ (np.eye(3) + np.reshape(numbers, (3, 3)))
    return Affine(matrix)


@given(affines())
def test_the_inverse_of_a_linear_map_leads_back(transform: Affine) -> None:
    back = transform.inverse().apply_to_points(transform.apply_to_points(POINTS))
    assert np.allclose(back, POINTS, atol=1e-6)


@given(affines(), affines(), affines())
def test_composition_is_one_after_the_other_and_associative(
    first: Affine, second: Affine, third: Affine
) -> None:
    by_hand = third.apply_to_points(second.apply_to_points(first.apply_to_points(POINTS)))
    one = compose(first, second, third)
    other = compose(compose(first, second), third)
    assert isinstance(one, Affine)
    assert np.allclose(one.apply_to_points(POINTS), by_hand, atol=1e-6)
    assert np.allclose(other.apply_to_points(POINTS), by_hand, atol=1e-6)


@given(rigids())
def test_twice_half_of_a_rigid_map_is_the_map_and_half_is_rigid(transform: Affine) -> None:
    half = transform.half()
    assert half.is_rigid
    twice = compose(half, half).apply_to_points(POINTS)
    assert np.allclose(twice, transform.apply_to_points(POINTS), atol=1e-5)


@given(affines())
@settings(max_examples=50)
def test_twice_half_of_an_affine_map_is_the_map(transform: Affine) -> None:
    half = transform.half()
    twice = compose(half, half).apply_to_points(POINTS)
    assert np.allclose(twice, transform.apply_to_points(POINTS), atol=1e-4)


def test_a_mirror_has_no_half_way() -> None:
    with pytest.raises(ValueError, match="no half-way"):
        Affine(np.diag([-1.0, 1.0, 1.0, 1.0])).half()


def test_rotations_are_done_about_x_then_y_then_z_around_the_centre() -> None:
    turned = Affine.rigid(degrees=(90, 0, 90), centre=(1, 2, 3), shift=(0, 0, 5))
    # (0, 1, 0) from the centre: about x to (0, 0, 1), which about z stays.
    assert np.allclose(turned.apply_to_points((1, 3, 3)), (1, 2, 9))
    assert turned.is_rigid
    assert Affine.rigid(degrees=(0, 0, 33)).angle_degrees == pytest.approx(33)


@pytest.mark.parametrize(
    "matrix", [np.eye(3), np.diag([1.0, 1.0, 0.0, 1.0]), np.eye(4) * np.nan, np.eye(4) * 2]
)
def test_what_is_no_affine_map_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError, match="affine"):
        Affine(matrix)


def smooth_bend(shape: tuple[int, int, int] = (9, 8, 7)) -> BSpline:
    affine = np.diag([25.0, 25.0, 25.0, 1.0])
    affine[:3, 3] = (-100, -90, -75)
    rng = np.random.default_rng(3)
    return BSpline(rng.normal(0, 4, (*shape, 3)), Grid(shape, affine))


def test_a_bend_and_its_inverse_lead_back() -> None:
    bend = smooth_bend()
    inside = POINTS[(np.abs(POINTS) < 60).all(axis=1)]
    back = bend.inverse().apply_to_points(bend.apply_to_points(inside))
    assert np.linalg.norm(back - inside, axis=1).max() < 0.35
    assert np.linalg.norm(bend.apply_to_points(inside) - inside, axis=1).mean() > 1


def test_a_bend_as_a_field_moves_points_alike() -> None:
    bend = smooth_bend()
    affine = np.diag([5.0, 5.0, 5.0, 1.0])
    affine[:3, 3] = -80
    field = as_field(bend, onto=Grid((33, 33, 33), affine))
    assert isinstance(field, DisplacementField)
    apart = field.apply_to_points(POINTS) - bend.apply_to_points(POINTS)
    assert np.linalg.norm(apart, axis=1).max() < 0.3


def test_a_bend_fades_out_beyond_its_control_points() -> None:
    far = np.array([[500.0, 0.0, 0.0], [0.0, -400.0, 20.0]])
    assert np.array_equal(smooth_bend().apply_to_points(far), far)


def test_a_chain_is_undone_in_reverse_order() -> None:
    chain = compose(smooth_bend(), Affine.rigid(degrees=(5, 8, 3), shift=(4, 5, 6)))
    assert isinstance(chain, Composite)
    inside = POINTS[(np.abs(POINTS) < 55).all(axis=1)]
    back = chain.inverse().apply_to_points(chain.apply_to_points(inside))
    assert np.linalg.norm(back - inside, axis=1).max() < 0.35
