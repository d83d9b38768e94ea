"""Maps that bend: a B-spline on a control grid, and a displacement a voxel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.image.grid import Grid
from leuko.registration.transforms import Points, Transform

__all__ = ["BSpline", "DisplacementField", "as_field", "inverted", "slabs"]

INVERSE_STEPS = 60
INVERSE_TOLERANCE_MM = 1e-3
SLAB_POINTS = 1 << 19


@dataclass(frozen=True, slots=True, eq=False)
class BSpline(Transform):
    """Point + sum of cubic B-splines around control points.

    `coefficients` (X, Y, Z, 3) are RAS mm, one triple a control point; `grid` places the control
    points in the world (RAS, mm). Beyond the control grid the displacement falls to zero.
    """

    coefficients: npt.NDArray[np.float64]
    grid: Grid

    def __post_init__(self) -> None:
        _freeze(self, "coefficients", self.coefficients, self.grid)

    def apply_to_points(self, points: npt.ArrayLike) -> Points:
        """Moving-image points, shape (..., 3), of fixed-image points of shape (..., 3)."""
        given = np.asarray(points, dtype=np.float64)
        return given + _looked_up(self.coefficients, self.grid, given, order=3)

    def inverse(self) -> Transform:
        """The map back, as a displacement field with a voxel for each 4 mm or less."""
        return inverted(self, onto=_finer(self.grid, step_mm=4.0))


@dataclass(frozen=True, slots=True, eq=False)
class DisplacementField(Transform):
    """Point + displacement, linear between the voxels of `grid`, zero outside of it.

    `displacements` (X, Y, Z, 3) are RAS mm.
    """

    displacements: npt.NDArray[np.float32]
    grid: Grid

    def __post_init__(self) -> None:
        _freeze(self, "displacements", self.displacements, self.grid)

    def apply_to_points(self, points: npt.ArrayLike) -> Points:
        """Moving-image points, shape (..., 3), of fixed-image points of shape (..., 3)."""
        given = np.asarray(points, dtype=np.float64)
        return given + _looked_up(self.displacements, self.grid, given, order=1)

    def inverse(self) -> DisplacementField:
        """The map back, on the same grid."""
        return inverted(self, onto=self.grid)


def as_field(transform: Transform, *, onto: Grid) -> DisplacementField:
    """Any transform as a displacement a voxel of `onto`."""
    field = np.empty((*onto.shape, 3), dtype=np.float32)
    for slab, points in slabs(onto):
        field[slab] = transform.apply_to_points(points) - points
    return DisplacementField(field, onto)


def inverted(transform: Transform, *, onto: Grid) -> DisplacementField:
    """The map back, on `onto`: the fixed point of v(y) = -u(y + v(y)).

    Converges where the map does not fold; Chen et al., Medical Physics 35, 81 (2008).
    """
    field = np.empty((*onto.shape, 3), dtype=np.float32)
    for slab, points in slabs(onto):
        back = np.zeros_like(points)
        for _ in range(INVERSE_STEPS):
            where = points + back
            following = where - transform.apply_to_points(where)
            change = float(np.abs(following - back).max(initial=0.0))
            back = following
            if change < INVERSE_TOLERANCE_MM:
                break
        field[slab] = back
    return DisplacementField(field, onto)


def slabs(grid: Grid) -> Iterator[tuple[slice, Points]]:
    """The grid in slabs along its first axis: the slab, and its world points (n, Y, Z, 3)."""
    x, y, z = grid.shape
    step = max(1, SLAB_POINTS // max(1, y * z))
    across = [np.arange(length) for length in (y, z)]
    for first in range(0, x, step):
        part = slice(first, min(first + step, x))
        axes = np.meshgrid(np.arange(part.start, part.stop), *across, indexing="ij")
        yield part, grid.to_world(np.stack(axes, axis=-1))


def _looked_up(
    values: npt.NDArray[np.floating], grid: Grid, points: Points, *, order: int
) -> Points:
    """Vectors (..., 3) at world points.

    Linear (order 1): zero beyond the voxels' own cells. B-splines (order 3): all that the control
    points reach.
    """
    where = np.moveaxis(grid.to_voxel(points), -1, 0).reshape(3, -1)
    mode = "nearest" if order == 1 else "grid-constant"
    interpolate: Any = ndimage.map_coordinates  # its stubs know no array of either float type
    found = np.empty((where.shape[1], 3))
    for part in range(3):
        found[:, part] = interpolate(
            values[..., part], where, order=order, prefilter=False, mode=mode
        )
    if order == 1:
        edge = np.array(grid.shape)[:, None] - 0.5
        found[((where < -0.5) | (where > edge)).any(axis=0)] = 0.0
    return found.reshape(points.shape)


def _freeze(
    owner: BSpline | DisplacementField, name: str, values: npt.NDArray[np.floating], grid: Grid
) -> None:
    if values.shape != (*grid.shape, 3):
        raise ValueError(f"{name} have shape {values.shape}, the grid needs {(*grid.shape, 3)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite")
    kind = np.float64 if name == "coefficients" else np.float32
    held = np.array(values, dtype=kind)
    held.setflags(write=False)
    object.__setattr__(owner, name, held)


def _finer(grid: Grid, *, step_mm: float) -> Grid:
    """The same box in voxels of at most `step_mm`."""
    counts = [max(1, int(np.ceil(step / step_mm))) for step in grid.spacing]
    affine = grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] / counts
    shape = [(n - 1) * k + 1 for n, k in zip(grid.shape, counts, strict=True)]
    return Grid((shape[0], shape[1], shape[2]), affine, grid.oriented, grid.sized)
