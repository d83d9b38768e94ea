"""The charts, drawn once for page and PDF; a drawing is `WIDTH` wide or `HALF` of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

from leuko.report import document as values
from leuko.report.drawing import Anchor, Area, Bar, Drawing, Rule, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SIZE
from leuko.report.wording import Wording, english

__all__ = ["HALF", "WIDTH", "bars_chart", "ceiling", "profile_chart", "sides_chart", "sizes_chart"]

WIDTH, HALF = 520.0, 250.0
TEXT, SMALL = 8.0, 7.2
BAR, ROW = 13.0, 21.0
BASE = 3.3  # from a bar's bottom to the base line of its text

Shape = Bar | Rule | Text | Area


def sizes_chart(rows: tuple[values.SizeRow, ...], *, words: Wording | None = None) -> Drawing:
    """Two columns of bars by size class: numbers of lesions, and volumes."""
    words = words or english()
    top = 16 + ROW * len(rows)
    first, gap = 132.0, 16.0
    width = (WIDTH - first - gap) / 2
    columns = (
        (first, words("sizes.count"), [float(row.count) for row in rows]),
        (first + width + gap, words("sizes.volume"), [row.volume_ml for row in rows]),
    )
    shapes: list[Shape] = []
    for left, title, lengths in columns:
        shapes.append(Text(left, top - 9, title, TEXT, MUTED))
        largest = max(lengths, default=0.0)
        for number, (row, value) in enumerate(zip(rows, lengths, strict=True)):
            bottom = _bottom(top - 16, number)
            length = _length(value, largest, room=width - 68)
            text = row.count_text if left == first else row.volume_text
            shapes += _bar(left, bottom, length, SIZE[row.name])
            shapes.append(Text(left + length + 5, bottom + BASE, text, TEXT, INK))
    for number, row in enumerate(rows):
        base = _bottom(top - 16, number) + BASE
        shapes.append(Text(0, base, row.label.capitalize(), TEXT, INK, bold=True))
        shapes.append(Text(44, base, row.range, SMALL, MUTED))
    return Drawing(WIDTH, top, tuple(shapes))


def sides_chart(bars: tuple[values.Bar, ...]) -> Drawing:
    """Right and left as bars away from a middle line, the patient's left on the right."""
    held = {bar.name: bar for bar in bars}
    middle, room, bottom = HALF / 2, HALF / 2, 22.0
    largest = max(held["right"].value, held["left"].value)
    shapes: list[Shape] = []
    for bar in (held["right"], held["left"]):
        length = _length(bar.value, largest, room=room)
        start = middle - length if bar.name == "right" else middle
        shapes += _bar(start, bottom, length, ACCENT, height=16)
        edge: float = 0 if bar.name == "right" else HALF
        anchor: Anchor = "start" if bar.name == "right" else "end"
        shapes.append(Text(edge, 51, bar.label, TEXT, INK, anchor, bold=True))
        shapes.append(Text(edge, 41.5, bar.text, SMALL, MUTED, anchor))
    shapes.append(Rule(middle, bottom - 5, middle, bottom + 21, "#ffffff", 3))
    shapes.append(Rule(middle, bottom - 5, middle, bottom + 21, INK, 0.8))
    if "midline" in held:
        text = f"{held['midline'].label}: {held['midline'].text}"
        shapes.append(Text(middle, 6, text, SMALL, MUTED, "middle"))
    return Drawing(HALF, 62, tuple(shapes))


def bars_chart(bars: tuple[values.Bar, ...]) -> Drawing:
    """Horizontal bars with a label before and a text behind each."""
    height = ROW * len(bars)
    largest = max((bar.value for bar in bars), default=0.0)
    left, behind = 74.0, 78.0
    shapes: list[Shape] = []
    for number, bar in enumerate(bars):
        bottom = _bottom(height, number)
        length = _length(bar.value, largest, room=HALF - left - behind)
        label = bar.label[:1].upper() + bar.label[1:]
        shapes.append(Text(0, bottom + BASE, label, 7.6, INK))
        shapes += _bar(left, bottom, length, ACCENT)
        shapes.append(Text(left + length + 5, bottom + BASE, bar.text, SMALL, MUTED))
    return Drawing(HALF, height, tuple(shapes))


def profile_chart(profile: values.Profile, *, words: Wording | None = None) -> Drawing:
    """Volume by slice as a stepped area over the slice position, the most affected one marked."""
    numerals = (words or english()).numerals
    height, left, bottom, right, top = 112.0, 34.0, 26.0, WIDTH - 6, 92.0
    edges = _edges(profile.positions)
    span = edges[-1] - edges[0]
    highest = ceiling(max(profile.volumes_ml, default=0.0))

    def across(position: float) -> float:
        return left + (right - left) * (position - edges[0]) / span

    def up(value: float) -> float:
        return bottom + (top - bottom) * value / highest

    shapes: list[Shape] = [Text(0, height - 8, profile.value_label, 7.4, MUTED)]
    for value in (0.0, highest / 2, highest):
        shapes.append(Rule(left, up(value), right, up(value), LINE, 0.6))
        shapes.append(Text(left - 5, up(value) - 2.6, numerals.general(value, 6), 7, MUTED, "end"))
    points = [(across(edges[0]), bottom)]
    for number, value in enumerate(profile.volumes_ml):
        points += [(across(edges[number]), up(value)), (across(edges[number + 1]), up(value))]
    points.append((across(edges[-1]), bottom))
    shapes.append(Area(tuple(points), ACCENT))
    shapes += _peak(profile, edges, across, up)
    for tick in _ticks(edges[0], edges[-1]):
        text = numerals.general(tick, 6)
        shapes.append(Rule(across(tick), bottom, across(tick), bottom - 3, FAINT, 0.6))
        shapes.append(Text(across(tick), bottom - 11, text, 7, MUTED, "middle"))
    shapes.append(Text((left + right) / 2, 3, profile.axis_label, 7.4, MUTED, "middle"))
    return Drawing(WIDTH, height, tuple(shapes))


def _peak(
    profile: values.Profile,
    edges: list[float],
    across: Callable[[float], float],
    up: Callable[[float], float],
) -> Iterator[Shape]:
    if profile.peak is None:
        return
    value = profile.volumes_ml[profile.peak]
    start, end = across(edges[profile.peak]), across(edges[profile.peak + 1])
    middle, width = (start + end) / 2, max(end - start, 1.5)
    yield Bar(middle - width / 2, up(0), width, up(value) - up(0), SIZE["large"])
    x = min(max(middle, 0.2 * WIDTH), 0.86 * WIDTH)
    yield Text(x, up(value) + 4, profile.peak_text, 7.4, INK, "middle", bold=True)


def _edges(positions: tuple[float, ...]) -> list[float]:
    """Borders of the slices, half way between their centres."""
    if len(positions) < 2:
        centre = positions[0] if positions else 0.0
        return [centre - 0.5, centre + 0.5]
    inner = [(a + b) / 2 for a, b in pairwise(positions)]
    first = positions[0] - (inner[0] - positions[0])
    last = positions[-1] + (positions[-1] - inner[-1])
    return [first, *inner, last]


def ceiling(value: float) -> float:
    """The next of 1, 2, 4, 6, 8, 10 times a power of ten; 1 above nothing."""
    if value <= 0:
        return 1.0
    power = float(10.0 ** math.floor(math.log10(value)))
    return next(step * power for step in (1, 2, 4, 6, 8, 10, 20) if step * power >= value)


def _ticks(low: float, high: float) -> list[float]:
    """At most eight round positions between two ends."""
    power = float(10.0 ** math.floor(math.log10((high - low) / 6)))
    step = next(times * power for times in (1, 2, 5, 10, 20) if (high - low) / (times * power) <= 8)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(number * step, 6) + 0.0 for number in range(first, last + 1)]


def _bottom(top: float, number: int) -> float:
    return top - ROW * (number + 1) + (ROW - BAR) / 2


def _length(value: float, largest: float, *, room: float) -> float:
    """Never so short that a value above zero is not seen."""
    if value <= 0 or largest <= 0:
        return 0.0
    return max(room * value / largest, 0.8)


def _bar(
    left: float, bottom: float, length: float, colour: str, *, height: float = BAR
) -> Iterator[Shape]:
    if length > 0:
        yield Bar(left, bottom, length, height, colour)
