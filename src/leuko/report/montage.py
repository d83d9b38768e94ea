"""A montage: slices of a scene at even distances, on one sheet."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image as Pictures

from leuko.report.slices_marks import Canvas, legend_lines
from leuko.report.slices_png import BACK, GAP, MARGIN, Style, tile
from leuko.report.viewer_scene import Scene

__all__ = ["montage", "spread"]

BRIGHT = 0.15  # of the window: what is darker shows nothing
EMPTY = 0.06  # of the fullest slice's content: below, the ends of a scan are left out


def montage(shown: Scene, *, count: int, axis: int | None = None, volume: int = 0,
            style: Style | None = None) -> Pictures.Image:  # fmt: skip
    """`count` slices across `axis` (the slices' own by default), from the bottom up."""
    chosen = style or Style(width=1600)
    along = shown.slice_axis if axis is None else axis
    indices = spread(shown, axis=along, count=count, volume=volume)
    across, up = (other for other in range(3) if other != along)
    tall = (shown.shape[up] * shown.spacing[up]) / (shown.shape[across] * shown.spacing[across])
    columns = _columns(len(indices), tall)
    width = (chosen.width - 2 * MARGIN - (columns - 1) * GAP) // columns
    tiles = [
        tile(shown, axis=along, index=index, width=width, volume=volume, fill=chosen.fill)
        for index in indices
    ]
    rows = math.ceil(len(tiles) / columns)
    lines = legend_lines(shown, slices=[(along, index) for index in indices], volume=volume)
    inner = columns * width + (columns - 1) * GAP
    foot = Canvas(Pictures.new("RGB", (1, 1)), size=18).flow_height(lines, width=inner)
    high = rows * tiles[0].height + (rows - 1) * GAP
    sheet = Pictures.new("RGB", (inner + 2 * MARGIN, high + foot + 3 * MARGIN), BACK)
    for number, picture in enumerate(tiles):
        row, column = divmod(number, columns)
        place = (MARGIN + column * (width + GAP), MARGIN + row * (tiles[0].height + GAP))
        sheet.paste(picture, place)
    Canvas(sheet, size=18).flow(lines, left=MARGIN, top=high + 2 * MARGIN, width=inner)
    return sheet


def spread(shown: Scene, *, axis: int, count: int, volume: int = 0) -> list[int]:
    """Up to `count` different indices across `axis`, evenly over what is worth a picture.

    With overlays these are the slices that they reach, and one more at either end; without, the
    slices that show something.
    """
    others = tuple(other for other in range(3) if other != axis)
    covered = np.zeros(shown.shape[axis], bool)
    for layer in shown.layers:
        covered |= layer.covered().any(axis=others)
    if covered.any():
        held = np.flatnonzero(covered)
        first, last = max(int(held[0]) - 1, 0), min(int(held[-1]) + 1, covered.size - 1)
    else:
        first, last = _content(shown, axis=axis, volume=volume)
    places = np.linspace(first, last, min(count, last - first + 1))
    return [round(float(place)) for place in places]


def _content(shown: Scene, *, axis: int, volume: int) -> tuple[int, int]:
    """First and last slice that hold more than a little of what the window shows."""
    data = shown.data[..., volume] if shown.data.ndim == 4 else shown.data
    steps = [max(1, n // 64) for n in data.shape]
    steps[axis] = 1
    coarse = np.asarray(data[tuple(slice(None, None, step) for step in steps)], np.float32)
    low, high = shown.window.low, shown.window.high
    others = tuple(other for other in range(3) if other != axis)
    held = np.count_nonzero(coarse > low + BRIGHT * (high - low), others)
    full = np.flatnonzero(held > EMPTY * held.max(initial=0))
    return (int(full[0]), int(full[-1])) if full.size else (0, data.shape[axis] - 1)


def _columns(count: int, tall: float) -> int:
    """Columns that make a sheet of about 4:3, with few places left empty."""
    wished = max(1.0, math.sqrt(count * tall * 4 / 3))
    near = [c for c in (math.floor(wished), math.ceil(wished)) if c]
    return min(count, min(near, key=lambda c: (-count % c, abs(c - wished))))
