"""The largest lesions, each in a close-up: the scan alone, and beside it with outlines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from leuko.image.grid import Grid
from leuko.quantify.lesions import Lesion, LesionTable, Side
from leuko.report.document import Picture
from leuko.report.figures import slice_label
from leuko.report.planes import Scan, plane_letters
from leuko.report.sheet import Panel, Sheet
from leuko.report.wording import Wording

__all__ = ["largest_lesions"]

COUNT, COLUMNS = 6, 2
WIDTH, GAP, BETWEEN = 1400, 6, 20
HEAD = 40  # pixels above a pair, for its title
FIELD, AROUND = 62.0, 14.0  # mm: least width of a close-up; free room around a lesion
LENGTHS = (50, 20, 10, 5)  # mm of a scale bar


def largest_lesions(
    scan: Scan, *, table: LesionTable, grid: Grid, slice_axis: int, words: Wording
) -> Picture | None:
    """A pair of close-ups for each of the largest lesions, in the slice that holds most of it.

    `slice_axis` is canonical; None where there is no lesion, or where `scan` does not tell
    lesions apart.
    """
    shown = list(_shown(scan, table, slice_axis))
    if not shown:
        return None
    columns = min(COLUMNS, len(shown))
    side = (WIDTH - (COLUMNS - 1) * BETWEEN - COLUMNS * GAP) // (2 * COLUMNS)
    pair = 2 * side + GAP
    rows = math.ceil(len(shown) / columns)
    sheet = Sheet(columns * pair + (columns - 1) * BETWEEN, rows * (HEAD + side) + (rows - 1) * GAP)
    for number, (lesion, index, centre, extent) in enumerate(shown):
        row, column = divmod(number, columns)
        left, top = column * (pair + BETWEEN), row * (HEAD + side + GAP)
        field = max(FIELD, extent + 2 * AROUND)
        near = replace(scan, box=_box(scan, slice_axis, centre, field))
        width_mm, height_mm = _lengths(near, slice_axis)
        scale = side / max(width_mm, height_mm)
        size = (round(width_mm * scale), round(height_mm * scale))
        place = slice_label(grid, axis=slice_axis, index=index, words=words)
        sheet.write(left + 4, top + HEAD / 2, _title(lesion, place, words), anchor="lm", size=19)
        for half, outlines in enumerate((False, True)):
            start = left + half * (side + GAP) + (side - size[0]) // 2
            above = top + HEAD + (side - size[1]) // 2
            panel = Panel(slice_axis, index, start, above, *size, outlines, thickness=2.0)
            sheet.draw(near, panel)
            _marks(sheet, scan, panel, scale, words)
    return Picture(
        "largest",
        words("picture.largest.one" if len(shown) == 1 else "picture.largest", count=len(shown)),
        words("picture.largest.alt"),
        sheet.jpeg(),
        sheet.width,
        sheet.height,
    )


def _shown(
    scan: Scan, table: LesionTable, axis: int
) -> Iterator[tuple[Lesion, int, tuple[float, float], float]]:
    """Lesion, its fullest slice, its middle there (indices) and its extent there in mm."""
    if scan.labels.dtype.itemsize == 1:  # a mask: lesions are not told apart
        return
    across, up = (other for other in range(3) if other != axis)
    boxes = _boxes(scan.labels, [lesion.label for lesion in table[:COUNT]])
    for lesion in table[:COUNT]:
        box = boxes.get(lesion.label)
        if box is None:
            continue
        inside = scan.labels[box] == lesion.label
        fullest = int(np.count_nonzero(inside, axis=(across, up)).argmax())
        plane = inside.take(fullest, axis=axis)
        index = box[axis].start + fullest
        middles, extents = [], []
        for held, other in ((plane.any(axis=1), across), (plane.any(axis=0), up)):
            first, *_, last = (*np.flatnonzero(held)[[0, -1]],)
            middles.append(float(box[other].start + (first + last) / 2))
            extents.append(float((last - first + 1) * scan.spacing[other]))
        yield lesion, index, (middles[0], middles[1]), max(extents)


def _boxes(
    labels: npt.NDArray[np.integer], wanted: list[int]
) -> dict[int, tuple[slice, slice, slice]]:
    """Where the labels lie, as slices along the three axes."""
    places = np.nonzero((labels > 0) & (labels <= max(wanted, default=0)))
    values = labels[places]
    boxes = {}
    for label in wanted:
        chosen = values == label
        if chosen.any():
            held = [axis[chosen] for axis in places]
            first, second, third = (slice(int(a.min()), int(a.max()) + 1) for a in held)
            boxes[label] = (first, second, third)
    return boxes


def _box(
    scan: Scan, axis: int, centre: tuple[float, float], field: float
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """First and last index along each axis of a square of `field` mm, kept inside the scan."""
    box = list(scan.box)
    for other, middle in zip((a for a in range(3) if a != axis), centre, strict=True):
        length = scan.data.shape[other]
        count = min(length, max(2, round(field / scan.spacing[other])))
        first = min(max(round(middle - (count - 1) / 2), 0), length - count)
        box[other] = (first, first + count - 1)
    return (box[0], box[1], box[2])


def _lengths(scan: Scan, axis: int) -> tuple[float, float]:
    across, up = (other for other in range(3) if other != axis)
    width, height = (
        (scan.box[other][1] - scan.box[other][0] + 1) * scan.spacing[other]
        for other in (across, up)
    )
    return width, height


def _title(lesion: Lesion, place: str, words: Wording) -> str:
    region = words.known(f"region.{lesion.region}", lesion.region)
    side = "" if lesion.side is Side.UNKNOWN else words(f"side.{lesion.side}")
    where = " ".join(part for part in (region, side) if part not in ("", "–"))
    volume = words.numerals.short_millilitres(lesion.volume_mm3 / 1000)
    parts = (words("picture.largest.title", label=lesion.label, volume=volume), where, place)
    return "  ·  ".join(part for part in parts if part)


def _marks(sheet: Sheet, scan: Scan, panel: Panel, scale: float, words: Wording) -> None:
    """The sides in the upper corners, and a scale bar."""
    if scan.oriented:
        left, right = (words(f"letter.{name}") for name in plane_letters(panel.axis))
        sheet.write(panel.left + 9, panel.top + 8, left, anchor="lt", size=20)
        corner = panel.left + panel.width - 9
        sheet.write(corner, panel.top + 8, right, anchor="rt", size=20)
    length = next((mm for mm in LENGTHS if mm * scale <= 0.34 * panel.width), 5)
    sheet.bar(
        panel.left + panel.width - 12,
        panel.top + panel.height - 12,
        length=length * scale,
        text=f"{length} {words('unit.mm')}",
        size=16,
    )
