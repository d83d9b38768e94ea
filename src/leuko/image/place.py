"""An image on another grid of the same voxels: flipped, permuted, cropped, never resampled."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.errors import GridMismatch
from leuko.image.grid import Grid
from leuko.image.image import Image

__all__ = ["PLACE_TOLERANCE_MM", "placed"]

PLACE_TOLERANCE_MM = 0.1  # headers round; what lies further apart is another grid
SHARE_OF_VOXEL = 0.25
HINT = "Both must lie on one grid; resample one onto the other first."


def placed(image: Image, *, onto: Grid, what: str = "The mask") -> npt.NDArray[Any]:
    """The values of `image` on the voxels of `onto` (shape `onto.shape`), 0 where it has none.

    Axes are flipped and permuted, and the box cropped or padded, as world positions (RAS mm) say;
    voxel centres must meet within 0.1 mm and a quarter of a voxel, and nothing but zeros may be
    cropped away: else GridMismatch (exit 5). A fourth axis stays the last.
    """
    axes, signs, offsets = _steps(image.grid, onto, what)
    rest = tuple(range(3, image.data.ndim))
    turned = image.data.transpose((*axes, *rest))
    taken, kept = [], []
    for axis, (source, sign, start) in enumerate(zip(axes, signs, offsets, strict=True)):
        offset = start
        if sign < 0:
            turned = np.flip(turned, axis)
            offset = image.grid.shape[source] - 1 - start
        # Index n of `onto` is index n + offset of the turned image.
        first = max(0, -offset)
        last = min(onto.shape[axis], image.grid.shape[source] - offset)
        kept.append(slice(first, max(first, last)))
        taken.append(slice(first + offset, max(first, last) + offset))
    inside = turned[tuple(taken)]
    if inside.shape == turned.shape and inside.shape[:3] == onto.shape:
        return inside
    if inside.size == 0 or np.count_nonzero(inside) != np.count_nonzero(turned):
        raise GridMismatch(f"{what} reaches beyond the scan that it should lie on.", hint=HINT)
    found = np.zeros((*onto.shape, *image.data.shape[3:]), dtype=image.data.dtype)
    found[tuple(kept)] = inside
    return found


def _steps(
    grid: Grid, onto: Grid, what: str
) -> tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]:
    """For each axis of `onto`: the axis of `grid` along it, its direction, and where it starts."""
    across = np.linalg.inv(grid.affine) @ onto.affine
    steps = np.rint(across[:3, :3]).astype(int)
    start = np.rint(across[:3, 3]).astype(int)
    if not (np.abs(steps).sum(axis=0) == 1).all() or not (np.abs(steps).sum(axis=1) == 1).all():
        raise GridMismatch(f"{what} has other axes or other voxel sizes than the scan.", hint=HINT)
    corners = np.array(list(itertools.product(*((0, n - 1) for n in onto.shape))))
    apart = onto.to_world(corners) - grid.to_world(corners @ steps.T + start)
    distance = float(np.linalg.norm(apart, axis=1).max())
    if distance > min(PLACE_TOLERANCE_MM, SHARE_OF_VOXEL * min(onto.spacing)):
        raise GridMismatch(
            f"{what} and the scan do not share their voxels: up to {distance:.3g} mm between them.",
            hint=HINT,
        )
    first, second, third = (int(np.abs(steps[:, axis]).argmax()) for axis in range(3))
    sources = (first, second, third)
    x, y, z = (int(steps[source, axis]) for axis, source in enumerate(sources))
    i, j, k = (int(start[source]) for source in sources)
    return sources, (x, y, z), (i, j, k)
