"""Charts of scores: a dot a case, boxes, agreement of volumes, shares with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from leuko.report.drawing import Area, Bar, Dot, Drawing, Rule, Shape, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED

__all__ = ["HALF", "SERIES", "WIDTH", "Point", "Share", "Strip", "bland_altman_chart",
           "identity_chart", "ranks_chart", "shares_chart", "strip_chart"]  # fmt: skip

WIDTH, HALF = 520.0, 250.0
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
    low, high, ticks = _axis(values, bounded=bounded)
    labelled = any(strip.label for strip in strips)
    left = _label_width([strip.label for strip in strips], width) if labelled else 6.0
    right, row = width - 10, 30.0
    bottom = 24.0
    height = bottom + row * len(strips) + 2

    def across(value: float) -> float:
        return left + (right - left) * (value - low) / (high - low)

    shapes: list[Shape] = []
    for tick in ticks:
        shapes.append(Rule(across(tick), bottom, across(tick), height - 2, LINE, 0.6))
        text = _written(tick, ticks)
        shapes.append(Text(across(tick), bottom - 10, text, TINY, MUTED, "middle"))
    if unit:
        shapes.append(Text(right, 2, unit, TINY, MUTED, "end"))
    for number, strip in enumerate(strips):
        middle = height - 2 - row * (number + 0.5)
        if strip.label:
            shapes.append(Text(0, middle - 2.6, _short(strip.label, left), SMALL, INK))
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


FOR_WORDS = 0.45  # of the dots' range, right of them: what the lines are


def bland_altman_chart(
    points: Sequence[Point],
    *,
    bias: float,
    limits: tuple[float, float],
    intervals: Sequence[tuple[float, float]],
    unit: str,
) -> Drawing:
    """Difference (measured minus reference) over the mean of both, with bias and limits.

    `intervals` are the 95 % intervals of bias, lower and upper limit, drawn as whiskers.
    """
    means = [(point.x + point.y) / 2 for point in points]
    differences = [point.y - point.x for point in points]
    known = [v for v in (*limits, *(e for pair in intervals for e in pair)) if not math.isnan(v)]
    room = max(means) + FOR_WORDS * (max(means) - min(means))
    frame = _Frame.of([*means, room], [*differences, *known, 0.0], from_zero=False)
    shapes: list[Shape] = list(frame.grid())
    shapes.append(Rule(frame.left, frame.up(0), frame.right, frame.up(0), FAINT, 0.8))
    lines = ((bias, "bias"), (limits[0], "−1.96 SD"), (limits[1], "+1.96 SD"))
    for number, ((value, text), (low, high)) in enumerate(zip(lines, intervals, strict=True)):
        if math.isnan(value):
            continue
        colour, thick = (ACCENT, 1.4) if text == "bias" else (INK, 0.8)
        up = frame.up(value)
        shapes.append(Rule(frame.left, up, frame.right, up, colour, thick))
        shapes.append(Text(frame.right, up + 3, f"{text} {_signed(value)}", TINY, colour, "end"))
        if not math.isnan(low):
            x = frame.left + 6 + 6 * number
            shapes.append(Rule(x, frame.up(low), x, frame.up(high), colour, 1.0))
            shapes += [Rule(x - 2, frame.up(y), x + 2, frame.up(y), colour, 1.0)
                       for y in (low, high)]  # fmt: skip
    shapes += _dots(points, means, differences, frame)
    shapes += frame.titles(f"mean of both ({unit})", f"predicted − reference ({unit})")
    return Drawing(HALF, frame.height, tuple(shapes))


def identity_chart(points: Sequence[Point], *, unit: str) -> Drawing:
    """Predicted over reference with the line on which both are equal."""
    first, second = [p.x for p in points], [p.y for p in points]
    both = [*first, *second]
    frame = _Frame.of(both, both, from_zero=True)
    shapes = list(frame.grid())
    end = min(frame.x_high, frame.y_high)
    start = max(frame.x_low, frame.y_low)
    shapes.append(Rule(frame.across(start), frame.up(start), frame.across(end), frame.up(end),
                       FAINT, 1.0))  # fmt: skip
    shapes += _dots(points, first, second, frame)
    shapes += frame.titles(f"reference ({unit})", f"predicted ({unit})")
    return Drawing(HALF, frame.height, tuple(shapes))


def shares_chart(shares: Sequence[Share], *, width: float = HALF) -> Drawing:
    """Bars from 0 to 1 with whiskers and a text behind each."""
    left = _label_width([share.label for share in shares], width)
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
        shapes.append(Text(0, middle - 2.6, _short(share.label, left), SMALL, INK))
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
    left = _label_width([share.label for share in shares], width)
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
        shapes.append(Text(0, middle - 2.6, _short(share.label, left), SMALL, INK))
        shapes.append(Text(right + 16, middle - 2.6, share.text, TINY, MUTED))
        low, high = share.interval
        if not math.isnan(low):
            shapes.append(
                Bar(across(low) - 4, middle - 2.5, across(high) - across(low) + 8, 5, BOX)
            )
        if not math.isnan(share.value):
            shapes.append(Dot(across(share.value), middle, 4, share.colour, share.text))
    return Drawing(width, height, tuple(shapes))


# ---------------------------------------------------------------- axes


@dataclass(frozen=True, slots=True)
class _Frame:
    """The axes of a chart of points, HALF wide."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    x_ticks: tuple[float, ...]
    y_ticks: tuple[float, ...]
    left: float = 38.0
    bottom: float = 30.0
    right: float = HALF - 8
    top: float = 178.0
    height: float = 196.0

    @classmethod
    def of(cls, x: Sequence[float], y: Sequence[float], *, from_zero: bool) -> _Frame:
        """Axes that hold all values, from 0 on where asked for."""
        zero = [0.0] if from_zero else []
        x_low, x_high, x_ticks = _axis([*x, *zero], bounded=False, zero=from_zero)
        y_low, y_high, y_ticks = _axis([*y, *zero], bounded=False, zero=from_zero)
        return cls(x_low, x_high, y_low, y_high, tuple(x_ticks), tuple(y_ticks))

    def across(self, value: float) -> float:
        """Where a value of the horizontal axis lies."""
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return self.left + (self.right - self.left) * share

    def up(self, value: float) -> float:
        """Where a value of the vertical axis lies."""
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return self.bottom + (self.top - self.bottom) * share

    def grid(self) -> Iterator[Shape]:
        """Lines and numbers of both axes."""
        for tick in self.y_ticks:
            yield Rule(self.left, self.up(tick), self.right, self.up(tick), LINE, 0.6)
            text = _written(tick, self.y_ticks)
            yield Text(self.left - 4, self.up(tick) - 2.4, text, TINY, MUTED, "end")
        for tick in self.x_ticks:
            yield Rule(
                self.across(tick), self.bottom, self.across(tick), self.bottom - 3, FAINT, 0.6
            )
            text = _written(tick, self.x_ticks)
            yield Text(self.across(tick), self.bottom - 11, text, TINY, MUTED, "middle")

    def titles(self, across: str, up: str) -> Iterator[Shape]:
        """What the axes are."""
        yield Text((self.left + self.right) / 2, 4, across, TINY, MUTED, "middle")
        yield Text(0, self.height - 8, up, TINY, MUTED)


def _dots(
    points: Sequence[Point], x: Sequence[float], y: Sequence[float], frame: _Frame
) -> Iterator[Shape]:
    for point, at, up in zip(points, x, y, strict=True):
        title = f"{point.case}: reference {point.x:.3g}, predicted {point.y:.3g}"
        yield Dot(frame.across(at), frame.up(up), 2.8, ACCENT, title)


def _axis(
    values: Sequence[float], *, bounded: bool, zero: bool = False
) -> tuple[float, float, list[float]]:
    """Ends and round ticks of an axis that holds all values."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if bounded and low >= 0:
        low, high = (low if 0.5 <= low < 1 else 0.0), 1.0
    elif low >= 0 and (zero or low < 0.5 * high or high == low):
        low = 0.0
    if high - low < 1e-9:
        low, high = (low - 1, high + 1) if high else (0.0, 1.0)
    step = _step((high - low) / 4.5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(number * step, 10) + 0.0 for number in range(first, last + 1)]
    return ticks[0], ticks[-1], ticks


def _step(wished: float) -> float:
    power = float(10.0 ** math.floor(math.log10(wished)))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= wished * 0.999)


def _written(tick: float, ticks: Sequence[float]) -> str:
    step = min((abs(b - a) for a, b in pairwise(ticks)), default=1.0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step else 0
    return f"{tick:,.{decimals}f}".replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")


def _label_width(labels: Sequence[str], width: float) -> float:
    longest = max((len(label) for label in labels), default=0)
    return min(0.36 * width, 10 + 3.9 * longest)


def _short(text: str, width: float) -> str:
    most = max(4, int((width - 4) / 3.9))
    return text if len(text) <= most else text[: most - 1] + "…"
