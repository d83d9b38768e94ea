"""Slices of a scene as pictures, without a browser: one plane, or three through a point.

True proportions for every voxel size, letters for the sides, a scale bar, outlines or filled areas
of the overlays. Axes are shown axes (right, front, up); pixels count from the left top.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw

from leuko.report.figures import slice_label
from leuko.report.palette import rgb
from leuko.report.planes import plane_letters, plane_of
from leuko.report.sheet import outline
from leuko.report.slices_marks import Canvas, Line, legend_lines, scale_bar
from leuko.report.viewer_layers import HEAT, Layer
from leuko.report.viewer_scene import Scene
from leuko.report.wording import english

__all__ = ["Style", "one_slice", "png", "slice_text", "three_planes", "tile"]

GAP, MARGIN = 6, 14
BACK = (10, 12, 15)
FILLED, MAPPED = 0.45, 0.65  # opacity
NAMES = ("Sagittal", "Coronal", "Axial")


@dataclass(frozen=True, slots=True)
class Style:
    """How overlays look: filled areas or outlines, and how wide a picture may be in pixels."""

    fill: bool = False
    width: int = 1400


def tile(shown: Scene, *, axis: int, index: int, width: int, volume: int = 0, fill: bool = False,
         text: bool = True) -> Pictures.Image:  # fmt: skip
    """The slice at `index` across shown `axis`, `width` pixels wide, with overlays and marks."""
    across, up = (other for other in range(3) if other != axis)
    lengths = [n * s for n, s in zip(shown.shape, shown.spacing, strict=True)]
    size = (width, max(1, round(width * lengths[up] / lengths[across])))
    picture = _grey(shown, axis, index, volume, size)
    for layer in shown.layers:
        picture = _covered(picture, layer, _plane(shown, layer.values, axis, index), fill=fill)
    canvas = Canvas(picture, size=max(13, min(22, round(width / 26))))
    _letters(canvas, shown, axis)
    if text:
        canvas.write(f"{slice_text(shown, axis=axis, index=index)}", corner="left bottom")
        scale_bar(canvas, pixels_per_unit=width / lengths[across], sized=shown.grid.sized)
    return picture


def one_slice(shown: Scene, *, axis: int, index: int, volume: int = 0,
              style: Style | None = None) -> Pictures.Image:  # fmt: skip
    """One slice, as large as `style` allows, above the legend."""
    chosen = style or Style(width=1000)
    across, up = (other for other in range(3) if other != axis)
    tall = (shown.shape[up] * shown.spacing[up]) / (shown.shape[across] * shown.spacing[across])
    width = round(min(chosen.width, 1.2 * chosen.width / tall))
    drawn = tile(shown, axis=axis, index=index, width=width, volume=volume, fill=chosen.fill)
    return _with_foot(drawn, legend_lines(shown, slices=[(axis, index)], volume=volume))


def three_planes(shown: Scene, *, at: tuple[int, int, int] | None = None, volume: int = 0,
                 style: Style | None = None) -> Pictures.Image:  # fmt: skip
    """Axial, coronal and sagittal slices through a voxel, at one scale, with the legend."""
    chosen = style or Style()
    point = at or shown.start
    x, y = (shown.shape[axis] * shown.spacing[axis] for axis in (0, 1))
    scale = (chosen.width - 2 * MARGIN - GAP) / (x + y)
    left, right = max(1, round(x * scale)), max(1, round(y * scale))
    planes = {
        axis: tile(shown, axis=axis, index=point[axis], width=right if axis == 0 else left,
                   volume=volume, fill=chosen.fill)
        for axis in range(3)
    }  # fmt: skip
    for axis, picture in planes.items():
        _cross(picture, shown, axis, point)
    top, low = planes[2].height, planes[1].height
    lines = legend_lines(shown, slices=enumerate(point), volume=volume, point=point)
    size = (2 * MARGIN + left + GAP + right, 2 * MARGIN + top + GAP + low)
    sheet = Pictures.new("RGB", size, BACK)
    sheet.paste(planes[2], (MARGIN, MARGIN))
    sheet.paste(planes[1], (MARGIN, MARGIN + top + GAP))
    sheet.paste(planes[0], (MARGIN + left + GAP, MARGIN + top + GAP))
    room = (MARGIN + left + GAP + 18, MARGIN + 12, right - 30, top - 24)
    Canvas(sheet, size=20).legend(lines, room=room)
    return sheet


def slice_text(shown: Scene, *, axis: int, index: int) -> str:
    """'Axial 23, S 12.0 mm' with the file's own index; only what is known of the slice."""
    if shown.flat_axis is not None and not shown.grid.oriented:
        return ""
    own = shown.turn.axes[axis]
    number = shown.grid.shape[own] - 1 - index if shown.turn.flipped[axis] else index
    if not shown.grid.oriented:
        return f"Slice {number} of axis {own + 1}"
    place = slice_label(shown.grid, axis=axis, index=index, words=english())
    return f"{NAMES[axis]} {number}, {place}"


def png(picture: Pictures.Image) -> bytes:
    """The picture as a PNG file."""
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=4)
    return stream.getvalue()


# ---------------------------------------------------------------- pixels


def _plane(
    shown: Scene, volume: npt.NDArray[np.generic], axis: int, index: int
) -> npt.NDArray[Any]:
    """The slice as rows and columns of a picture, in the scene's convention."""
    values = plane_of(volume, axis=axis, index=index)
    return values[:, ::-1] if shown.neurological and axis != 0 else values


def _grey(
    shown: Scene, axis: int, index: int, volume: int, size: tuple[int, int]
) -> Pictures.Image:
    data = shown.data[..., volume] if shown.data.ndim == 4 else shown.data
    values = _plane(shown, data, axis, index).astype(np.float32)
    low, high = shown.window.low, shown.window.high
    grey = np.clip((values - low) * np.float32(255.0 / (high - low)), 0, 255).astype(np.uint8)
    smooth = Pictures.fromarray(np.ascontiguousarray(grey)).resize(
        size, Pictures.Resampling.BICUBIC
    )
    return smooth.convert("RGB")


def _covered(picture: Pictures.Image, layer: Layer, plane: npt.NDArray[Any], *,
             fill: bool) -> Pictures.Image:  # fmt: skip
    """The picture with one layer over it."""
    if layer.is_map:
        return _heated(picture, layer, plane)
    thickness = max(1.0, picture.width / 550)
    for ordinal, label in enumerate(layer.labels, start=1):
        mask = np.asarray(plane == ordinal)
        if not mask.any():
            continue
        colour = rgb(label.colour)
        if fill:
            shape = Pictures.fromarray(mask.astype(np.uint8) * np.uint8(round(255 * FILLED)))
            picture.paste(colour, mask=shape.resize(picture.size, Pictures.Resampling.NEAREST))
        else:
            line, place = outline(mask, size=picture.size, thickness=thickness)
            picture.paste(colour, place, line)
    return picture


def _heated(picture: Pictures.Image, layer: Layer, plane: npt.NDArray[Any]) -> Pictures.Image:
    low, high = layer.limits
    share = np.clip((plane.astype(np.float32) - low) / (high - low), 0, 1)
    stops = np.array([stop for stop, _ in HEAT])
    colours = np.array([rgb(colour) for _, colour in HEAT], dtype=np.float64)
    painted = np.stack([np.interp(share, stops, colours[:, k]) for k in range(3)], axis=-1)
    heat = Pictures.fromarray(painted.astype(np.uint8)).resize(picture.size)
    seen = np.where((plane >= low) & (plane != 0), np.uint8(round(255 * MAPPED)), np.uint8(0))
    picture.paste(heat, mask=Pictures.fromarray(seen).resize(picture.size))
    return picture


# ---------------------------------------------------------------- marks


def _letters(canvas: Canvas, shown: Scene, axis: int) -> None:
    if not shown.grid.oriented:
        return
    words = english()
    left, right = (words(f"letter.{name}") for name in plane_letters(axis))
    if shown.neurological and axis != 0:
        left, right = right, left
    canvas.write(left, corner="left middle", strong=True)
    canvas.write(right, corner="right middle", strong=True)
    top = "anterior" if axis == 2 else "superior"
    canvas.write(words(f"letter.{top}"), corner="centre top", strong=True)


def _cross(picture: Pictures.Image, shown: Scene, axis: int, point: tuple[int, int, int]) -> None:
    """Thin lines where the other two planes cut, open around the point."""
    across, up = (other for other in range(3) if other != axis)
    x = 1 - (point[across] + 0.5) / shown.shape[across]
    if shown.neurological and axis != 0:
        x = 1 - x
    y = 1 - (point[up] + 0.5) / shown.shape[up]
    at = (x * picture.width, y * picture.height)
    free = 0.04 * picture.width
    pen = ImageDraw.Draw(picture, "RGBA")
    line = (88, 180, 229, 110)
    for start, end in ((0, at[0] - free), (at[0] + free, picture.width)):
        pen.line((start, at[1], end, at[1]), fill=line)
    for start, end in ((0, at[1] - free), (at[1] + free, picture.height)):
        pen.line((at[0], start, at[0], end), fill=line)


def _with_foot(drawn: Pictures.Image, lines: Sequence[Line]) -> Pictures.Image:
    """The picture above a line of legend."""
    probe = Canvas(Pictures.new("RGB", (1, 1)), size=17)
    high = probe.flow_height(lines, width=drawn.width - 2 * MARGIN)
    sheet = Pictures.new("RGB", (drawn.width, drawn.height + high + 2 * MARGIN), BACK)
    sheet.paste(drawn, (0, 0))
    Canvas(sheet, size=17).flow(
        lines, left=MARGIN, top=drawn.height + MARGIN, width=drawn.width - 2 * MARGIN
    )
    return sheet
