"""The report of change as a PDF on A4: the same content as the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table

from leuko.report.change_colours import COLOURS
from leuko.report.change_document import ChangeDocument, ChangeRow, Sheetful
from leuko.report.document import Measure, Picture
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SEVERITY
from leuko.report.pdf import TEXT_WIDTH, laid_out
from leuko.report.pdf_pieces import Chart, Photo, looks, markup, paragraph
from leuko.report.pdf_sections import PAD_NONE, heading
from leuko.report.typefaces import REGULAR, drawable, register
from leuko.report.wording import Wording, change_words

__all__ = ["change_pdf"]

LEAD = looks(11.5, INK, lead=1.4)
MORE = looks(8.6, MUTED, spaceBefore=3)
BODY = looks(7.6, INK, lead=1.45)
NOTE = looks(7, MUTED)
RIGHT = looks(7.6, INK, alignment=TA_RIGHT)
TITLE = looks(8, INK)
STABLE_ROWS = 40  # on paper; the page and the file have more
COLUMNS = (0.05, 0.13, 0.11, 0.12, 0.11, 0.08, 0.1, 0.14, 0.16)


def change_pdf(document: ChangeDocument) -> bytes:
    """The report as a PDF file; equal documents give equal bytes."""
    register()
    words = change_words()
    return laid_out(list(_story(document, words)), document, words=words)


def _story(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    yield from _summary(document, words)
    yield _first(document)
    pictures = {picture.name: picture for picture in document.pictures}
    if "changes" in pictures:
        yield from _pictured(words("section.changes"), pictures["changes"])
    yield from _classes(document, words)
    if document.timeline is not None:
        yield KeepTogether(
            [
                *heading(words("section.timeline"), room=0),
                Chart(document.timeline, TEXT_WIDTH),
                paragraph(document.timeline_note, NOTE),
            ]
        )
    yield from _pictured(words("section.map"), pictures["map"])
    yield from heading(words("section.sizes"), room=40 * mm)
    for table in document.tables:
        yield from _sheetful(table)
    yield from _lesions(document, words)
    yield from _findings(document, words)
    yield from _texts(document, words)


def _summary(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    yield paragraph(document.summary[0], LEAD)
    if len(document.summary) > 1:
        yield paragraph(" ".join(document.summary[1:]), MORE)
    if document.care:
        look = looks(
            8.4, INK, backColor=HexColor("#fdf5e6"), borderPadding=(4, 6, 5, 8), spaceBefore=8,
            leftIndent=8, rightIndent=6,
        )  # fmt: skip
        care = markup(" ".join(document.care))
        yield Paragraph(f"<b>{markup(words('summary.care'))}</b> {care}", look)
    yield Spacer(1, 5 * mm)


def _first(document: ChangeDocument) -> Flowable:
    """The key picture beside the headline numbers."""
    side = 39 * mm
    left_width = TEXT_WIDTH - side - 6 * mm
    key = document.pictures[0]
    legend = "   ".join(
        f'<font color="{COLOURS[row.name]}"><b>—</b></font> {markup(row.label)}'
        for row in document.classes
    )
    left = [
        Photo(key, left_width),
        Spacer(1, 3),
        paragraph(key.caption, NOTE),
        Paragraph(legend, NOTE),
    ]
    measures = [[_measure(item, first=item is document.headline[0])] for item in document.headline]
    lines = [
        ("LINEBELOW", (0, 0), (-1, -2), 0.5, HexColor(LINE)),
        ("TOPPADDING", (0, 1), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    numbers = Table(measures, colWidths=[side], style=[*PAD_NONE, *lines])
    return Table([[left, [], numbers]], colWidths=[left_width, 6 * mm, side], style=PAD_NONE)


def _measure(item: Measure, *, first: bool) -> list[Flowable]:
    size = 17 if first else 11.5
    value = f'<b>{markup(item.value)}</b> <font size="{size * 0.6:.1f}" color="{MUTED}">'
    look = looks(size, ACCENT if first else INK, lead=1.2)
    parts: list[Flowable] = [paragraph(item.label, NOTE)]
    parts.append(Paragraph(f"{value}{markup(item.unit)}</font>", look))
    if item.note:
        parts.append(paragraph(item.note, looks(6.4, MUTED, lead=1.25)))
    return parts


def _pictured(title: str, picture: Picture) -> Iterator[Flowable]:
    parts = [Photo(picture, TEXT_WIDTH), Spacer(1, 3), paragraph(picture.caption, NOTE)]
    yield KeepTogether([*heading(title, room=0), *parts, Spacer(1, 3 * mm)])


def _classes(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    names = ("class", "count", "baseline", "followup", "change")
    head = [words(f"classes.head.{name}") for name in names]
    rows = [
        [f"{row.label}: {row.meaning}", row.count, row.baseline, row.followup, row.change]
        for row in document.classes
    ]
    colours = [COLOURS[row.name] for row in document.classes]
    table = _ruled([head, *rows], (0.52, 0.12, 0.12, 0.12, 0.12), words=1, marked=(0, colours))
    note = paragraph(document.classes_note, NOTE)
    title = heading(words("section.classes"), room=0)
    yield KeepTogether([*title, table, Spacer(1, 3), note])


def _sheetful(table: Sheetful) -> Iterator[Flowable]:
    count = len(table.head)
    rest = 0.7 / (count - table.words)
    widths = (*([0.3 / table.words] * table.words), *([rest] * (count - table.words)))
    rows = [list(table.head), *(list(row) for row in table.rows)]
    yield KeepTogether(
        [
            paragraph(table.title, TITLE, bold=True),
            Spacer(1, 2),
            _ruled(rows, widths, words=table.words),
            Spacer(1, 3),
            paragraph(table.note, NOTE),
            Spacer(1, 3 * mm),
        ]
    )


def _lesions(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    yield from heading(words("section.lesions"), room=45 * mm)
    yield paragraph(document.lesions_note, NOTE)
    yield Spacer(1, 3)
    shown = [*document.changed, *document.stable[:STABLE_ROWS]]
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
    return _ruled([head, *rows], COLUMNS, words=0, marked=(1, colours), texts=(1, 6, 7))


def _ruled(
    rows: Sequence[Sequence[str]],
    shares: Sequence[float],
    *,
    words: int,
    marked: tuple[int, Sequence[str]] | None = None,
    texts: Sequence[int] = (),
) -> Flowable:
    """A table of text; `marked` names a column and the colour of each row before it."""
    cells = [[drawable(cell) for cell in row] for row in rows]
    numbers = [at for at in range(words, len(rows[0])) if at not in texts]
    style = [
        ("FONT", (0, 0), (-1, -1), REGULAR, 7),
        ("TEXTCOLOR", (0, 0), (-1, 0), HexColor(MUTED)),
        ("TEXTCOLOR", (0, 1), (-1, -1), HexColor(INK)),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, HexColor(FAINT)),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, HexColor(LINE)),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 8),
        *(("ALIGN", (at, 0), (at, -1), "RIGHT") for at in numbers),
    ]
    if marked is not None:
        column, colours = marked
        style.append(("LEFTPADDING", (column, 1), (column, -1), 6))
        style += [
            ("LINEBEFORE", (column, number), (column, number), 3, HexColor(colour))
            for number, colour in enumerate(colours, start=1)
        ]
    widths = [TEXT_WIDTH * share for share in shares]
    return Table(cells, colWidths=widths, style=style, repeatRows=1, hAlign="LEFT")


def _findings(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    yield from heading(words("section.findings"))
    if not document.notices:
        yield paragraph(words("findings.none"), NOTE)
    for item in document.notices:
        colour = SEVERITY[item.severity]
        text = [paragraph(item.what, BODY)]
        if item.hint:
            text.append(paragraph(item.hint, NOTE))
        style = [
            *PAD_NONE,
            ("LINEBEFORE", (0, 0), (0, -1), 2.5, HexColor(colour)),
            ("LEFTPADDING", (0, 0), (0, -1), 8),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ]
        label = paragraph(item.severity_label, looks(7.6, colour), bold=True)
        yield Table([[label, text]], colWidths=[30 * mm, TEXT_WIDTH - 30 * mm], style=style)


def _texts(document: ChangeDocument, words: Wording) -> Iterator[Flowable]:
    yield from heading(words("section.methods"))
    for item in document.methods:
        yield KeepTogether(
            [
                paragraph(item.title, TITLE, bold=True),
                paragraph(item.text, BODY),
                Spacer(1, 2 * mm),
            ]
        )
    look = looks(7.2, INK, leftIndent=12, firstLineIndent=-12, spaceBefore=2)
    references = [
        paragraph(f"{item.number}. {item.text} doi:{item.doi}", look)
        for item in document.references
    ]
    yield KeepTogether([paragraph(words("section.references"), TITLE, bold=True), *references])
    for title, entries in (
        ("section.definitions", document.definitions),
        ("section.provenance", document.provenance),
    ):
        if entries:
            yield from heading(words(title))
            rows = [[paragraph(e.label, NOTE), paragraph(e.value, BODY)] for e in entries]
            style = [
                *PAD_NONE,
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(LINE)),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
            ]
            yield Table(rows, colWidths=[0.26 * TEXT_WIDTH, 0.74 * TEXT_WIDTH], style=style)
