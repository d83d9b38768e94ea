"""Which slices need the network: a few, every few millimetres, tell where the brain is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from leuko.models.classes import Tissue

__all__ = ["remaining", "scouts", "shows_brain"]

SCOUT_MM = 4.0  # between scouts: no part of a brain that two scouts miss is thicker
FEWEST = 48  # slices from which scouting pays
LEAST_STRIDE = 3
LEAST_PIXELS = 4  # in a row: fewer may be wrong


def scouts(count: int, *, slice_mm: float) -> tuple[int, ...]:
    """The slices of `count` to be run first; all of them where scouting does not pay."""
    stride = round(SCOUT_MM / slice_mm)
    if count < FEWEST or stride < LEAST_STRIDE:
        return tuple(range(count))
    return tuple(range(stride // 2, count, stride))


def shows_brain(tissues: npt.NDArray[np.uint8]) -> bool:
    """Whether a slice of `Tissue` values (H, W) shows brain."""
    brain = tissues >= Tissue.CORTEX
    return bool(np.count_nonzero(brain, axis=1).max(initial=0) >= LEAST_PIXELS)


def remaining(shown: Mapping[int, bool], *, count: int) -> tuple[int, ...]:
    """The slices to be run after the scouts; `shown`: which scouts show brain.

    A slice is left out where the scouts next to it show none. Where no scout shows any, nothing
    is left out.
    """
    order = np.array(sorted(shown))
    brain = np.array([shown[index] for index in sorted(shown)], dtype=bool)
    rest = np.setdiff1d(np.arange(count), order)
    if not brain.any():
        return tuple(rest.tolist())
    above = np.searchsorted(order, rest)
    near = brain[np.clip(above - 1, 0, None)] | brain[np.clip(above, None, len(order) - 1)]
    return tuple(rest[near].tolist())
