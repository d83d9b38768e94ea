"""The blocks of the PDF in reading order, as reportlab flowables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    Spacer,
    Table,
)

from leuko.report import charts
from leuko.report.document import Document, Entry, Measure, MeasureGroup, Notice, Picture
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SEVERITY, SIZE
from leuko.report.pdf_pieces import Chart, Photo, looks, markup, paragraph
from leuko.report.pdf_sections import PAD_NONE, definitions, heading, section
from leuko.report.typefaces import REGULAR, drawable
from leuko.report.wording import Wording

__all__ = ["story"]


ROWS = 16  # of two columns that stay on one page
LEAD = looks(11.5, INK, lead=1.4)
MORE = looks(8.6, MUTED, spaceBefore=3)
BODY = looks(7.6, INK, lead=1.45)
NOTE = looks(7, MUTED)
SMALL = looks(6.4, MUTED, lead=1.25)
SUBHEADING = looks(8, INK)
NUMBERS = (0, 1, 5, 6, 7, 8)  # columns of the lesion table
NUMBER_HEAD = looks(7, MUTED, alignment=TA_RIGHT)
RIGHT = looks(7.6, INK, alignment=TA_RIGHT)


def story(document: Document, *, width: float, words: Wording) -> list[Flowable]:
    """Every block of the report; `width` is that of the text in points."""
    largest = _pictures(document, width, words("section.largest"), only=("largest",))
    others = _pictures(document, width, words("section.pictures"), only=("planes", "overview"))
    return [
        *_summary(document, words),
        _first(document, width, words),
        *_where(document, width, words),
        *largest,
        *_sizes(document, width, words),
        *(block for part in document.readings for block in section(part, width=width)),
        *_profile(document, width, words),
        *others,
        *_numbers(document, width, words),
        *_lesions(document, width, words),
        *_findings(document, width, words),
        *_meanings(document, width, words),
        *_methods(document, words),
        *_steps(document, width, words),
        *_provenance(document, width, words),
    ]


def _summary(document: Document, words: Wording) -> Iterator[Flowable]:
    yield paragraph(document.summary[0], LEAD)
    if len(document.summary) > 1:
        yield paragraph(" ".join(document.summary[1:]), MORE)
    if document.care:
        look = looks(
            8.4,
            INK,
            backColor=HexColor("#fdf5e6"),
            borderPadding=(4, 6, 5, 8),
            spaceBefore=8,
            leftIndent=8,
            rightIndent=6,
        )
        care = markup(" ".join(document.care))
        yield Paragraph(f"<b>{markup(words('summary.care'))}</b> {care}", look)
    yield Spacer(1, 5 * mm)


def _first(document: Document, width: float, words: Wording) -> Flowable:
    """The key picture beside the headline numbers."""
    side = 39 * mm
    picture_width = width - side - 6 * mm
    left: list[Flowable] = []
    for picture in document.pictures:
        if picture.name == "key":
            left = [Photo(picture, picture_width), Spacer(1, 3)]
            left.append(_caption(document, picture, words))
    measures = [[_measure(item, first=item is document.headline[0])] for item in document.headline]
    lines = [
        ("LINEBELOW", (0, 0), (-1, -2), 0.5, HexColor(LINE)),
        ("TOPPADDING", (0, 1), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    numbers = Table(measures, colWidths=[side], style=[*PAD_NONE, *lines])
    return Table([[left, [], numbers]], colWidths=[picture_width, 6 * mm, side], style=PAD_NONE)


def _caption(document: Document, picture: Picture, words: Wording) -> Paragraph:
    text = markup(picture.caption)
    if document.lesions:
        swatches = ", ".join(
            f'<font color="{SIZE[row.name]}"><b>—</b></font> {markup(row.label)} '
            f"({markup(row.range)})"
            for row in document.sizes
        )
        text += f" {markup(words('picture.outlines'))} {swatches}."
    return Paragraph(text, NOTE)


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


def _where(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    """Where the lesions lie: the diagram, or what is known without it."""
    if document.where or not document.lesions:
        for part in document.where:
            yield from section(part, width=width)
        return
    half = (width - 8 * mm) / 2
    sides: list[Flowable] = heading(words("section.sides"), room=0)
    if document.sides:
        sides += [Chart(charts.sides_chart(document.sides), half), Spacer(1, 3)]
    sides.append(paragraph(document.sides_note, NOTE))
    regions: list[Flowable] = heading(words("section.regions"), room=0)
    if document.regions:
        regions += [Chart(charts.bars_chart(document.regions), half), Spacer(1, 3)]
    regions.append(paragraph(document.regions_note, NOTE))
    yield Table([[sides, [], regions]], colWidths=[half, 8 * mm, half], style=PAD_NONE)


def _sizes(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    if document.lesions:
        chart = Chart(charts.sizes_chart(document.sizes, words=words), width)
        yield KeepTogether([*heading(words("section.sizes"), room=0), chart])


def _profile(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    profile = document.profile
    slices: list[Flowable] = heading(words("section.profile"), room=0)
    if profile.peak is None:
        slices.append(paragraph(profile.peak_text, NOTE))
    else:
        slices += [Chart(charts.profile_chart(profile, words=words), width), Spacer(1, 3)]
        slices.append(paragraph(profile.explained, NOTE))
    yield KeepTogether(slices)


def _pictures(
    document: Document, width: float, title: str, *, only: tuple[str, ...]
) -> Iterator[Flowable]:
    head = heading(title, room=0)
    for picture in document.pictures:
        if picture.name in only:
            wide = 0.86 * width if picture.name == "largest" else width
            parts = [Photo(picture, wide), Spacer(1, 3), paragraph(picture.caption, NOTE)]
            yield KeepTogether([*head, *parts, Spacer(1, 4 * mm)])
            head = []


def _meanings(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    if document.definitions:
        yield from heading(words("section.definitions"))
        yield from definitions(document.definitions, width)


def _numbers(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    half = (width - 8 * mm) / 2
    first, *others = (_group(group, half) for group in document.groups)
    right: list[Flowable] = []
    for group in others:
        right += [*group, Spacer(1, 4 * mm)]
    table = Table([[first, [], right]], colWidths=[half, 8 * mm, half], style=PAD_NONE)
    yield KeepTogether([*heading(words("section.numbers"), room=0), table])


def _group(group: MeasureGroup, width: float) -> list[Flowable]:
    rows = []
    for item in group.measures:
        label: list[Flowable] = [paragraph(item.label, BODY)]
        if item.note:
            label.append(paragraph(item.note, SMALL))
        value = paragraph(item.value, RIGHT, bold=bool(item.unit) or item.value[:1].isdigit())
        rows.append([label, value, paragraph(item.unit, NOTE)])
    style = [
        *PAD_NONE,
        ("LINEABOVE", (0, 0), (-1, -1), 0.5, HexColor(LINE)),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LEFTPADDING", (2, 0), (2, -1), 4),
    ]
    table = Table(rows, colWidths=[width - 84, 60, 24], style=style)
    return [paragraph(group.title, SUBHEADING, bold=True), Spacer(1, 2), table]


def _lesions(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    yield from heading(words("section.lesions"), room=55 * mm)
    yield paragraph(document.lesions_note, NOTE)
    if not document.lesions:
        return
    names = ("label", "volume", "size", "side", "region", "centre", "distance", "z")
    keys = (*(f"table.{name}" for name in names), document.sureness)
    head = [
        paragraph(words(key), NUMBER_HEAD if place in NUMBERS else NOTE)
        for place, key in enumerate(keys)
    ]
    rows: list[list[Any]] = [head]
    shown = document.lesions[: document.lesions_shown]
    for row in shown:
        cells = [row.label, row.volume, row.size, row.side, row.region]
        cells += [row.centre, row.distance, row.z, row.confidence]
        rows.append([drawable(cell) for cell in cells])
    style = [
        ("FONT", (0, 0), (-1, -1), REGULAR, 7),
        ("TEXTCOLOR", (0, 0), (-1, 0), HexColor(MUTED)),
        ("TEXTCOLOR", (0, 1), (-1, -1), HexColor(INK)),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, HexColor(FAINT)),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, HexColor(LINE)),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 10),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in NUMBERS),
        ("LEFTPADDING", (2, 1), (2, -1), 5),
        *(
            ("LINEBEFORE", (2, number), (2, number), 3, HexColor(SIZE[row.size_name]))
            for number, row in enumerate(shown, start=1)
        ),
    ]
    share = (0.06, 0.1, 0.11, 0.09, 0.15, 0.18, 0.11, 0.1, 0.1)
    yield Spacer(1, 3)
    yield Table(rows, colWidths=[width * part for part in share], style=style, repeatRows=1)
    yield Spacer(1, 3)
    last = words(f"{document.sureness}.explained")
    yield paragraph(f"{words('table.explained')} {last}", NOTE)


def _findings(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    yield from heading(words("section.findings"))
    if not document.notices:
        yield paragraph(words("findings.none"), NOTE)
    for item in document.notices:
        yield _notice(item, width)


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


def _methods(document: Document, words: Wording) -> Iterator[Flowable]:
    yield from heading(words("section.methods"))
    for item in document.methods:
        yield KeepTogether(
            [
                paragraph(item.title, SUBHEADING, bold=True),
                paragraph(item.text, BODY),
                Spacer(1, 3 * mm),
            ]
        )
    look = looks(7.2, INK, leftIndent=12, firstLineIndent=-12, spaceBefore=2)
    references = [
        paragraph(f"{item.number}. {item.text} doi:{item.doi}", look)
        for item in document.references
    ]
    yield KeepTogether([paragraph(words("section.references"), SUBHEADING, bold=True), *references])


def _steps(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    if not document.steps:
        return
    yield from heading(words("section.steps"))
    head = [
        paragraph(words("steps.name"), NOTE),
        paragraph(words("steps.seconds"), looks(7, MUTED, alignment=TA_RIGHT)),
        paragraph(words("steps.details"), NOTE),
    ]
    rows = [
        [paragraph(item.name, BODY), paragraph(item.seconds, RIGHT), paragraph(item.details, NOTE)]
        for item in document.steps
    ]
    yield _ruled([head, *rows], [0.24 * width, 0.1 * width, 0.66 * width])


def _provenance(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    """Long values first, over the whole width; then short ones in two columns."""
    yield from heading(words("section.provenance"))
    rows = [
        [paragraph(item.label, NOTE), paragraph(item.value, BODY)] for item in document.provenance
    ]
    long = [row for row, item in zip(rows, document.provenance, strict=True) if _is_long(item)]
    short = [row for row, item in zip(rows, document.provenance, strict=True) if not _is_long(item)]
    if long:
        yield _ruled(long, [0.3 * width, 0.7 * width])
    half = (width - 8 * mm) / 2
    for start in range(0, len(short), 2 * ROWS):
        part = short[start : start + 2 * ROWS]
        middle = (len(part) + 1) // 2
        columns = [
            _ruled(rows, [0.58 * half, 0.42 * half]) if rows else Spacer(1, 1)
            for rows in (part[:middle], part[middle:])
        ]
        widths = [half, 8 * mm, half]
        yield Table([[columns[0], [], columns[1]]], colWidths=widths, style=PAD_NONE)


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
