"""How the PDF of a report opens: the summary, then a picture beside the headline numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table

from leuko.report.document_pieces import Measure, Picture
from leuko.report.palette import ACCENT, INK, LINE, MUTED
from leuko.report.pdf_looks import LEAD, MORE, NOTE, PAD_NONE, SMALL
from leuko.report.pdf_pieces import Photo, looks, markup, paragraph
from leuko.report.wording import Wording

__all__ = ["headline", "pictured", "summary"]

SIDE, GAP = 39 * mm, 6 * mm  # of the numbers, and between them and the picture


def summary(sentences: Sequence[str], care: Sequence[str], *, words: Wording) -> Iterator[Flowable]:
    """The sentences, the first of them large, and what is to be read with care."""
    yield paragraph(sentences[0], LEAD)
    if len(sentences) > 1:
        yield paragraph(" ".join(sentences[1:]), MORE)
    if care:
        look = looks(
            8.4,
            INK,
            backColor=HexColor("#fdf5e6"),
            borderPadding=(4, 6, 5, 8),
            spaceBefore=8,
            leftIndent=8,
            rightIndent=6,
        )
        text = markup(" ".join(care))
        yield Paragraph(f"<b>{markup(words('summary.care'))}</b> {text}", look)
    yield Spacer(1, 5 * mm)


def headline(
    measures: Sequence[Measure],
    *,
    picture: Picture | None,
    captions: Sequence[Paragraph],
    width: float,
) -> Flowable:
    """The picture, where there is one, beside the numbers, over `width` points."""
    wide = width - SIDE - GAP
    left = [] if picture is None else [Photo(picture, wide), Spacer(1, 3), *captions]
    rows = [[_measure(item, first=item is measures[0])] for item in measures]
    lines = [
        ("LINEBELOW", (0, 0), (-1, -2), 0.5, HexColor(LINE)),
        ("TOPPADDING", (0, 1), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    numbers = Table(rows, colWidths=[SIDE], style=[*PAD_NONE, *lines])
    return Table([[left, [], numbers]], colWidths=[wide, GAP, SIDE], style=PAD_NONE)


def pictured(picture: Picture, width: float, *, head: Sequence[Flowable] = ()) -> Flowable:
    """A picture with its caption below, and its heading, if any, on the same page."""
    parts = [Photo(picture, width), Spacer(1, 3), paragraph(picture.caption, NOTE)]
    return KeepTogether([*head, *parts, Spacer(1, 4 * mm)])


def _measure(item: Measure, *, first: bool) -> list[Flowable]:
    size = 17 if first else 11.5
    value, unit = markup(item.value), markup(item.unit)
    if not item.unit and len(item.value) > 11:
        size = 8  # words, not a number
    marked = f'<b>{value}</b> <font size="{size * 0.6:.1f}" color="{MUTED}">{unit}</font>'
    look = looks(size, ACCENT if first else INK, lead=1.2)
    parts: list[Flowable] = [paragraph(item.label, NOTE), Paragraph(marked, look)]
    if item.note:
        parts.append(paragraph(item.note, SMALL))
    return parts
