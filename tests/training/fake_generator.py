"""A generator that costs nothing: bright squares on a grey disc, known in full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.models.classes import Tissue


@dataclass(frozen=True)
class FakeSlice:
    image: npt.NDArray[np.float16]
    allowed: npt.NDArray[np.int16]


def slices(paths: Any, *, seed: int, settings: Any) -> Iterator[FakeSlice]:
    random = np.random.default_rng(seed)
    height, width = settings.pixels
    x, y = np.mgrid[:height, :width]
    disc = (x - height / 2) ** 2 + (y - width / 2) ** 2 < (min(height, width) / 2.2) ** 2
    t1_share = getattr(settings, "t1_share", None)
    while True:
        image = np.where(disc, 1.0, 0.05) + 0.02 * random.standard_normal((3, height, width))
        allowed = np.where(disc, 1 << Tissue.WHITE_MATTER, 1 << Tissue.BACKGROUND)
        top, left = random.integers(8, height - 14), random.integers(8, width - 14)
        square = np.s_[top : top + 6, left : left + 6]
        image[(slice(None), *square)] = 1.8
        allowed[square] = 1 << Tissue.LESION
        if t1_share is not None:
            t1 = (2.0 - image[1:2]) * (random.random() < t1_share)
            image = np.concatenate((image, t1))
        yield FakeSlice(image.astype(np.float16), allowed.astype(np.int16))


def broken(paths: Any, *, seed: int, settings: Any) -> Iterator[FakeSlice]:
    yield next(slices(paths, seed=seed, settings=settings))
    raise RuntimeError("out of heads")
