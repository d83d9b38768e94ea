"""The blocks of the PDF in reading order, as reportlab flowables."""

from __future__ import annotations

from collections.abc import Iterator

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table

from leuko.report import charts
from leuko.report.document import Document, MeasureGroup, Picture
from leuko.report.palette import LINE, SIZE
from leuko.report.pdf_closing import findings, meanings, methods, provenance, steps
from leuko.report.pdf_looks import BODY, NOTE, PAD_NONE, RIGHT, SMALL, TITLE
from leuko.report.pdf_opening import headline, pictured, summary
from leuko.report.pdf_pieces import Chart, markup, paragraph
from leuko.report.pdf_rows import text_rows
from leuko.report.pdf_sections import heading, section
from leuko.report.wording import Wording

__all__ = ["story"]

NUMBERS = (0, 1, 5, 6, 7, 8)  # columns of the lesion table
SHARES = (0.06, 0.1, 0.11, 0.09, 0.15, 0.18, 0.11, 0.1, 0.1)  # of its width


def story(document: Document, *, width: float, words: Wording) -> list[Flowable]:
    """Every block of the report; `width` is that of the text in points."""
    largest = _pictures(document, width, words("section.largest"), only=("largest",))
    others = _pictures(document, width, words("section.pictures"), only=("planes", "overview"))
    return [
        *summary(document.summary, document.care, words=words),
        _first(document, width, words),
        *_where(document, width, words),
        *largest,
        *_sizes(document, width, words),
        *(block for part in document.readings for block in section(part, width=width)),
        *_profile(document, width, words),
        *others,
        *_numbers(document, width, words),
        *_lesions(document, width, words),
        *findings(document.notices, width=width, words=words),
        *meanings(document.definitions, width=width, words=words),
        *methods(document.methods, document.references, words=words),
        *steps(document.steps, width=width, words=words),
        *provenance(document.provenance, width=width, words=words),
    ]


def _first(document: Document, width: float, words: Wording) -> Flowable:
    """The key picture beside the headline numbers."""
    key = next((picture for picture in document.pictures if picture.name == "key"), None)
    captions = [] if key is None else [_caption(document, key, words)]
    return headline(document.headline, picture=key, captions=captions, width=width)


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
            yield pictured(picture, wide, head=head)
            head = []


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
    return [paragraph(group.title, TITLE, bold=True), Spacer(1, 2), table]


def _lesions(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    yield from heading(words("section.lesions"), room=55 * mm)
    yield paragraph(document.lesions_note, NOTE)
    if not document.lesions:
        return
    names = ("label", "volume", "size", "side", "region", "centre", "distance", "z")
    keys = (*(f"table.{name}" for name in names), document.sureness)
    shown, few = document.lesions, len(document.lesions) <= document.lesions_shown
    rows = [
        (row.label, row.volume, row.size, row.side, row.region, row.centre, row.distance, row.z,
         row.confidence)
        for row in shown
    ]  # fmt: skip
    yield Spacer(1, 3)
    yield text_rows(
        [words(key) for key in keys],
        rows,
        widths=[width * share for share in SHARES],
        numbers=NUMBERS,
        marked=(2, [SIZE[row.size_name] for row in shown]),
        size=7.0 if few else 6.2,
    )
    yield Spacer(1, 3)
    last = words(f"{document.sureness}.explained")
    yield paragraph(f"{words('table.explained')} {last}", NOTE)
