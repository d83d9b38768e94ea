"""Solid shapes out of ragged masks: opened, closed, filled and smoothed by millimetres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.masks.box import Box, bounding_box, grow_box
from leuko.masks.components import connected_components
from leuko.masks.morphology import dilate

__all__ = ["closed", "erode", "filled", "largest_part", "main_part", "smoothed"]

BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]


def erode(mask: BoolArray, *, spacing: Triple, radius_mm: float) -> BoolArray:
    """`mask` without the voxels that have a centre outside it within `radius_mm`.

    What lies beyond the array counts as mask: a scan that is cut does not lose its outer planes.
    """
    return np.logical_not(dilate(~mask, spacing=spacing, radius_mm=radius_mm))


def closed(mask: BoolArray, *, spacing: Triple, radius_mm: float) -> BoolArray:
    """`mask` with gaps and clefts up to twice `radius_mm` wide filled (dilated, then eroded)."""
    box = _around(mask, spacing=spacing, margin_mm=radius_mm)
    if box is None:
        return mask.copy()
    # Beyond the array nothing is known: padding keeps the closing from growing to its border.
    pad = [int(radius_mm / step) + 1 for step in spacing]
    part = np.pad(mask[box], [(by, by) for by in pad])
    grown = dilate(part, spacing=spacing, radius_mm=radius_mm)
    shrunk = erode(grown, spacing=spacing, radius_mm=radius_mm)
    inner = tuple(slice(by, -by) for by in pad)
    found = mask.copy()
    found[box] |= shrunk[inner]
    return found


def main_part(mask: BoolArray, *, spacing: Triple, radius_mm: float) -> BoolArray:
    """The largest part of `mask` that hangs together by more than `radius_mm` to each side.

    Bridges thinner than twice the radius are cut; what is left grows back to the mask's own edge,
    up to half a radius further than it was eroded.
    """
    heart = largest_part(erode(mask, spacing=spacing, radius_mm=radius_mm))
    reach = 1.5 * radius_mm
    return np.asarray(mask & dilate(heart, spacing=spacing, radius_mm=reach))


def largest_part(mask: BoolArray) -> BoolArray:
    """The largest of the parts that are connected by faces."""
    return np.asarray(connected_components(mask, connectivity=6).labels == 1)


def filled(mask: BoolArray) -> BoolArray:
    """`mask` with all that it encloses."""
    box = bounding_box(mask)
    if box is None:
        return mask.copy()
    found = mask.copy()
    found[box] = ndimage.binary_fill_holes(mask[box])
    return found


def smoothed(mask: BoolArray, *, spacing: Triple, sigma_mm: float) -> BoolArray:
    """`mask` with its surface smoothed: where a Gaussian of it is a half or more.

    At the array's border the mask is taken to go on as it ends.
    """
    box = _around(mask, spacing=spacing, margin_mm=3 * sigma_mm)
    if box is None or sigma_mm <= 0:
        return mask.copy()
    found = mask.copy()
    weights = ndimage.gaussian_filter(
        mask[box].astype(np.float32),
        [sigma_mm / step for step in spacing],
        mode="nearest",
        truncate=3.0,
    )
    found[box] = weights >= 0.5
    return found


def _around(mask: BoolArray, *, spacing: Triple, margin_mm: float) -> Box | None:
    """The box of the mask, `margin_mm` larger; None where the mask is empty."""
    tight = bounding_box(mask)
    if tight is None:
        return None
    x, y, z = (int(np.ceil(margin_mm / step)) for step in spacing)
    return grow_box(tight, by=(x, y, z), shape=mask.shape)
