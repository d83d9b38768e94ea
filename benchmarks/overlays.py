"""A picture of one case: its slices with hits, false positives and misses in colour."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from leuko.image.image import Image, to_canonical
from leuko.preparation.intensity import brain_level

__all__ = ["draw"]

HIT, FALSE, MISSED = (60, 200, 90), (235, 70, 40), (70, 150, 255)
OPACITY = 0.55
TILE_PIXELS = 260  # height of a slice in the montage
MARGIN_MM = 8.0
COLUMNS = 4
BRIGHTEST = 2.0  # times the level of the brain is shown white: lesions are grey, not clipped


def draw(
    flair: Image,
    truth: npt.NDArray[np.bool_],
    mask: npt.NDArray[np.bool_],
    *,
    caption: str,
    path: Path,
    slices: int = 24,
) -> None:
    """Write a PNG montage: each slice plain and beside it green hit, red false, blue missed.

    The slices with most mask or truth are shown, in order, in plane of acquisition, as a
    radiologist sees them: front at the top, the patient's right on the left. `truth` and `mask`
    have the axes of `flair`.
    """
    scan = to_canonical(flair.data, flair.grid).astype(np.float32)
    real = to_canonical(truth, flair.grid)
    found = to_canonical(mask, flair.grid)
    spacing = flair.grid.canonical().spacing
    axis = int(np.argmax(spacing)) if max(spacing) > 1.5 * sorted(spacing)[1] else 2
    scan = np.moveaxis(scan, axis, 0)
    real, found = np.moveaxis(real, axis, 0), np.moveaxis(found, axis, 0)
    in_plane = [length for index, length in enumerate(spacing) if index != axis]
    chosen = _choose(real | found, scan, slices)
    box = _head_box(scan, in_plane)
    window = (0.0, BRIGHTEST * brain_level(scan))
    tiles = []
    for i in chosen:
        plain = _grey(scan[i][box], window)
        tinted = _tinted(plain, real[i][box], found[i][box])
        tiles.append([_tile(picture, in_plane, label=str(i)) for picture in (plain, tinted)])
    _montage(tiles, caption).save(path)


def _choose(shown: npt.NDArray[np.bool_], scan: npt.NDArray[np.float32], limit: int) -> list[int]:
    """The slices with most to show; where there is nothing, slices of the middle of the scan."""
    amount = shown.sum(axis=(1, 2))
    filled = np.flatnonzero(amount)
    if not filled.size:
        middle = np.linspace(0.25, 0.75, min(6, len(scan))) * (len(scan) - 1)
        return sorted({int(index) for index in middle})
    if filled.size <= limit:
        return [int(index) for index in filled]
    # Evenly spread over what is filled, so that no end of the brain is left out.
    return [int(filled[i]) for i in np.linspace(0, filled.size - 1, limit).round().astype(int)]


def _head_box(scan: npt.NDArray[np.float32], in_plane: list[float]) -> tuple[slice, slice]:
    bright = scan > 0.15 * np.percentile(scan, 99)
    box = []
    for axis, length in enumerate(in_plane):
        profile = bright.mean(axis=(0, 2 - axis))
        inside = np.flatnonzero(profile > 0.01)
        if not inside.size:
            box.append(slice(None))
            continue
        margin = round(MARGIN_MM / length)
        box.append(slice(max(int(inside[0]) - margin, 0), int(inside[-1]) + margin + 1))
    return (box[0], box[1])


def _grey(scan: npt.NDArray[np.float32], window: npt.ArrayLike) -> npt.NDArray[np.float32]:
    low, high = np.asarray(window, dtype=np.float32)
    grey = np.clip((scan - low) / max(float(high - low), 1e-6), 0, 1) * 255
    return np.repeat(grey[..., None], 3, axis=2)


def _tinted(
    plain: npt.NDArray[np.float32], truth: npt.NDArray[np.bool_], mask: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    colour = plain.copy()
    for region, tint in ((truth & mask, HIT), (mask & ~truth, FALSE), (truth & ~mask, MISSED)):
        colour[region] = (1 - OPACITY) * colour[region] + OPACITY * np.array(tint)
    return colour


def _tile(colour: npt.NDArray[np.float32], in_plane: list[float], *, label: str) -> Picture.Image:
    """One slice (x, y, 3) as a picture of its true proportions."""
    # Columns run to the patient's left, rows to the back.
    turned = colour.transpose(1, 0, 2)[::-1, ::-1].astype(np.uint8)
    across, along = colour.shape[0] * in_plane[0], colour.shape[1] * in_plane[1]
    size = (max(1, round(TILE_PIXELS * across / along)), TILE_PIXELS)
    tile = Picture.fromarray(np.ascontiguousarray(turned)).resize(size, Picture.Resampling.NEAREST)
    ImageDraw.Draw(tile).text((4, 2), label, fill=(200, 200, 200))
    return tile


def _montage(tiles: list[list[Picture.Image]], caption: str) -> Picture.Image:
    """Pairs of tiles in rows below a line with the caption and the colours' key."""
    width, height = tiles[0][0].size
    columns = min(COLUMNS, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    head, gap = 28, 6
    font = ImageFont.load_default(size=15)
    step = 2 * width + gap
    sheet = Picture.new("RGB", (max(columns * step, 720), rows * height + head), (0, 0, 0))
    for index, pair in enumerate(tiles):
        for side, tile in enumerate(pair):
            left = (index % columns) * step + side * width
            sheet.paste(tile, (left, head + (index // columns) * height))
    pen = ImageDraw.Draw(sheet)
    pen.text((6, 5), caption, fill=(255, 255, 255), font=font)
    right = sheet.width - 210
    for text, tint in (("hit", HIT), ("false", FALSE), ("missed", MISSED)):
        pen.text((right, 5), text, fill=tint, font=font)
        right += 65
    return sheet
