"""The values of an image in a few numbers: range, mean, percentiles, histogram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BINS", "Values", "values_of"]

BINS = 64
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
MOST_LABELS = 24
_SAMPLE = 1 << 22  # voxels from which percentiles and histogram are taken


@dataclass(frozen=True, slots=True)
class Values:
    """Range and distribution of all voxels, in the image's own unit (slope applied).

    `percentiles` go from p1 to p99; `histogram` counts voxels in 64 classes of equal
    width between `minimum` and `maximum`; both come from every n-th voxel where there are more
    than four million. `labels` lists the values of a label map (few, whole, not negative).
    """

    kind: str
    minimum: float
    maximum: float
    mean: float
    standard_deviation: float
    zero_share: float
    percentiles: Mapping[str, float]
    histogram: tuple[int, ...]
    labels: tuple[int, ...]


def values_of(data: npt.NDArray[Any]) -> Values:
    """The numbers of an array of real values; of bool and integers exactly."""
    flat = data.ravel(order="K")
    sample = flat[:: max(1, -(-flat.size // _SAMPLE))]
    low, high = float(flat.min()), float(flat.max())
    # In float64 and as shares of the range: between extremes of float32 its bins would overflow.
    span = max(high - low, np.finfo(np.float64).tiny) if high > low else 1.0
    shares = (sample.astype(np.float64) - low) / span
    counts, _ = np.histogram(shares, bins=BINS, range=(0.0, 1.0))
    cuts = np.percentile(sample, PERCENTILES)
    return Values(
        kind=str(data.dtype),
        minimum=low,
        maximum=high,
        mean=float(flat.mean(dtype=np.float64)),
        standard_deviation=float(sample.std(dtype=np.float64)),
        zero_share=float(1 - np.count_nonzero(flat) / flat.size),
        percentiles={
            f"p{percent}": float(cut) for percent, cut in zip(PERCENTILES, cuts, strict=True)
        },
        histogram=tuple(int(count) for count in counts),
        labels=_labels(flat, low=low, high=high),
    )


def _labels(flat: npt.NDArray[Any], *, low: float, high: float) -> tuple[int, ...]:
    """The values of what looks like a label map; empty for everything else."""
    if flat.dtype.kind not in "biu" or low < 0 or high > 1 << 16:
        return ()
    found = np.flatnonzero(np.bincount(flat.astype(np.int64, copy=False)))
    return tuple(int(label) for label in found) if found.size <= MOST_LABELS else ()
