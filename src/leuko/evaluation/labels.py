"""Label maps as whole numbers, and the box that each label occupies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.errors import UnusableInput
from leuko.image.image import Image
from leuko.masks.box import Box

__all__ = ["label_array", "label_boxes"]

IntArray = npt.NDArray[Any]
HIGHEST = 2**31 - 1


def label_array(image: Image, what: str) -> IntArray:
    """The labels of a 3D image as whole numbers (file axes); real numbers must be whole ones.

    Raises UnusableInput (exit 4) for fractions, negative or complex numbers and several volumes.
    """
    name = image.source.name if image.source is not None else what
    data = image.data
    if data.ndim != 3:
        raise UnusableInput(
            f"{name} holds {image.volumes} volumes; a label map holds one.",
            hint="Choose one: leuko convert --volume.",
        )
    if data.dtype == np.bool_:
        return data.view(np.uint8)
    if not (np.issubdtype(data.dtype, np.integer) or np.issubdtype(data.dtype, np.floating)):
        raise UnusableInput(f"{name} holds {data.dtype} values.", hint="Give a label map.")
    low, high = (data.min(), data.max()) if data.size else (0, 0)
    if low < 0 or high > HIGHEST:
        raise UnusableInput(
            f"{name} holds labels from {low:g} to {high:g}.",
            hint="A label is a whole number from 0 (background) on.",
        )
    if np.issubdtype(data.dtype, np.integer):
        return data
    whole = np.rint(data)
    if not np.array_equal(whole, data):
        raise UnusableInput(
            f"{name} holds fractions, so it is no label map.",
            hint="Give labels (whole numbers); a probability map needs a threshold first.",
        )
    return np.asarray(whole, dtype=np.int32)


def label_boxes(labels: IntArray) -> dict[int, Box]:
    """The smallest box of each label above 0 that occurs, in rising order of the labels."""
    names, numbers = None, labels
    if int(labels.max(initial=0)) > np.iinfo(np.uint16).max:
        # Large labels are numbered anew, since the search makes an entry for every number.
        names, compact = np.unique(labels, return_inverse=True)
        numbers = (compact + 1).reshape(labels.shape)
    boxes: dict[int, Box] = {}
    # None where a number does not occur.
    places: list[tuple[slice, ...] | None] = list(ndimage.find_objects(numbers))
    for number, found in enumerate(places, start=1):
        label = number if names is None else int(names[number - 1])
        if found is not None and label > 0:
            x, y, z = found
            boxes[label] = x, y, z
    return boxes
