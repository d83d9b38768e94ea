"""Planes of a scan and the power of their lines of k-space, for what shows in frequency only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Planes", "planes_across", "profile", "quadrants"]

FloatArray = npt.NDArray[np.float64]

PLANES = 12
LEAST_PLANES = 5
FULL_SHARE = 0.6  # planes that hold this share of the brain of the fullest
THICK_MM = 2.5  # slices further apart were acquired one by one, thinner ones mostly at once


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Parallel planes through the brain; lines of k-space run along their rows and columns."""

    voxels: npt.NDArray[np.float32]  # (planes, rows, columns), any unit
    spacing: tuple[float, float]  # from row to row and from column to column, mm
    places_mm: FloatArray  # along the axis across the planes
    interleaved: bool  # acquired one by one, every other one first

    @property
    def fields_mm(self) -> tuple[float, float]:
        """Lengths of the field of view along rows' and columns' numbers."""
        _, rows, columns = self.voxels.shape
        return rows * self.spacing[0], columns * self.spacing[1]


def planes_across(
    data: npt.NDArray[Any],
    *,
    anatomy: npt.NDArray[np.uint8],
    spacing: tuple[float, float, float],
    axis: int,
) -> Planes | None:
    """Up to 12 planes across an axis where the brain is large; None where there are too few.

    `anatomy` holds 0 outside the brain. Thick slices are neighbours, thin ones spread over the
    brain. Rows and columns are the other two axes in their order.
    """
    first, second = (other for other in range(3) if other != axis)
    thin = tuple(slice(None, None, 1 if other == axis else 2) for other in range(3))
    area = np.count_nonzero(anatomy[thin], axis=(first, second))
    full = np.flatnonzero(area > FULL_SHARE * area.max())
    if full.size < LEAST_PLANES:
        return None
    interleaved = spacing[axis] > THICK_MM
    if interleaved:
        begin = max(0, full.size // 2 - PLANES // 2)
        chosen = full[begin : begin + PLANES]
    else:
        chosen = full[np.rint(np.linspace(0, full.size - 1, PLANES)).astype(np.intp)]
    voxels = np.ascontiguousarray(np.moveaxis(data, axis, 0)[chosen], dtype=np.float32)
    places = np.asarray(chosen * spacing[axis], dtype=np.float64)
    return Planes(voxels, (spacing[first], spacing[second]), places, interleaved)


def quadrants(planes: Planes) -> npt.NDArray[np.float32]:
    """Power in k-space of frequencies of one sign and of opposite signs along rows and columns.

    (2, planes, row frequencies, column frequencies), both from 0 upwards: the other two quadrants
    of a real image are the same.
    """
    spectrum = np.fft.rfft2(planes.voxels)
    power = spectrum.real**2 + spectrum.imag**2
    rows = np.arange(power.shape[1] // 2 + 1)
    return np.stack([power[:, rows], power[:, -rows]])


def profile(planes: Planes, axis: int) -> FloatArray:
    """Power of the frequencies along rows (0) or columns (1) from 0 upwards, planes together.

    The field of view fades out at its ends: what is cut there has no edge.
    """
    lines = np.moveaxis(planes.voxels, axis + 1, -1)
    fade = np.hanning(lines.shape[-1] + 2)[1:-1].astype(np.float32)
    spectrum = np.fft.rfft(lines * fade)
    return np.asarray((spectrum.real**2 + spectrum.imag**2).sum(axis=(0, 1)), dtype=np.float64)
