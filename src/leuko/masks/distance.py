"""Distances in mm between the voxels of masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from leuko.masks.box import Box, bounding_box, grow_box, voxel_indices
from leuko.masks.morphology import border

__all__ = ["distance_in_box", "nearest_distance"]

BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]


def distance_in_box(
    mask: BoolArray, *, spacing: Triple, margin_mm: float
) -> tuple[Box, npt.NDArray[np.float32]] | None:
    """Euclidean distance in mm to the nearest voxel of `mask`, in its box grown by `margin_mm`.

    Returns:
        The box and the distances in it (0 inside the mask); None for an empty mask. Every voxel
        within `margin_mm` of the mask lies in the box.
    """
    tight = bounding_box(mask)
    if tight is None:
        return None
    x, y, z = (int(np.ceil(margin_mm / step)) for step in spacing)
    box = grow_box(tight, by=(x, y, z), shape=mask.shape)
    distance = ndimage.distance_transform_edt(~mask[box], sampling=spacing)
    return box, np.asarray(distance, dtype=np.float32)


def nearest_distance(
    voxels: npt.NDArray[np.integer], *, to: BoolArray, spacing: Triple, limit_mm: float = np.inf
) -> npt.NDArray[np.float64]:
    """Distance in mm from voxels (N, 3 indices) to the nearest voxel centre of the mask `to`.

    Exact, and fast because only border voxels of `to` are searched. inf where `to` is empty or
    nothing lies within `limit_mm`.
    """
    distances = np.full(len(voxels), np.inf)
    tight = bounding_box(to)
    if tight is None or len(voxels) == 0:
        return distances
    low, high = voxels.min(axis=0), voxels.max(axis=0) + 1
    if np.isfinite(limit_mm):
        # Only what lies near the voxels can be within the limit.
        more = np.ceil(limit_mm / np.asarray(spacing)).astype(int) + 1
        starts = np.maximum(low - more, [part.start for part in tight]).tolist()
        stops = np.minimum(high + more, [part.stop for part in tight]).tolist()
        if any(start >= stop for start, stop in zip(starts, stops, strict=True)):
            return distances
        x, y, z = (slice(start, stop) for start, stop in zip(starts, stops, strict=True))
        tight = (x, y, z)
    part = np.ascontiguousarray(to[tight])
    origin = np.array([edge.start for edge in tight])
    inside = np.zeros(len(voxels), dtype=np.bool_)
    local = voxels - origin
    within = np.all((local >= 0) & (local < part.shape), axis=1)
    inside[within] = part[tuple(local[within].T)]
    distances[inside] = 0.0
    targets = voxel_indices(border(part))
    if len(targets) and not inside.all():
        tree = cKDTree(targets * np.asarray(spacing), balanced_tree=False, compact_nodes=False)
        found, _ = tree.query(
            local[~inside] * np.asarray(spacing), distance_upper_bound=limit_mm * (1 + 1e-9)
        )
        distances[~inside] = found
    return distances
