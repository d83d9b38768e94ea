"""One picture that shows what changed: the headline numbers above the key slices."""

from __future__ import annotations

import io

from PIL import Image as Pictures
from PIL import ImageDraw

from leuko.report.change_colours import COLOURS
from leuko.report.change_document import ChangeDocument
from leuko.report.palette import FAINT, rgb
from leuko.report.sheet import letter_font

__all__ = ["change_preview"]

WIDTH, MARGIN, HEAD = 1200, 28, 150
BACKGROUND, INK = (12, 16, 20), (240, 243, 246)


def change_preview(document: ChangeDocument) -> bytes:
    """A PNG, 1200 pixels wide."""
    inner = WIDTH - 2 * MARGIN
    key = document.pictures[0]
    size = (inner, round(inner * key.height / key.width))
    with Pictures.open(io.BytesIO(key.data)) as encoded:
        picture = encoded.resize(size, Pictures.Resampling.BILINEAR)
    sheet = Pictures.new("RGB", (WIDTH, HEAD + size[1] + 56), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, 22), _plain(document.title), rgb(FAINT), letter_font(20))
    subject = _plain(document.subject)
    pen.text((WIDTH - MARGIN, 22), subject, rgb(FAINT), letter_font(18), "ra")
    step = inner / len(document.headline)
    for number, item in enumerate(document.headline):
        left = MARGIN + number * step
        pen.text((left, 68), _plain(item.label), rgb(FAINT), letter_font(16))
        value = _plain(item.value)
        pen.text((left, 124), value, INK, letter_font(30), "ls")
        width = pen.textlength(value, letter_font(30))
        pen.text((left + width + 7, 124), _plain(item.unit), rgb(FAINT), letter_font(18), "ls")
    sheet.paste(picture, (MARGIN, HEAD))
    top, left = HEAD + size[1] + 18, float(MARGIN)
    for row in document.classes:
        pen.rectangle((left, top + 2, left + 13, top + 15), rgb(COLOURS[row.name]))
        pen.text((left + 20, top + 9), row.label, rgb(FAINT), letter_font(17), "lm")
        left += 20 + pen.textlength(row.label, letter_font(17)) + 24
    right = WIDTH - MARGIN
    pen.text((right, top + 9), document.research_use, rgb(FAINT), letter_font(17), "rm")
    stream = io.BytesIO()
    sheet.save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _plain(text: str) -> str:
    """The text in letters that the built-in typeface has."""
    text = text.replace("mm³", "mm3").replace("−", "-").replace("–", "-")
    return text.encode("ascii", "backslashreplace").decode()
