"""One picture that shows the result: the most affected slices and the headline numbers."""

from __future__ import annotations

import io

from PIL import Image as Pictures
from PIL import ImageDraw

from leuko.report.document import Document
from leuko.report.palette import FAINT, SIZE, rgb
from leuko.report.sheet import letter_font

__all__ = ["preview"]

WIDTH, MARGIN = 1200, 28
BACKGROUND = (12, 16, 20)
INK = (240, 243, 246)


def preview(document: Document) -> bytes:
    """A PNG, 1200 pixels wide: headline numbers above the key picture and the other planes."""
    inner = WIDTH - 2 * MARGIN
    shown: list[Pictures.Image] = []
    for name in ("key", "planes"):
        for picture in document.pictures:
            if picture.name == name:
                size = (inner, round(inner * picture.height / picture.width))
                with Pictures.open(io.BytesIO(picture.data)) as encoded:
                    shown.append(encoded.resize(size, Pictures.Resampling.BILINEAR))
    head = 150
    height = head + sum(image.height + 12 for image in shown) + 44
    sheet = Pictures.new("RGB", (WIDTH, height), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    _headline(pen, document)
    top = head
    for image in shown:
        sheet.paste(image, (MARGIN, top))
        top += image.height + 12
    _foot(pen, document, top + 10)
    stream = io.BytesIO()
    sheet.save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _headline(pen: ImageDraw.ImageDraw, document: Document) -> None:
    pen.text((MARGIN, 22), _written(document.title), rgb(FAINT), letter_font(20))
    pen.text((WIDTH - MARGIN, 22), _written(document.subject), rgb(FAINT), letter_font(20), "ra")
    step = (WIDTH - 2 * MARGIN) / len(document.headline)
    for number, item in enumerate(document.headline):
        left = MARGIN + number * step
        pen.text((left, 68), _written(item.label), rgb(FAINT), letter_font(17))
        size = 30 if item.unit or len(item.value) < 11 else 20
        pen.text((left, 124), _written(item.value), INK, letter_font(size), "ls")
        width = pen.textlength(_written(item.value), letter_font(size))
        pen.text((left + width + 7, 124), _written(item.unit), rgb(FAINT), letter_font(18), "ls")


def _foot(pen: ImageDraw.ImageDraw, document: Document, top: float) -> None:
    left = float(MARGIN)
    for row in document.sizes if document.lesions else ():
        pen.rectangle((left, top + 2, left + 13, top + 15), rgb(SIZE[row.name]))
        text = _written(f"{row.label} ({row.range})")
        pen.text((left + 20, top + 9), text, rgb(FAINT), letter_font(17), "lm")
        left += 20 + pen.textlength(text, letter_font(17)) + 26
    right = WIDTH - MARGIN
    pen.text((right, top + 9), document.research_use, rgb(FAINT), letter_font(17), "rm")


def _written(text: str) -> str:
    """The text in letters that the built-in typeface has."""
    text = text.replace("mm³", "mm3").replace("–", "-").replace("−", "-").replace("’", "'")
    return text.encode("ascii", "backslashreplace").decode()
