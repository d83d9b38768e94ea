"""Which lesions touch a tissue."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leuko.masks.box import Box, grow_box

__all__ = ["THICK_MM", "touching_groups"]

BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

THICK_MM = 3.0  # a voxel farther away than this is another slice, not a neighbour


def touching_groups(
    voxels: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    *,
    count: int,
    of: BoolArray,
    spacing: Triple,
) -> tuple[BoolArray, BoolArray]:
    """Which groups 1..count hold a voxel in `of` or beside it: by a face, and by a corner at least.

    By a corner is what dilation by one voxel (3 x 3 x 3) makes meet. A voxel is a distance only
    where it is short: along an axis with steps of more than 3 mm nothing is a neighbour, or on
    slices of 6 mm all that lies under cortex would touch it.

    Args:
        voxels: indices (N, 3).
        groups: the group 1..count of each.
        count: number of groups.
        of: a mask of the same array.
        spacing: mm between voxels along each axis.
    """
    if not len(voxels):
        return np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    x, y, z = (
        slice(low, high + 1)
        for low, high in zip(voxels.min(axis=0).tolist(), voxels.max(axis=0).tolist(), strict=True)
    )
    box: Box = grow_box((x, y, z), by=(1, 1, 1), shape=of.shape)
    part = np.ascontiguousarray(of[box])
    local = tuple((voxels - [edge.start for edge in box]).T)
    axes = [axis for axis, step in enumerate(spacing) if step <= THICK_MM]
    by_face, by_corner = part.copy(), part.copy()
    for axis in axes:
        by_face |= _beside(part, axis)
        by_corner |= _beside(by_corner, axis)
    return _groups(groups[by_face[local]], count), _groups(groups[by_corner[local]], count)


def _beside(mask: BoolArray, axis: int) -> BoolArray:
    """The neighbours of a mask's voxels, both ways along an axis."""
    found = np.zeros_like(mask)
    to, of = np.moveaxis(found, axis, 0), np.moveaxis(mask, axis, 0)
    to[1:] |= of[:-1]
    to[:-1] |= of[1:]
    return found


def _groups(met: npt.NDArray[np.int64], count: int) -> BoolArray:
    found = np.zeros(count + 1, dtype=np.bool_)
    found[met] = True
    return found[1:]
