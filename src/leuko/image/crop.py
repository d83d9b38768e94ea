"""Cutting and padding images by whole voxels: every voxel stays where it is in the world."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leuko.errors import UsageError
from leuko.image.grid import Grid
from leuko.image.image import Image

__all__ = ["MAX_VOXELS", "fitted", "framed", "framed_grid"]

MAX_VOXELS = 2**31


def framed_grid(grid: Grid, *, start: Sequence[int], shape: Sequence[int]) -> Grid:
    """The grid of `shape` voxels whose first one is voxel `start` of `grid` (it may be outside)."""
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world(start)
    return Grid((shape[0], shape[1], shape[2]), affine, grid.oriented, grid.sized)


def framed(image: Image, *, start: Sequence[int], shape: Sequence[int], fill: float = 0.0) -> Image:
    """The box of `shape` voxels from voxel `start` on; `fill` where it reaches beyond the image.

    `start` may be negative. Every volume of a 4D image is cut alike. The world place of every
    voxel is kept. Raises UsageError (exit 2) for a shape that cannot be.
    """
    if len(start) != 3 or len(shape) != 3 or min(shape) < 1:
        raise UsageError(
            f"A box of {' x '.join(map(str, shape))} voxels cannot be.",
            hint="Give three whole numbers above 0.",
        )
    if np.prod(np.array(shape, dtype=float)) > MAX_VOXELS:
        raise UsageError(
            f"A box of {' x '.join(map(str, shape))} voxels is too large.",
            hint="Give a box of at most 2^31 voxels.",
        )
    grid = framed_grid(image.grid, start=start, shape=shape)
    old, new = [], []
    for first, length, size in zip(start, shape, image.grid.shape, strict=True):
        low, high = max(first, 0), min(first + length, size)
        old.append(slice(low, max(high, low)))
        new.append(slice(low - first, max(high, low) - first))
    if all(part.stop - part.start == length for part, length in zip(new, shape, strict=True)):
        data = np.ascontiguousarray(image.data[tuple(old)])
    else:
        data = np.full((*grid.shape, *image.data.shape[3:]), fill, dtype=image.data.dtype)
        if all(part.stop > part.start for part in old):
            data[tuple(new)] = image.data[tuple(old)]
    return Image(data, grid, image.source, image.findings, image.seconds)


def fitted(
    image: Image,
    *,
    shape: Sequence[int],
    centre: Sequence[float] | None = None,
    fill: float = 0.0,
) -> Image:
    """The image cut or padded to `shape` voxels around voxel coordinates `centre` (its middle).

    With an odd number to cut or pad the extra voxel is at the end of the axis.
    """
    middle = (np.array(image.grid.shape) - 1) / 2 if centre is None else np.array(centre)
    first = np.ceil(np.round(middle - (np.array(shape) - 1) / 2, 6)).astype(int).tolist()
    return framed(image, start=first, shape=shape, fill=fill)
