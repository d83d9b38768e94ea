"""The T1 of the same head on the pixels of a prepared FLAIR: the network's fourth channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.preparation.geometry import Geometry
from leuko.preparation.intensity import brain_level

__all__ = ["BRIGHTEST", "no_t1", "stack_grid", "t1_stack"]

BRIGHTEST = 20.0  # as of the FLAIR


def t1_stack(
    t1: Image,
    *,
    grid: Grid,
    geometry: Geometry,
    through: npt.ArrayLike | None = None,
    level: float | None = None,
) -> npt.NDArray[np.float32]:
    """The T1 as a stack (n, H, W): its brain level 1, limited to 0..20, 0 where it does not reach.

    A T1 with finer voxels is averaged over the FLAIR's slices and pixels, not sampled at points.

    Args:
        t1: 3D, any grid with an orientation, where the FLAIR has one.
        grid: the FLAIR's canonical grid.
        geometry: how the stack lies in the FLAIR.
        through: the 4x4 matrix that takes places of the FLAIR to those of the T1 (RAS mm); by
            default they are the same.
        level: the intensity that becomes 1; `brain_level` of the T1 by default.

    Raises GridMismatch (exit 5) where only one of both says how it lies in the world.
    """
    if level is None:
        level = brain_level(to_canonical(t1.data, t1.grid))
    from leuko.image.resample import resample

    onto = stack_grid(grid, geometry)
    there = resample(t1, onto=onto, kernel="cubic", through=through).data
    stack = np.ascontiguousarray(np.moveaxis(there, geometry.slice_axis, 0), dtype=np.float32)
    stack *= np.float32(1.0 / level)
    return np.clip(stack, 0.0, BRIGHTEST, out=stack)


def no_t1(geometry: Geometry) -> npt.NDArray[np.float32]:
    """What a network that takes a T1 sees where there is none: 0 everywhere, in no memory."""
    return np.broadcast_to(np.float32(0), geometry.stack_shape)


def stack_grid(grid: Grid, geometry: Geometry) -> Grid:
    """Where the voxels of a stack lie, as an array of the canonical axes of its scan's `grid`."""
    first, second = (axis for axis in range(3) if axis != geometry.slice_axis)
    steps, start, shape = np.ones(3), np.zeros(3), [0, 0, 0]
    start[geometry.slice_axis] = geometry.first
    shape[geometry.slice_axis] = geometry.last - geometry.first
    for axis, line in ((first, geometry.rows), (second, geometry.columns)):
        steps[axis], shape[axis] = line.step, line.pixels
        start[axis] = line.voxel_of(np.zeros(1))[0]
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world(start)
    affine[:3, :3] = affine[:3, :3] * steps
    return Grid((shape[0], shape[1], shape[2]), affine, grid.oriented, grid.sized)
