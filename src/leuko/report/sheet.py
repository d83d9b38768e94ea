"""A sheet of dark picture panels: grey slices, lesion outlines, letters."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from leuko.report.palette import SIZE, rgb
from leuko.report.planes import Scan, plane_of

__all__ = ["Panel", "Sheet", "font_for", "letter_font"]

Pixels = npt.NDArray[np.uint8]
CLASSES = ("small", "medium", "large")  # values 1, 2, 3 of Scan.classes
INK = (238, 242, 245)
SHADE = (0, 0, 0)


@cache
def letter_font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's built-in typeface (Aileron, public domain): no font of the machine is needed."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """The typeface for a text: beyond ASCII the one of the PDF (Bitstream Vera), a little smaller.

    Pillow's own knows no letters with accents.
    """
    return letter_font(size) if text.isascii() else _accented_font(round(0.9 * size))


@cache
def _accented_font(size: int) -> ImageFont.FreeTypeFont:
    with resources.as_file(resources.files("reportlab").joinpath("fonts", "Vera.ttf")) as file:
        return ImageFont.truetype(io.BytesIO(file.read_bytes()), size)


@dataclass(frozen=True, slots=True)
class Panel:
    """Where a slice goes: canonical axis, index, place and size in pixels, outlines or not."""

    axis: int
    index: int
    left: int
    top: int
    width: int
    height: int
    outlines: bool
    thickness: float = 2.0  # of an outline, in pixels


@dataclass(slots=True)
class Sheet:
    """Collects panels in grey and outlines, and joins them at the end."""

    width: int
    height: int
    _grey: Pictures.Image = field(init=False)
    _rings: list[tuple[str, Pictures.Image, tuple[int, int]]] = field(
        init=False, default_factory=list
    )
    _letters: list[tuple[float, float, str, str, int]] = field(init=False, default_factory=list)
    _bars: list[tuple[float, float, float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._grey = Pictures.new("L", (self.width, self.height))

    def draw(self, scan: Scan, panel: Panel) -> None:
        """Put a slice of the scan, cropped to the head, into its place."""
        size = (panel.width, panel.height)
        place = (panel.left, panel.top)
        crop = _crop(scan, panel.axis)
        values = plane_of(scan.data, axis=panel.axis, index=panel.index)[crop]
        grey = Pictures.fromarray(_to_grey(values, scan.window.low, scan.window.high))
        self._grey.paste(grey.resize(size, Pictures.Resampling.BICUBIC), place)
        if not panel.outlines:
            return
        sizes = scan.classes[plane_of(scan.labels, axis=panel.axis, index=panel.index)[crop]]
        for value, name in enumerate(CLASSES, start=1):
            mask = sizes == value
            if mask.any():
                line, (left, top) = outline(mask, size=size, thickness=panel.thickness)
                self._rings.append((name, line, (panel.left + left, panel.top + top)))

    def write(self, x: float, y: float, text: str, *, anchor: str, size: int) -> None:
        """Put letters at a point; `anchor` as Pillow has it ('lt': x, y is the left top)."""
        self._letters.append((x, y, text, anchor, size))

    def bar(self, right: float, bottom: float, *, length: float, text: str, size: int) -> None:
        """A scale bar of `length` pixels that ends at a point, its text above it."""
        self._bars.append((right, bottom, length))
        self.write(right - length / 2, bottom - 8, text, anchor="mb", size=size)

    def finish(self) -> Pictures.Image:
        """The sheet in colour."""
        picture = Pictures.merge("RGB", (self._grey,) * 3)
        for name, line, where in sorted(self._rings, key=lambda ring: CLASSES.index(ring[0])):
            picture.paste(rgb(SIZE[name]), where, line)
        pen = ImageDraw.Draw(picture)
        for right, bottom, length in self._bars:
            ends = [(right - length, bottom - 6), (right - length, bottom), (right, bottom),
                    (right, bottom - 6)]  # fmt: skip
            pen.line(ends, SHADE, 5)
            pen.line(ends, INK, 2)
        for x, y, text, anchor, size in self._letters:
            pen.text(
                (x, y), text, INK, font_for(text, size), anchor, stroke_width=2, stroke_fill=SHADE
            )
        return picture

    def jpeg(self) -> bytes:
        """The sheet as JPEG, colours not subsampled so that thin outlines stay crisp."""
        stream = io.BytesIO()
        self.finish().save(stream, "JPEG", quality=88, subsampling=0)
        return stream.getvalue()


def outline(
    mask: npt.NDArray[np.bool_], *, size: tuple[int, int], thickness: float
) -> tuple[Pictures.Image, tuple[int, int]]:
    """A smooth line of `thickness` pixels just outside the mask, and where in `size` it goes.

    Drawn at twice the size, and only around what the mask holds.
    """
    scale = (size[0] / mask.shape[1], size[1] / mask.shape[0])
    left, right = _range(np.any(mask, axis=0), scale[0], size[0], thickness)
    top, bottom = _range(np.any(mask, axis=1), scale[1], size[1], thickness)
    source = (left / scale[0], top / scale[1], right / scale[0], bottom / scale[1])
    double = (2 * (right - left), 2 * (bottom - top))
    whole = Pictures.fromarray(mask.astype(np.uint8) * np.uint8(255))
    larger = whole.resize(double, Pictures.Resampling.BILINEAR, box=source)
    inside = np.asarray(larger) >= 128
    ring = _grown(inside, max(1, round(2 * thickness))) & ~inside
    return Pictures.fromarray(ring.astype(np.uint8) * np.uint8(255)).reduce(2), (left, top)


def _range(
    held: npt.NDArray[np.bool_], scale: float, length: int, thickness: float
) -> tuple[int, int]:
    """Pixels from the first to the last voxel held, with room for the line around them."""
    where = np.flatnonzero(held)
    room = 2 * thickness + scale
    first, last = where[0] * scale - room, (where[-1] + 1) * scale + room
    return max(0, int(first)), min(length, int(last) + 1)


def _grown(mask: npt.NDArray[np.bool_], radius: int) -> npt.NDArray[np.bool_]:
    """The mask dilated by an octagon, by turns of a cross and a square."""
    grown = mask.copy()
    for turn in range(radius):
        before = grown.copy() if turn % 2 == 0 else grown
        wide = before.copy()
        wide[:, 1:] |= before[:, :-1]
        wide[:, :-1] |= before[:, 1:]
        base = before if turn % 2 == 0 else wide
        grown = wide.copy()
        grown[1:] |= base[:-1]
        grown[:-1] |= base[1:]
    return grown


def _crop(scan: Scan, axis: int) -> tuple[slice, slice]:
    """Rows and columns of the head in a picture across `axis`."""
    across, up = (other for other in range(3) if other != axis)
    return (_reversed(scan, up), _reversed(scan, across))


def _reversed(scan: Scan, axis: int) -> slice:
    first, last = scan.box[axis]
    length = scan.data.shape[axis]
    return slice(length - 1 - last, length - first)


def _to_grey(values: npt.NDArray[np.generic], low: float, high: float) -> Pixels:
    scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
    grey: Pixels = np.clip(scaled, 0, 255).astype(np.uint8)
    return grey
