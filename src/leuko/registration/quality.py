"""How well a registration went, told from the two scans alone.

A cost that was made small says little: it is small for two different people, too. So the result is
asked again in another way. Small blocks all over the head of the fixed scan are searched for in the
moving scan, by the direction of their edges (which every contrast shares). Where the registration
is right, nearly every block is found where it should be; after a wrong one a block is found
anywhere; another person's head lies in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from leuko.registration.deformation import as_field
from leuko.registration.pyramid import Floats, Level
from leuko.registration.transforms import Points, Transform

__all__ = ["Quality", "folded_share", "measure_quality"]

BLOCK_MM, REACH_MM, APART_MM = 9.0, 8.0, 14.0  # half a block, half the search, between blocks
FOUND_MM = 3.0  # a block found closer than this is where it should be
FEWEST_BLOCKS = 12
MOST_BLOCKS = 160
CONTENT = 0.35  # quantile of edge content that a block must exceed
INSIDE = 0.9  # share of a block's search box that the moving scan must cover
CHANNELS = ((0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (0, 1, 2.0), (0, 2, 2.0), (1, 2, 2.0))


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured; None where it could not be.

    agreement: share of the blocks found within 3 mm of their place (chance: see `chance`).
    offset_mm: median distance from its place at which a block was found.
    chance: the agreement that blocks found anywhere would have.
    overlap: share of the fixed head that lies in the moving field of view.
    inconsistency_mm: mean distance between a point and where it ends after the way there and the
        way back, each registered on its own; None where only one way was gone.
    starts_agreed: share of the starts that led to the result; None where there was one.
    blocks: how many blocks were looked for.
    folded: share of the fixed head where a bend turns space inside out; None for linear maps.
    """

    agreement: float | None
    offset_mm: float | None
    chance: float | None
    overlap: float
    inconsistency_mm: float | None
    starts_agreed: float | None
    blocks: int
    folded: float | None = None


def measure_quality(
    fixed: Level,
    moving: Level,
    *,
    transform: Transform,
) -> Quality:
    """Look for blocks of `fixed` around the places where `transform` puts them in `moving`."""
    seen, inside = _moved(fixed, moving, transform)
    overlap = float(np.count_nonzero(inside & fixed.head)) / np.count_nonzero(fixed.head)
    offsets, chance = _offsets(fixed, seen, inside)
    known = len(offsets) >= FEWEST_BLOCKS
    return Quality(
        agreement=float(np.mean(offsets <= FOUND_MM)) if known else None,
        offset_mm=float(np.median(offsets)) if known else None,
        chance=chance if known else None,
        overlap=overlap,
        inconsistency_mm=None,
        starts_agreed=None,
        blocks=len(offsets),
    )


def folded_share(fixed: Level, bend: Transform) -> float:
    """Share of the head's voxels where the bend's Jacobian determinant is not positive."""
    field = as_field(bend, onto=fixed.grid).displacements
    steps = np.linalg.inv(fixed.grid.affine[:3, :3])
    jacobian = np.zeros((*field.shape[:3], 3, 3), dtype=np.float32)
    for axis in range(3):
        if field.shape[axis] > 1:
            jacobian[..., axis] = np.gradient(field, axis=axis)
    determinant = np.linalg.det(np.eye(3, dtype=np.float32) + jacobian @ steps.astype(np.float32))
    return float(np.mean(determinant[fixed.head] <= 0))


def _moved(
    fixed: Level, moving: Level, transform: Transform
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The moving level on the voxels of the fixed one, and where it is known."""
    shape = fixed.values.shape
    index = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    world = transform.apply_to_points(fixed.grid.to_world(index.reshape(-1, 3)))
    values, inside = moving.look_up(moving.grid.to_voxel(world))
    values[~inside] = 0
    return values.reshape(shape), inside.reshape(shape)


def _offsets(
    fixed: Level, seen: Floats, inside: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], float]:
    """How far from its place each block was found (mm), and the chance of `FOUND_MM` or less."""
    spacing = np.array(fixed.grid.spacing)
    shape = np.array(seen.shape)
    thin = shape == 1
    half = np.where(thin, 0, np.maximum(1, np.rint(BLOCK_MM / spacing))).astype(int)
    reach = np.where(thin, 0, np.maximum(1, np.rint(REACH_MM / spacing))).astype(int)
    mine, other = _edges(fixed.values, spacing), _edges(seen, spacing)
    shifts = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1)
    lengths = np.linalg.norm(shifts * spacing, axis=-1)
    chance = float(np.mean(lengths <= FOUND_MM))
    centres = _centres(fixed, mine, inside, half=half, reach=reach, spacing=spacing)
    if len(centres) == 0:
        return np.empty(0), chance
    offsets = []
    large = [fft.next_fast_len(int(n), real=True) for n in 2 * (half + reach) + 1]
    for part in np.array_split(centres, max(1, len(centres) // 24)):
        score = _scores(mine, other, part, half=half, reach=reach, large=large)
        best = score.reshape(len(part), -1).argmax(axis=1)
        offsets.append(lengths.reshape(-1)[best])
    return np.concatenate(offsets), chance


def _edges(values: Floats, spacing: Points) -> Floats:
    """Direction and clearness of edges as six products, (6, X, Y, Z); clear edges have length 1.

    Normalised gradients: Haber & Modersitzki, MICCAI 2006.
    """
    slopes = []
    for axis, step in enumerate(spacing.tolist()):
        flat = values.shape[axis] == 1
        slopes.append(np.zeros_like(values) if flat else np.gradient(values, step, axis=axis))
    square = slopes[0] ** 2 + slopes[1] ** 2 + slopes[2] ** 2
    some = square[square > 0]
    faint = float(np.median(some)) if some.size else 1.0
    weight = 1 / (square + np.float32(max(faint, 1e-12)))
    return np.stack(
        [slopes[a] * slopes[b] * weight * np.float32(np.sqrt(w)) for a, b, w in CHANNELS]
    ).astype(np.float32)


def _centres(
    fixed: Level,
    edges: Floats,
    inside: npt.NDArray[np.bool_],
    *,
    half: npt.NDArray[np.int_],
    reach: npt.NDArray[np.int_],
    spacing: Points,
) -> npt.NDArray[np.intp]:
    """Voxels around which a block is worth looking for, (N, 3)."""
    room = half + reach
    axes = []
    for axis, length in enumerate(edges.shape[1:]):
        step = max(1, round(APART_MM / spacing[axis]))
        first, last = int(room[axis]), length - 1 - int(room[axis])
        if last < first:  # too thin for the whole search: its middle is all there is
            return np.empty((0, 3), dtype=np.intp)
        axes.append(np.arange(first + (last - first) % step // 2, last + 1, step))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[fixed.head[tuple(grid.T)]]
    content = (edges[:3] ** 2).sum(axis=0)
    kept, amounts = [], []
    for centre in grid:
        box = tuple(slice(c - r, c + r + 1) for c, r in zip(centre, room, strict=True))
        block = tuple(slice(c - h, c + h + 1) for c, h in zip(centre, half, strict=True))
        if np.mean(inside[box]) >= INSIDE:
            kept.append(centre)
            amounts.append(float(content[block].mean()))
    if not kept:
        return np.empty((0, 3), dtype=np.intp)
    enough = np.array(amounts) >= np.quantile(amounts, CONTENT)
    chosen = np.array(kept)[enough]
    every = np.linspace(0, len(chosen) - 1, min(MOST_BLOCKS, len(chosen))).astype(int)
    return np.asarray(chosen[every])


def _scores(
    mine: Floats,
    other: Floats,
    centres: npt.NDArray[np.intp],
    *,
    half: npt.NDArray[np.int_],
    reach: npt.NDArray[np.int_],
    large: list[int],
) -> npt.NDArray[np.float64]:
    """Likeness (a cosine) of each block with its surroundings at every shift within reach."""
    room = half + reach
    blocks = np.stack([mine[(slice(None), *_box(c, half))] for c in centres])
    around = np.stack([other[(slice(None), *_box(c, room))] for c in centres])
    energy = (around * around).sum(axis=1)
    axes = (-3, -2, -1)
    spectrum = np.conj(fft.rfftn(blocks, large, axes=axes)) * fft.rfftn(around, large, axes=axes)
    product = fft.irfftn(spectrum.sum(axis=1), large, axes=axes)
    ones = np.ones(tuple(2 * half + 1), dtype=np.float32)
    local = fft.irfftn(
        np.conj(fft.rfftn(ones, large, axes=axes)) * fft.rfftn(energy, large, axes=axes),
        large,
        axes=axes,
    )
    span = tuple(slice(0, 2 * r + 1) for r in reach)
    product, local = product[(slice(None), *span)], local[(slice(None), *span)]
    own = (blocks * blocks).sum(axis=(1, 2, 3, 4))
    found = product / np.sqrt(np.maximum(local, 1e-3) * np.maximum(own, 1e-3)[:, None, None, None])
    return np.asarray(found, dtype=np.float64)


def _box(centre: npt.NDArray[np.intp], half: npt.NDArray[np.int_]) -> tuple[slice, slice, slice]:
    x, y, z = (slice(int(c - h), int(c + h + 1)) for c, h in zip(centre, half, strict=True))
    return (x, y, z)
