"""Costs and their slopes; ways downhill."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.registration.metrics import METRICS
from leuko.registration.models import LINEAR_METHODS, Model
from leuko.registration.optimisers import OPTIMISERS

RNG = np.random.default_rng(0)
FIXED = RNG.uniform(0.1, 0.9, 3000).astype(np.float32)
MOVING = np.clip(0.7 * FIXED + 0.1 + RNG.normal(0, 0.1, 3000), 0.02, 0.98).astype(np.float32)


@pytest.mark.parametrize("name", METRICS)
def test_the_slope_of_a_metric_is_how_its_cost_changes(name: str) -> None:
    metric = METRICS[name]  # type: ignore[index]
    _, slope = metric(FIXED, MOVING)
    step = np.sin(np.arange(3000) * 0.7).astype(np.float32)
    size = np.float32(2e-3)
    change = metric(FIXED, MOVING + size * step)[0] - metric(FIXED, MOVING - size * step)[0]
    expected = float((slope * step).sum(dtype=np.float64))
    assert change / (2 * size) == pytest.approx(expected, rel=0.02, abs=2e-5)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_lowest_for_the_same_values(name: str) -> None:
    metric = METRICS[name]  # type: ignore[index]
    shuffled = np.random.default_rng(1).permutation(FIXED)
    assert metric(FIXED, FIXED)[0] < metric(FIXED, MOVING)[0] < metric(FIXED, shuffled)[0]


@pytest.mark.parametrize("name", ["mi", "nmi"])
def test_mutual_information_knows_inverted_contrast(name: str) -> None:
    metric = METRICS[name]  # type: ignore[index]
    inverted = np.asarray(1 - FIXED)
    assert metric(FIXED, inverted)[0] == pytest.approx(metric(FIXED, FIXED)[0], rel=0.02)


@pytest.mark.parametrize("name", METRICS)
def test_a_constant_image_has_a_finite_cost_and_no_slope_that_is_nan(name: str) -> None:
    flat = np.full(500, 0.5, np.float32)
    value, slope = METRICS[name](FIXED[:500], flat)  # type: ignore[index]
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("method", LINEAR_METHODS)
@pytest.mark.parametrize("flat", [False, True])
def test_the_slopes_of_a_model_are_how_its_matrix_changes(method: str, flat: bool) -> None:
    axes = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    model = Model(method, np.array([3.0, -20.0, 10.0]), axes, flat)  # type: ignore[arg-type]
    at = np.random.default_rng(3).normal(0, 5, model.count)
    matrix, slopes = model.matrix_with_slopes(at)
    assert np.allclose(matrix, model.matrix(at))
    for number in range(model.count):
        step = np.zeros(model.count)
        step[number] = 1e-4
        change = (model.matrix(at + step) - model.matrix(at - step)) / 2e-4
        assert np.allclose(change, slopes[number], atol=1e-6)
    assert np.allclose(model.matrix(np.zeros(model.count)), np.eye(4))


def test_a_flat_model_keeps_points_in_the_plane() -> None:
    model = Model("affine", np.zeros(3), np.eye(3), flat=True)
    matrix = model.matrix(np.random.default_rng(4).normal(0, 20, model.count))
    assert np.allclose(matrix[2], (0, 0, 1, 0))


def bowl(x: np.ndarray) -> tuple[float, np.ndarray]:
    """A narrow valley with its lowest point at 1, 2, 3, ..."""
    away = x - np.arange(1, len(x) + 1)
    weights = 10.0 ** np.linspace(0, 2, len(x))
    return float((weights * away**2).sum() / 100), 2 * weights * away / 100


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_finds_the_lowest_point_and_tells_its_way(name: str) -> None:
    done = OPTIMISERS[name](bowl, np.zeros(4), iterations=150, step=1.0, tolerance=1e-4)  # type: ignore[index]
    assert np.allclose(done.parameters, [1, 2, 3, 4], atol=0.02)
    assert done.trace[0] == bowl(np.zeros(4))[0]
    assert min(done.trace) < 1e-4
    assert done.cost == pytest.approx(bowl(done.parameters)[0])


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_stays_where_nothing_slopes(name: str) -> None:
    done = OPTIMISERS[name](  # type: ignore[index]
        lambda x: (1.0, np.zeros_like(x)), np.ones(3), iterations=5, step=1.0, tolerance=1e-3
    )
    assert done.cost == 1.0
    assert np.isfinite(done.parameters).all()
