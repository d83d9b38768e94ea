"""How fine the detail of a scan is, whatever its voxels say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["detail_mm"]

# The power of a head's frequencies falls alike on every scanner, by 10 ** 2.4 for ten times the
# frequency. Where a tenth of that is left, detail has ended.
FALL = 2.4  # decades of power a decade of frequency
ENDED = 1.0  # decades below that
REFERENCE = 0.05  # cycles/mm, from where the fall is measured
WIDTH = 0.02  # cycles/mm over which power is averaged


def detail_mm(profile: npt.NDArray[np.float64], *, field_mm: float, voxel_mm: float) -> float:
    """Size of the finest detail along an axis in mm; at least that of the voxels.

    `profile` is the power of the frequencies along the axis from 0 upwards (`kspace.profile`),
    `field_mm` the length of the field of view along it.
    """
    frequency = np.arange(profile.size) / field_mm
    half = max(1, round(WIDTH / 2 * field_mm))
    window = np.ones(2 * half + 1) / (2 * half + 1)
    smooth = np.convolve(np.pad(profile, half, mode="edge"), window, mode="valid")
    level = np.log10(np.maximum(smooth, smooth.max() * 1e-15))
    seen = np.flatnonzero(frequency > REFERENCE)
    expected = np.interp(REFERENCE, frequency, level) - FALL * np.log10(frequency[seen] / REFERENCE)
    ended = seen[level[seen] < expected - ENDED]
    return max(voxel_mm, 0.5 / float(frequency[ended[0]])) if ended.size else voxel_mm
