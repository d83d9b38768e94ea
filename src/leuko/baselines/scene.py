"""What a baseline sees of an image: scaled channels and the region that is searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.errors import UnusableInput
from leuko.image.spread import robust_deviation

__all__ = ["Scene", "make_scene"]

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Canonical axes. `values` (C, X, Y, Z): z-scores; the first channel is the one that counts.

    `region` (X, Y, Z): where lesions may be. `depth` (X, Y, Z): mm from the region's edge, 0
    outside. `spacing`: mm between voxels along X, Y, Z.
    """

    values: FloatArray
    region: BoolArray
    depth: FloatArray
    spacing: Triple

    def inner(self, inset_mm: float) -> BoolArray:
        """The region without its outer `inset_mm`."""
        return self.region & (self.depth > inset_mm)


def make_scene(
    channels: Sequence[npt.NDArray[Any]],
    *,
    region: BoolArray,
    spacing: Triple,
    normal: BoolArray | None = None,
) -> Scene:
    """Scale each channel so that `normal` voxels (the region without it) have median 0, spread 1.

    The spread is 1.4826 times the median absolute deviation, so that lesions among the normal
    voxels hardly count. A channel of one value becomes 0. Raises UnusableInput (exit 4) for an
    empty region.

    Args:
        channels: one or more arrays (X, Y, Z).
        region: where lesions may be.
        spacing: mm between voxels along each axis.
        normal: where tissue is normal, such as white matter.
    """
    if not region.any():
        raise UnusableInput(
            "The region to search is empty.", hint="Choose another: --region foreground or all."
        )
    where = region if normal is None or not normal.any() else normal
    scaled = [_scaled(channel, where, region) for channel in channels]
    return Scene(np.stack(scaled), region, _depth(region, spacing), spacing)


def _scaled(channel: npt.NDArray[Any], normal: BoolArray, region: BoolArray) -> FloatArray:
    values = channel.astype(np.float32)
    sample = values[normal].astype(np.float64)
    middle = float(np.median(sample))
    spread = robust_deviation(sample, about=middle) or float(values[region].std())
    spread = spread or 1.0  # a blank slice: all 0
    return np.asarray((values - np.float32(middle)) / np.float32(spread), dtype=np.float32)


def _depth(region: BoolArray, spacing: Triple) -> FloatArray:
    if region.all():  # no edge but the image's own
        region = np.pad(region, 1)
        distance = ndimage.distance_transform_edt(region, sampling=spacing)[1:-1, 1:-1, 1:-1]
    else:
        distance = ndimage.distance_transform_edt(region, sampling=spacing)
    return np.asarray(distance, dtype=np.float32)
