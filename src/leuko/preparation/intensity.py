"""The intensity that becomes 1.0: a robust level of the brain, found from the values alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["brain_level"]

SAMPLES = 250_000  # enough for a stable median; keeps the search at a few milliseconds
TOP_PERCENTILE = 98.0  # of the positive values: brain or fat, never a few hot voxels
BACKGROUND_FRACTION = 0.2  # of that percentile: below lie air, noise and dark bone
PEAK_HALF_WIDTH = 0.25  # in log intensity: how broad the peak of brain tissue is
BIN = 0.02  # in log intensity
WINDOW = (0.6, 1.5)  # around the peak: leaves out CSF, most muscle, and fat
ROUNDS = 3


def brain_level(values: npt.NDArray[Any]) -> float:
    """The level of brain tissue in a head: about the median intensity of grey and white matter.

    `values`: intensities of any shape, scale and number type, in canonical axis order where the
    array is a volume (large arrays are sampled at regular indices, so that the result depends on
    the canonical array only). Works on whole heads and on extracted brains, on volumes, slabs and
    slices. Brain is taken to be the tissue with the most voxels within a factor of 1.3 of one
    intensity; the level is the median of what lies around that peak. It scales with the input.
    Returns 1.0 where nothing is positive.
    """
    sampled = _sample(values)
    positive = sampled[sampled > 0].astype(np.float32)
    if positive.size == 0:
        return 1.0
    top = float(np.percentile(positive, TOP_PERCENTILE))
    tissue = positive[positive > BACKGROUND_FRACTION * top]
    level = _peak(tissue, top)
    for _ in range(ROUNDS):
        around = tissue[(tissue > WINDOW[0] * level) & (tissue < WINDOW[1] * level)]
        if around.size == 0:
            break
        level = float(np.median(around))
    return level


def _sample(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """At most about SAMPLES values as a flat array, at a regular stride along each axis."""
    strides = [1] * values.ndim
    counts = list(values.shape)
    while np.prod(counts, dtype=np.int64) > SAMPLES:
        longest = max(range(values.ndim), key=lambda axis: counts[axis])
        strides[longest] += 1
        counts[longest] = -(-values.shape[longest] // strides[longest])
    return values[tuple(slice(None, None, stride) for stride in strides)].ravel()


def _peak(tissue: npt.NDArray[np.float32], top: float) -> float:
    """The intensity with the most values within a factor of exp(PEAK_HALF_WIDTH)."""
    bins = np.floor(np.log(tissue / np.float32(top)) / BIN).astype(np.int64)
    lowest = int(bins.min())
    reach = round(PEAK_HALF_WIDTH / BIN)
    counts = np.pad(np.bincount(bins - lowest), reach)
    within = np.convolve(counts, np.ones(2 * reach + 1, dtype=np.int64), mode="valid")
    return top * float(np.exp((int(np.argmax(within)) + lowest + 0.5) * BIN))
