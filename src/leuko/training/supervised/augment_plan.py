"""How images are changed in training: the strengths, and what is drawn from them.

No torch here, so that recipes are read without it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np

from leuko.errors import UsageError

__all__ = ["NONE", "AugmentPlan", "Box", "Change", "draw"]

Magnitude = Annotated[float, msgspec.Meta(ge=0.0)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Interpolation = Literal["linear", "cubic"]
Matrix = tuple[tuple[float, ...], ...]


class AugmentPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Strengths of the changes, 0: none. Lengths are in voxels (the finest axis, if they differ).

    Where a spread is meant, the draw is uniform from minus to plus the strength. Intensities are
    told relative to each channel's standard deviation or range in the crop, so that strengths mean
    the same for z-scores, for values from 0 to 1 and for Hounsfield units.
    """

    spatial_share: Share = 1.0  # crops that are moved at all (flips apart)
    rotation_deg: Magnitude = 15.0  # within the slice
    tilt_deg: Magnitude = 7.0  # about the two axes within the slice, 3D only
    flip: Share = 0.5  # for each axis that may be mirrored: left and right in training
    scale: Magnitude = 0.15  # 0.15: sizes by a factor from 1/1.15 to 1.15
    shear: Magnitude = 0.05  # tangent of the angle
    elastic: Magnitude = 1.0  # voxels, standard deviation of a smooth shift
    interpolation: Interpolation = "linear"  # of images; cubic in 2D only

    intensity_share: Share = 0.5  # crops that each of the following five strikes
    gamma: Magnitude = 0.3  # logarithm of the power
    contrast: Magnitude = 0.2  # logarithm of the factor
    brightness: Magnitude = 0.2  # standard deviations
    bias: Magnitude = 0.2  # logarithm of the gain, standard deviation of a smooth field
    noise: Magnitude = 0.1  # at most, standard deviations
    rician: bool = False  # noise of magnitudes instead of Gaussian

    quality_share: Share = 0.2  # crops that each of the following two strikes
    blur: Magnitude = 1.0  # at most, voxels
    resolution: Magnitude = 1.0  # voxels up to 1 + this as large, along one axis or all

    cut_share: Share = 0.5  # crops with cut-out boxes, where `cut` is above 0
    cut: Share = 0.0  # sides of a box, at most, as a share of the crop's
    cut_boxes: Annotated[int, msgspec.Meta(ge=1)] = 3  # at most


NONE = AugmentPlan(
    rotation_deg=0.0,
    tilt_deg=0.0,
    flip=0.0,
    scale=0.0,
    shear=0.0,
    elastic=0.0,
    gamma=0.0,
    contrast=0.0,
    brightness=0.0,
    bias=0.0,
    noise=0.0,
    blur=0.0,
    resolution=0.0,
    cut=0.0,
)


@dataclass(frozen=True, slots=True)
class Box:
    """A box that is cut out: its low corner and sides as shares of the crop's sides."""

    low: tuple[float, ...]
    side: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One drawn change; applied to the same image it gives the same result, bit for bit.

    `matrix` leads from offsets (voxels from the centre) in the result to those in the source; None
    where nothing turns or stretches. `seed` draws the fields of `elastic` and `bias`, and noise.
    """

    dims: int
    seed: int = 0
    mirrored: tuple[int, ...] = ()
    matrix: Matrix | None = None
    elastic: tuple[float, ...] = ()  # voxels per axis; empty: none
    interpolation: Interpolation = "linear"
    gamma: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    bias: float = 0.0
    noise: float = 0.0
    rician: bool = False
    blur: tuple[float, ...] = ()  # voxels per axis
    coarsening: tuple[float, ...] = ()  # factor per axis
    boxes: tuple[Box, ...] = ()


def draw(
    random: np.random.Generator,
    plan: AugmentPlan,
    *,
    dims: int,
    mirror_axes: Sequence[int] = (),
    spacing: Sequence[float] | None = None,
) -> Change:
    """A change for crops of `dims` spatial axes, of which `mirror_axes` (0..dims-1) may be flipped.

    With the `spacing` of voxels, rotations and shears are rigid or straight in space although
    voxels are not cubes. UsageError where the plan does not suit the dimensions.
    """
    if plan.interpolation == "cubic" and dims == 3:
        raise UsageError("Cubic interpolation is for 2D only.", hint="Set interpolation to linear.")
    if any(not 0 <= axis < dims for axis in mirror_axes):
        raise UsageError(
            f"Axes that may be mirrored are 0 to {dims - 1}, not {tuple(mirror_axes)}.",
            hint="Correct mirror_axes.",
        )
    sizes = np.ones(dims) if spacing is None else np.asarray(spacing, dtype=float)
    finest = sizes.min() / sizes  # a length in voxels of the finest axis, in those of each axis
    mirrored = tuple(axis for axis in sorted(mirror_axes) if random.random() < plan.flip)
    moved = random.random() < plan.spatial_share
    matrix = _matrix(random, plan, sizes) if moved else None
    shift = tuple(float(plan.elastic * f) for f in finest) if moved and plan.elastic else ()
    struck = random.random(7) < [plan.intensity_share] * 5 + [plan.quality_share] * 2
    spread = random.uniform(-1.0, 1.0, size=3)
    amount = random.random(4)
    return Change(
        dims=dims,
        seed=int(random.integers(2**62)),
        mirrored=mirrored,
        matrix=matrix,
        elastic=shift,
        interpolation=plan.interpolation,
        gamma=math.exp(plan.gamma * spread[0]) if struck[0] else 1.0,
        contrast=math.exp(plan.contrast * spread[1]) if struck[1] else 1.0,
        brightness=float(plan.brightness * spread[2]) if struck[2] else 0.0,
        bias=float(plan.bias * amount[0]) if struck[3] else 0.0,
        noise=float(plan.noise * amount[1]) if struck[4] else 0.0,
        rician=plan.rician,
        blur=tuple(float(plan.blur * amount[2] * f) for f in finest)
        if struck[5] and plan.blur
        else (),
        coarsening=_coarsening(random, plan.resolution * amount[3], dims) if struck[6] else (),
        boxes=_boxes(random, plan, dims),
    )


def _matrix(random: np.random.Generator, plan: AugmentPlan, sizes: np.ndarray) -> Matrix | None:
    """Rotation, scale and shear as one matrix on offsets in voxels; None where nothing moves."""
    dims = len(sizes)
    pairs = [(dims - 2, dims - 1)] if dims == 2 else [(1, 2), (0, 1), (0, 2)]
    result = np.eye(dims)
    for number, (a, b) in enumerate(pairs):
        degrees = plan.tilt_deg if number else plan.rotation_deg
        angle = math.radians(degrees) * random.uniform(-1.0, 1.0)
        turn = np.eye(dims)
        turn[a, a] = turn[b, b] = math.cos(angle)
        turn[a, b], turn[b, a] = -math.sin(angle), math.sin(angle)
        result = result @ turn
    shear = plan.shear * random.uniform(-1.0, 1.0, size=(dims, dims))
    np.fill_diagonal(shear, 0.0)
    size = math.exp(math.log1p(plan.scale) * random.uniform(-1.0, 1.0))
    result = result @ (np.eye(dims) + shear) / size
    if np.array_equal(result, np.eye(dims)):
        return None
    # From voxels to lengths, the change, and back.
    result = result * sizes[None, :] / sizes[:, None]
    return tuple(tuple(float(value) for value in row) for row in result)


def _coarsening(random: np.random.Generator, excess: float, dims: int) -> tuple[float, ...]:
    """Voxels grow by 1 + `excess`, along all axes or, as often, along a single one."""
    if not excess:
        return ()
    only = int(random.integers(dims)) if random.random() < 0.5 else None
    return tuple(1.0 + float(excess) if only in (None, axis) else 1.0 for axis in range(dims))


def _boxes(random: np.random.Generator, plan: AugmentPlan, dims: int) -> tuple[Box, ...]:
    """Boxes that lie inside the crop."""
    if not plan.cut or random.random() >= plan.cut_share:
        return ()
    boxes = []
    for _ in range(int(random.integers(1, plan.cut_boxes + 1))):
        side = plan.cut * random.uniform(0.3, 1.0, size=dims)
        low = random.random(dims) * (1.0 - side)
        boxes.append(Box(tuple(map(float, low)), tuple(map(float, side))))
    return tuple(boxes)
