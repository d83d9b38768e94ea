"""Interpolation along an axis as a sparse matrix: forwards to the network's pixels and back."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["Kernel", "Matrix", "in_plane", "interpolation"]

Kernel = Literal["cubic", "linear", "nearest"]
Matrix: TypeAlias = "sparse.csr_array[np.float32]"
OUTSIDE_TOLERANCE = 1e-6  # voxels: rounding must not decide whether a position is inside


def interpolation(
    positions: npt.NDArray[np.float64], *, count: int, step: float, kernel: Kernel
) -> Matrix:
    """The matrix that takes `count` samples at 0, 1, ... to values at `positions`.

    `step` is the distance of the positions in samples; where it is above 1 the kernel is widened
    by it, so that fine detail is averaged and not aliased. A position outside the outermost
    samples' own cells (beyond -0.5 or count - 0.5) becomes 0; inside, the weights sum to 1.
    Cubic: Keys 1981 with a = -0.5.
    """
    shape = (len(positions), count)
    widen = 1.0 if kernel == "nearest" else max(1.0, step)
    reach = {"cubic": 2.0, "linear": 1.0, "nearest": 0.5}[kernel] * widen
    first = np.floor(positions - reach).astype(np.int64) + 1
    taps = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 1)
    if kernel == "nearest":
        # Half-way positions go to the higher sample, always.
        weights = (taps == np.floor(positions + 0.5).astype(np.int64)[:, None]).astype(np.float64)
    else:
        weights = _kernel(np.abs(taps - positions[:, None]) / widen, kernel)
    weights[(taps < 0) | (taps >= count)] = 0.0
    total = weights.sum(axis=1, keepdims=True)
    edge = 0.5 + OUTSIDE_TOLERANCE
    inside = (positions > -edge) & (positions < count - 1 + edge)
    weights = np.where(inside[:, None], weights / np.where(total == 0.0, 1.0, total), 0.0)
    rows = np.broadcast_to(np.arange(len(positions))[:, None], taps.shape)
    kept = weights != 0.0
    matrix = sparse.csr_array(
        (weights[kept].astype(np.float32), (rows[kept], taps[kept])), shape=shape
    )
    matrix.sort_indices()  # the order of summation is part of the result, bit by bit
    return matrix


def in_plane(
    image: npt.NDArray[Any], rows: Matrix, columns: Matrix, *, out: npt.NDArray[np.float32]
) -> None:
    """Interpolate an image (h, w) along both axes: out = rows @ image @ columns.T."""
    along_rows = rows @ np.ascontiguousarray(image, dtype=np.float32)
    np.copyto(out, (columns @ np.ascontiguousarray(along_rows.T)).T)


def _kernel(distance: npt.NDArray[np.float64], kernel: Kernel) -> npt.NDArray[np.float64]:
    """Weight at a distance in samples."""
    if kernel == "linear":
        return np.maximum(0.0, 1.0 - distance)
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return np.where(distance < 1.0, near, np.where(distance < 2.0, far, 0.0))
