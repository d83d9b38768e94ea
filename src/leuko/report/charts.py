"""The charts, drawn once: `svg.svg` puts them on the page, reportlab into the PDF.

Lengths are points; a drawing is `WIDTH` wide, or half of it, and scales with its place.
"""

from __future__ import annotations

import math
from typing import Any

from reportlab.graphics.shapes import Drawing, Line, Polygon, Rect, String
from reportlab.lib.colors import HexColor

from leuko.report.document import Bar, Profile, SizeRow
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SIZE
from leuko.report.typefaces import BOLD, REGULAR, register
from leuko.report.wording import english

__all__ = ["HALF", "WIDTH", "bars_chart", "profile_chart", "sides_chart", "sizes_chart"]

WIDTH = 520.0
HALF = 250.0
TEXT = 8.0
BAR = 13.0
ROW = 21.0


def sizes_chart(rows: tuple[SizeRow, ...]) -> Any:
    """Two columns of bars by size class: numbers of lesions, and volumes."""
    register()
    words = english()
    drawing = Drawing(WIDTH, 16 + ROW * len(rows))
    top = drawing.height
    label, gap = 132.0, 16.0
    width = (WIDTH - label - gap) / 2
    columns = (
        (label, words("sizes.count"), [(row.count, row.count_text) for row in rows]),
        (label + width + gap, words("sizes.volume"), [(r.volume_ml, r.volume_text) for r in rows]),
    )
    for left, title, values in columns:
        _text(drawing, left, top - 9, title, colour=MUTED)
        largest = max((float(value) for value, _ in values), default=0.0)
        for number, (row, (value, text)) in enumerate(zip(rows, values, strict=True)):
            bottom = top - 16 - ROW * (number + 1) + (ROW - BAR) / 2
            room = width - 68
            length = room * float(value) / largest if largest > 0 else 0.0
            _bar(drawing, left, bottom, length, SIZE[row.name])
            _text(drawing, left + length + 5, bottom + 3.3, text)
    for number, row in enumerate(rows):
        bottom = top - 16 - ROW * (number + 1) + (ROW - BAR) / 2
        _text(drawing, 0, bottom + 3.3, row.label.capitalize(), bold=True)
        _text(drawing, 44, bottom + 3.3, row.range, colour=MUTED, size=7)
    return drawing


def sides_chart(bars: tuple[Bar, ...]) -> Any:
    """Right and left as bars away from a middle line, the patient's left on the right."""
    register()
    drawing = Drawing(HALF, 62)
    values = {bar.name: bar for bar in bars}
    right, left, midline = values["right"], values["left"], values.get("midline")
    middle, room, bottom = HALF / 2, HALF / 2 - 6, 22.0
    largest = max(right.value, left.value) or 1.0
    for bar, sign in ((right, -1), (left, 1)):
        length = room * bar.value / largest
        start = middle - length - 1 if sign < 0 else middle + 1
        _bar(drawing, start, bottom, length, ACCENT, height=16)
        anchor, edge = ("start", 5.0) if sign < 0 else ("end", HALF - 5)
        _text(drawing, edge, 51, bar.label, bold=True, anchor=anchor)
        _text(drawing, edge, 41.5, bar.text, colour=MUTED, anchor=anchor, size=7.4)
    drawing.add(_line(middle, bottom - 5, middle, bottom + 21, INK, width=0.8))
    if midline is not None:
        text = f"{midline.label}: {midline.text}"
        _text(drawing, middle, 6, text, colour=MUTED, anchor="middle", size=7.4)
    return drawing


def bars_chart(bars: tuple[Bar, ...]) -> Any:
    """Horizontal bars with a label before and a text behind each."""
    register()
    drawing = Drawing(HALF, max(ROW * len(bars), 1))
    largest = max((bar.value for bar in bars), default=0.0)
    label, text = 74.0, 78.0
    for number, bar in enumerate(bars):
        bottom = drawing.height - ROW * (number + 1) + (ROW - BAR) / 2
        room = HALF - label - text
        length = room * bar.value / largest if largest > 0 else 0.0
        name = bar.label[:1].upper() + bar.label[1:]
        _text(drawing, 0, bottom + 3.3, name, size=7.6)
        _bar(drawing, label, bottom, length, ACCENT)
        _text(drawing, label + length + 5, bottom + 3.3, bar.text, size=7.2, colour=MUTED)
    return drawing


def profile_chart(profile: Profile) -> Any:
    """Volume by slice as a stepped area over the slice position, the most affected one marked."""
    register()
    height, left, bottom, right, top = 132.0, 34.0, 26.0, WIDTH - 6, 112.0
    drawing = Drawing(WIDTH, height)
    edges = _edges(profile.positions)
    highest = _ceiling(max(profile.volumes_ml, default=0.0))

    def across(position: float) -> float:
        span = edges[-1] - edges[0] or 1.0
        return left + (right - left) * (position - edges[0]) / span

    def up(value: float) -> float:
        return bottom + (top - bottom) * value / highest

    for part in range(3):
        value = highest * part / 2
        drawing.add(_line(left, up(value), right, up(value), LINE, width=0.6))
        _text(drawing, left - 5, up(value) - 2.6, f"{value:g}", anchor="end", size=7, colour=MUTED)
    _text(drawing, 0, height - 8, profile.value_label, colour=MUTED, size=7.4)
    points = [across(edges[0]), bottom]
    for number, value in enumerate(profile.volumes_ml):
        points += [across(edges[number]), up(value), across(edges[number + 1]), up(value)]
    points += [across(edges[-1]), bottom]
    drawing.add(Polygon(points, fillColor=HexColor(ACCENT), strokeColor=None))
    _peak(drawing, profile, edges, across, up)
    for tick in _ticks(edges[0], edges[-1]):
        drawing.add(_line(across(tick), bottom, across(tick), bottom - 3, FAINT, width=0.6))
        text = f"{tick:g}".replace("-", "−")
        _text(drawing, across(tick), bottom - 11, text, anchor="middle", size=7, colour=MUTED)
    _text(
        drawing, (left + right) / 2, 3, profile.axis_label, anchor="middle", size=7.4, colour=MUTED
    )
    return drawing


def _peak(drawing: Any, profile: Profile, edges: list[float], across: Any, up: Any) -> None:
    if profile.peak is None:
        return
    number = profile.peak
    value = profile.volumes_ml[number]
    start, end = across(edges[number]), across(edges[number + 1])
    width = max(end - start, 1.5)
    drawing.add(
        Rect(
            (start + end - width) / 2,
            up(0),
            width,
            up(value) - up(0),
            fillColor=HexColor(SIZE["large"]),
            strokeColor=None,
        )
    )
    anchor = "end" if start > 0.75 * WIDTH else "start" if end < 0.25 * WIDTH else "middle"
    _text(
        drawing, (start + end) / 2, up(value) + 4, profile.peak_text, anchor=anchor, size=7.4,
        bold=True,
    )


def _edges(positions: tuple[float, ...]) -> list[float]:
    """Borders of the slices, half way between their centres."""
    if not positions:
        return [0.0, 1.0]
    if len(positions) == 1:
        return [positions[0] - 0.5, positions[0] + 0.5]
    inner = [(a + b) / 2 for a, b in zip(positions, positions[1:], strict=False)]
    first = positions[0] - (inner[0] - positions[0])
    last = positions[-1] + (positions[-1] - inner[-1])
    return [first, *inner, last]


def _ceiling(value: float) -> float:
    """The next of 1, 2, 4, 6, 8, 10 times a power of ten, with room for the text above."""
    if value <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10, 20) if step * power >= value)


def _ticks(low: float, high: float) -> list[float]:
    """About six round positions between two ends."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / 6))
    step = next(s * power for s in (1, 2, 5, 10) if span / (s * power) <= 8)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(number * step, 6) + 0.0 for number in range(first, last + 1)]


def _bar(
    drawing: Any, left: float, bottom: float, length: float, colour: str, height: float = BAR
) -> None:
    if length > 0:
        length = max(length, 0.8)
        drawing.add(
            Rect(left, bottom, length, height, fillColor=HexColor(colour), strokeColor=None)
        )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> Any:
    return Line(x1, y1, x2, y2, strokeColor=HexColor(colour), strokeWidth=width)


def _text(
    drawing: Any,
    x: float,
    y: float,
    text: str,
    *,
    colour: str = INK,
    anchor: str = "start",
    size: float = TEXT,
    bold: bool = False,
) -> None:
    drawing.add(
        String(
            x,
            y,
            text,
            fontName=BOLD if bold else REGULAR,
            fontSize=size,
            textAnchor=anchor,
            fillColor=HexColor(colour),
        )
    )
