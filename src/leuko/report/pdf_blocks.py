"""The blocks of the PDF in reading order, as reportlab flowables."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfdoc import PDFImageXObject
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    Paragraph,
    Spacer,
    Table,
)

from leuko.report import charts
from leuko.report.document import Document, Measure, MeasureGroup, Notice, Picture
from leuko.report.drawing import Area, Bar, Drawing, Rule, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SEVERITY, SIZE
from leuko.report.rounding import unbroken
from leuko.report.typefaces import BOLD, REGULAR, drawable
from leuko.report.wording import Wording

__all__ = ["story"]

PAD_NONE = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("FONTNAME", (0, 0), (-1, -1), REGULAR),  # even an empty cell sets its font
]


def _style(size: float, colour: str, *, lead: float = 1.35, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(
        "", fontName=REGULAR, fontSize=size, leading=size * lead, textColor=colour, **more
    )


LEAD = _style(11.5, INK, lead=1.4)
MORE = _style(8.6, MUTED, spaceBefore=3)
BODY = _style(7.6, INK, lead=1.45)
NOTE = _style(7, MUTED)
SMALL = _style(6.4, MUTED, lead=1.25)
HEADING = _style(8.2, ACCENT, spaceBefore=5 * mm, spaceAfter=4)
SUBHEADING = _style(8, INK)
RIGHT = _style(7.6, INK, alignment=TA_RIGHT)


def story(document: Document, *, width: float, words: Wording) -> list[Flowable]:
    """Every block of the report; `width` is that of the text in points."""
    return [
        *_summary(document, words),
        _first(document, width, words),
        *_charts(document, width, words),
        *_pictures(document, width, words),
        *_numbers(document, width, words),
        *_lesions(document, width, words),
        *_findings(document, width, words),
        *_methods(document, words),
        *_steps(document, width, words),
        *_provenance(document, width, words),
    ]


def _text(text: str, style: ParagraphStyle, *, bold: bool = False) -> Paragraph:
    marked = escape(drawable(unbroken(text)))
    return Paragraph(f"<b>{marked}</b>" if bold else marked, style)


def _heading(text: str, *, room: float = 30 * mm) -> list[Flowable]:
    heading = _text(text.upper(), HEADING, bold=True)
    return [CondPageBreak(room), heading] if room else [heading]


def _summary(document: Document, words: Wording) -> Iterator[Flowable]:
    yield _text(document.summary[0], LEAD)
    if len(document.summary) > 1:
        yield _text(" ".join(document.summary[1:]), MORE)
    if document.care:
        style = _style(
            8.4,
            INK,
            backColor=HexColor("#fdf5e6"),
            borderPadding=(4, 6, 5, 8),
            spaceBefore=8,
            leftIndent=8,
            rightIndent=6,
        )
        care = escape(drawable(" ".join(document.care)))
        yield Paragraph(f"<b>{escape(words('summary.care'))}</b> {care}", style)
    yield Spacer(1, 5 * mm)


def _first(document: Document, width: float, words: Wording) -> Flowable:
    """The key picture beside the headline numbers."""
    side = 39 * mm
    picture_width = width - side - 6 * mm
    left: list[Flowable] = []
    for picture in document.pictures:
        if picture.name == "key":
            left = [_Photo(picture, picture_width), Spacer(1, 3)]
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
    text = escape(drawable(picture.caption))
    if document.lesions:
        swatches = ", ".join(
            f'<font color="{SIZE[row.name]}"><b>—</b></font> {escape(row.label)} '
            f"({escape(row.range)})"
            for row in document.sizes
        )
        text += f" {escape(words('picture.outlines'))} {swatches}."
    return Paragraph(text, NOTE)


def _measure(item: Measure, *, first: bool) -> list[Flowable]:
    size = 17 if first else 11.5
    value, unit = escape(drawable(item.value)), escape(item.unit)
    if not item.unit and len(item.value) > 11:
        size = 8  # words, not a number
    marked = f'<b>{value}</b> <font size="{size * 0.6:.1f}" color="{MUTED}">{unit}</font>'
    style = _style(size, ACCENT if first else INK, lead=1.2)
    parts: list[Flowable] = [_text(item.label, NOTE), Paragraph(marked, style)]
    if item.note:
        parts.append(_text(item.note, SMALL))
    return parts


class _Photo(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A JPEG at a width, put into the file byte for byte.

    reportlab's own way decodes the picture and writes it in base 85, in Python: ten times slower.
    """

    def __init__(self, picture: Picture, width: float) -> None:
        super().__init__()
        self.picture = picture
        self.width, self.height = width, width * picture.height / picture.width

    def draw(self) -> None:
        canvas, name = self.canv, self.picture.name
        if not canvas.hasForm(name):
            image = PDFImageXObject(name)
            image.width, image.height = self.picture.width, self.picture.height
            image.bitsPerComponent, image.colorSpace = 8, "DeviceRGB"
            image.streamContent, image._filters = self.picture.data, ("DCTDecode",)
            canvas._doc.Reference(image, canvas._doc.getXObjectName(name))
            canvas._doc.addForm(name, image)
        canvas.scale(self.width, self.height)
        canvas.doForm(name)


class _Chart(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A drawing, scaled to a width."""

    def __init__(self, drawing: Drawing, width: float) -> None:
        super().__init__()
        self.drawing = drawing
        self.width, self.height = width, drawing.height * width / drawing.width

    def draw(self) -> None:
        canvas = self.canv
        canvas.scale(self.width / self.drawing.width, self.width / self.drawing.width)
        for shape in self.drawing.shapes:
            _paint(canvas, shape)


def _paint(canvas: Any, shape: Bar | Rule | Text | Area) -> None:
    match shape:
        case Bar():
            canvas.setFillColor(HexColor(shape.colour))
            canvas.rect(shape.x, shape.y, shape.width, shape.height, stroke=0, fill=1)
        case Rule():
            canvas.setStrokeColor(HexColor(shape.colour))
            canvas.setLineWidth(shape.width)
            canvas.line(shape.x1, shape.y1, shape.x2, shape.y2)
        case Text():
            canvas.setFont(BOLD if shape.bold else REGULAR, shape.size)
            canvas.setFillColor(HexColor(shape.colour))
            draw = {
                "start": canvas.drawString,
                "middle": canvas.drawCentredString,
                "end": canvas.drawRightString,
            }[shape.anchor]
            draw(shape.x, shape.y, drawable(shape.text))
        case Area():
            path = canvas.beginPath()
            path.moveTo(*shape.points[0])
            for point in shape.points[1:]:
                path.lineTo(*point)
            path.close()
            canvas.setFillColor(HexColor(shape.colour))
            canvas.drawPath(path, stroke=0, fill=1)


def _charts(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    yield KeepTogether(
        [
            *_heading(words("section.sizes"), room=0),
            _Chart(charts.sizes_chart(document.sizes), width),
        ]
    )
    half = (width - 8 * mm) / 2
    sides: list[Flowable] = _heading(words("section.sides"), room=0)
    if document.sides:
        sides += [_Chart(charts.sides_chart(document.sides), half), Spacer(1, 3)]
    sides.append(_text(document.sides_note, NOTE))
    regions: list[Flowable] = _heading(words("section.regions"), room=0)
    if document.regions:
        regions += [_Chart(charts.bars_chart(document.regions), half), Spacer(1, 3)]
    regions.append(_text(document.regions_note, NOTE))
    yield Spacer(1, 5 * mm)
    yield Table([[sides, [], regions]], colWidths=[half, 8 * mm, half], style=PAD_NONE)
    profile = document.profile
    slices: list[Flowable] = _heading(words("section.profile"), room=0)
    if profile.peak is None:
        slices.append(_text(profile.peak_text, NOTE))
    else:
        slices += [_Chart(charts.profile_chart(profile), width), Spacer(1, 3)]
        slices.append(_text(profile.explained, NOTE))
    yield KeepTogether(slices)


def _pictures(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    heading = _heading(words("section.pictures"), room=0)
    for picture in document.pictures:
        if picture.name != "key":
            parts = [_Photo(picture, width), Spacer(1, 3), _text(picture.caption, NOTE)]
            yield KeepTogether([*heading, *parts, Spacer(1, 4 * mm)])
            heading = []


def _numbers(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    half = (width - 8 * mm) / 2
    first, *others = (_group(group, half) for group in document.groups)
    right: list[Flowable] = []
    for group in others:
        right += [*group, Spacer(1, 4 * mm)]
    table = Table([[first, [], right]], colWidths=[half, 8 * mm, half], style=PAD_NONE)
    yield KeepTogether([*_heading(words("section.numbers"), room=0), table])


def _group(group: MeasureGroup, width: float) -> list[Flowable]:
    rows = []
    for item in group.measures:
        label: list[Flowable] = [_text(item.label, BODY)]
        if item.note:
            label.append(_text(item.note, SMALL))
        value = _text(item.value, RIGHT, bold=bool(item.unit) or item.value[:1].isdigit())
        rows.append([label, value, _text(item.unit, NOTE)])
    style = [
        *PAD_NONE,
        ("LINEABOVE", (0, 0), (-1, -1), 0.5, HexColor(LINE)),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LEFTPADDING", (2, 0), (2, -1), 4),
    ]
    table = Table(rows, colWidths=[width - 84, 60, 24], style=style)
    return [_text(group.title, SUBHEADING, bold=True), Spacer(1, 2), table]


def _lesions(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    yield from _heading(words("section.lesions"), room=55 * mm)
    yield _text(document.lesions_note, NOTE)
    if not document.lesions:
        return
    names = ("label", "volume", "size", "side", "region", "centre", "distance", "z", "confidence")
    head = [drawable(words(f"table.{name}")).replace(", ", ",\n") for name in names]
    rows = [head]
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
        *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in (0, 1, 5, 6, 7, 8)),
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
    yield _text(words("table.explained"), NOTE)


def _findings(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    yield from _heading(words("section.findings"))
    if not document.notices:
        yield _text(words("findings.none"), NOTE)
    for item in document.notices:
        yield _notice(item, width)


def _notice(item: Notice, width: float) -> Flowable:
    colour = SEVERITY[item.severity]
    text: list[Flowable] = [_text(item.what, BODY)]
    if item.hint:
        text.append(_text(item.hint, NOTE))
    text.append(_text(item.code, SMALL))
    style = [
        *PAD_NONE,
        ("LINEBEFORE", (0, 0), (0, -1), 2.5, HexColor(colour)),
        ("LEFTPADDING", (0, 0), (0, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    label = _text(item.severity_label, _style(7.6, colour), bold=True)
    return Table([[label, text]], colWidths=[34 * mm, width - 34 * mm], style=style)


def _methods(document: Document, words: Wording) -> Iterator[Flowable]:
    yield from _heading(words("section.methods"))
    for item in document.methods:
        yield KeepTogether(
            [_text(item.title, SUBHEADING, bold=True), _text(item.text, BODY), Spacer(1, 3 * mm)]
        )
    style = _style(7.2, INK, leftIndent=12, firstLineIndent=-12, spaceBefore=2)
    references = [
        _text(f"{item.number}. {item.text} doi:{item.doi}", style) for item in document.references
    ]
    yield KeepTogether([_text(words("section.references"), SUBHEADING, bold=True), *references])


def _steps(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    if not document.steps:
        return
    yield from _heading(words("section.steps"))
    head = [
        _text(words("steps.name"), NOTE),
        _text(words("steps.seconds"), _style(7, MUTED, alignment=TA_RIGHT)),
        _text(words("steps.details"), NOTE),
    ]
    rows = [
        [_text(item.name, BODY), _text(item.seconds, RIGHT), _text(item.details, NOTE)]
        for item in document.steps
    ]
    yield _ruled([head, *rows], [0.24 * width, 0.1 * width, 0.66 * width])


def _provenance(document: Document, width: float, words: Wording) -> Iterator[Flowable]:
    yield from _heading(words("section.provenance"))
    rows = [[_text(item.label, NOTE), _text(item.value, BODY)] for item in document.provenance]
    if rows:
        yield _ruled(rows, [0.3 * width, 0.7 * width])


def _ruled(rows: list[list[Flowable]], widths: list[float]) -> Flowable:
    style = [
        *PAD_NONE,
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(LINE)),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
        ("RIGHTPADDING", (0, 0), (-2, -1), 10),
    ]
    return Table(rows, colWidths=widths, style=style)
