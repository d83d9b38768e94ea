"""Where masks and reference differ, on a slice: agreed, missed, false, and the wrong label.

The four colours stay apart in every form of colour blindness, and differ in lightness.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures

from leuko.image.image import Image
from leuko.report.document import Picture
from leuko.report.palette import rgb
from leuko.report.planes import plane_letters, plane_of
from leuko.report.sheet import outline
from leuko.report.slices_marks import Canvas, scale_bar
from leuko.report.slices_png import slice_text
from leuko.report.viewer_scene import Scene, scene
from leuko.report.wording import english

__all__ = ["COLOURS", "LABEL_LEGEND", "LEGEND", "codes_of", "compared_picture", "worst_slice"]

Codes = npt.NDArray[np.uint8]
AGREED, FALSE, MISSED, OTHER_LABEL = 1, 2, 3, 4
COLOURS = {AGREED: "#3fa9e0", FALSE: "#e5532d", MISSED: "#ffd23f", OTHER_LABEL: "#e6a6ff"}
LEGEND = (
    ("in both (true positive)", COLOURS[AGREED]),
    ("predicted only (false positive)", COLOURS[FALSE]),
    ("reference only (missed, false negative)", COLOURS[MISSED]),
)
LABEL_LEGEND = (*LEGEND, ("another label than the reference's", COLOURS[OTHER_LABEL]))
GAP = 8
MOST_COLUMNS = 4
BACK = (255, 255, 255)
CONTENT = 0.12  # of the window: what is darker is no content
MARGIN = 0.06  # of the shown extent, around the content


def codes_of(reference: npt.NDArray[np.integer], prediction: npt.NDArray[np.integer]) -> Codes:
    """1 where both agree, 2 where only the prediction, 3 where only the reference, 4 other label.

    Both are label maps (or masks of 0 and 1) of one shape.
    """
    truth, found = reference != 0, prediction != 0
    codes = np.zeros(reference.shape, np.uint8)
    codes[truth & found] = OTHER_LABEL
    codes[truth & (reference == prediction)] = AGREED
    codes[~truth & found] = FALSE
    codes[truth & ~found] = MISSED
    return codes


def worst_slice(codes: Sequence[Codes], *, axis: int) -> int:
    """The index across `axis` with the most errors over all of `codes`; the fullest without any."""
    others = tuple(other for other in range(3) if other != axis)
    errors = sum(np.count_nonzero(one > AGREED, axis=others) for one in codes)
    if not np.any(errors):
        errors = sum(np.count_nonzero(one, axis=others) for one in codes)
    return int(np.argmax(errors))


def compared_picture(
    image: Image,
    codes: Sequence[Codes],
    *,
    titles: Sequence[str] = (),
    bare: bool,
    name: str,
    width: int = 900,
    chosen: str = "the slice with the most errors",
) -> Picture:
    """The slice with the largest error: the image itself, then each of `codes` over it.

    `image` and all `codes` lie on one grid (file axes). Where `bare`, there is no image worth a
    panel of its own (its voxels are masks). `titles` are written on the panels, `name` is read
    aloud, `chosen` says why it is this slice.
    """
    shown = scene(image)
    turned = [shown.turn.shown(one) for one in codes]
    axis = shown.slice_axis
    index = worst_slice(turned, axis=axis)
    count = len(codes) + (not bare)
    columns = count if count <= MOST_COLUMNS else math.ceil(count / 2)
    panel = (width - GAP * (columns - 1)) // columns
    crop = _content(shown, turned, axis=axis, index=index)
    panels = [] if bare else [_panel(shown, None, axis, index, crop, panel)]
    panels += [_panel(shown, one, axis, index, crop, panel, bare=bare) for one in turned]
    if titles:
        for picture, title in zip(panels[-len(titles) :], titles, strict=True):
            Canvas(picture, size=max(15, panel // 22)).write(title, corner="left top")
    sheet = _sheet(panels, columns=columns)
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=86, subsampling=0)
    place = slice_text(shown, axis=axis, index=index)
    return Picture(
        name="errors",
        caption=f"{place}, {chosen}" if place else "",
        alt=f"Errors of {name}",
        data=stream.getvalue(),
        width=sheet.width,
        height=sheet.height,
    )


def _sheet(panels: Sequence[Pictures.Image], *, columns: int) -> Pictures.Image:
    """Panels of one size in rows of `columns`."""
    width, height = panels[0].size
    rows = math.ceil(len(panels) / columns)
    size = (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP)
    sheet = Pictures.new("RGB", size, BACK)
    for number, picture in enumerate(panels):
        row, column = divmod(number, columns)
        sheet.paste(picture, (column * (width + GAP), row * (height + GAP)))
    return sheet


def _panel(
    shown: Scene,
    codes: Codes | None,
    axis: int,
    index: int,
    crop: tuple[slice, slice],
    width: int,
    *,
    bare: bool = False,
) -> Pictures.Image:
    """One slice, cut to `crop` (rows, columns of the picture)."""
    rows, columns = crop
    across, up = (other for other in range(3) if other != axis)
    pixel = (shown.spacing[across], shown.spacing[up])
    size_mm = ((columns.stop - columns.start) * pixel[0], (rows.stop - rows.start) * pixel[1])
    height = max(1, round(width * size_mm[1] / size_mm[0]))
    values = plane_of(shown.data, axis=axis, index=index)[crop].astype(np.float32)
    low, high = shown.window.low, shown.window.high
    grey = np.clip((values - low) * np.float32(255.0 / max(high - low, 1e-6)), 0, 255)
    if bare:
        grey = np.full_like(grey, 22)
    picture = Pictures.fromarray(grey.astype(np.uint8)).resize(
        (width, height), Pictures.Resampling.BICUBIC
    )
    coloured = picture.convert("RGB")
    if codes is not None:
        plane = np.asarray(plane_of(codes, axis=axis, index=index)[crop], np.uint8)
        coloured = _painted(coloured, plane, opacity=1.0 if bare else 0.55)
    canvas = Canvas(coloured, size=max(12, min(20, width // 24)))
    _side_letters(canvas, shown, axis)
    scale_bar(canvas, pixels_per_unit=width / size_mm[0], sized=shown.grid.sized)
    return coloured


def _painted(picture: Pictures.Image, plane: Codes, *, opacity: float) -> Pictures.Image:
    """The picture with every code filled in its colour, and a thin edge around it."""
    for code, colour in COLOURS.items():
        mask = plane == code
        if not mask.any():
            continue
        level = np.uint8(round(255 * opacity))
        filled = Pictures.fromarray(mask.astype(np.uint8) * level)
        picture.paste(rgb(colour), mask=filled.resize(picture.size, Pictures.Resampling.NEAREST))
        if opacity < 1:
            line, place = outline(mask, size=picture.size, thickness=1.0)
            picture.paste(rgb(colour), place, line)
    return picture


def _content(shown: Scene, codes: Sequence[Codes], *, axis: int, index: int) -> tuple[slice, slice]:
    """Rows and columns of the picture that hold the head (or whatever there is) and all masks."""
    values = plane_of(shown.data, axis=axis, index=index).astype(np.float32)
    low, high = shown.window.low, shown.window.high
    held = values > low + CONTENT * (high - low)
    # A line of voxels counts where it holds more than a little noise.
    rows = np.count_nonzero(held, axis=1) > 0.04 * held.shape[1]
    columns = np.count_nonzero(held, axis=0) > 0.04 * held.shape[0]
    for one in codes:
        plane = plane_of(one, axis=axis, index=index) != 0
        rows |= plane.any(axis=1)
        columns |= plane.any(axis=0)
    return _range(rows), _range(columns)


def _range(held: npt.NDArray[np.bool_]) -> slice:
    where = np.flatnonzero(held)
    if not where.size:
        return slice(0, held.size)
    room = max(2, round(MARGIN * (where[-1] - where[0] + 1)))
    return slice(max(0, int(where[0]) - room), min(held.size, int(where[-1]) + 1 + room))


def _side_letters(canvas: Canvas, shown: Scene, axis: int) -> None:
    if not shown.grid.oriented:
        return
    words = english()
    left, right = (words(f"letter.{name}") for name in plane_letters(axis))
    canvas.write(left, corner="left middle", strong=True)
    canvas.write(right, corner="right middle", strong=True)
