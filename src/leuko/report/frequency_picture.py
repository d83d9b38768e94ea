"""The frequency map of a group on slices of the template, with its scale."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw

from leuko.anatomy.template import SPACE, load_template
from leuko.report.sheet import letter_font

__all__ = ["frequency_picture", "scale_colours"]

HEIGHTS_MM = (-28, -18, -8, 0, 8, 16, 22, 28, 34, 42, 50, 60)
COLUMNS = 6
MARGIN, GAP, FOOT = 24, 6, 92
SCALE = 2.4  # pixels a voxel of 2 mm
BACKGROUND, INK, FAINT = (12, 16, 20), (240, 243, 246), (139, 151, 163)
# Light from dark violet over red to pale yellow, as heat looks; each stop is lighter than the last.
STOPS = ((0.0, (72, 12, 92)), (0.35, (190, 38, 60)), (0.7, (248, 140, 26)), (1.0, (252, 250, 190)))
DIM = 0.75  # of the template's brightness, so that colours stand out

Floats = npt.NDArray[np.float32]


def frequency_picture(share: Floats, *, cases: int) -> bytes:
    """A PNG: twelve axial slices of the template, the share of cases in colour, and the scale.

    Args:
        share: 0..1 on the template's 1 mm grid (`anatomy.template.template_grid`).
        cases: how many were counted.
    """
    top = _top(float(share.max()), cases)
    tiles = [_tile(share, z_mm=z, top=top) for z in HEIGHTS_MM]
    width, height = tiles[0].size
    rows = -(-len(tiles) // COLUMNS)
    size = (
        2 * MARGIN + COLUMNS * width + (COLUMNS - 1) * GAP,
        2 * MARGIN + rows * height + (rows - 1) * GAP + FOOT,
    )
    sheet = Pictures.new("RGB", size, BACKGROUND)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        sheet.paste(tile, (MARGIN + column * (width + GAP), MARGIN + row * (height + GAP)))
    _foot(ImageDraw.Draw(sheet), size, top=top, cases=cases)
    stream = io.BytesIO()
    sheet.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def scale_colours(values: Floats) -> npt.NDArray[np.uint8]:
    """Colours (..., 3) of values from 0 to 1."""
    places = [place for place, _ in STOPS]
    parts = [np.interp(values, places, [colour[k] for _, colour in STOPS]) for k in range(3)]
    return np.stack(parts, axis=-1).round().astype(np.uint8)


def _top(highest: float, cases: int) -> float:
    """The end of the scale: the highest share, at least that of one case, as a round number."""
    least = max(highest, 1 / cases)
    steps = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1.0)
    return next(step for step in steps if step >= min(least, 1.0) - 1e-6)


def _tile(share: Floats, *, z_mm: int, top: float) -> Pictures.Image:
    """One axial slice as radiologists look at it: the patient's left is on the right."""
    template = load_template()
    index = round(float(template.grid.to_voxel((0.0, 0.0, float(z_mm)))[2]))
    grey = template.picture[:, :, index].astype(np.float32) * DIM
    fine = 2 * index  # the 1 mm grid begins at the same voxel
    values = share[:, :, max(0, fine - 1) : fine + 2].max(axis=2)
    base = _turned(np.repeat(grey[..., None], 3, axis=2).astype(np.uint8))
    size = (round(base.width * SCALE), round(base.height * SCALE))
    base = base.resize(size, Pictures.Resampling.BICUBIC)
    paint = _turned(scale_colours(values / np.float32(top))).resize(
        size, Pictures.Resampling.NEAREST
    )
    where = _turned(((values > 0) * np.uint8(235)).astype(np.uint8)).resize(
        size, Pictures.Resampling.NEAREST
    )
    base.paste(paint, (0, 0), where)
    pen = ImageDraw.Draw(base)
    pen.text((6, size[1] - 6), f"z = {z_mm} mm", FAINT, letter_font(15), "ls")
    return base


def _turned(values: npt.NDArray[np.uint8]) -> Pictures.Image:
    """Array axes x (to the right), y (to the front) as a picture: front on top, right at left."""
    return Pictures.fromarray(np.ascontiguousarray(np.swapaxes(values[::-1, ::-1], 0, 1)))


def _foot(pen: ImageDraw.ImageDraw, size: tuple[int, int], *, top: float, cases: int) -> None:
    """The scale with its ends in percent and in cases, and what is shown."""
    width, height = size
    left, bar, y = MARGIN, 360, height - MARGIN - 46
    colours = scale_colours(np.linspace(0, 1, bar, dtype=np.float32))
    for step, colour in enumerate(colours.tolist()):
        pen.line((left + step, y, left + step, y + 16), tuple(colour))
    for place, share in ((0.0, 0.0), (0.5, top / 2), (1.0, top)):
        text = f"{100 * share:.3g} %"
        anchor = {0.0: "la", 0.5: "ma", 1.0: "ra"}[place]
        pen.text((left + place * bar, y + 22), text, INK, letter_font(16), anchor)
    pen.text((left, y - 8), "Share of cases with a lesion here", FAINT, letter_font(16), "ls")
    said = f"{cases} case{'s' if cases != 1 else ''}"
    pen.text((width - MARGIN, y + 8), said, INK, letter_font(26), "rs")
    pen.text(
        (width - MARGIN, y + 18), f"{SPACE}; R and L as seen from the feet", FAINT,
        letter_font(15), "ra",
    )  # fmt: skip
    pen.text((MARGIN + 4, MARGIN + 4), "R", FAINT, letter_font(18), "la")
