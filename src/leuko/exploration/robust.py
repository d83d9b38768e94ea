"""How unusual a number is among its like, in a way that the unusual ones do not disturb."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["FEWEST", "LIMIT", "robust_z"]

LIMIT = 3.5  # from which a number is named (Iglewicz and Hoaglin 1993)
FEWEST = 5  # numbers, below which none can be called unusual
TO_SD = 1.4826  # median absolute deviation to standard deviation, of a normal distribution


def robust_z(values: Sequence[float], *, floor: float) -> npt.NDArray[np.float64]:
    """(value - median) / (1.4826 x median absolute deviation), zeros for fewer than 5 values.

    `floor` is the least spread that is divided by, in the values' unit: where nearly all values are
    equal, a small difference is not unusual.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size < FEWEST:
        return np.zeros(numbers.size)
    away = numbers - np.median(numbers)
    spread = max(TO_SD * float(np.median(np.abs(away))), floor)
    return np.asarray(away / spread)
