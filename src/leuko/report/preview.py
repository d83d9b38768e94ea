"""One picture that shows the result: the most affected slices and the headline numbers."""

from __future__ import annotations

import io

from PIL import Image as Pictures
from PIL import ImageDraw

from leuko.report.document import Document
from leuko.report.palette import FAINT, SIZE, rgb
from leuko.report.sheet import font_for

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
    _write(pen, MARGIN, 22, document.title, size=20)
    _write(pen, WIDTH - MARGIN, 22, document.subject, size=20, anchor="ra")
    step = (WIDTH - 2 * MARGIN) / len(document.headline)
    for number, item in enumerate(document.headline):
        left = MARGIN + number * step
        _write(pen, left, 68, item.label, size=17)
        size = 30 if item.unit or len(item.value) < 11 else 20
        width = _write(pen, left, 124, item.value, size=size, anchor="ls", colour=INK)
        _write(pen, left + width + 7, 124, item.unit, size=18, anchor="ls")


def _foot(pen: ImageDraw.ImageDraw, document: Document, top: float) -> None:
    left = float(MARGIN)
    for row in document.sizes if document.lesions else ():
        pen.rectangle((left, top + 2, left + 13, top + 15), rgb(SIZE[row.name]))
        width = _write(pen, left + 20, top + 9, f"{row.label} ({row.range})", size=17, anchor="lm")
        left += 20 + width + 26
    _write(pen, WIDTH - MARGIN, top + 9, document.research_use, size=17, anchor="rm")


def _write(
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    text: str,
    *,
    size: int,
    anchor: str = "la",
    colour: tuple[int, int, int] = rgb(FAINT),
) -> float:
    """Put letters at a point; how wide they are."""
    written = _written(text)
    font = font_for(written, size)
    pen.text((x, y), written, colour, font, anchor)
    return pen.textlength(written, font)


def _written(text: str) -> str:
    """The text in letters that our typefaces have."""
    text = text.replace("mm³", "mm3").replace("–", "-").replace("−", "-").replace("’", "'")
    return text.replace("\u00a0", " ").encode("latin-1", "backslashreplace").decode("latin-1")
