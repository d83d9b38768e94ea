"""Slices that hold no signal amid slices that do, lost on the way from the scanner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["bridged", "missing_slices"]

Voxels = npt.NDArray[Any]


def missing_slices(data: Voxels, *, axis: int) -> tuple[int, ...]:
    """Planes across `axis` with one value throughout, between planes with more than one."""
    others = tuple(other for other in range(data.ndim) if other != axis)
    empty = data.min(axis=others) == data.max(axis=others)
    shown = np.flatnonzero(~empty)
    if not shown.size:
        return ()
    first, last = shown[0], shown[-1]
    return tuple((first + np.flatnonzero(empty[first : last + 1])).tolist())


def bridged(data: Voxels, *, planes: Sequence[int], axis: int) -> Voxels:
    """`data` with `planes` drawn between the nearest others on either side; a float32 copy.

    A network that looks at neighbours, and a brain that should be one piece, are better off with a
    guess than with a gap. What is seen in such planes is no finding.
    """
    whole = np.moveaxis(np.array(data, dtype=np.float32), axis, 0)
    shown = np.setdiff1d(np.arange(whole.shape[0]), planes)
    for plane in planes:
        after = int(np.searchsorted(shown, plane))
        low, high = shown[after - 1], shown[after]
        share = (plane - low) / (high - low)
        whole[plane] = (1 - share) * whole[low] + share * whole[high]
    return np.moveaxis(whole, 0, axis)
