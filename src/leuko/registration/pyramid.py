"""Coarser versions of a scan to search on, and looking values up in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.errors import UnusableInput
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.registration.transforms import Points

__all__ = ["Floats", "Level", "Prepared", "prepare", "sample_points"]

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

BLUR_VOXELS = 0.7  # sigma at every level, in its own voxels: little aliasing, a smooth slope
BRIGHT = 99.5  # percentile that is shown as 1
SHADING_MM = 25.0  # sigma of what counts as a coil's shading
HEAD = 0.12  # share of the range above which a voxel belongs to the head
FEWEST_POINTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A scan at one resolution: values 0..1 (float32, canonical axes) and their grid.

    `head` says which voxels belong to the head (or the organ) or lie next to it; points are drawn
    there.
    """

    values: Floats
    grid: Grid
    head: Flags

    def look_up(self, voxels: Points) -> tuple[Floats, Flags]:
        """Values at voxel coordinates (N, 3), linear, and which of these lie in the array."""
        corner, share, inside = self._cells(voxels)
        x, y, z = share
        flat, (step_x, step_y, step_z) = self._flat()
        total = np.zeros(len(voxels), dtype=np.float32)
        for i, along_x in ((0, 1 - x), (step_x, x)):
            for j, along_y in ((0, along_x * (1 - y)), (step_y, along_x * y)):
                total += flat[corner + (i + j)] * (along_y * (1 - z))
                total += flat[corner + (i + j + step_z)] * (along_y * z)
        return total, inside

    def look_up_with_slope(self, voxels: Points) -> tuple[Floats, Floats, Flags]:
        """As `look_up`, with the slope of the value along each array axis, (3, N), a voxel."""
        corner, (x, y, z), inside = self._cells(voxels)
        flat, (i, j, k) = self._flat()
        v000, v001 = flat[corner], flat[corner + k]
        v010, v011 = flat[corner + j], flat[corner + (j + k)]
        v100, v101 = flat[corner + i], flat[corner + (i + k)]
        v110, v111 = flat[corner + (i + j)], flat[corner + (i + j + k)]
        # Along z, then y, then x; a difference before is a slope after.
        d00, d01, d10, d11 = v001 - v000, v011 - v010, v101 - v100, v111 - v110
        a00, a01, a10, a11 = v000 + z * d00, v010 + z * d01, v100 + z * d10, v110 + z * d11
        e0, e1 = a01 - a00, a11 - a10
        b0, b1 = a00 + y * e0, a10 + y * e1
        slope_x = b1 - b0
        slope_y = e0 + x * (e1 - e0)
        near, far = d00 + y * (d01 - d00), d10 + y * (d11 - d10)
        slope_z = near + x * (far - near)
        return b0 + x * slope_x, np.stack([slope_x, slope_y, slope_z]), inside

    def _cells(self, voxels: Points) -> tuple[npt.NDArray[np.intp], list[Floats], Flags]:
        """Flat index of each point's lower corner, its place in the cell, whether it is inside.

        Inside is what lies in a voxel's own cell; beyond the outermost centres values go on.
        """
        shape, (_, strides) = self.values.shape, self._flat()
        corner = np.zeros(len(voxels), dtype=np.intp)
        share, inside = [], np.ones(len(voxels), dtype=np.bool_)
        for axis in range(3):
            where = voxels[:, axis]
            if shape[axis] == 1:
                share.append(np.zeros(len(voxels), dtype=np.float32))
                inside &= np.abs(where) <= 0.5
                continue
            inside &= (where >= -0.5) & (where <= shape[axis] - 0.5)
            where = np.clip(where, 0, shape[axis] - 1)
            low = np.minimum(where.astype(np.intp), shape[axis] - 2)
            share.append((where - low).astype(np.float32))
            corner += low * strides[axis]
        return corner, share, inside

    def _flat(self) -> tuple[Floats, tuple[int, int, int]]:
        """The values in a row, and how far apart neighbours along each axis are in it."""
        x, y, z = self.values.shape
        steps = (y * z if x > 1 else 0, z if y > 1 else 0, 1 if z > 1 else 0)
        return self.values.reshape(-1), steps


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A scan at every resolution that a registration goes through, coarse to fine."""

    levels: tuple[Level, ...]
    grid: Grid
    """Of the scan itself, canonical."""


def prepare(image: Image, *, steps_mm: tuple[float, ...], mask: Image | None = None) -> Prepared:
    """The scan at resolutions of about `steps_mm`, which fall from first to last.

    A voxel of a level is the mean of whole voxels of the scan, then slightly blurred; axes that
    are coarser than the level stay as they are. Contrast is spread over 0..1 between percentiles
    of the head. Where `mask` (on the scan's grid) is 0, no points are drawn. Raises UnusableInput
    (exit 4) where there is nothing to register.
    """
    grid = image.grid.canonical()
    data = to_canonical(image.data, image.grid)
    allowed = None if mask is None else np.asarray(to_canonical(mask.data, mask.grid) != 0)
    raw: list[tuple[tuple[int, int, int], Floats]] = []
    for step in sorted(steps_mm):
        blocks = _blocks(grid, step)
        before, start = raw[-1] if raw else ((1, 1, 1), data)
        if not _divides(before, blocks):
            before, start = (1, 1, 1), data
        x, y, z = (a // b for a, b in zip(blocks, before, strict=True))
        raw.append((blocks, _means(start, (x, y, z))))
    bottom, top = _range(raw[0][1])
    shading = _shading(_scaled(raw[-1][1], bottom, top), _coarser(grid, *raw[-1]))
    levels = []
    for blocks, means in raw:
        own = _coarser(grid, blocks, means)
        values = _scaled(means, bottom, top) / _at(shading, own)
        values = ndimage.gaussian_filter(
            values, [BLUR_VOXELS if n > 1 else 0 for n in values.shape], truncate=3.0
        )
        np.clip(values, 0, 1, out=values)
        head = ndimage.binary_dilation(values > _head_level(values), iterations=2)
        if allowed is not None:
            head &= _means(allowed, blocks) >= 0.5
        if np.count_nonzero(head) < FEWEST_POINTS:
            raise UnusableInput(
                f"{_name(image)} shows too little to be registered"
                + (" within its mask." if allowed is not None else "."),
                hint="Give a scan with a head (or another organ) in it.",
            )
        levels.append(Level(values, own, head))
    return Prepared(tuple(reversed(levels)), grid)


def sample_points(level: Level, *, count: int, seed: int) -> tuple[Points, Floats]:
    """About `count` points (N, 3) in the head, RAS mm, and the level's values there.

    Voxels are taken evenly and each point is moved within its voxel at random (by `seed`), so that
    no point coincides with voxels of the other scan: that would draw registrations to whole voxels.
    """
    every = np.flatnonzero(level.head)
    chosen = every[np.linspace(0, len(every) - 1, min(count, len(every))).astype(np.intp)]
    voxels = np.stack(np.unravel_index(chosen, level.values.shape), axis=-1).astype(np.float64)
    voxels += np.random.default_rng(seed).uniform(-0.5, 0.5, voxels.shape)
    np.clip(voxels, 0, np.array(level.values.shape) - 1, out=voxels)
    values, _ = level.look_up(voxels)
    return level.grid.to_world(voxels), values


def _blocks(grid: Grid, step: float) -> tuple[int, int, int]:
    """How many voxels of the scan make one of the level, a power of two along each axis."""
    x, y, z = (
        1 if n < 4 else 2 ** max(0, round(np.log2(step / spacing)))
        for n, spacing in zip(grid.shape, grid.spacing, strict=True)
    )
    return (min(x, grid.shape[0]), min(y, grid.shape[1]), min(z, grid.shape[2]))


def _divides(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    return all(b % a == 0 for a, b in zip(small, large, strict=True))


def _means(data: npt.NDArray[np.generic], blocks: tuple[int, int, int]) -> Floats:
    """Means over blocks of voxels; what does not fill a block at an axis' end is left out."""
    values = np.zeros(tuple(n // b for n, b in zip(data.shape, blocks, strict=True)), np.float32)
    ends = [n * b for n, b in zip(values.shape, blocks, strict=True)]
    for i in range(blocks[0]):
        for j in range(blocks[1]):
            for k in range(blocks[2]):
                values += data[
                    i : ends[0] : blocks[0], j : ends[1] : blocks[1], k : ends[2] : blocks[2]
                ]
    values /= np.float32(np.prod(blocks))
    return values


def _coarser(grid: Grid, blocks: tuple[int, int, int], means: Floats) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world((np.array(blocks) - 1) / 2)
    affine[:3, :3] = affine[:3, :3] * blocks
    x, y, z = means.shape
    return Grid((x, y, z), affine, grid.oriented, grid.sized)


def _range(values: Floats) -> tuple[float, float]:
    """Values shown as 0 and 1: what is dark in the array and what is bright in the head."""
    bottom, top = (float(v) for v in np.percentile(values, (100 - BRIGHT, BRIGHT)))
    head = values[values > bottom + HEAD * (top - bottom)]
    high = float(np.percentile(head, BRIGHT)) if head.size else top
    return bottom, (high if high > bottom else bottom + 1.0)


def _head_level(values: Floats) -> float:
    """What is brighter belongs to the head; lower where little is bright (angiography)."""
    return float(np.clip(0.7 * values.mean(), HEAD / 3, HEAD))


def _scaled(values: Floats, bottom: float, top: float) -> Floats:
    return np.asarray((values - np.float32(bottom)) / np.float32(top - bottom))


def _shading(values: Floats, grid: Grid) -> tuple[Floats, Grid]:
    """The head's brightness from place to place, blurred over centimetres; 1 on average.

    Coils brighten what is near them. Undone, an edge is where it is and not where it is brightest.
    """
    head = (values > _head_level(values)).astype(np.float32)
    sigmas = [
        SHADING_MM / step if n > 1 else 0 for n, step in zip(grid.shape, grid.spacing, strict=True)
    ]
    share = ndimage.gaussian_filter(head, sigmas, mode="constant", truncate=3.0)
    bright = ndimage.gaussian_filter(head * values, sigmas, mode="constant", truncate=3.0)
    mean = float(bright.sum()) / max(float(share.sum()), 1e-6)
    # Where no head is near, the mean takes over.
    field = (bright + np.float32(0.02 * mean)) / (share + np.float32(0.02)) / np.float32(mean or 1)
    return np.clip(field, 0.25, 4.0), grid


def _at(shading: tuple[Floats, Grid], grid: Grid) -> Floats:
    """The shading in the voxels of a finer level."""
    field, own = shading
    if field.shape == grid.shape:
        return field
    matrix = np.linalg.inv(own.affine) @ grid.affine  # diagonal: the levels share their axes
    found: Floats = ndimage.affine_transform(
        field,
        np.diag(matrix)[:3],
        offset=matrix[:3, 3],
        output_shape=grid.shape,
        order=1,
        mode="nearest",
    )
    return found


def _name(image: Image) -> str:
    return image.source.name if image.source else "The image"
