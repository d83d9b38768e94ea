"""Charts of scores: a dot a case, boxes, shares with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leuko.report.axes import axis, fitted, label_width, written
from leuko.report.charts import HALF, WIDTH
from leuko.report.drawing import Area, Bar, Dot, Drawing, Rule, Shape, Text
from leuko.report.palette import ACCENT, INK, LINE, MUTED

__all__ = [
    "SERIES",
    "TINY",
    "Point",
    "Share",
    "Strip",
    "ranks_chart",
    "shares_chart",
    "strip_chart",
]

SMALL, TINY = 7.4, 6.8
BOX = "#d5e3ea"
# Apart in every form of colour blindness (Okabe and Ito, darkened for white paper).
SERIES = ("#0f5c7c", "#d1600a", "#2b9f78", "#b84b8f", "#8a6d00", "#4a4fb5", "#6b7680", "#a3332c")
LARGEST_JITTER = 6.5


@dataclass(frozen=True, slots=True)
class Point:
    """A case: its name and a value (for agreement two: reference and measured)."""

    case: str
    x: float
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of a strip chart: a dot a case, the quartiles, the mean and its 95 % interval."""

    label: str
    points: tuple[Point, ...]
    mean: float
    interval: tuple[float, float]
    colour: str = ACCENT


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its interval, and what is written behind it."""

    label: str
    value: float
    interval: tuple[float, float]
    text: str
    colour: str = ACCENT


def strip_chart(
    strips: Sequence[Strip], *, unit: str, bounded: bool, width: float = HALF
) -> Drawing:
    """A row for each strip over one axis; `bounded` axes lie within 0 and 1."""
    values = [point.x for strip in strips for point in strip.points]
    low, high, ticks = axis(values, bounded=bounded)
    labelled = any(strip.label for strip in strips)
    left = label_width([strip.label for strip in strips], width) if labelled else 6.0
    right, row = width - 10, 30.0
    bottom = 24.0
    height = bottom + row * len(strips) + 2

    def across(value: float) -> float:
        return left + (right - left) * (value - low) / (high - low)

    shapes: list[Shape] = []
    for tick in ticks:
        shapes.append(Rule(across(tick), bottom, across(tick), height - 2, LINE, 0.6))
        text = written(tick, ticks)
        shapes.append(Text(across(tick), bottom - 10, text, TINY, MUTED, "middle"))
    if unit:
        shapes.append(Text(right, 2, unit, TINY, MUTED, "end"))
    for number, strip in enumerate(strips):
        middle = height - 2 - row * (number + 0.5)
        if strip.label:
            shapes.append(Text(0, middle - 2.6, fitted(strip.label, left), SMALL, INK))
        shapes += _strip(strip, middle, across)
    return Drawing(width, height, tuple(shapes))


def _strip(strip: Strip, middle: float, across: Callable[[float], float]) -> Iterator[Shape]:
    values = np.array([point.x for point in strip.points])
    if values.size >= 4:
        first, median, third = (across(float(v)) for v in np.percentile(values, (25, 50, 75)))
        yield Bar(first, middle - 9, max(third - first, 0.6), 18, BOX)
        yield Rule(median, middle - 9, median, middle + 9, INK, 1.1)
    radius = 2.6 if values.size <= 40 else 1.9
    for point, shift in zip(strip.points, _jitter(values, across), strict=True):
        yield Dot(across(point.x), middle + shift, radius, strip.colour,
                  f"{point.case}: {point.x:.3g}")  # fmt: skip
    low, high = strip.interval
    if not math.isnan(low):
        yield Rule(across(low), middle - 11.5, across(high), middle - 11.5, INK, 1.2)
        for end in (low, high):
            yield Rule(across(end), middle - 13, across(end), middle - 10, INK, 1.0)
    if not math.isnan(strip.mean):
        x, y = across(strip.mean), middle - 11.5
        yield Area(((x - 3, y), (x, y + 3), (x + 3, y), (x, y - 3)), INK)


def _jitter(values: np.ndarray, across: Callable[[float], float]) -> list[float]:
    """Heights that keep dots of nearly the same value apart; the same for the same values."""
    placed: list[tuple[float, float]] = []
    heights = [0.0] * len(values)
    steps = (0.0, 3.4, -3.4, LARGEST_JITTER, -LARGEST_JITTER, 1.7, -1.7, 5.0, -5.0)
    for index in np.argsort(values, kind="stable"):
        x = across(float(values[index]))
        near = [h for at, h in placed[-12:] if abs(at - x) < 4.4]
        free = [s for s in steps if all(abs(s - h) > 3.0 for h in near)]
        crowded = steps[len(near) % len(steps)]
        heights[int(index)] = free[0] if free else crowded
        placed.append((x, heights[int(index)]))
    return heights


def shares_chart(shares: Sequence[Share], *, width: float = HALF) -> Drawing:
    """Bars from 0 to 1 with whiskers and a text behind each."""
    left = label_width([share.label for share in shares], width)
    behind, row, bottom = 62.0, 21.0, 16.0
    right = width - behind
    height = bottom + row * len(shares) + 2

    def across(value: float) -> float:
        return left + (right - left) * value

    shapes: list[Shape] = []
    for tick in (0.0, 0.5, 1.0):
        shapes.append(Rule(across(tick), bottom, across(tick), height - 2, LINE, 0.6))
        shapes.append(Text(across(tick), bottom - 10, f"{tick:g}", TINY, MUTED, "middle"))
    for number, share in enumerate(shares):
        middle = height - 2 - row * (number + 0.5)
        shapes.append(Text(0, middle - 2.6, fitted(share.label, left), SMALL, INK))
        shapes.append(Text(right + 8, middle - 2.6, share.text, TINY, MUTED))
        if math.isnan(share.value):
            continue
        if share.value > 0:
            shapes.append(Bar(left, middle - 6, across(share.value) - left, 12, share.colour))
        low, high = share.interval
        if not math.isnan(low):
            shapes.append(Rule(across(low), middle, across(high), middle, INK, 1.0))
            shapes += [Rule(across(x), middle - 2.5, across(x), middle + 2.5, INK, 1.0)
                       for x in (low, high)]  # fmt: skip
    return Drawing(width, height, tuple(shapes))


def ranks_chart(shares: Sequence[Share], *, last: int, width: float = WIDTH) -> Drawing:
    """Places from 1 to `last`: a dot at each value, a line over its interval."""
    left = label_width([share.label for share in shares], width)
    right, row, bottom = width - 74, 21.0, 18.0
    height = bottom + row * len(shares) + 2

    def across(value: float) -> float:
        return left + 12 + (right - left - 12) * (value - 1) / max(last - 1, 1)

    shapes: list[Shape] = []
    for tick in range(1, last + 1):
        shapes.append(Rule(across(tick), bottom, across(tick), height - 2, LINE, 0.6))
        shapes.append(Text(across(tick), bottom - 10, f"{tick}", TINY, MUTED, "middle"))
    for number, share in enumerate(shares):
        middle = height - 2 - row * (number + 0.5)
        shapes.append(Text(0, middle - 2.6, fitted(share.label, left), SMALL, INK))
        shapes.append(Text(right + 16, middle - 2.6, share.text, TINY, MUTED))
        low, high = share.interval
        if not math.isnan(low):
            shapes.append(
                Bar(across(low) - 4, middle - 2.5, across(high) - across(low) + 8, 5, BOX)
            )
        if not math.isnan(share.value):
            shapes.append(Dot(across(share.value), middle, 4, share.colour, share.text))
    return Drawing(width, height, tuple(shapes))
