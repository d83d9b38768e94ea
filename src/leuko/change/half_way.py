"""The space half-way between two visits, in which both are resampled alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from leuko.change.visit import Visit
from leuko.findings import Finding
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.quality import Quality
from leuko.registration.register import register_images
from leuko.registration.transforms import Affine

__all__ = ["SPACING_MM", "HalfWay", "half_way", "meet"]

Rotation = npt.NDArray[np.float64]

SPACING_MM = 1.0  # of the half-way grid, in every direction
MARGIN_MM = 6.0  # around the brains of both visits
SAMPLED = 3  # every third voxel of a brain tells its extent
DECIMALS = 6  # mm and cosines


@dataclass(frozen=True, slots=True, eq=False)
class HalfWay:
    """Two visits and the space between them.

    transform: places of the first visit (RAS mm) to those of the second.
    to_first, to_second: places of the half-way space to those of a visit; equally far from both.
    grid: of the half-way space, 1 mm in every direction, around the brains of both visits.
    quality, findings: how the registration went.
    """

    transform: Affine
    to_first: Affine
    to_second: Affine
    grid: Grid
    quality: Quality
    findings: tuple[Finding, ...]

    def swapped(self) -> HalfWay:
        """The same space for the visits in the other order."""
        return replace(
            self,
            transform=self.transform.inverse(),
            to_first=self.to_second,
            to_second=self.to_first,
        )


def meet(first: Visit, second: Visit) -> HalfWay:
    """Register two visits of one head rigidly and lay a grid half-way between them.

    The scans are registered in an order that depends on their voxels alone, so that changing the
    visits gives exactly the inverse. Only the brain counts: jaw, neck and scalp move against it.
    Raises what `register_images` raises, and ValueError where one lies upside down to the other.
    """
    if second.digest() < first.digest():
        return _meet(second, first).swapped()
    return _meet(first, second)


def _meet(first: Visit, second: Visit) -> HalfWay:
    fit = register_images(
        first.image, second.image, fixed_mask=_brain(first), moving_mask=_brain(second)
    )
    assert isinstance(fit.transform, Affine)  # rigid
    return replace(
        half_way(first, second, transform=fit.transform, quality=fit.quality),
        findings=fit.findings,
    )


def half_way(first: Visit, second: Visit, *, transform: Affine, quality: Quality) -> HalfWay:
    """The half-way space of a rigid `transform` (first to second visit, RAS mm)."""
    half = transform.half()
    to_first, to_second = half.inverse(), half
    axes = _between(
        half.matrix[:3, :3] @ _directions(first.grid),
        to_first.matrix[:3, :3] @ _directions(second.grid),
    )
    places = np.concatenate(
        [
            half.apply_to_points(_extent(first)),
            to_first.apply_to_points(_extent(second)),
        ]
    )
    along = places @ axes
    low, high = along.min(axis=0) - MARGIN_MM, along.max(axis=0) + MARGIN_MM
    x, y, z = (int(n) + 1 for n in np.ceil((high - low) / SPACING_MM))
    affine = np.eye(4)
    affine[:3, :3] = axes * SPACING_MM
    affine[:3, 3] = np.round(axes @ low, DECIMALS)
    oriented = first.grid.oriented and second.grid.oriented
    return HalfWay(transform, to_first, to_second, Grid((x, y, z), affine, oriented), quality, ())


def _brain(visit: Visit) -> Image | None:
    """Where to look; None (everywhere) without any anatomy."""
    inside = visit.anatomy > 0
    return Image(inside, visit.grid) if inside.any() else None


def _extent(visit: Visit) -> Rotation:
    """Places of the brain (RAS mm), or of the whole scan without any anatomy."""
    step = (slice(None, None, SAMPLED),) * 3
    inside = np.argwhere(visit.anatomy[step] > 0) * SAMPLED
    if len(inside) == 0:
        inside = np.argwhere(np.ones([2] * 3)) * (np.array(visit.grid.shape) - 1)
    return visit.grid.to_world(inside)


def _directions(grid: Grid) -> Rotation:
    """The nearest rotation to the directions of a grid's axes, columns."""
    u, _, v = np.linalg.svd(grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0))
    return np.asarray(u @ v)


def _between(one: Rotation, other: Rotation) -> Rotation:
    """The orientation half-way between two; the first where they are opposite."""
    turn = np.eye(4)
    turn[:3, :3] = one.T @ other
    try:
        middle = one @ Affine(turn).half().matrix[:3, :3]
    except ValueError:
        return one
    return np.round(middle, DECIMALS)
