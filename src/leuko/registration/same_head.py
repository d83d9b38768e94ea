"""Two scans of one head from one visit: believe the headers where they are right.

Series of one study mostly share the scanner's coordinates, and the head hardly moved between them.
So the search begins there; only where that leads nowhere are all starts tried.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leuko.findings import Finding
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.registration.quality import Quality
from leuko.registration.register import Fit, register_images
from leuko.registration.transforms import Affine

__all__ = ["SameHead", "register_same_head"]

VOXEL_SHARE = 0.5  # of the fixed scan's finest voxel: the headers are right where no more is moved
LEAST_MM = 0.4  # and where it is no more than a registration's own error
DECIMALS = 6  # mm: how an array lies in its file must not decide


@dataclass(frozen=True, slots=True)
class SameHead:
    """How a fixed and a moving scan lie to one another.

    `transform` takes places of the fixed scan to those of the moving one (RAS mm): the identity
    for `how` "header"; "near" was found from there, "search" after trying everything. `moved_mm`
    is the mean distance to the header's word over the fixed field of view. `findings` are those
    of the registration: none means that nothing is doubtful.
    """

    transform: Affine
    how: Literal["header", "near", "search"]
    moved_mm: float
    quality: Quality
    findings: tuple[Finding, ...]


def register_same_head(fixed: Image, moving: Image) -> SameHead:
    """A rigid map between two scans of a visit.

    The result does not depend on the order and direction of either file's axes. Raises what
    `register_images` raises.
    """
    one, other = _steady(fixed), _steady(moving)
    near = register_images(one, other, start=Affine.identity())
    if near.findings:
        found = register_images(one, other)
        return _told(found, "search", one.grid)
    told = _told(near, "near", one.grid)
    if told.moved_mm > max(LEAST_MM, VOXEL_SHARE * min(one.grid.spacing)):
        return told
    return SameHead(Affine.identity(), "header", told.moved_mm, told.quality, ())


def _told(fit: Fit, how: Literal["near", "search"], grid: Grid) -> SameHead:
    assert isinstance(fit.transform, Affine)  # rigid
    ends = [(0, (n - 1) / 2, n - 1) for n in grid.shape]
    places = grid.to_world(list(itertools.product(*ends)))
    moved = np.linalg.norm(fit.transform.apply_to_points(places) - places, axis=1).mean()
    return SameHead(fit.transform, how, float(moved), fit.quality, fit.findings)


def _steady(image: Image) -> Image:
    """The image in canonical axes, without the last bits of its affine."""
    grid = image.grid.canonical()
    data = np.ascontiguousarray(to_canonical(image.data, image.grid))
    affine = np.round(grid.affine, DECIMALS)
    return Image(data, Grid(grid.shape, affine, grid.oriented, grid.sized), image.source)
