"""Outlines of two masks on a scan: ours red, the reference green."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

from leuko.image.image import Image, to_canonical
from leuko.preparation.intensity import brain_level

__all__ = ["draw_outlines"]

BoolArray = npt.NDArray[np.bool_]
COLUMNS, TILES = 6, 18
MARGIN = 8  # voxels around what is shown
BRIGHTEST = 1.8  # times the level of the brain


def draw_outlines(flair: Image, ours: BoolArray, reference: BoolArray, *, path: Path) -> None:
    """Write a PNG of up to 18 axial slices that hold either mask, front at the top."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    scan = to_canonical(flair.data, flair.grid)
    red, green = (to_canonical(mask, flair.grid) for mask in (ours, reference))
    shown = np.argwhere(red | green)
    if not len(shown):
        return
    low = np.maximum(shown.min(axis=0) - MARGIN, 0)
    high = shown.max(axis=0) + MARGIN + 1
    x, y = slice(low[0], high[0]), slice(low[1], high[1])
    filled = np.unique(shown[:, 2])
    picks = filled[np.unique(np.linspace(0, len(filled) - 1, TILES).astype(int))]
    spacing = flair.grid.canonical().spacing
    rows = -(-len(picks) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(3.2 * COLUMNS, 3.8 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    limit = BRIGHTEST * brain_level(scan)
    for axis, k in zip(axes.flat, picks.tolist(), strict=False):
        # The patient's right is on the left, as a radiologist sees it.
        plane = [volume[x, y, k].T[::-1, ::-1] for volume in (scan, red, green)]
        axis.imshow(plane[0], cmap="gray", vmin=0, vmax=limit, aspect=spacing[1] / spacing[0])
        for mask, colour in ((plane[1], "#ff3030"), (plane[2], "#30ff30")):
            if mask.any() and not mask.all():
                axis.contour(mask, [0.5], colors=colour, linewidths=0.8)
        axis.set_title(str(k), fontsize=8, pad=2)
    figure.subplots_adjust(0, 0, 1, 0.97, 0.02, 0.06)
    figure.savefig(path, dpi=80)
    plt.close(figure)
