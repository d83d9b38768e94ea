"""Foreground and background by brightness alone, for any image of one object before air."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.masks.solid import closed, filled, largest_part

__all__ = ["foreground_mask", "otsu_threshold"]

BINS = 256
TOP_PERCENTILE = 99.5  # a few hot voxels must not spread the histogram
CLOSE_MM = 6.0  # sinuses and the airway are inside the head


def otsu_threshold(data: npt.NDArray[Any]) -> float:
    """The value that splits the histogram into the two classes that differ most (Otsu 1979).

    The histogram has 256 bins from the smallest value to the 99.5th percentile. For an image of
    one value only, that value.
    """
    low, high = float(data.min()), float(np.percentile(data, TOP_PERCENTILE))
    if high <= low:
        return float(data.max())
    counts, edges = np.histogram(np.clip(data, low, high), bins=BINS, range=(low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts).astype(np.float64)
    above = below[-1] - below
    moment = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (moment / below - (moment[-1] - moment) / above) ** 2
    best = int(np.argmax(np.nan_to_num(between[:-1])))
    return float(edges[best + 1])


def foreground_mask(
    data: npt.NDArray[Any], *, spacing: tuple[float, float, float]
) -> npt.NDArray[np.bool_]:
    """The largest bright object with all that it encloses: a head, a body.

    A voxel counts where it is brighter than half of Otsu's threshold above the darkest value:
    between bright fat and air, dark tissue is on the side of the object.
    """
    darkest = float(data.min())
    bright = data > darkest + 0.5 * (otsu_threshold(data) - darkest)
    solid = closed(largest_part(bright), spacing=spacing, radius_mm=CLOSE_MM)
    return filled(solid)
