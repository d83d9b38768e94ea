"""How far groups of voxels lie from a large mask, without looking at all of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from leuko.masks.box import bounding_box

__all__ = ["nearest_by_group"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Triple = tuple[float, float, float]

CELL_MM = 3.0
SLACK_MM = 1e-6


def nearest_by_group(
    voxels: IntArray, groups: IntArray, *, count: int, to: BoolArray, spacing: Triple
) -> FloatArray:
    """For each group 1..count the distance in mm of its voxel nearest to the mask `to`; exact.

    Between voxel centres, 0 for a voxel inside; inf for an empty mask or group. First cells of
    about 3 mm that hold some of the mask bound each group's distance from above; then only voxels
    and cells that can be nearer are compared one by one.

    Args:
        voxels: indices (N, 3).
        groups: the group of each.
        count: number of groups.
        to: 3D; of cortex, which fills half a head, a few per cent are looked at.
        spacing: mm between voxels along each axis.
    """
    nearest = np.full(count + 1, np.inf)
    cells = _Cells.of(to, spacing=spacing)
    if cells is None or not len(voxels):
        return nearest[1:]
    points = voxels * np.asarray(spacing)
    tree = cKDTree(cells.centres, balanced_tree=False, compact_nodes=False)
    to_centre = np.asarray(tree.query(points)[0], dtype=np.float64)
    np.minimum.at(nearest, groups, to_centre + cells.radius)
    able = to_centre - cells.radius <= nearest[groups] + SLACK_MM
    voxels, points, groups = voxels[able], points[able], groups[able]
    reach = np.minimum(nearest[groups], to_centre[able] + cells.radius)
    found = tree.query_ball_point(points, reach + cells.radius + SLACK_MM)
    near = np.unique(np.concatenate([np.asarray(one, dtype=np.int64) for one in found]))
    targets = cells.points(near)
    exact, _ = cKDTree(targets, balanced_tree=False, compact_nodes=False).query(points)
    nearest[1:] = np.inf
    np.minimum.at(nearest, groups, exact)
    return nearest[1:]


class _Cells:
    """Cells of voxels that hold some of a mask."""

    __slots__ = ("_factors", "_mask", "_origin", "_spacing", "centres", "corners", "radius")

    centres: FloatArray  # (M, 3) mm
    radius: float  # from a cell's centre to the farthest of its voxels' centres

    def __init__(
        self, mask: BoolArray, origin: IntArray, factors: Sequence[int], spacing: Triple
    ) -> None:
        self._mask, self._origin, self._factors = mask, origin, np.array(factors)
        self._spacing = np.asarray(spacing)
        held = mask
        for axis, factor in enumerate(factors):
            held = _any_of(held, axis=axis, factor=factor)
        self.corners = np.argwhere(held) * self._factors
        half = (self._factors - 1) / 2
        self.centres = (self.corners + origin + half) * self._spacing
        self.radius = float(np.linalg.norm(half * self._spacing))

    @classmethod
    def of(cls, mask: BoolArray, *, spacing: Triple) -> _Cells | None:
        box = bounding_box(mask)
        if box is None:
            return None
        factors = [max(1, round(CELL_MM / step)) for step in spacing]
        part = mask[box]
        pad = [(0, -size % factor) for size, factor in zip(part.shape, factors, strict=True)]
        origin = np.array([edge.start for edge in box], dtype=np.int64)
        return cls(np.pad(part, pad), origin, factors, spacing)

    def points(self, cells: IntArray) -> FloatArray:
        """The mask's voxels in some cells, (K, 3) mm."""
        offsets = np.stack(np.meshgrid(*map(np.arange, self._factors), indexing="ij"), axis=-1)
        all_of_them = (self.corners[cells][:, None] + offsets.reshape(1, -1, 3)).reshape(-1, 3)
        held = all_of_them[self._mask[tuple(all_of_them.T)]]
        return np.asarray((held + self._origin) * self._spacing)


def _any_of(mask: BoolArray, *, axis: int, factor: int) -> BoolArray:
    """Whether any of `factor` neighbours along an axis is set; its size is a multiple of it."""
    along = np.moveaxis(mask, axis, 0)
    found = along[::factor].copy()
    for start in range(1, factor):
        found |= along[start::factor]
    return np.asarray(np.moveaxis(found, 0, axis))
