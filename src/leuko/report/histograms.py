"""Histograms: how many lesions have which size, how much volume lies how far from the ventricles.

Drawn as `report.charts` draws, once for page and PDF.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from leuko.quantify.regions import DistanceBin
from leuko.report.charts import HALF, ceiling
from leuko.report.drawing import Bar, Drawing, Rule, Shape, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SIZE
from leuko.report.wording import Wording

__all__ = ["Bin", "Histogram", "distance_histogram", "histogram_chart", "size_histogram"]

STEPS = (1, 2, 5)  # of a decade: the limits of the size classes, 10 and 100, are among them
FARTHEST = 40.0  # mm; what lies beyond is one grey bar
NEAR = 10.0  # mm: the usual limit between periventricular and deep


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar from `low` to `high` along the axis; `text` is written above it."""

    low: float
    high: float
    value: float
    colour: str = ACCENT
    text: str = ""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars over an axis; `ticks` are (position, text), `limits` (position, text) thin lines."""

    bins: tuple[Bin, ...]
    axis_label: str
    value_label: str
    ticks: tuple[tuple[float, str], ...]
    limits: tuple[tuple[float, str], ...] = ()
    whole: bool = False  # values are counts


def size_histogram(volumes_mm3: Sequence[float], *, words: Wording) -> Drawing:
    """Numbers of lesions by volume on a logarithmic axis, in the colours of the size classes."""
    if not volumes_mm3:
        raise ValueError("a histogram needs a lesion")
    edges = _edges(min(volumes_mm3), max(volumes_mm3))
    bins = []
    for number, (low, high) in enumerate(pairwise(edges)):
        last = number == len(edges) - 2
        count = sum(low <= value < high or (last and value == high) for value in volumes_mm3)
        name = "small" if high <= 10 else "medium" if high <= 100 else "large"
        text = str(count) if count else ""
        bins.append(Bin(math.log10(low), math.log10(high), float(count), SIZE[name], text))
    ticks = tuple((math.log10(edge), words.numerals.written(f"{edge:,g}")) for edge in edges)
    return histogram_chart(
        Histogram(
            tuple(bins),
            words("histogram.sizes.axis"),
            words("histogram.sizes.value"),
            ticks if len(ticks) <= 9 else ticks[::-1][::2][::-1],
            whole=True,
        ),
        words=words,
    )


def distance_histogram(distances: Sequence[DistanceBin], *, words: Wording) -> Drawing:
    """Volume per mm by its distance to the ventricles; in grey beyond the last edge."""
    held = [one for one in distances if one.volume_ml > 0]
    far = max((one.to_mm or FARTHEST for one in held), default=20.0)
    bins, end = [], max(far, 20.0)
    for one in distances:
        if one.to_mm is None:
            if one.volume_ml > 0:
                wide = 0.08 * end
                bins.append(Bin(end, end + wide, one.volume_ml / wide, FAINT))
        elif one.to_mm <= end:
            per_mm = one.volume_ml / (one.to_mm - one.from_mm)
            bins.append(Bin(one.from_mm, one.to_mm, per_mm))
    ticks = [(float(mm), str(mm)) for mm in range(0, round(end) + 1, 5 if end <= 30 else 10)]
    return histogram_chart(
        Histogram(
            tuple(bins),
            words("histogram.distances.axis"),
            words("histogram.distances.value"),
            tuple(ticks),
            ((NEAR, f"{NEAR:.0f} {words('unit.mm')}"),),
        ),
        words=words,
    )


def histogram_chart(shown: Histogram, *, words: Wording, width: float = HALF) -> Drawing:
    """Bars over an axis with a scale."""
    height, left, bottom, top, right = 118.0, 30.0, 28.0, 94.0, width - 14
    first, last = shown.bins[0].low, shown.bins[-1].high
    most = max((one.value for one in shown.bins), default=0.0)
    highest = max(ceiling(most), 2.0) if shown.whole else ceiling(most)

    def across(position: float) -> float:
        return left + (right - left) * (position - first) / (last - first)

    def up(value: float) -> float:
        return bottom + (top - bottom) * value / highest

    shapes: list[Shape] = [Text(0, height - 8, shown.value_label, 7.4, MUTED)]
    for value in (0.0, highest / 2, highest):
        text = words.numerals.general(value, 3)
        shapes.append(Rule(left, up(value), right, up(value), LINE, 0.6))
        shapes.append(Text(left - 5, up(value) - 2.6, text, 7, MUTED, "end"))
    for one in shown.bins:
        if one.value > 0:
            start, end = across(one.low), across(one.high)
            tall = max(up(one.value) - bottom, 0.8)
            shapes.append(Bar(start + 0.5, bottom, max(end - start - 1, 0.6), tall, one.colour))
            if one.text:
                shapes.append(
                    Text((start + end) / 2, bottom + tall + 2.5, one.text, 7, INK, "middle")
                )
    for position, text in shown.limits:
        if first < position < last:
            shapes.append(Rule(across(position), bottom, across(position), top + 4, INK, 0.6))
            shapes.append(Text(across(position) + 3, top - 2, text, 7, MUTED))
    for position, text in shown.ticks:
        shapes.append(Rule(across(position), bottom, across(position), bottom - 3, FAINT, 0.6))
        shapes.append(Text(across(position), bottom - 11, text, 7, MUTED, "middle"))
    shapes.append(Text((left + right) / 2, 3, shown.axis_label, 7.4, MUTED, "middle"))
    return Drawing(width, height, tuple(shapes))


def _edges(least: float, most: float) -> list[float]:
    """1, 2, 5, 10 ... around the volumes, never fewer than four bars."""
    low = max(least, 0.1)
    steps = [step * 10.0**power for power in range(-1, 8) for step in STEPS]
    first = max((n for n, edge in enumerate(steps) if edge <= low), default=0)
    last = next((n for n, edge in enumerate(steps) if edge > most), len(steps) - 1)
    first = min(first, steps.index(10.0) - 1)
    last = max(last, first + 4)
    return steps[first : last + 1]
