"""Long tables of short texts: cells are drawn as they are, which is far faster than paragraphs."""

from __future__ import annotations

from collections.abc import Sequence

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.platypus import Flowable, Table

from leuko.report.palette import FAINT, INK, LINE, MUTED
from leuko.report.pdf_looks import NOTE
from leuko.report.pdf_pieces import looks, paragraph
from leuko.report.typefaces import REGULAR, drawable

__all__ = ["text_rows"]

NUMBER_HEAD = looks(7, MUTED, alignment=TA_RIGHT)


def text_rows(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    widths: Sequence[float],
    numbers: Sequence[int],
    marked: tuple[int, Sequence[str]] | None = None,
    size: float = 7.0,
) -> Flowable:
    """A table whose columns are `widths` wide (points); the columns `numbers` align right.

    `marked` names a column and the colour of the bar before it in each row; `size` is that of the
    letters.
    """
    heads = [
        paragraph(text, NUMBER_HEAD if place in numbers else NOTE)
        for place, text in enumerate(head)
    ]
    cells = [[drawable(cell) for cell in row] for row in rows]
    style = [
        ("FONT", (0, 0), (-1, -1), REGULAR, size),
        ("LEADING", (0, 0), (-1, -1), 1.2 * size),
        ("TEXTCOLOR", (0, 0), (-1, 0), HexColor(MUTED)),
        ("TEXTCOLOR", (0, 1), (-1, -1), HexColor(INK)),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, HexColor(FAINT)),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, HexColor(LINE)),
        ("TOPPADDING", (0, 0), (-1, -1), 2 * size / 7),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6 * size / 7),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 10),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in numbers),
    ]
    if marked is not None:
        column, colours = marked
        style.append(("LEFTPADDING", (column, 1), (column, -1), 5))
        style += [
            ("LINEBEFORE", (column, number), (column, number), 3, HexColor(colour))
            for number, colour in enumerate(colours, start=1)
        ]
    return Table([heads, *cells], colWidths=list(widths), style=style, repeatRows=1)
