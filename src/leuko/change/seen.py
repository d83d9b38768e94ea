"""Both visits on the half-way grid: masks, probabilities and brightness that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.levels import white_matter_level
from leuko.change.half_way import HalfWay
from leuko.change.visit import Visit
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.registration.apply import apply_to_image, apply_to_mask
from leuko.registration.transforms import Affine

__all__ = ["Pair", "Seen", "look", "moved_labels"]

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

BLUR_MM = 1.0  # sigma: what single voxels of noise say is not compared
BLUR_BORDERS = 1.0  # sigma, in half voxels of the coarser visit: slices lie elsewhere each time
ENOUGH = 100  # voxels of the half-way grid that tell how bright lesions are
LIKE = (0.6, 1.7)  # by how much lesions of two scans may differ in contrast
SHADING_MM = 20.0  # sigma of differences that are a coil's, not a lesion's
BLOCK = 4  # voxels of the grid on which shading is told
BORDER_DECIMALS = 3  # mm
LEAST_CONTRAST = 0.15  # of white matter's brightness


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A visit on the half-way grid.

    labels: lesions of the visit's own segmentation, nearest voxel; every lesion has one at least;
        and what `overlooked` adds, whose own numbers come after those of the segmentation.
    probability: linear between voxels.
    brightness: 0 is normal white matter, 1 the lesions; smoothed.
    known: where the visit shows anything.
    border_mm: half a voxel of the visit along each axis of the half-way grid.
    white: how bright white matter is in the scan; contrast: how much brighter lesions are, as a
        share of it.
    white_matter: where the visit's own anatomy says so.
    added: voxels of `labels` that the segmentation does not hold.
    """

    labels: npt.NDArray[np.int32]
    probability: Floats
    brightness: Floats
    known: Flags
    border_mm: Triple
    white: float
    contrast: float
    white_matter: Flags
    added: Flags

    @property
    def mask(self) -> Flags:
        """Where there is a lesion."""
        return self.labels > 0


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Both visits on the half-way grid, and how much brighter the second is.

    brighter: brightness of the second less that of the first, without slow shading.
    """

    first: Seen
    second: Seen
    brighter: Floats
    grid: Grid

    @property
    def border_mm(self) -> Triple:
        """Half of the longer voxel of both visits along each axis: what an outline is worth."""
        x, y, z = (max(p) for p in zip(self.first.border_mm, self.second.border_mm, strict=True))
        return x, y, z


def look(first: Visit, second: Visit, *, space: HalfWay) -> Pair:
    """Resample both visits to the half-way grid and make their brightness comparable.

    White matter is 0 in both. Lesions are 1: the median of what both segmentations share tells
    each scan's own contrast; where they share too little, all lesions of both tell one for both.
    """
    labels = [
        moved_labels(visit.labels, visit.grid, transform=to, onto=space.grid)
        for visit, to in ((first, space.to_first), (second, space.to_second))
    ]
    whites = [_white_level(visit) for visit in (first, second)]
    borders = [
        _border(visit.grid, to, space.grid)
        for visit, to in ((first, space.to_first), (second, space.to_second))
    ]
    blur = [
        max(BLUR_MM, BLUR_BORDERS * max(pair)) / step
        for pair, step in zip(zip(*borders, strict=True), space.grid.spacing, strict=True)
    ]
    relative = [
        _relative(visit, white, to, space.grid, blur=blur)
        for visit, white, to in zip(
            (first, second), whites, (space.to_first, space.to_second), strict=True
        )
    ]
    contrasts = _contrasts(labels[0] > 0, labels[1] > 0, relative[0], relative[1])
    seen = [
        Seen(
            labels=own,
            probability=_linear(visit.probability, visit.grid, to, space.grid),
            brightness=bright / np.float32(contrast),
            known=_known(visit, to, space.grid),
            border_mm=border,
            white=white,
            contrast=contrast,
            white_matter=_white(visit, to, space.grid),
            added=np.zeros(space.grid.shape, dtype=np.bool_),
        )
        for visit, to, own, bright, contrast, white, border in zip(
            (first, second),
            (space.to_first, space.to_second),
            labels,
            relative,
            contrasts,
            whites,
            borders,
            strict=True,
        )
    ]
    one, other = seen
    difference = other.brightness - one.brightness
    normal = one.white_matter & other.white_matter
    normal &= ~(one.mask | other.mask) & one.known & other.known
    return Pair(one, other, difference - _shading(difference, normal), space.grid)


def _linear(values: npt.NDArray[np.generic], grid: Grid, to: Affine, onto: Grid) -> Floats:
    return np.asarray(apply_to_image(Image(values, grid), transform=to, onto=onto).data, np.float32)


def moved_labels(
    labels: npt.NDArray[np.int32], grid: Grid, *, transform: Affine, onto: Grid
) -> npt.NDArray[np.int32]:
    """Labels by nearest voxel; one that falls between all voxels gets that at its centre.

    `transform` maps places of `onto` (RAS mm) to those of `grid`.
    """
    found = apply_to_mask(Image(labels, grid), transform=transform, onto=onto).data
    moved = np.ascontiguousarray(found, dtype=np.int32)
    lost = np.setdiff1d(np.unique(labels[labels > 0]), moved)
    if lost.size:
        centres = ndimage.center_of_mass(labels > 0, labels, lost)
        places = transform.inverse().apply_to_points(grid.to_world(np.array(centres)))
        where = np.rint(onto.to_voxel(places)).astype(int)
        where = np.clip(where, 0, np.array(onto.shape) - 1)
        moved[tuple(where.T)] = lost
    return moved


def _white_level(visit: Visit) -> float:
    """How bright normal white matter is; the scan's median without any anatomy."""
    level = white_matter_level(visit.data, anatomy=visit.anatomy, mask=visit.mask)
    middle = (
        level.median
        if level is not None
        else float(np.median(np.asarray(visit.data, dtype=np.float32)))
    )
    return middle if middle > 0 else 1.0


def _relative(
    visit: Visit, white: float, to: Affine, onto: Grid, *, blur: Sequence[float]
) -> Floats:
    """Brightness above white matter, as a share of it; `blur` is a sigma in voxels an axis."""
    values = _linear(visit.data, visit.grid, to, onto)
    smooth = ndimage.gaussian_filter(values, blur, truncate=3.0)
    return np.asarray((smooth - white) / white, dtype=np.float32)


def _contrasts(
    one: Flags, other: Flags, relative: Floats, other_relative: Floats
) -> tuple[float, float]:
    """How much brighter than white matter lesions are in each scan."""
    both = one & other
    if np.count_nonzero(both) >= ENOUGH:
        own, others = float(np.median(relative[both])), float(np.median(other_relative[both]))
        if min(own, others) >= LEAST_CONTRAST and LIKE[0] <= own / others <= LIKE[1]:
            return own, others
    pooled = np.concatenate([relative[one], other_relative[other]])
    shared = float(np.median(pooled)) if pooled.size else 1.0
    shared = max(shared, LEAST_CONTRAST)
    return shared, shared


def _known(visit: Visit, to: Affine, onto: Grid) -> Flags:
    """Where the visit has a voxel with a value; what a brain extraction cut off has none."""
    there = Image((visit.data != 0).astype(np.uint8), visit.grid)
    return np.asarray(apply_to_mask(there, transform=to, onto=onto).data != 0)


def _white(visit: Visit, to: Affine, onto: Grid) -> Flags:
    white = Image((visit.anatomy == Tissue.WHITE_MATTER).astype(np.uint8), visit.grid)
    return np.asarray(apply_to_mask(white, transform=to, onto=onto).data != 0)


def _border(grid: Grid, to: Affine, onto: Grid) -> Triple:
    """Half the length of a voxel along each axis of `onto`."""
    step = np.linalg.inv(grid.affine[:3, :3]) @ to.matrix[:3, :3] @ onto.affine[:3, :3]
    # A step along an axis of `onto` crosses so many voxels; the inverse is how long a voxel is.
    crossed = np.linalg.norm(step, axis=0) / np.array(onto.spacing)
    x, y, z = np.round(0.5 / crossed, BORDER_DECIMALS).tolist()
    return x, y, z


def _shading(difference: Floats, normal: Flags) -> Floats:
    """The slow part of a difference, told by normal white matter; 0 without any."""
    weights = _blocks(normal.astype(np.float32))
    if not weights.any():
        return np.zeros_like(difference)
    sums = _blocks(np.where(normal, difference, np.float32(0)))
    sigma = SHADING_MM / BLOCK
    slow = ndimage.gaussian_filter(sums, sigma) / np.maximum(
        ndimage.gaussian_filter(weights, sigma), np.float32(1e-4)
    )
    matrix = [1 / BLOCK] * 3
    offset = [-(BLOCK - 1) / 2 / BLOCK] * 3
    return np.asarray(
        ndimage.affine_transform(
            slow, matrix, offset, output_shape=difference.shape, order=1, mode="nearest"
        ),
        dtype=np.float32,
    )


def _blocks(values: Floats) -> Floats:
    """Means of blocks; the last ones are filled up with zeros."""
    pads = [(0, -n % BLOCK) for n in values.shape]
    full = np.pad(values, pads)
    x, y, z = (n // BLOCK for n in full.shape)
    return np.asarray(full.reshape(x, BLOCK, y, BLOCK, z, BLOCK).mean(axis=(1, 3, 5)))
