"""The local level of normal white matter, also where there is none nearby."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.normal_tissue import Normal
from leuko.masks.box import grow_box

__all__ = ["local_level"]

FloatArray = npt.NDArray[np.float64]
Triple = tuple[float, float, float]

# Gaussians of these mm, the wider the less they count: each takes over where the narrower ones
# find no normal white matter, without a step between them.
SCALES = ((3.0, 1e-1), (8.0, 1e-3), (20.0, 1e-5))
EVERYWHERE = 1e-8
CELLS = 3.0  # cells of a third of the Gaussian are fine enough
EDGE_MM = 1.0  # the neighbours of a lesion lead over into it


def local_level(
    image: npt.NDArray[Any],
    *,
    normal: Normal,
    at: npt.NDArray[np.int64],
    spacing: Triple,
    edge: bool = True,
) -> FloatArray:
    """The weighted mean of normal white matter around each of the voxels `at` (N, 3).

    With `edge` the voxels that touch a lesion, where they look normal, count for those beside them.

    Args:
        image: intensities, 3D.
        normal: normal white matter on the same voxels.
        at: indices of the voxels.
        spacing: mm between voxels along each axis.
        edge: whether to lead over into the neighbours' own values.
    """
    values = np.where(normal.tissue, image, 0).astype(np.float32)
    weights = normal.tissue.astype(np.float32)
    total = np.full(len(at), EVERYWHERE * normal.level)
    weight = np.full(len(at), EVERYWHERE)
    for sigma, share in SCALES:
        total += share * _smoothed(values, sigma, at=at, spacing=spacing)
        weight += share * _smoothed(weights, sigma, at=at, spacing=spacing)
    if edge:
        beside = normal.tissue | normal.rim
        total += _beside(np.where(beside, image, 0), at=at, spacing=spacing)
        weight += _beside(beside, at=at, spacing=spacing)
    return np.asarray(total / weight)


def _beside(values: npt.NDArray[Any], *, at: npt.NDArray[np.int64], spacing: Triple) -> FloatArray:
    """The mean of `values` under a narrow Gaussian around each voxel."""
    x, y, z = (
        slice(int(low), int(high) + 1) for low, high in zip(at.min(0), at.max(0), strict=True)
    )
    a, b, c = (int(np.ceil(3 * EDGE_MM / step)) for step in spacing)
    near = grow_box((x, y, z), by=(a, b, c), shape=values.shape)
    smooth = ndimage.gaussian_filter(
        values[near].astype(np.float64),
        [EDGE_MM / step for step in spacing],
        mode="constant",
        truncate=3.0,
    )
    return np.asarray(smooth[tuple((at - [part.start for part in near]).T)])


def _smoothed(
    values: npt.NDArray[np.float32], sigma_mm: float, *, at: npt.NDArray[np.int64], spacing: Triple
) -> FloatArray:
    """The mean of `values` under a Gaussian around each voxel, on cells that suffice for it."""
    factors = [max(1, int(sigma_mm / CELLS / step)) for step in spacing]
    cells: npt.NDArray[Any] = values
    for axis, factor in enumerate(factors):
        edges = np.arange(0, values.shape[axis], factor)
        cells = np.add.reduceat(cells, edges, axis=axis) / np.float32(factor)
    sigmas = [sigma_mm / (step * factor) for step, factor in zip(spacing, factors, strict=True)]
    smooth = ndimage.gaussian_filter(cells, sigmas, mode="constant", truncate=3.0)
    where = [(at[:, axis] - (factor - 1) / 2) / factor for axis, factor in enumerate(factors)]
    found = ndimage.map_coordinates(smooth, where, order=1, mode="nearest")
    return np.asarray(found, dtype=np.float64)
