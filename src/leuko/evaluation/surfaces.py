"""Border voxels of a mask and the distances between two sets of them, in mm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from leuko.image.grid import Grid

__all__ = ["distances_both_ways", "erode", "worse_percentile"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def erode(mask: BoolArray, *, axis: int, outside: bool) -> BoolArray:
    """Voxels of `mask` whose two neighbours along `axis` are in it too.

    `outside` is what lies beyond the ends of the array.
    """
    width = [(0, 0)] * mask.ndim
    width[axis] = (1, 1)
    padded = np.moveaxis(np.pad(mask, width, constant_values=outside), axis, 0)
    return np.moveaxis(padded[:-2] & padded[1:-1] & padded[2:], 0, axis)


def distances_both_ways(
    first: BoolArray, second: BoolArray, *, grid: Grid
) -> tuple[FloatArray, FloatArray]:
    """Distance in mm from each voxel of `first` to the nearest of `second`, and back.

    Both are cut-outs of arrays on `grid` (the same cut-out). Empty arrays where one is empty.
    """
    points = _points(first, grid)
    others = _points(second, grid)
    if not len(points) or not len(others):
        return np.empty(0), np.empty(0)
    there, _ = cKDTree(others).query(points)
    back, _ = cKDTree(points).query(others)
    return np.asarray(there), np.asarray(back)


def worse_percentile(
    there: FloatArray, back: FloatArray, *, percent: float, when_missing: float
) -> float:
    """The larger percentile (linear interpolation) of two sets of distances."""
    if not there.size or not back.size:
        return when_missing
    return float(max(np.percentile(there, percent), np.percentile(back, percent)))


def _points(mask: BoolArray, grid: Grid) -> FloatArray:
    """Positions in mm of the voxels of `mask`; the origin does not matter for distances."""
    return np.asarray(np.argwhere(mask) @ grid.affine[:3, :3].T)
