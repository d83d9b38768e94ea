"""Windows of intensity: presets in Hounsfield units for CT, and how values are limited."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PRESETS", "windowed"]

# Lower and upper limit in HU, from the usual level and width of the reading room.
PRESETS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "brain": (0.0, 80.0),  # level 40, width 80
        "stroke": (20.0, 60.0),  # level 40, width 40
        "subdural": (-50.0, 200.0),  # level 75, width 250
        "soft-tissue": (-160.0, 240.0),  # level 40, width 400
        "abdomen": (-150.0, 250.0),  # level 50, width 400
        "liver": (-45.0, 105.0),  # level 30, width 150
        "mediastinum": (-125.0, 225.0),  # level 50, width 350
        "lung": (-1350.0, 150.0),  # level -600, width 1500
        "bone": (-500.0, 1300.0),  # level 400, width 1800
        "angio": (0.0, 600.0),  # level 300, width 600
    }
)


def windowed(
    data: npt.NDArray[Any], *, low: float, high: float, rescale: bool = False
) -> npt.NDArray[Any]:
    """Values limited to `low` to `high`; with `rescale` these become 0 and 1 (float32)."""
    if not rescale and data.dtype.kind in "iu" and low == int(low) and high == int(high):
        limits = np.iinfo(data.dtype)
        cut: npt.NDArray[Any] = np.clip(data, max(int(low), limits.min), min(int(high), limits.max))
        return cut
    found: npt.NDArray[Any] = np.clip(data.astype(np.float32, copy=False), low, high)
    if rescale:
        found -= np.float32(low)
        found /= np.float32(high - low)
    return found
