"""Another order and direction of the array's axes; the voxels stay where they are in the world."""

from __future__ import annotations

import numpy as np

from leuko.errors import UnusableInput, UsageError
from leuko.image.grid import Grid
from leuko.image.image import Image

__all__ = ["reorient", "reoriented_grid"]

_WORLD = {"R": (0, False), "L": (0, True), "A": (1, False), "P": (1, True)}
_WORLD |= {"S": (2, False), "I": (2, True)}


def reorient(image: Image, *, to: str = "RAS") -> Image:
    """The image with axes permuted and flipped so that their indices rise towards `to`.

    `to` has a letter an axis, such as RAS or LPI: what the index rises towards (right or left,
    anterior or posterior, superior or inferior). Values are not changed; an oblique image stays
    oblique. Raises UsageError (exit 2) for letters that name no orientation, UnusableInput
    (exit 4) where the image does not say how it lies.
    """
    axes, flips = _moves(image.grid, to)
    data = image.data.transpose((*axes, *range(3, image.data.ndim)))
    data = data[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    grid = _moved(image.grid, axes, flips)
    return Image(np.ascontiguousarray(data), grid, image.source, image.findings, image.seconds)


def reoriented_grid(grid: Grid, *, to: str = "RAS") -> Grid:
    """The grid of `reorient`."""
    return _moved(grid, *_moves(grid, to))


def _moves(grid: Grid, to: str) -> tuple[list[int], list[bool]]:
    """For each new axis the old one, and whether it is turned round."""
    wanted = [_WORLD.get(letter) for letter in to.upper()]
    found = [part for part in wanted if part is not None]
    if len(wanted) != 3 or sorted(world for world, _ in found) != [0, 1, 2]:
        raise UsageError(
            f"'{to}' names no orientation.",
            hint="Give three letters, one of R/L, one of A/P, one of S/I: for example RAS.",
        )
    if not grid.oriented:
        raise UnusableInput(
            "The image does not say how it lies in the body, so it cannot be reoriented.",
            hint="Export it again from DICOM, with orientation.",
        )
    orientation = grid.orientation
    axes = [orientation.axes[world] for world, _ in found]
    return axes, [orientation.flipped[world] != falls for world, falls in found]


def _moved(grid: Grid, axes: list[int], flips: list[bool]) -> Grid:
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, axes]
    shape = [grid.shape[axis] for axis in axes]
    for axis, flip in enumerate(flips):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (shape[axis] - 1)
            affine[:3, axis] *= -1
    return Grid((shape[0], shape[1], shape[2]), affine, grid.oriented, grid.sized)
