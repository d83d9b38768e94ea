"""One picture that shows what changed: the headline numbers above the key slices."""

from __future__ import annotations

import io

from PIL import Image as Pictures
from PIL import ImageDraw

from leuko.report.change_colours import COLOURS
from leuko.report.change_document import ChangeDocument
from leuko.report.palette import FAINT, rgb
from leuko.report.sheet import font_for

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
    texts = [document.title, document.subject, *(item.label for item in document.headline)]

    def write(
        x: float, y: float, text: str, size: int, *, anchor: str = "la",
        colour: tuple[int, int, int] = rgb(FAINT),
    ) -> float:  # fmt: skip
        font = font_for(" ".join([*texts, text]), size)  # one typeface for all
        pen.text((x, y), text, colour, font, anchor)
        return pen.textlength(text, font)

    write(MARGIN, 22, document.title, 20)
    write(WIDTH - MARGIN, 22, document.subject, 18, anchor="ra")
    step = inner / len(document.headline)
    for number, item in enumerate(document.headline):
        left = MARGIN + number * step
        write(left, 68, item.label, 16)
        width = write(left, 124, item.value, 30, anchor="ls", colour=INK)
        write(left + width + 7, 124, item.unit, 18, anchor="ls")
    sheet.paste(picture, (MARGIN, HEAD))
    top, left = HEAD + size[1] + 18, float(MARGIN)
    for row in document.classes:
        pen.rectangle((left, top + 2, left + 13, top + 15), rgb(COLOURS[row.name]))
        left += 20 + write(left + 20, top + 9, row.label, 17, anchor="lm") + 24
    write(WIDTH - MARGIN, top + 9, document.research_use, 17, anchor="rm")
    stream = io.BytesIO()
    sheet.save(stream, "PNG", compress_level=3)
    return stream.getvalue()
