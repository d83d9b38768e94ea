"""Pictures for pages: few colours, so that they stay small in the repository."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image as Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MOST_KB", "save_small"]

MOST_KB = 150.0
COLOURS = (128, 96, 64, 48, 40, 32, 24)


def save_small(figure: Figure, *, path: Path, dpi: int, most_kb: float = MOST_KB) -> None:
    """Write a figure as a PNG with as many colours of a palette as fit into so many kB.

    With fewer than 24 colours nothing is recognised: then it is larger than asked.
    """
    raw = io.BytesIO()
    figure.savefig(raw, dpi=dpi, facecolor=figure.get_facecolor())
    picture = Picture.open(raw).convert("RGB")
    for colours in COLOURS:
        small = io.BytesIO()
        picture.quantize(colours, dither=Picture.Dither.NONE).save(small, "PNG", optimize=True)
        if small.tell() <= 1000 * most_kb:
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(small.getvalue())
