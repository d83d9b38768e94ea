"""Slices with their neighbours: what the network sees at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["with_neighbours"]


def with_neighbours(
    stack: npt.NDArray[np.float32], indices: Sequence[int], *, distance: int
) -> npt.NDArray[np.float32]:
    """(n, 3, H, W): for each index the slice at -distance, itself, and the one at +distance.

    `stack` is (slices, H, W); beyond its ends the outermost slice is repeated.
    """
    centre = np.asarray(indices)
    shown = np.clip(centre[:, None] + np.array([-distance, 0, distance]), 0, len(stack) - 1)
    return np.asarray(stack[shown])
