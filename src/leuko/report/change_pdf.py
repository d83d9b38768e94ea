"""The report of change as a PDF on A4: the same content as the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer

from leuko.report.change_colours import COLOURS
from leuko.report.change_document import ChangeDocument, ChangeRow, Sheetful
from leuko.report.document import Picture
from leuko.report.pdf import TEXT_WIDTH, laid_out
from leuko.report.pdf_closing import findings, meanings, methods, provenance
from leuko.report.pdf_looks import NOTE, TITLE
from leuko.report.pdf_opening import headline, pictured, summary
from leuko.report.pdf_pieces import Chart, markup, paragraph
from leuko.report.pdf_rows import text_rows
from leuko.report.pdf_sections import heading
from leuko.report.typefaces import register
from leuko.report.wording import Wording, change_words

__all__ = ["change_pdf"]

COLUMNS = (0.05, 0.13, 0.11, 0.12, 0.11, 0.08, 0.1, 0.14, 0.16)  # shares of the lesion table
NUMBERS = (0, 2, 3, 4, 5, 8)  # columns of it


def change_pdf(document: ChangeDocument) -> bytes:
    """The report as a PDF file; equal documents give equal bytes."""
    register()
    words = change_words(document.language)
    return laid_out(list(_story(document, words)), document, words=words)


def _story(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    yield from summary(document.summary, document.care, words=words)
    yield _first(document)
    pictures = {picture.name: picture for picture in document.pictures}
    if "changes" in pictures:
        yield _pictured(words("section.changes"), pictures["changes"])
    yield from _classes(document, words)
    if document.timeline is not None:
        yield KeepTogether(
            [
                *heading(words("section.timeline"), room=0),
                Chart(document.timeline, TEXT_WIDTH),
                paragraph(document.timeline_note, NOTE),
            ]
        )
    yield _pictured(words("section.map"), pictures["map"])
    yield from heading(words("section.sizes"), room=40 * mm)
    for table in document.tables:
        yield from _sheetful(table)
    yield from _lesions(document, words)
    yield from findings(document.notices, width=TEXT_WIDTH, words=words)
    yield from methods(document.methods, document.references, words=words)
    yield from meanings(document.definitions, width=TEXT_WIDTH, words=words)
    yield from provenance(document.provenance, width=TEXT_WIDTH, words=words)


def _first(document: ChangeDocument) -> Flowable:
    """The key picture beside the headline numbers."""
    key = document.pictures[0]
    legend = "   ".join(
        f'<font color="{COLOURS[row.name]}"><b>—</b></font> {markup(row.label)}'
        for row in document.classes
    )
    captions = [paragraph(key.caption, NOTE), Paragraph(legend, NOTE)]
    return headline(document.headline, picture=key, captions=captions, width=TEXT_WIDTH)


def _pictured(title: str, picture: Picture) -> Flowable:
    return pictured(picture, TEXT_WIDTH, head=heading(title, room=0))


def _classes(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    names = ("class", "count", "baseline", "followup", "change")
    head = [words(f"classes.head.{name}") for name in names]
    rows = [
        [f"{row.label}: {row.meaning}", row.count, row.baseline, row.followup, row.change]
        for row in document.classes
    ]
    colours = [COLOURS[row.name] for row in document.classes]
    table = text_rows(
        head, rows, widths=_widths((0.52, 0.12, 0.12, 0.12, 0.12)), numbers=range(1, 5),
        marked=(0, colours),
    )  # fmt: skip
    note = paragraph(document.classes_note, NOTE)
    title = heading(words("section.classes"), room=0)
    yield KeepTogether([*title, table, Spacer(1, 3), note])


def _sheetful(table: Sheetful) -> Iterator[Flowable]:
    count = len(table.head)
    rest = 0.7 / (count - table.words)
    widths = (*([0.3 / table.words] * table.words), *([rest] * (count - table.words)))
    numbers = range(table.words, count)
    yield KeepTogether(
        [
            paragraph(table.title, TITLE, bold=True),
            Spacer(1, 2),
            text_rows(table.head, table.rows, widths=_widths(widths), numbers=numbers),
            Spacer(1, 3),
            paragraph(table.note, NOTE),
            Spacer(1, 3 * mm),
        ]
    )


def _lesions(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    yield from heading(words("section.lesions"), room=45 * mm)
    yield paragraph(document.lesions_note, NOTE)
    yield Spacer(1, 3)
    shown = [*document.changed, *document.stable]
    if shown:
        yield _lesion_table(shown, words)


def _lesion_table(shown: Sequence[ChangeRow], words: Wording) -> Flowable:
    names = ("number", "class", "baseline", "followup", "change", "limit", "side", "region")
    head = [words(f"table.{name}") for name in (*names, "centre")]
    rows = [
        [row.number, row.label, row.baseline, row.followup, row.change, row.limit, row.side,
         row.region, row.centre]
        for row in shown
    ]  # fmt: skip
    colours = [COLOURS[row.name] for row in shown]
    return text_rows(head, rows, widths=_widths(COLUMNS), numbers=NUMBERS, marked=(1, colours))


def _widths(shares: Sequence[float]) -> list[float]:
    return [TEXT_WIDTH * share for share in shares]
