"""From a file's own account of space (directions, origin, units) to a grid in RAS mm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError
from leuko.image.grid import Grid

__all__ = ["LPS_TO_RAS", "placed", "spaced"]

FloatArray = npt.NDArray[np.float64]
LPS_TO_RAS: FloatArray = np.diag([-1.0, -1.0, 1.0])
_LIMIT_MM = 1e9  # beyond it a length is rubbish
_SMALLEST_DETERMINANT = 1e-3  # of unit vectors: below it, two axes are nearly one


@np.errstate(over="ignore", invalid="ignore")
def placed(
    shape: tuple[int, int, int],
    *,
    columns: npt.ArrayLike,
    origin: npt.ArrayLike,
    name: str,
    oriented: bool = True,
) -> Grid:
    """The grid whose array axes step by `columns` (3x3, mm) from `origin`, both RAS.

    Raises ReadError (exit 3) where these cannot be those of an image: not finite, no length, or
    not independent; `name` is the file's.
    """
    affine = np.eye(4)
    affine[:3, :3] = columns
    affine[:3, 3] = origin
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    sound = bool(np.all(np.abs(affine) < _LIMIT_MM)) and bool(np.all(lengths > 1 / _LIMIT_MM))
    if not sound or abs(np.linalg.det(affine[:3, :3] / lengths)) < _SMALLEST_DETERMINANT:
        raise ReadError(
            f"{name} has a damaged header: its axes cannot be those of an image.",
            hint="Copy or download the file again; if it stays so, export the scan again.",
        )
    return Grid(shape, affine, oriented)


@np.errstate(invalid="ignore")
def spaced(shape: tuple[int, int, int], spacing: npt.ArrayLike) -> Grid:
    """A grid of known or unknown size that does not say how it lies in the body.

    `spacing` is in mm; where one is missing, not finite or not positive, it becomes 1, and the
    grid's size counts as unknown.
    """
    lengths = np.abs(np.array(spacing, dtype=np.float64))
    known = (lengths > 1 / _LIMIT_MM) & (lengths < _LIMIT_MM)  # NaN compares as false
    lengths[~known] = 1.0
    used = np.array(shape) > 1
    return Grid(shape, np.diag([*lengths, 1.0]), oriented=False, sized=bool(np.all(known[used])))
