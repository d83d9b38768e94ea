"""Histogram matching by landmarks: to a standard scale learnt from many images, or to one image.

Source: Nyul, Udupa and Zhang, IEEE Transactions on Medical Imaging 2000 (landmarks at percentiles,
a standard scale as their mean, a piecewise linear map).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from leuko.errors import ReadError, UnusableInput, UsageError

__all__ = [
    "PERCENTILES",
    "Landmarks",
    "learn_scale",
    "measure_landmarks",
    "parse_landmarks",
    "to_landmarks",
]

PERCENTILES = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
SCALE = (0.0, 100.0)  # what the outermost landmarks become on a standard scale
Percent = Annotated[float, Meta(ge=0, le=100)]


class Landmarks(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Intensities at percentiles of a region."""

    percentiles: tuple[Percent, ...]
    values: tuple[float, ...]
    images: Annotated[int, Meta(ge=1)] = 1
    """How many images they were learnt from."""

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.percentiles, self.percentiles[1:], strict=False))
        ordered = all(a <= b for a, b in zip(self.values, self.values[1:], strict=False))
        if len(self.percentiles) != len(self.values) or len(self.values) < 2:
            raise ValueError("percentiles and values must be as many, and at least two")
        if not (rising and ordered):
            raise ValueError("percentiles and values must rise")


def measure_landmarks(
    values: npt.NDArray[Any], *, percentiles: Sequence[float] = PERCENTILES
) -> Landmarks:
    """The landmarks of the `values` of a region; UnusableInput (exit 4) where all are alike."""
    if values.size < 2 or values.min() == values.max():
        raise UnusableInput(
            "The region to match by holds no two different values.",
            hint="Choose another region, such as foreground.",
        )
    found = np.percentile(values.astype(np.float64), percentiles)
    return Landmarks(percentiles=tuple(percentiles), values=tuple(found.tolist()))


def learn_scale(examples: Sequence[Landmarks]) -> Landmarks:
    """The standard scale of several images: their landmarks' mean, each image brought to 0..100."""
    if not examples:
        raise UsageError("A standard scale needs images.", hint="Give at least two images.")
    rows = []
    for example in examples:
        values = np.array(example.values)
        span = values[-1] - values[0]
        if example.percentiles != examples[0].percentiles or span <= 0:
            raise UsageError(
                "Landmarks at different percentiles, or without contrast, have no mean.",
                hint="Measure all of them alike.",
            )
        rows.append(SCALE[0] + (SCALE[1] - SCALE[0]) * (values - values[0]) / span)
    mean = np.mean(rows, axis=0)
    return Landmarks(
        percentiles=examples[0].percentiles, values=tuple(mean.tolist()), images=len(examples)
    )


def to_landmarks(
    data: npt.NDArray[Any], *, own: Landmarks, target: Landmarks
) -> npt.NDArray[np.float32]:
    """`data` with its `own` landmarks moved to those of `target`, linear between and beyond them.

    Beyond the outermost landmarks the line through the two outermost ones goes on. Both must be at
    the same percentiles.
    """
    if own.percentiles != target.percentiles:
        raise UsageError(
            "The landmarks are at different percentiles.", hint="Measure both at the same ones."
        )
    x, y = _distinct(np.array(own.values), np.array(target.values))
    values = data.astype(np.float32)
    found = np.interp(values, x, y).astype(np.float32)
    for beyond, (a, b) in ((values < x[0], (0, 1)), (values > x[-1], (-2, -1))):
        slope = (y[b] - y[a]) / (x[b] - x[a])
        edge = a if a == 0 else b
        found[beyond] = y[edge] + (values[beyond] - x[edge]) * slope
    return found


def parse_landmarks(content: bytes, *, name: str) -> Landmarks:
    """Landmarks from the JSON file of an earlier run; ReadError (exit 3) where it is none."""
    try:
        return msgspec.json.decode(content, type=Landmarks)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise ReadError(
            f"{name} holds no standard scale: {error}.",
            hint="Give the standard_scale.json of an earlier run, or an image.",
        ) from error


def _distinct(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Landmarks of one and the same value become one, at the mean of their targets."""
    places, first = np.unique(x, return_inverse=True)
    means = np.bincount(first, weights=y) / np.bincount(first)
    return places, means
