"""Grids made from a grid: other voxel sizes over the same place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leuko.errors import UsageError
from leuko.image.grid import Grid

__all__ = ["isotropic", "with_spacing"]

MAX_VOXELS = 2**31


def with_spacing(grid: Grid, spacing: Sequence[float | None]) -> Grid:
    """A grid over the same box of the world with voxels of `spacing` mm along its own axes.

    The box is kept at its centre and in its directions; its size along an axis is rounded to
    whole voxels. None keeps the voxels of an axis as they are. Raises UsageError (exit 2) for
    sizes that are not above 0, or would give more than 2^31 voxels.
    """
    if len(spacing) != 3:
        raise UsageError(
            f"{len(spacing)} voxel sizes were given for 3 axes.", hint="Give one for each axis."
        )
    old = np.linalg.norm(grid.affine[:3, :3], axis=0)
    new = np.array([length if mm is None else mm for mm, length in zip(spacing, old, strict=True)])
    if not (np.isfinite(new).all() and (new > 0).all()):
        raise UsageError(
            f"A voxel cannot be {' x '.join(f'{mm:g}' for mm in new)} mm.",
            hint="Give sizes above 0.",
        )
    counts = np.maximum(1, np.floor(np.round(np.array(grid.shape) * old / new, 3) + 0.5))
    if counts.prod() > MAX_VOXELS:
        raise UsageError(
            f"Of voxels of {' x '.join(f'{mm:g}' for mm in new)} mm there would be "
            f"{counts.prod():.2g}.",
            hint="Choose larger voxels, or crop first.",
        )
    shape = (int(counts[0]), int(counts[1]), int(counts[2]))
    affine = grid.affine.copy()
    affine[:3, :3] *= new / old
    centre = grid.to_world((np.array(grid.shape) - 1) / 2)
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine, grid.oriented, grid.sized)


def isotropic(grid: Grid, spacing: float | None = None) -> Grid:
    """A grid over the same box with cubic voxels of `spacing` mm, by default its finest."""
    edge = min(grid.spacing) if spacing is None else spacing
    return with_spacing(grid, (edge, edge, edge))
