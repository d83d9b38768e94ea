"""Voxel features: what a classifier is told about each voxel of the region."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.baselines.scene import Scene
from leuko.masks.box import bounding_box

__all__ = ["feature_names", "voxel_features"]

FloatArray = npt.NDArray[np.float32]

SCALES_MM = (1.0, 2.0, 4.0)
EDGE_MM = 1.5  # at which gradient and Laplacian are taken
AROUND_MM = 10.0  # what a voxel's brightness is compared with
OF_CHANNEL = (
    "z",
    *(f"smooth_{scale:g}mm" for scale in SCALES_MM),
    "above_surroundings",
    "gradient",
    "laplacian",
)
OF_PLACE = ("right", "front", "up", "depth_mm")


def feature_names(channels: int) -> tuple[str, ...]:
    """The features in order, of so many channels."""
    named = [f"{name}_{number}" for number in range(1, channels + 1) for name in OF_CHANNEL]
    return (*named, *OF_PLACE)


def voxel_features(scene: Scene) -> FloatArray:
    """Features (N, F) of the N voxels of the region, in C order of the canonical axes.

    Of each channel: z-score; smoothed by Gaussians of 1, 2 and 4 mm; above the surroundings (10
    mm); length of the gradient and Laplacian at 1.5 mm, per mm. Then the place in the region's box
    (0 to 1 towards right, front, up) and mm from the region's edge. All lengths are mm: across
    thick slices a Gaussian smooths less.
    """
    inside = scene.region
    columns = [
        values[inside]
        for channel in scene.values
        for values in _of_channel(channel, spacing=scene.spacing)
    ]
    columns += _places(inside)
    columns.append(scene.depth[inside])
    return np.stack(columns, axis=1).astype(np.float32)


def _of_channel(
    channel: FloatArray, *, spacing: tuple[float, float, float]
) -> Iterator[npt.NDArray[np.floating]]:
    def smoothed(mm: float) -> FloatArray:
        return ndimage.gaussian_filter(channel, [mm / step for step in spacing], mode="nearest")

    yield channel
    for scale in SCALES_MM:
        yield smoothed(scale)
    yield channel - smoothed(AROUND_MM)
    soft = smoothed(EDGE_MM)
    slope, bend = np.zeros_like(soft), np.zeros_like(soft)
    for axis, step in enumerate(spacing):
        if soft.shape[axis] > 2:
            slope += np.gradient(soft, step, axis=axis) ** 2
            bend += ndimage.correlate1d(soft, [1, -2, 1], axis=axis, mode="nearest") / step**2
    yield np.sqrt(slope)
    yield bend


def _places(inside: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.floating]]:
    """Each voxel's place in the box of the region, 0 to 1 along every axis."""
    box = bounding_box(inside)
    indices = np.nonzero(inside)
    if box is None:
        return [index.astype(np.float32) for index in indices]
    return [
        (index - part.start) / max(part.stop - part.start - 1, 1)
        for index, part in zip(indices, box, strict=True)
    ]
