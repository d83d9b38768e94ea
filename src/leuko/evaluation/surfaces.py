"""Border voxels of a mask and the distances between two sets of them, in mm.

Where a grid has no size (a picture), lengths are in pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from leuko.image.grid import Grid
from leuko.masks.box import voxel_indices
from leuko.masks.morphology import border

__all__ = ["distances_both_ways", "erode", "surface", "worse_percentile"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def erode(mask: BoolArray, *, axis: int, outside: bool) -> BoolArray:
    """Voxels of `mask` whose two neighbours along `axis` are in it too.

    `outside` is what lies beyond the ends of the array.
    """
    width = [(0, 0)] * mask.ndim
    width[axis] = (1, 1)
    padded = np.moveaxis(np.pad(mask, width, constant_values=outside), axis, 0)
    return np.moveaxis(padded[:-2] & padded[1:-1] & padded[2:], 0, axis)


def surface(mask: BoolArray, *, grid: Grid) -> BoolArray:
    """Voxels of a mask with a face neighbour outside of it; beyond the image is outside.

    `mask` is a cut-out of an array on `grid` with a margin. Along an axis on which the grid has
    but one voxel there are no neighbours: the surface of a picture is its outline.
    """
    if min(grid.shape) > 1:
        return border(mask)
    inner = mask
    for axis, size in enumerate(grid.shape):
        if size > 1:
            inner = inner & erode(mask, axis=axis, outside=False)
    return mask.copy() if max(grid.shape) == 1 else np.asarray(mask & ~inner)


def distances_both_ways(
    first: BoolArray, second: BoolArray, *, grid: Grid
) -> tuple[FloatArray, FloatArray]:
    """Distance in mm from each voxel of `first` to the nearest of `second`, and back.

    Both are cut-outs of arrays on `grid` (the same cut-out). Empty arrays where one is empty.
    """
    points, others = voxel_indices(first), voxel_indices(second)
    if not len(points) or not len(others):
        return np.empty(0), np.empty(0)
    shared = first & second
    return (
        _nearest(points, others, shared[tuple(points.T)], grid),
        _nearest(others, points, shared[tuple(others.T)], grid),
    )


def worse_percentile(
    there: FloatArray, back: FloatArray, *, percent: float, when_missing: float
) -> float:
    """The larger percentile (linear interpolation) of two sets of distances."""
    if not there.size or not back.size:
        return when_missing
    return float(max(np.percentile(there, percent), np.percentile(back, percent)))


def _nearest(points: IntArray, others: IntArray, shared: BoolArray, grid: Grid) -> FloatArray:
    """Distances of voxels (N, 3) to the nearest of `others`; 0 where `shared`, without a search."""
    distances = np.zeros(len(points))
    if not shared.all():
        # The origin does not matter for distances.
        turn = grid.affine[:3, :3].T
        tree = cKDTree(others @ turn, compact_nodes=False, balanced_tree=False)
        distances[~shared], _ = tree.query(points[~shared] @ turn)
    return distances
