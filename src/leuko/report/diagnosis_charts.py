"""Charts of a diagnostic test: ROC curve, scores, reliability, what a result makes of a prior."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from leuko.report.charts import HALF
from leuko.report.drawing import Area, Bar, Dot, Drawing, Rule, Shape, Text
from leuko.report.evaluation_charts import SERIES
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED

__all__ = ["Mark", "ReliabilityBin", "posterior_chart", "reliability_chart", "roc_chart",
           "scores_chart"]  # fmt: skip

TINY, SMALL = 6.8, 7.4
WITH, WITHOUT = SERIES[1], SERIES[0]
LEFT, BOTTOM, EDGE = 34.0, 30.0, 196.0  # of the square from 0 to 1
HEIGHT = BOTTOM + EDGE + 14
PALE = "#d5e3ea"
DOT = 0.002  # of the axis


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a curve with what is written beside it."""

    x: float
    y: float
    text: str
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Cases of about one probability: mean probability, share that is true and its interval."""

    predicted: float
    observed: float
    interval: tuple[float, float]
    count: int


def roc_chart(curve: Sequence[tuple[float, float]], marks: Sequence[Mark]) -> Drawing:
    """Sensitivity over 1 - specificity: `curve` as (x, y) from (0, 0) to (1, 1), marks on it."""
    shapes = [*_grid("1 − specificity (false alarms)", "sensitivity")]
    below = [(_across(x), _up(y)) for x, y in _thinned(curve)]
    shapes.append(Area((*below, (_across(1), _up(0)), (_across(0), _up(0))), PALE))
    shapes += _grid_lines()
    shapes.append(Rule(_across(0), _up(0), _across(1), _up(1), FAINT, 0.9))
    shapes += [Rule(*start, *end, ACCENT, 1.6) for start, end in pairwise(below)]
    taken: list[tuple[float, float]] = []
    for mark in marks:
        x, y = _across(mark.x), _up(mark.y)
        colour = MUTED if mark.hollow else INK
        shapes.append(Dot(x, y, 3.6, colour, mark.text))
        if mark.hollow:
            shapes.append(Dot(x, y, 2.2, "#ffffff", mark.text))
        base = y - 9.5
        while any(abs(base - b) < 8.6 and abs(x - a) < 90 for a, b in taken):
            base -= 9
        taken.append((x, base))
        shapes.append(Text(x + 6, base, mark.text, TINY, colour, bold=not mark.hollow))
    return Drawing(HALF, HEIGHT, tuple(shapes))


def scores_chart(
    present: Sequence[float],
    absent: Sequence[float],
    *,
    thresholds: Sequence[float],
    bins: int = 20,
) -> Drawing:
    """How the scores of cases with and without the condition spread, and where they are cut."""
    values = [*present, *absent]
    low, high = min(values), max(values)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif high == low:
        high = low + 1
    room, width, middle = EDGE / 2 - 16, EDGE / bins, BOTTOM + EDGE / 2
    shapes: list[Shape] = []
    for group, base, colour in ((present, middle, WITH), (absent, BOTTOM, WITHOUT)):
        counts = _counted(group, low, high, bins)
        most = max(*counts, 1)
        for index, count in enumerate(counts):
            x = LEFT + index * width + 0.5
            shapes += [Bar(x, base, width - 1, room * count / most, colour)] if count else []
        shapes.append(Rule(LEFT, base, LEFT + EDGE, base, LINE, 0.8))
        shapes.append(Text(LEFT - 4, base + room - 4, f"{most}", TINY, MUTED, "end"))
        shapes.append(Text(LEFT - 4, base - 2, "0", TINY, MUTED, "end"))
    top, right = room + 5, LEFT + EDGE
    text = f"with the condition ({len(present)})"
    shapes.append(Text(right, middle + top, text, SMALL, WITH, "end", True))
    shapes.append(
        Text(right, BOTTOM + top, f"without ({len(absent)})", SMALL, WITHOUT, "end", True)
    )
    for value in sorted(set(thresholds)):
        if low <= value <= high:
            x = LEFT + EDGE * (value - low) / (high - low)
            shapes.append(Rule(x, BOTTOM, x, BOTTOM + EDGE - 14, INK, 0.9))
    for tick in range(6):
        value = low + (high - low) * tick / 5
        shapes.append(Text(LEFT + EDGE * tick / 5, BOTTOM - 11, f"{value:.3g}".replace("-", "−"),
                           TINY, MUTED, "middle"))  # fmt: skip
    shapes.append(Text(LEFT + EDGE / 2, 4, "score; lines: thresholds", TINY, MUTED, "middle"))
    shapes.append(Text(0, HEIGHT - 8, "cases", TINY, MUTED))
    return Drawing(HALF, HEIGHT, tuple(shapes))


def reliability_chart(bins: Sequence[ReliabilityBin]) -> Drawing:
    """Share that is true over the mean probability, a dot a bin with its interval and number."""
    shapes = [*_grid("mean probability", "share with the condition"), *_grid_lines()]
    shapes.append(Rule(_across(0), _up(0), _across(1), _up(1), FAINT, 0.9))
    known = [one for one in bins if one.count]
    for one in known:
        x = _across(one.predicted)
        low, high = (_up(end) for end in one.interval)
        shapes.append(Rule(x, low, x, high, INK, 0.9))
        shapes += [Rule(x - 2, y, x + 2, y, INK, 0.9) for y in (low, high)]
    for one in known:
        x, y = _across(one.predicted), _up(one.observed)
        text = f"{one.count} cases: predicted {one.predicted:.2f}, true {one.observed:.2f}"
        shapes.append(Dot(x, y, 3.4, ACCENT, text))
        right = one.predicted < 0.9
        shapes.append(Text(x + (5 if right else -5), y + 3, f"{one.count}", TINY, MUTED,
                           "start" if right else "end"))  # fmt: skip
    return Drawing(HALF, HEIGHT, tuple(shapes))


def posterior_chart(
    lr_positive: float, lr_negative: float, *, marks: Sequence[tuple[float, float, float]]
) -> Drawing:
    """Probability after a positive and a negative result over the probability before it.

    `marks`: prior, probability after a positive and after a negative result.
    """
    shapes = [*_grid("probability before", "probability after"), *_grid_lines()]
    shapes.append(Rule(_across(0), _up(0), _across(1), _up(1), FAINT, 0.9))
    for ratio, colour in ((lr_positive, WITH), (lr_negative, WITHOUT)):
        if math.isnan(ratio):
            continue
        line = [(_across(k / 100), _up(_after(k / 100, ratio))) for k in range(101)]
        shapes += [Rule(*start, *end, colour, 1.6) for start, end in pairwise(line)]
    for prior, up, down in marks:
        for value, colour in ((up, WITH), (down, WITHOUT)):
            if math.isnan(value):
                continue
            x, y = _across(prior), _up(value)
            shapes.append(Rule(x, _up(prior), x, y, INK, 0.7))
            shapes.append(Dot(x, y, 3.4, colour, f"{prior:.3g} becomes {value:.3g}"))
            rise = max(-8.0, BOTTOM + 1.5 - y)  # beside the curve, above the axis
            shapes.append(Text(x + 6, y + rise, f"{100 * value:.3g} %", TINY,
                               colour, bold=True))  # fmt: skip
    return Drawing(HALF, HEIGHT, tuple(shapes))


def _thinned(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The curve without points that lie within less than a printer's dot of the last one."""
    kept = [curve[0]]
    for x, y in curve[1:-1]:
        if max(abs(x - kept[-1][0]), abs(y - kept[-1][1])) >= DOT:
            kept.append((x, y))
    return [*kept, curve[-1]]


def _after(prior: float, ratio: float) -> float:
    if prior in (0.0, 1.0):
        return prior
    if math.isinf(ratio):
        return 1.0
    odds = prior / (1 - prior) * ratio
    return odds / (1 + odds)


def _counted(values: Sequence[float], low: float, high: float, bins: int) -> list[int]:
    found = [0] * bins
    for value in values:
        found[min(bins - 1, int(bins * (value - low) / (high - low)))] += 1
    return found


def _across(value: float) -> float:
    return LEFT + EDGE * value


def _up(value: float) -> float:
    return BOTTOM + EDGE * value


def _grid(across: str, up: str) -> Iterator[Shape]:
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        yield Text(LEFT - 4, _up(tick) - 2.4, f"{tick:g}", TINY, MUTED, "end")
        yield Text(_across(tick), BOTTOM - 11, f"{tick:g}", TINY, MUTED, "middle")
    yield Text(LEFT + EDGE / 2, 4, across, TINY, MUTED, "middle")
    yield Text(0, HEIGHT - 8, up, TINY, MUTED)


def _grid_lines() -> Iterator[Shape]:
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        yield Rule(LEFT, _up(tick), LEFT + EDGE, _up(tick), LINE, 0.6)
        yield Rule(_across(tick), BOTTOM, _across(tick), BOTTOM + EDGE, LINE, 0.6)
