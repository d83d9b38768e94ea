"""Slices with their neighbours: what the network sees at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["with_neighbours"]


def with_neighbours(
    stack: npt.NDArray[np.float32],
    indices: Sequence[int],
    *,
    distance: int,
    t1: npt.NDArray[np.float32] | None = None,
    channels: int = 3,
) -> npt.NDArray[np.float32]:
    """(n, channels, H, W): for each index the slice at -distance, itself, and the one at +distance.

    `stack` is (slices, H, W); beyond its ends the outermost slice is repeated. Of `channels` 4 the
    last one is the slice of `t1`, a stack of the same shape, and 0 without one.
    """
    centre = np.asarray(indices)
    shown = np.clip(centre[:, None] + np.array([-distance, 0, distance]), 0, len(stack) - 1)
    if channels == 3:
        return np.asarray(stack[shown])
    seen = np.zeros((len(centre), channels, *stack.shape[1:]), dtype=np.float32)
    seen[:, :3] = stack[shown]
    if t1 is not None:
        seen[:, 3] = t1[centre]
    return seen
