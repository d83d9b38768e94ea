"""Intensities on a common scale: one shift and one factor, measured in a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.errors import UnusableInput

__all__ = ["Scaling", "between_percentiles", "z_score"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Scaling:
    """new = (old - shift) / scale, then cut to 0..1 where `clip`."""

    shift: float
    scale: float
    clip: bool = False

    def __call__(self, data: Array) -> npt.NDArray[np.float32]:
        """The scaled values, float32."""
        found = data.astype(np.float32)
        found -= np.float32(self.shift)
        found /= np.float32(self.scale)
        return np.clip(found, 0.0, 1.0, out=found) if self.clip else found


def z_score(values: Array) -> Scaling:
    """The scaling that gives `values` (of a region) mean 0 and standard deviation 1.

    Raises UnusableInput (exit 4) where they are fewer than two or all alike.
    """
    _require_spread(values)
    exact = values.astype(np.float64)
    return Scaling(float(exact.mean()), float(exact.std()))


def between_percentiles(
    values: Array, *, low: float = 0.0, high: float = 100.0, clip: bool = False
) -> Scaling:
    """The scaling that takes two percentiles of `values` (of a region) to 0 and 1.

    0 and 100 are their minimum and maximum. Raises UnusableInput (exit 4) where both are equal.
    """
    _require_spread(values)
    bottom, top = (float(edge) for edge in np.percentile(values, [low, high]))
    if top <= bottom:
        raise UnusableInput(
            f"The percentiles {low:g} and {high:g} of the region are the same value, {top:g}.",
            hint="Choose percentiles further apart, or another region.",
        )
    return Scaling(bottom, top - bottom, clip)


def _require_spread(values: Array) -> None:
    if values.size < 2 or values.min() == values.max():
        raise UnusableInput(
            "The region to normalise by holds no two different values.",
            hint="Choose another region, such as foreground.",
        )
