"""Histograms of a whole data set inside and outside of the foreground, added case by case.

Each case weighs the same: its counts are divided by its voxels before they are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from leuko.exploration.facts import Facts, Scale
from leuko.exploration.intensities import sample_of
from leuko.exploration.labels import Array, body_view, whole_labels
from leuko.exploration.measure import channels_of
from leuko.image.image import Image

__all__ = ["UNITS", "Densities", "densities_of"]

# What is pooled on each scale: unit, lowest and highest edge, number of classes.
UNITS: dict[Scale, tuple[str, float, float, int]] = {
    "hounsfield": ("HU", -1100.0, 1500.0, 130),
    "grey": ("grey level", 0.0, 256.0, 128),
    "arbitrary": ("z-score", -4.0, 8.0, 120),
}


@dataclass(frozen=True, slots=True)
class Densities:
    """Shares of voxels by value, between `low` and `high`; what lies beyond is in the outermost.

    `inside` and `outside` of the foreground are sums over as many cases as `cases_inside` and
    `cases_outside` say; `channel` counts from 0. On the scale 'arbitrary' a value is a z-score:
    (value - mean) / standard deviation of the image's voxels other than 0.
    """

    channel: int
    scale: Scale
    unit: str
    low: float
    high: float
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    cases_inside: int
    cases_outside: int

    @property
    def key(self) -> str:
        """What may be added: one channel on one scale."""
        return f"{self.channel:02d} {self.scale}"

    def plus(self, other: Densities) -> Densities:
        """Both together."""
        return replace(
            self,
            inside=tuple(a + b for a, b in zip(self.inside, other.inside, strict=True)),
            outside=tuple(a + b for a, b in zip(self.outside, other.outside, strict=True)),
            cases_inside=self.cases_inside + other.cases_inside,
            cases_outside=self.cases_outside + other.cases_outside,
        )


def densities_of(
    images: Sequence[Image], *, label: Image | None, facts: Facts
) -> tuple[Densities, ...]:
    """The histograms of one case, a pair for each channel.

    Without a mask on the image's own grid all voxels are outside. Constant images give none.
    """
    mask = None
    if label is not None and facts.label is not None and not facts.label.mismatch:
        data = label.data[..., 0] if label.data.ndim == 4 else label.data
        mask = whole_labels(body_view(data, label.grid))[0] > 0
    found: list[Densities] = []
    channels = [channel for image in images for channel in channels_of(image)]
    for number, (values, known) in enumerate(zip(channels, facts.channels, strict=True)):
        if known.constant:
            continue
        unit, low, high, bins = UNITS[known.scale]
        centre, spread = _standard(values) if known.scale == "arbitrary" else (0.0, 1.0)
        fitting = mask is not None and mask.shape == values.shape
        parts = [
            _shares(part, centre, spread, (low, high, bins))
            for part in (
                (values[mask], values[~mask]) if fitting and mask is not None
                else (values[:0], values)
            )
        ]  # fmt: skip
        found.append(
            Densities(
                channel=number,
                scale=known.scale,
                unit=unit,
                low=low,
                high=high,
                inside=parts[0],
                outside=parts[1],
                cases_inside=int(any(parts[0])),
                cases_outside=int(any(parts[1])),
            )
        )
    return tuple(found)


def _standard(values: Array) -> tuple[float, float]:
    sample = sample_of(values)
    shown = sample[sample != 0]
    return float(shown.mean()), float(shown.std()) or 1.0


def _shares(
    values: Array, centre: float, spread: float, edges: tuple[float, float, int]
) -> tuple[float, ...]:
    low, high, bins = edges
    if not values.size:
        return (0.0,) * bins
    sample = np.clip((sample_of(values) - centre) / spread, low, high)
    counts, _ = np.histogram(sample, bins=bins, range=(low, high))
    return tuple(float(share) for share in counts / sample.size)
