"""How far intensities spread, whatever a few of them do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["robust_deviation"]

MAD_TO_DEVIATION = 1.4826  # of a normal distribution


def robust_deviation(values: npt.NDArray[Any], *, about: float | np.floating[Any]) -> float:
    """1.4826 times the median distance of `values` from `about`, in their unit."""
    return MAD_TO_DEVIATION * float(np.median(np.abs(values - about)))
