from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leuko.preparation.sampling import Kernel, in_plane, interpolation

positions = st.lists(st.floats(-3.0, 22.0), min_size=1, max_size=30).map(np.array)


@given(
    at=positions,
    step=st.floats(0.2, 4.0),
    kernel=st.sampled_from(["cubic", "linear", "nearest"]),
)
def test_weights_sum_to_one_inside_and_to_zero_outside(
    at: np.ndarray, step: float, kernel: Kernel
) -> None:
    sums = interpolation(at, count=20, step=step, kernel=kernel).toarray().sum(axis=1)
    inside = (at >= -0.5) & (at < 19.5)
    np.testing.assert_allclose(sums[inside], 1.0, atol=1e-6)
    outside = (at < -0.501) | (at > 19.501)
    assert not sums[outside].any()


@given(at=st.lists(st.floats(2.0, 16.9), min_size=1, max_size=10).map(np.array))
def test_cubic_is_exact_for_parabolas_and_linear_for_lines(at: np.ndarray) -> None:
    x = np.arange(20.0)
    cubic = interpolation(at, count=20, step=1.0, kernel="cubic")
    np.testing.assert_allclose(cubic @ (0.3 * x**2 - x + 2), 0.3 * at**2 - at + 2, atol=1e-4)
    linear = interpolation(at, count=20, step=1.0, kernel="linear")
    np.testing.assert_allclose(linear @ (2 * x - 1), 2 * at - 1, atol=1e-4)


def test_whole_positions_return_the_samples() -> None:
    kernels: tuple[Kernel, ...] = ("cubic", "linear", "nearest")
    for kernel in kernels:
        matrix = interpolation(np.arange(7.0), count=7, step=1.0, kernel=kernel)
        np.testing.assert_array_equal(matrix.toarray(), np.eye(7))


def test_nearest_takes_one_sample_and_the_higher_of_two() -> None:
    matrix = interpolation(np.array([0.49, 0.5, 1.5, 2.2]), count=4, step=0.3, kernel="nearest")
    assert [1, 1, 1, 1] == np.diff(matrix.indptr).tolist()
    assert [0, 1, 2, 2] == matrix.indices.tolist()


def test_a_coarse_grid_averages_fine_detail() -> None:
    """A checkerboard of single samples must not alias to black or white."""
    fine = np.tile([0.0, 1.0], 40)
    kernels: tuple[Kernel, ...] = ("cubic", "linear")
    for kernel in kernels:
        coarse = interpolation(np.arange(4.0, 76.0, 4.0), count=80, step=4.0, kernel=kernel) @ fine
        np.testing.assert_allclose(coarse, 0.5, atol=0.05)


def test_in_plane_is_both_matrices() -> None:
    random = np.random.default_rng(1)
    image = random.random((9, 12)).astype(np.float32)
    rows = interpolation(np.linspace(0, 8, 5), count=9, step=2.0, kernel="linear")
    columns = interpolation(np.linspace(0, 11, 31), count=12, step=0.4, kernel="cubic")
    out = np.empty((5, 31), dtype=np.float32)
    in_plane(image[::-1], rows, columns, out=out)
    expected = rows.toarray() @ image[::-1] @ columns.toarray().T
    assert out == pytest.approx(expected, abs=1e-6)
