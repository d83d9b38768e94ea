"""Charts of how two measurements of the same cases agree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leuko.report.axes import axis, written
from leuko.report.charts import HALF
from leuko.report.drawing import Dot, Drawing, Rule, Shape, Text
from leuko.report.evaluation_charts import TINY, Point
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED

__all__ = ["bland_altman_chart", "identity_chart"]

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
        x_low, x_high, x_ticks = axis([*x, *zero], bounded=False, zero=from_zero)
        y_low, y_high, y_ticks = axis([*y, *zero], bounded=False, zero=from_zero)
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
            text = written(tick, self.y_ticks)
            yield Text(self.left - 4, self.up(tick) - 2.4, text, TINY, MUTED, "end")
        for tick in self.x_ticks:
            yield Rule(
                self.across(tick), self.bottom, self.across(tick), self.bottom - 3, FAINT, 0.6
            )
            text = written(tick, self.x_ticks)
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


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")
