"""The pictures of a report: the most affected slice, the other planes, an overview."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from leuko.image.grid import Grid
from leuko.report.document import Picture
from leuko.report.planes import Scan, plane_letters
from leuko.report.sheet import Panel, Sheet
from leuko.report.summary import place
from leuko.report.wording import Wording

__all__ = ["figures", "shown_slice", "slice_label"]

WIDTH = 1400  # pixels: about 200 dots an inch over a page of A4
GAP = 12
COLUMNS = (6, 5, 7)  # of the overview: those that leave the fewest places empty, in this order
LARGEST_OVERVIEW = 24
ISOTROPIC_BELOW = 2.5  # mm: thicker slices make no useful picture across them
TALLEST = 1.35  # of a key panel's width


def figures(
    scan: Scan, *, grid: Grid, slice_axis: int, peak: int | None, words: Wording
) -> tuple[Picture, ...]:
    """All pictures; `slice_axis` and `peak` (most affected slice, or None) are canonical."""
    index = shown_slice(scan, axis=slice_axis, peak=peak)
    pictures = [_key(scan, grid, slice_axis, index, words)]
    if scan.spacing[slice_axis] <= ISOTROPIC_BELOW:
        pictures.append(_planes(scan, grid, slice_axis, words))
    pictures.append(_overview(scan, grid, slice_axis, index, words))
    return tuple(pictures)


def shown_slice(scan: Scan, *, axis: int, peak: int | None) -> int:
    """The most affected slice, or one through the ventricles' height without lesions."""
    if peak is not None:
        return peak
    first, last = scan.box[axis]
    return round(first + (0.58 if axis == 2 else 0.5) * (last - first))


def slice_label(grid: Grid, *, axis: int, index: int, words: Wording) -> str:
    """'S 42.0 mm' of a slice's centre across canonical `axis`; its index without orientation."""
    if not grid.oriented:
        return words("place.index", index=index)
    canonical = grid.canonical()
    centre = [(length - 1) / 2 for length in canonical.shape]
    centre[axis] = float(index)
    return place(axis, float(canonical.to_world(centre)[axis]), words)


def _extent(scan: Scan, axis: int) -> tuple[float, float]:
    """Width and height in mm of the head in a picture across `axis`."""
    across, up = (other for other in range(3) if other != axis)
    width, height = (
        (scan.box[other][1] - scan.box[other][0] + 1) * scan.spacing[other]
        for other in (across, up)
    )
    return width, height


def _letters(sheet: Sheet, scan: Scan, panel: Panel, words: Wording, *, size: int) -> None:
    """Left and right (front and back in sagittal pictures) in the upper corners of a panel."""
    if not scan.oriented:
        return
    left, right = (words(f"letter.{name}") for name in plane_letters(panel.axis))
    edge = size * 0.5
    sheet.write(panel.left + edge, panel.top + edge, left, anchor="lt", size=size)
    corner = panel.left + panel.width - edge
    sheet.write(corner, panel.top + edge, right, anchor="rt", size=size)


def _key(scan: Scan, grid: Grid, axis: int, index: int, words: Wording) -> Picture:
    across, up = _extent(scan, axis)
    width = (WIDTH - GAP) // 2
    height = round(width * up / across)
    if height > TALLEST * width:
        height = round(TALLEST * width)
    fitted = round(min(width, height * across / up))
    sheet = Sheet(2 * fitted + GAP, height)
    label = slice_label(grid, axis=axis, index=index, words=words)
    for column, outlines in enumerate((False, True)):
        left = column * (fitted + GAP)
        panel = Panel(axis, index, left, 0, fitted, height, outlines, thickness=2.2)
        sheet.draw(scan, panel)
        _letters(sheet, scan, panel, words, size=30)
        sheet.write(left + 14, height - 14, label, anchor="ls", size=24)
    caption = words("picture.key.none" if scan.empty else "picture.key")
    return _picture(
        "key",
        sheet,
        caption=caption if scan.oriented else f"{caption} {words('picture.unoriented')}",
        alt=words("picture.key.alt", place=label),
    )


def _planes(scan: Scan, grid: Grid, slice_axis: int, words: Wording) -> Picture:
    axes = [axis for axis in (1, 0, 2) if axis != slice_axis]
    extents = [_extent(scan, axis) for axis in axes]
    height = round((WIDTH - GAP) / sum(width / up for width, up in extents))
    sheet = Sheet(WIDTH, height)
    left = 0
    for axis, (across, up) in zip(axes, extents, strict=True):
        last = axis == axes[-1]
        width = WIDTH - left if last else round(height * across / up)
        index = _richest(scan, axis)
        panel = Panel(axis, index, left, 0, width, height, outlines=True, thickness=2.0)
        sheet.draw(scan, panel)
        _letters(sheet, scan, panel, words, size=28)
        label = slice_label(grid, axis=axis, index=index, words=words)
        sheet.write(left + 14, height - 14, label, anchor="ls", size=22)
        left += width + GAP
    return _picture(
        "planes",
        sheet,
        caption=words("picture.planes.none" if scan.empty else "picture.planes"),
        alt=words("picture.planes.alt"),
    )


def _richest(scan: Scan, axis: int) -> int:
    """The slice across `axis` with most lesion voxels; the middle of the head without any."""
    others = tuple(other for other in range(3) if other != axis)
    if scan.empty:
        first, last = scan.box[axis]
        return round(0.4 * first + 0.6 * last) if axis == 0 else (first + last) // 2
    return int(np.count_nonzero(scan.labels, axis=others).argmax())


def _overview(scan: Scan, grid: Grid, axis: int, index: int, words: Wording) -> Picture:
    chosen = _chosen(scan, axis=axis, index=index)
    across, up = _extent(scan, axis)
    columns = min(COLUMNS, key=lambda number: -len(chosen) % number)
    width = (WIDTH - (columns - 1) * 4) // columns
    height = round(width * up / across)
    rows = math.ceil(len(chosen) / columns)
    sheet = Sheet(columns * width + (columns - 1) * 4, rows * height + (rows - 1) * 4)
    for number, shown in enumerate(chosen):
        row, column = divmod(number, columns)
        panel = Panel(
            axis, shown, column * (width + 4), row * (height + 4), width, height, True, 1.3
        )
        sheet.draw(scan, panel)
        _letters(sheet, scan, panel, words, size=17)
        label = slice_label(grid, axis=axis, index=shown, words=words)
        sheet.write(panel.left + 7, panel.top + height - 7, label, anchor="ls", size=16)
    step = (chosen[1] - chosen[0]) if len(chosen) > 1 else 1
    caption = words(
        "picture.overview.none" if scan.empty else "picture.overview",
        count=len(chosen),
        total=scan.data.shape[axis],
        step=words.numerals.general(step * scan.spacing[axis], 3),
    )
    return _picture("overview", sheet, caption=caption, alt=words("picture.overview.alt"))


def _chosen(scan: Scan, *, axis: int, index: int) -> Sequence[int]:
    """Evenly spaced slices of the head, `index` among them, from the low end upwards."""
    first, last = scan.ends[axis]
    first, last = min(first, index), max(last, index)
    step = math.ceil((last - first + 1) / LARGEST_OVERVIEW)
    return range(first + (index - first) % step, last + 1, step)


def _picture(name: str, sheet: Sheet, *, caption: str, alt: str) -> Picture:
    return Picture(name, caption, alt, sheet.jpeg(), sheet.width, sheet.height)
