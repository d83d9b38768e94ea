"""An animation: through the slices of a scene, or through its volumes, as a GIF."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image as Pictures

from leuko.report.slices_png import Style, tile
from leuko.report.viewer_scene import Scene

__all__ = ["gif"]

MOST_FRAMES = 160
WIDTH = 512
SLICE_MS, VOLUME_MS, END_MS = 80, 150, 500


def gif(shown: Scene, *, axis: int | None = None, style: Style | None = None) -> bytes:
    """A GIF that runs through the slices across `axis`, or through the volumes where there are.

    Slices run from the feet to the head (from the patient's left, from the back). All frames share
    one palette, so that grey stays grey.
    """
    chosen = style or Style(width=WIDTH)
    along = shown.slice_axis if axis is None else axis
    if shown.volumes > 1:
        places = [(shown.start[along], volume) for volume in _spread(shown.volumes)]
    else:
        places = [(index, 0) for index in _spread(shown.shape[along])]
    frames = [
        tile(shown, axis=along, index=index, volume=volume, width=chosen.width, fill=chosen.fill)
        for index, volume in places
    ]
    palette = _palette(frames)
    drawn = [frame.quantize(palette=palette, dither=Pictures.Dither.NONE) for frame in frames]
    pace = VOLUME_MS if shown.volumes > 1 else SLICE_MS
    stream = io.BytesIO()
    drawn[0].save(
        stream, "GIF", save_all=True, append_images=drawn[1:], loop=0, disposal=1,
        duration=[pace] * (len(drawn) - 1) + [END_MS],
    )  # fmt: skip
    return stream.getvalue()


def _spread(count: int) -> list[int]:
    """All indices, or as many as an animation should have, evenly."""
    return [round(float(v)) for v in np.linspace(0, count - 1, min(count, MOST_FRAMES))]


def _palette(frames: list[Pictures.Image]) -> Pictures.Image:
    """One palette for all frames, from some of them beside each other."""
    some = frames[:: max(1, len(frames) // 12)]
    wide = Pictures.new("RGB", (some[0].width * len(some), some[0].height))
    for number, frame in enumerate(some):
        wide.paste(frame, (number * frame.width, 0))
    return wide.quantize(255, method=Pictures.Quantize.MEDIANCUT)
