"""Intensities as a network expects them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from leuko.errors import UnusableInput

__all__ = ["Intensity", "scaled"]

Intensity = Literal["zscore", "unit", "percentile", "window", "none"]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
PERCENTILES = (0.5, 99.5)
AIR_SHARE = 0.05  # of voxels that are exactly 0, from which 0 means 'outside'


def scaled(
    values: FloatArray,
    *,
    how: Intensity,
    window: tuple[float, float] | None = None,
    region: BoolArray | None = None,
) -> FloatArray:
    """Scaled values, of the shape of `values`.

    `zscore`: mean 0, standard deviation 1; `unit`: lowest to highest value become 0 to 1;
    `percentile`: the 0.5th to 99.5th percentile do; `window`: its limits do (HU for CT). But for
    `zscore`, values beyond are limited. What counts is measured in `region`; without one in the
    whole image, but for voxels of exactly 0 where these are air (a twentieth of all or more).
    An image of one value becomes 0.
    """
    if how == "none":
        return values
    if how == "window":
        if window is None:
            raise UnusableInput("A window has no limits.", hint="Set window: [low, high].")
        low, high = window
        return _between(values, low, high)
    measured = _measured(values, region)
    if how == "zscore":
        spread = float(measured.std(dtype=np.float64)) or 1.0
        return np.asarray((values - measured.mean(dtype=np.float64)) / spread, dtype=np.float32)
    if how == "unit":
        low, high = float(measured.min()), float(measured.max())
    else:
        low, high = (float(limit) for limit in np.percentile(measured, PERCENTILES))
    return _between(values, low, high)


def _between(values: FloatArray, low: float, high: float) -> FloatArray:
    found = (values - low) / ((high - low) or 1.0)
    return np.asarray(np.clip(found, 0.0, 1.0), dtype=np.float32)


def _measured(values: FloatArray, region: BoolArray | None) -> FloatArray:
    if region is not None:
        return values[region]
    shown = values != 0
    share = 1.0 - np.count_nonzero(shown) / values.size
    return values[shown] if AIR_SHARE <= share < 1.0 else values.reshape(-1)
