"""The part of an array that a mask occupies: most masks fill a small share of their volume."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Box", "bounding_box", "grow_box", "voxel_indices"]

Box = tuple[slice, slice, slice]
Scalar = TypeVar("Scalar", bound=np.generic)


def bounding_box(mask: npt.NDArray[Scalar]) -> Box | None:
    """The smallest box that holds every non-zero voxel of a 3D array; None where there is none."""
    planes = mask.any(axis=(1, 2))
    if not planes.any():
        return None
    first = _extent(planes)
    part = mask[first]
    second = _extent(part.any(axis=(0, 2)))
    return first, second, _extent(part[:, second].any(axis=(0, 1)))


def grow_box(box: Box, *, by: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
    """`box` with `by` voxels more on both sides of each axis, cut at the array's border."""
    x, y, z = (
        slice(max(part.start - more, 0), min(part.stop + more, size))
        for part, more, size in zip(box, by, shape, strict=True)
    )
    return x, y, z


def voxel_indices(mask: npt.NDArray[Scalar]) -> npt.NDArray[np.int64]:
    """Indices (N, 3) of the non-zero voxels in C order; faster than argwhere on sparse masks."""
    box = bounding_box(mask)
    if box is None:
        return np.zeros((0, 3), dtype=np.int64)
    part = np.ascontiguousarray(mask[box])
    indices = np.stack(np.unravel_index(np.flatnonzero(part), part.shape), axis=1)
    return np.asarray(indices + [edge.start for edge in box], dtype=np.int64)


def _extent(occupied: npt.NDArray[np.bool_] | np.bool_) -> slice:
    indices = np.flatnonzero(occupied)
    return slice(int(indices[0]), int(indices[-1]) + 1)
