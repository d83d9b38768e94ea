"""A slice of a case as a small picture with its mask's outlines."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures

from leuko.report.palette import rgb
from leuko.report.planes import Window
from leuko.report.sheet import outline
from leuko.report.viewer_layers import COLOURS

__all__ = ["EDGE", "Tile", "class_colours", "tile_jpeg"]

EDGE = 240  # pixels of a picture, on either side at most
LINE = 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """A slice as rows and columns, and its labels; `pixel` is the height and width of a voxel."""

    values: npt.NDArray[np.generic]
    labels: npt.NDArray[np.int32] | None
    pixel: tuple[float, float]
    window: Window


def class_colours(values: tuple[int, ...]) -> dict[int, str]:
    """A colour for each class, the most distinct first; they recur from the ninth on."""
    return {value: COLOURS[number % len(COLOURS)] for number, value in enumerate(values)}


def tile_jpeg(tile: Tile, *, colours: Mapping[int, str]) -> tuple[bytes, int, int]:
    """The picture as JPEG with its width and height: true proportions, outlines just outside."""
    rows, columns = tile.values.shape
    high, wide = rows * tile.pixel[0], columns * tile.pixel[1]
    scale = EDGE / max(high, wide)
    size = (max(1, round(wide * scale)), max(1, round(high * scale)))
    low = tile.window.low
    spread = max(tile.window.high - low, 1e-9)
    grey = np.clip((tile.values.astype(np.float64) - low) * (255.0 / spread), 0, 255)
    picture = Pictures.fromarray(np.ascontiguousarray(grey.astype(np.uint8)))
    picture = picture.resize(size, Pictures.Resampling.BICUBIC).convert("RGB")
    if tile.labels is not None:
        for value in np.unique(tile.labels):
            if value > 0:
                line, place = outline(tile.labels == value, size=size, thickness=LINE)
                picture.paste(rgb(colours.get(int(value), COLOURS[0])), place, line)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=86, subsampling=0)
    return stream.getvalue(), size[0], size[1]
