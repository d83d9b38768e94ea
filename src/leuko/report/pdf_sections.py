"""Sections of tables, charts and definitions as reportlab flowables, for any report."""

from __future__ import annotations

from collections.abc import Iterator

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer, Table

from leuko.report import sections as values
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED
from leuko.report.pdf_looks import NOTE, PAD_NONE, TITLE
from leuko.report.pdf_pieces import Chart, Photo, looks, paragraph
from leuko.report.rounding import unbroken
from leuko.report.typefaces import BOLD, REGULAR

__all__ = ["definitions", "heading", "section"]

HEADING = looks(8.2, ACCENT, spaceBefore=5 * mm, spaceAfter=4)
CELL, NUMBER = looks(7.2, INK, lead=1.3), looks(7.2, INK, lead=1.3, alignment=TA_RIGHT)
HEAD, HEAD_NUMBER = looks(6.8, MUTED), looks(6.8, MUTED, alignment=TA_RIGHT)
LINES = [
    *PAD_NONE,
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
    ("RIGHTPADDING", (0, 0), (-2, -1), 8),
]
GAP = 8 * mm
ROOM, SHORT = 9.0, 84.0  # points: beside a text; from where a text is broken


def heading(text: str, *, room: float = 30 * mm) -> list[Flowable]:
    """A heading that stays with at least `room` of what follows."""
    found = paragraph(text.upper(), HEADING, bold=True)
    return [CondPageBreak(room), found] if room else [found]


def section(part: values.Section, *, width: float) -> Iterator[Flowable]:
    """The heading and everything under it; the heading never stands alone."""
    first: list[Flowable] = heading(part.title, room=0)
    if part.note:
        first += [paragraph(part.note, NOTE), Spacer(1, 3)]
    wide = 0.84 * width if part.name == "places" else width
    for block in (
        *_charts(part.charts, wide),
        *(_table(table, width) for table in part.tables),
        *([definitions(part.definitions, width)] if part.definitions else []),
    ):
        yield KeepTogether([*first, *block, Spacer(1, 2 * mm)])
        first = []
    for figure in part.figures:
        photo = Photo(figure.picture, width if figure.wide else (width - GAP) / 2)
        yield KeepTogether([*first, photo, paragraph(figure.picture.caption, NOTE)])
        first = []
    if first:
        yield KeepTogether(first)


def definitions(listed: tuple[values.Definition, ...], width: float) -> list[Flowable]:
    """Names and what they mean, line by line."""
    rows = [[paragraph(item.name, CELL, bold=True), paragraph(item.text, NOTE)] for item in listed]
    style = [*LINES, ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(LINE))]
    return [Table(rows, colWidths=[0.27 * width, 0.73 * width], style=style, splitInRow=1)]


def _charts(charts: tuple[values.Chart, ...], width: float) -> Iterator[list[Flowable]]:
    """Wide charts alone, others in pairs."""
    half = (width - GAP) / 2
    waiting: list[list[Flowable]] = []
    for chart in charts:
        drawn = _chart(chart, width if chart.wide else half)
        if chart.wide:
            yield drawn
            continue
        waiting.append(drawn)
        if len(waiting) == 2:
            yield [
                Table([[waiting[0], [], waiting[1]]], colWidths=[half, GAP, half], style=PAD_NONE)
            ]
            waiting = []
    if waiting:
        yield [Table([[waiting[0], [], []]], colWidths=[half, GAP, half], style=PAD_NONE)]


def _chart(chart: values.Chart, width: float) -> list[Flowable]:
    parts: list[Flowable] = []
    if chart.title:
        parts += [paragraph(chart.title, TITLE, bold=True), Spacer(1, 2)]
    parts.append(Chart(chart.drawing, width))
    if chart.note:
        parts += [Spacer(1, 2), paragraph(chart.note, NOTE)]
    return parts


def _table(table: values.Table, width: float) -> list[Flowable]:
    parts: list[Flowable] = []
    if table.title:
        parts += [paragraph(table.title, TITLE, bold=True), Spacer(1, 2)]
    if table.note:
        parts += [paragraph(table.note, NOTE), Spacer(1, 2)]
    numbers = [column.number for column in table.columns]
    rows = [
        [
            paragraph(column.title, HEAD_NUMBER if column.number else HEAD)
            for column in table.columns
        ]
    ]
    rows += [
        [
            paragraph(cell.text, NUMBER if number else CELL, bold=cell.strong)
            for cell, number in zip(row, numbers, strict=True)
        ]
        for row in table.rows
    ]
    parts.append(_ruled(rows, _widths(table, width)))
    return parts


def _widths(table: values.Table, width: float) -> list[float]:
    """Columns of numbers and short texts as wide as they need; long texts share what is left."""
    needed, longest = [], []
    for place, column in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        whole = max([_length(cell) for cell in cells], default=0.0)
        head = max([stringWidth(word, REGULAR, 6.8) for word in column.title.split()], default=0.0)
        longest.append(whole)
        needed.append(max(whole, head) + ROOM if column.number else min(whole + ROOM, SHORT))
        needed[-1] = max(needed[-1], head + ROOM)
    left = width - sum(needed)
    long = [max(0.0, whole + ROOM - have) for whole, have in zip(longest, needed, strict=True)]
    if left <= 0 or sum(long) == 0:
        return [have * width / sum(needed) for have in needed]
    return [have + left * share / sum(long) for have, share in zip(needed, long, strict=True)]


def _length(cell: values.Cell) -> float:
    return float(stringWidth(unbroken(cell.text), BOLD if cell.strong else REGULAR, 7.4))


def _ruled(rows: list[list[Flowable]], widths: list[float]) -> Flowable:
    style = [
        *LINES,
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, HexColor(FAINT)),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, HexColor(LINE)),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
    ]
    return Table(rows, colWidths=widths, style=style, splitInRow=1, repeatRows=1)
