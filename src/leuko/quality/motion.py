"""Did the head move during the scan? What its lines of k-space have in common.

A scanner reads k-space line by line. A head that moves between lines takes power from some of
them and adds it to others, and does so alike in all slices that were read at the same time. In a
head that lay still the power of lines runs smoothly; what departs from that is chance, and another
chance in every slice. So the covariance between slices of what departs from the smooth run is
about zero in a scan at rest, however noisy or coarse it is and whatever was done to its background.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.quality.kspace import Planes
from leuko.quality.resolution import FALL

__all__ = ["shared_departure"]

FloatArray = npt.NDArray[np.float64]

LINES = (0.03, 0.32)  # cycles/mm: slower ones show the head's outline, faster ones mostly noise
PLACES = (0.02, 0.16, 0.30)  # borders of the parts of a line that are looked at by themselves
SMOOTH = 0.008  # cycles/mm: what runs over more lines than this is the head itself
APART_MM = 8.0  # nearer slices show much the same
LEAST_LINES = 20
FRACTIONS, LESS_DETAIL = 1.7, 0.35  # where detail is coarser than so many voxels it ends slowly
DETAIL = 0.45  # lines up to this over the finest detail; its end is one step in all slices
# Where k-space was read in part, power falls to a quarter (1.4 in logarithms) at one line.
HALF_READ = 1.0
BESIDE = 0.01  # cycles/mm to both sides over which that is measured
STEP = 0.02  # cycles/mm to both sides in which it shows
TINY = 1e-30


def shared_departure(
    power: npt.NDArray[np.float32], *, planes: Planes, axis: int, detail_mm: float
) -> float:
    """Covariance between slices of how the log power of lines departs from its smooth run.

    `power` is that of `kspace.quadrants`; `axis` is that along which lines follow each other, 0
    for rows. Beyond `detail_mm` there are no lines to look at. 0 where there are too few.
    """
    lines, places = (
        np.arange(power.shape[2 + along]) / planes.fields_mm[along] for along in (axis, 1 - axis)
    )
    beginning, end = LINES
    share = DETAIL if detail_mm <= FRACTIONS * planes.spacing[axis] else LESS_DETAIL
    looked = (lines >= beginning) & (lines < min(end, share / detail_mm))
    first, second = _pairs(planes)
    if np.count_nonzero(looked) < LEAST_LINES or not first.size:
        return 0.0
    of_line = power if axis == 0 else np.swapaxes(power, 2, 3)
    shared = np.zeros(lines.size)
    course = np.zeros(lines.size)
    for low, high in pairwise(PLACES):
        part = (places >= low) & (places < high)
        run = np.log(of_line[..., part].sum(axis=3, dtype=np.float64) + TINY)
        departs = run - ndimage.gaussian_filter1d(run, SMOOTH / lines[1], axis=2)
        departs -= departs[..., looked].mean(axis=2, keepdims=True)
        shared += (departs[:, first] * departs[:, second]).mean(axis=(0, 1))
        course += run.mean(axis=(0, 1))
    parts = len(PLACES) - 1
    looked &= ~_around_end(course / parts, lines=lines, looked=looked)
    return float(shared[looked].mean()) / parts


def _around_end(
    course: FloatArray, *, lines: FloatArray, looked: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Lines beside the one beyond which k-space was not read on one side, where there is one.

    Half the amplitude is lost there in all slices alike. `course` is the log power of lines.
    """
    level = course + FALL * np.log(np.maximum(lines, lines[1]))
    width = max(2, round(BESIDE / lines[1]))
    mean = ndimage.uniform_filter1d(level, width)
    before, after = np.roll(mean, width), np.roll(mean, -width)
    drop = np.where(looked, before - after, 0.0)
    end = int(np.argmax(drop))
    if drop[end] < HALF_READ:
        return np.zeros_like(looked)
    return np.asarray(np.abs(np.arange(lines.size) - end) <= round(STEP / lines[1]))


def _pairs(planes: Planes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices of slices that were read at the same time and do not show the same."""
    first, second = np.triu_indices(planes.places_mm.size, k=1)
    together = planes.places_mm[second] - planes.places_mm[first] >= APART_MM
    if planes.interleaved:
        together &= (second - first) % 2 == 0
    return first[together], second[together]
