"""Two scans in one picture: squares of each by turns, before and after, and edges on top."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw
from scipy import ndimage

from leuko.image.grid import require_same_grid
from leuko.image.image import Image, to_canonical
from leuko.report.palette import SIZE, rgb
from leuko.report.planes import plane_letters, plane_of
from leuko.report.sheet import INK, SHADE, letter_font

__all__ = ["checkerboard"]

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

COLUMN, LARGEST_ROW = 380, 420  # pixels
GAP, TOP = 8, 34
SQUARES = 7  # along the longer side of a panel
TINT = (np.array((255, 255, 255)), np.array((255, 214, 150)))  # fixed grey, moving warm
EDGE_SHARE = 0.88  # quantile of edge strength that is drawn
NEAR_EDGES, FAINT = 14.0, 0.006  # pixels; a share of white a pixel
HEAD = 0.10
PLANES = (2, 1, 0)  # axial, coronal, sagittal
TITLES = ("before (moving scan tinted)", "after", "edges of the moved scan on the fixed one")


def checkerboard(fixed: Image, before: Image, after: Image) -> bytes:
    """A PNG: fixed and moving scan in alternating squares, before and after, and the moved edges.

    All three lie on the fixed grid; `before` is the moving scan by its own coordinates alone.
    Axial, coronal and sagittal slices through the middle of the head in radiological convention
    (a single slice alone where there is one), the moving scan's squares tinted.
    """
    for name, image in (("before", before), ("after", after)):
        require_same_grid(fixed.grid, image.grid, what="The fixed scan", other_what=name)
    scans = [_grey(to_canonical(image.data, image.grid)) for image in (fixed, before, after)]
    shape = scans[0].shape
    spacing = fixed.grid.canonical().spacing
    box = _head(scans[0])
    flat = [axis for axis in range(3) if shape[axis] == 1]
    rows = [
        _Row.of(scans, axis=axis, box=box, spacing=spacing)
        for axis in ((flat[0],) if flat else PLANES)
    ]
    width = 3 * COLUMN + 4 * GAP
    height = TOP + sum(row.height + GAP for row in rows)
    sheet = Pictures.new("RGB", (width, height))
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(TITLES):
        middle = GAP + column * (COLUMN + GAP) + COLUMN / 2
        pen.text((middle, TOP / 2), title, INK, letter_font(16), "mm")
    top = TOP
    for row in rows:
        for column, panel in enumerate(row.panels):
            left = GAP + column * (COLUMN + GAP)
            sheet.paste(panel, (left + (COLUMN - panel.width) // 2, top))
            if fixed.grid.oriented:
                letter = plane_letters(row.axis)[0][0].upper()
                pen.text(
                    (left + 6, top + row.height / 2),
                    letter,
                    INK,
                    letter_font(15),
                    "lm",
                    stroke_width=2,
                    stroke_fill=SHADE,
                )
        top += row.height + GAP
    stream = io.BytesIO()
    sheet.save(stream, "PNG", optimize=False, compress_level=4)
    return stream.getvalue()


@dataclass(frozen=True, slots=True)
class _Row:
    """One plane: before, after, edges."""

    axis: int
    height: int
    panels: tuple[Pictures.Image, ...]

    @classmethod
    def of(
        cls,
        scans: list[Floats],
        *,
        axis: int,
        box: list[tuple[int, int]],
        spacing: tuple[float, float, float],
    ) -> _Row:
        index = (box[axis][0] + box[axis][1]) // 2
        across, up = (other for other in range(3) if other != axis)
        mm = [(box[a][1] - box[a][0] + 1) * spacing[a] for a in (across, up)]
        scale = min(COLUMN / mm[0], LARGEST_ROW / mm[1])
        size = (max(1, round(mm[0] * scale)), max(1, round(mm[1] * scale)))
        fixed, before, after = (_panel(scan, axis, index, box, size) for scan in scans)
        panels = (_mixed(fixed, before), _mixed(fixed, after), _outlined(fixed, after))
        return cls(axis, size[1], panels)


def _grey(data: npt.NDArray[np.generic]) -> Floats:
    """Values as 0..1 between what is dark and what is bright."""
    values = data.astype(np.float32)
    some = values[tuple(slice(None, None, 3 if n > 40 else 1) for n in values.shape)]
    low, high = (float(v) for v in np.percentile(some, (0.5, 99.6)))
    grey: Floats = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    return grey


def _head(values: Floats) -> list[tuple[int, int]]:
    """First and last index of the head along each axis, with a little room."""
    mask = values > HEAD
    box = []
    for axis, length in enumerate(values.shape):
        held = mask.sum(axis=tuple(other for other in range(3) if other != axis))
        full = np.flatnonzero(held > 0.02 * max(int(held.max()), 1))
        room = max(1, length // 40) if length > 1 else 0
        first, last = (int(full[0]), int(full[-1])) if full.size else (0, length - 1)
        box.append((max(first - room, 0), min(last + room, length - 1)))
    return box


def _panel(
    values: Floats, axis: int, index: int, box: list[tuple[int, int]], size: tuple[int, int]
) -> Floats:
    """A slice, cropped to the head, at the size of its panel."""
    cut = values[
        tuple(
            slice(None) if other == axis else slice(first, last + 1)
            for other, (first, last) in enumerate(box)
        )
    ]
    plane = np.ascontiguousarray(plane_of(cut, axis=axis, index=index), dtype=np.float32)
    larger = Pictures.fromarray(plane).resize(size, Pictures.Resampling.BICUBIC)
    return np.clip(np.asarray(larger, dtype=np.float32), 0, 1)


def _mixed(fixed: Floats, moving: Floats) -> Pictures.Image:
    """Squares of both by turns, each brought to the same middle brightness."""
    side = max(fixed.shape) / SQUARES
    rows, columns = np.indices(fixed.shape)
    own = ((rows // side + columns // side) % 2 == 0)[..., None]
    both = [
        (scan ** _gamma(scan))[..., None] * tint
        for scan, tint in zip((fixed, moving), TINT, strict=True)
    ]
    return Pictures.fromarray(np.where(own, both[0], both[1]).astype(np.uint8))


def _gamma(values: Floats) -> float:
    """The power that brings the head's median to a middle grey."""
    head = values[values > HEAD]
    middle = float(np.median(head)) if head.size else 0.5
    return float(np.clip(np.log(0.5) / np.log(np.clip(middle, 0.05, 0.95)), 0.6, 1.8))


def _outlined(fixed: Floats, moved: Floats) -> Pictures.Image:
    """The fixed slice in grey with the moved one's edges as thin lines."""
    smooth = ndimage.gaussian_filter(moved, 2.0)
    slopes = np.gradient(smooth)
    strength = np.hypot(slopes[0], slopes[1])
    # Weighed against its surroundings, or a bright scalp would leave no edge in the brain.
    around = ndimage.gaussian_filter(strength, NEAR_EDGES)
    clear = strength / (around + FAINT)
    # Along its steepest direction an edge is where the second derivative changes sign.
    bend = sum(
        slopes[a] * slopes[b] * np.gradient(slopes[a], axis=b) for a in range(2) for b in range(2)
    )
    sign = np.asarray(bend) > 0
    crossing = sign != ndimage.binary_erosion(sign)
    drawn = crossing & (clear > max(float(np.quantile(clear, EDGE_SHARE)), 0.5))
    grey = ((fixed ** _gamma(fixed))[..., None] * TINT[0]).astype(np.uint8)
    grey[drawn] = rgb(SIZE["medium"])
    return Pictures.fromarray(grey)
