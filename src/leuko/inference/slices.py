"""Slices with their neighbours: what the network sees at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from leuko.models.channels import neighbour_offsets

__all__ = ["with_neighbours"]


def with_neighbours(
    stack: npt.NDArray[np.float32],
    indices: Sequence[int],
    *,
    distances: Sequence[int],
    t1: npt.NDArray[np.float32] | None = None,
    channels: int | None = None,
) -> npt.NDArray[np.float32]:
    """(n, channels, H, W): for each index its neighbours from below to above, itself in the middle.

    `stack` is (slices, H, W); beyond its ends the outermost slice is repeated. Neighbours lie at
    rising `distances` on either side. One more channel than that (`channels`) is the slice of
    `t1`, a stack of the same shape, and 0 without one.
    """
    centre = np.asarray(indices)
    offsets = np.array(neighbour_offsets(distances))
    shown = np.clip(centre[:, None] + offsets, 0, len(stack) - 1)
    if channels is None or channels == len(offsets):
        return np.asarray(stack[shown])
    seen = np.zeros((len(centre), channels, *stack.shape[1:]), dtype=np.float32)
    seen[:, : len(offsets)] = stack[shown]
    if t1 is not None:
        seen[:, -1] = t1[centre]
    return seen
