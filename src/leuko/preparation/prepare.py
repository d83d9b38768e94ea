"""A scan as the network wants to see it: brain level 1, square pixels, slices of one plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.models.channels import neighbour_distances
from leuko.preparation.geometry import Geometry, plan, to_pixels
from leuko.preparation.intensity import brain_level

__all__ = ["BRIGHTEST", "Prepared", "head_box", "prepare", "slice_axis"]

AXIAL = 2
THICK = 1.5  # times the next larger spacing: then slices were acquired along that axis
HEAD = 0.35  # of the brain level: above noise and ghosts, below skin and brain
HEAD_SHARE = 0.004  # of a plane: what few voxels show is not the head
MARGIN_MM = 8.0
BRIGHTEST = 20.0  # brain level 1: what is beyond is an artefact


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A stack of slices for the network.

    `slices`: (n, H, W) float32, brain level 1, 0 beyond the scan; `slice_axis`: the canonical axis
    along the stack; `level`: the intensity that became 1; `neighbours`: rising distances in slices
    of those that the network sees beside each slice; `geometry`: the way back; `t1`: for a
    network that takes it the T1 in the same shape (`leuko.preparation.t1`), 0 without one.
    """

    slices: npt.NDArray[np.float32]
    slice_axis: int
    level: float
    neighbours: tuple[int, ...]
    geometry: Geometry
    t1: npt.NDArray[np.float32] | None = None


def prepare(
    data: npt.NDArray[Any],
    *,
    spacing: Sequence[float],
    pixel_mm: float,
    neighbours_mm: Sequence[float],
    level: float | None = None,
    axis: int | None = None,
) -> Prepared:
    """Prepare a canonical array (any real type, no NaN) with `spacing` in mm along its axes.

    `pixel_mm` and `neighbours_mm` are on the card of the weights; `level` is estimated
    (`brain_level`) and `axis`, that along the stack, is `slice_axis` unless given. All that is
    decided here follows from the canonical array and its spacing alone.
    """
    level = brain_level(data) if level is None else level
    axis = slice_axis(spacing) if axis is None else axis
    geometry = plan(
        data.shape,
        spacing=spacing,
        slice_axis=axis,
        box=head_box(data, spacing=spacing, level=level),
        pixel_mm=pixel_mm,
    )
    slices = to_pixels(data, geometry, kernel="cubic")
    slices *= np.float32(1.0 / level)
    np.clip(slices, 0.0, BRIGHTEST, out=slices)
    return Prepared(
        slices=slices,
        slice_axis=axis,
        level=level,
        neighbours=neighbour_distances(spacing[axis], neighbours_mm=neighbours_mm),
        geometry=geometry,
    )


def slice_axis(spacing: Sequence[float]) -> int:
    """The canonical axis along which slices were acquired, axial where spacings do not tell."""
    widest = max(range(3), key=lambda axis: (spacing[axis], axis))
    others = max(spacing[axis] for axis in range(3) if axis != widest)
    return widest if spacing[widest] >= THICK * others else AXIAL


def head_box(
    data: npt.NDArray[Any], *, spacing: Sequence[float], level: float
) -> tuple[tuple[int, int], ...]:
    """Start and stop along each axis of a box with a margin around the head (or the brain).

    The whole array where nothing is as bright as a head. Along each axis planes count that show
    at least HEAD_SHARE of what the fullest one shows.
    """
    # Every second voxel in a direction with fine voxels is enough to find a head.
    strides = [2 if size * mm > 32.0 and mm < 1.5 else 1 for size, mm in
               zip(data.shape, spacing, strict=True)]  # fmt: skip
    shown = data[tuple(slice(None, None, stride) for stride in strides)] > HEAD * level
    box: list[tuple[int, int]] = []
    for axis, size in enumerate(data.shape):
        counts = np.count_nonzero(shown, axis=tuple(a for a in range(3) if a != axis))
        area = shown.size // len(counts)
        full = np.flatnonzero(counts > HEAD_SHARE * area)
        if full.size == 0:
            return tuple((0, size) for size in data.shape)
        margin = int(np.ceil(MARGIN_MM / spacing[axis]))
        start = int(full[0]) * strides[axis] - margin
        stop = (int(full[-1]) + 1) * strides[axis] + margin
        box.append((max(0, start), min(size, stop)))
    return tuple(box)
