"""A slice of a case with its neighbours as further channels (2.5D)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["with_neighbours"]

FloatArray = npt.NDArray[np.float32]


def with_neighbours(image: FloatArray, index: int, *, neighbours: int) -> FloatArray:
    """(C * (2 * neighbours + 1), H, W): slice `index` of an image (C, S, H, W) and those beside it.

    Each channel of the image gives its slices in rising order: c0[-1], c0[0], c0[+1], c1[-1], ...
    Beyond the ends the outermost slice is repeated. Without neighbours a view is returned.
    """
    if neighbours == 0:
        return image[:, index]
    shown = np.clip(np.arange(index - neighbours, index + neighbours + 1), 0, image.shape[1] - 1)
    return image[:, shown].reshape(-1, *image.shape[2:])
