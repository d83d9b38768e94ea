"""How the PDF of a report ends: findings, what numbers mean, how they were made and with what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table

from leuko.report.document import Entry, Method, Notice, Reference, StepRow
from leuko.report.palette import INK, LINE, MUTED, SEVERITY
from leuko.report.pdf_looks import BODY, NOTE, PAD_NONE, RIGHT, SMALL, TITLE
from leuko.report.pdf_pieces import looks, paragraph
from leuko.report.pdf_sections import definitions, heading
from leuko.report.sections import Definition
from leuko.report.wording import Wording

__all__ = ["findings", "meanings", "methods", "provenance", "steps"]

ROWS = 16  # of two columns that stay on one page


def findings(notices: Sequence[Notice], *, width: float, words: Wording) -> Iterator[Flowable]:
    """What was noticed, each with a bar in the colour of how much it matters."""
    yield from heading(words("section.findings"))
    if not notices:
        yield paragraph(words("findings.none"), NOTE)
    for item in notices:
        yield KeepTogether([_notice(item, width)])


def _notice(item: Notice, width: float) -> Flowable:
    colour = SEVERITY[item.severity]
    text: list[Flowable] = [paragraph(item.what, BODY)]
    if item.hint:
        text.append(paragraph(item.hint, NOTE))
    text.append(paragraph(item.code, SMALL))
    style = [
        *PAD_NONE,
        ("LINEBEFORE", (0, 0), (0, -1), 2.5, HexColor(colour)),
        ("LEFTPADDING", (0, 0), (0, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    label = paragraph(item.severity_label, looks(7.6, colour), bold=True)
    return Table([[label, text]], colWidths=[34 * mm, width - 34 * mm], style=style, splitInRow=1)


def meanings(listed: tuple[Definition, ...], *, width: float, words: Wording) -> Iterator[Flowable]:
    """What the numbers mean; nothing where nothing is defined."""
    if listed:
        yield from heading(words("section.definitions"))
        yield from definitions(listed, width)


def methods(
    listed: Sequence[Method], references: Sequence[Reference], *, words: Wording
) -> Iterator[Flowable]:
    """How the numbers were made, and what was published about that."""
    yield from heading(words("section.methods"))
    for item in listed:
        yield KeepTogether(
            [
                paragraph(item.title, TITLE, bold=True),
                paragraph(item.text, BODY),
                Spacer(1, 3 * mm),
            ]
        )
    look = looks(7.2, INK, leftIndent=12, firstLineIndent=-12, spaceBefore=2)
    cited = [paragraph(f"{item.number}. {_cited(item)}", look) for item in references]
    yield KeepTogether([paragraph(words("section.references"), TITLE, bold=True), *cited])


def _cited(item: Reference) -> str:
    return f"{item.text} doi:{item.doi}" if item.doi else item.text


def steps(listed: Sequence[StepRow], *, width: float, words: Wording) -> Iterator[Flowable]:
    """The steps of the run and their times; nothing without any."""
    if not listed:
        return
    yield from heading(words("section.steps"))
    head = [
        paragraph(words("steps.name"), NOTE),
        paragraph(words("steps.seconds"), looks(7, MUTED, alignment=TA_RIGHT)),
        paragraph(words("steps.details"), NOTE),
    ]
    rows = [
        [paragraph(item.name, BODY), paragraph(item.seconds, RIGHT), paragraph(item.details, NOTE)]
        for item in listed
    ]
    yield _ruled([head, *rows], [0.24 * width, 0.1 * width, 0.66 * width])


def provenance(entries: Sequence[Entry], *, width: float, words: Wording) -> Iterator[Flowable]:
    """Long values first, over the whole width; then short ones in two columns."""
    rows = [[paragraph(item.label, NOTE), paragraph(item.value, BODY)] for item in entries]
    long = [row for row, item in zip(rows, entries, strict=True) if _is_long(item)]
    short = [row for row, item in zip(rows, entries, strict=True) if not _is_long(item)]
    parts: list[Flowable] = heading(words("section.provenance"), room=0)
    if long:
        parts.append(_ruled(long, [0.3 * width, 0.7 * width]))
    half = (width - 8 * mm) / 2
    for part in _evenly(short, most=2 * ROWS):
        middle = (len(part) + 1) // 2
        columns = [
            _ruled(rows, [0.58 * half, 0.42 * half]) if rows else Spacer(1, 1)
            for rows in (part[:middle], part[middle:])
        ]
        widths = [half, 8 * mm, half]
        parts.append(Table([[columns[0], [], columns[1]]], colWidths=widths, style=PAD_NONE))
        yield KeepTogether(parts)
        parts = []
    if parts:
        yield KeepTogether(parts)


def _evenly(rows: list[list[Flowable]], *, most: int) -> Iterator[list[list[Flowable]]]:
    """Parts of at most so many rows, about as long as each other: the last is no single line."""
    parts = -(-len(rows) // most)
    for number in range(parts):
        yield rows[number * len(rows) // parts : (number + 1) * len(rows) // parts]


def _is_long(item: Entry) -> bool:
    return len(item.value) > 22 or len(item.label) > 36


def _ruled(rows: list[list[Flowable]], widths: list[float]) -> Flowable:
    style = [
        *PAD_NONE,
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(LINE)),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
        ("RIGHTPADDING", (0, 0), (-2, -1), 10),
    ]
    return Table(rows, colWidths=widths, style=style, splitInRow=1)
