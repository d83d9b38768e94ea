"""Pictures for pages: few greys and few colours, so that they stay small in the repository."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MOST_KB", "few_colours", "save_small"]

MOST_KB = 150.0
GREYS = (128, 96, 64, 48, 40, 32, 24, 16)
COLOURS = 48
COLOURFUL = 40  # difference of the channels, of 255, from which a pixel is no grey


def save_small(figure: Figure, *, path: Path, dpi: int, most_kb: float = MOST_KB) -> None:
    """Write a figure as a PNG with as many greys as fit into so many kB, 16 at least."""
    raw = io.BytesIO()
    figure.savefig(raw, dpi=dpi, facecolor=figure.get_facecolor())
    picture = Picture.open(raw).convert("RGB")
    for greys in GREYS:
        small = io.BytesIO()
        few_colours(picture, greys=greys).save(small, "PNG", optimize=True)
        if small.tell() <= 1000 * most_kb:
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(small.getvalue())


def few_colours(picture: Picture.Image, *, greys: int) -> Picture.Image:
    """The picture with a palette of even greys and its own 48 colours.

    Colours are chosen among themselves: thin lines keep theirs beside many more grey pixels.
    """
    pixels = np.asarray(picture).reshape(-1, 3)
    strong = pixels[np.ptp(pixels.astype(np.int16), axis=1) > COLOURFUL]
    palette = [round(level) for level in np.linspace(0, 255, greys) for _ in range(3)]
    if len(strong):
        own = Picture.fromarray(np.ascontiguousarray(strong[None])).quantize(COLOURS)
        palette += (own.getpalette() or [])[: 3 * COLOURS]
    table = Picture.new("P", (1, 1))
    table.putpalette(palette + palette[:3] * (256 - len(palette) // 3))
    return picture.quantize(palette=table, dither=Picture.Dither.NONE)
