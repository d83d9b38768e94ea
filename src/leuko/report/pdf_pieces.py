"""Pieces of the PDF: text, pictures and charts as reportlab flowables."""

from __future__ import annotations

from html import escape
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfdoc import PDFImageXObject
from reportlab.platypus import Flowable, Paragraph

from leuko.report.document import Picture
from leuko.report.drawing import Area, Bar, Curve, Dot, Drawing, Rule, Shape, Text
from leuko.report.rounding import unbroken
from leuko.report.typefaces import BOLD, REGULAR, drawable

__all__ = ["Chart", "Photo", "looks", "markup", "paragraph"]

TALLEST = 225 * mm  # a picture and its caption on one page


def looks(size: float, colour: str, *, lead: float = 1.35, **more: Any) -> ParagraphStyle:
    """A paragraph style; `lead` is the distance of lines as a multiple of the size."""
    return ParagraphStyle(
        "", fontName=REGULAR, fontSize=size, leading=size * lead, textColor=HexColor(colour), **more
    )


def markup(text: str) -> str:
    """Plain text as reportlab's paragraph markup: escaped, and in letters that can be drawn."""
    return escape(drawable(unbroken(text)))


def paragraph(text: str, look: ParagraphStyle, *, bold: bool = False) -> Paragraph:
    """A paragraph of plain text."""
    marked = markup(text)
    return Paragraph(f"<b>{marked}</b>" if bold else marked, look)


class Photo(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A JPEG at a width (less where it would not fit a page), put into the file byte for byte.

    reportlab's own way decodes the picture and writes it in base 85, in Python: ten times slower.
    """

    def __init__(self, picture: Picture, width: float) -> None:
        super().__init__()
        self.hAlign = "CENTER"
        self.picture = picture
        self.width = min(width, TALLEST * picture.width / picture.height)
        self.height = self.width * picture.height / picture.width

    def draw(self) -> None:
        """Put it on the page (called by reportlab)."""
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


class Chart(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A drawing, scaled to a width, in the middle of the text."""

    def __init__(self, drawing: Drawing, width: float) -> None:
        super().__init__()
        self.hAlign = "CENTER"
        self.drawing = drawing
        self.width, self.height = width, drawing.height * width / drawing.width

    def draw(self) -> None:
        """Put it on the page (called by reportlab)."""
        canvas = self.canv
        canvas.scale(self.width / self.drawing.width, self.width / self.drawing.width)
        for shape in self.drawing.shapes:
            _paint(canvas, shape)


def _paint(canvas: Any, shape: Shape) -> None:
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
            canvas.setFillColor(HexColor(shape.colour))
            canvas.drawPath(_path(canvas, shape.points, closed=True), stroke=0, fill=1)
        case Curve():
            canvas.setStrokeColor(HexColor(shape.colour))
            canvas.setLineWidth(shape.width)
            path = _path(canvas, shape.points, closed=shape.closed)
            canvas.drawPath(path, stroke=1, fill=0)
        case Dot():
            canvas.setFillColor(HexColor(shape.colour))
            canvas.circle(shape.x, shape.y, shape.radius, stroke=0, fill=1)


def _path(canvas: Any, points: tuple[tuple[float, float], ...], *, closed: bool) -> Any:
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    if closed:
        path.close()
    return path
