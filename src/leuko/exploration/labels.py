"""A mask in numbers: volume, pieces, side and completeness of every class."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.exploration.facts import PERCENTS, ClassFacts, LabelFacts
from leuko.exploration.intensities import sample_of
from leuko.image.grid import SAME_GRID_TOLERANCE_MM, Grid
from leuko.image.image import Image
from leuko.masks.components import count_components

__all__ = ["body_view", "label_facts", "whole_labels"]

Array = npt.NDArray[Any]
MOST_VALUES = 1024  # a mask with more of them is an image
OTHER_AXES = "stored as {label} where the image is {image}: the same place, other axes"


def body_view(data: Array, grid: Grid) -> Array:
    """A view with axes to the right, front and head; a single slice stays as the file has it."""
    if not grid.oriented or grid.shape[2] == 1:
        return data
    orientation = grid.orientation
    view = data.transpose((*orientation.axes, *range(3, data.ndim)))
    return view[tuple(slice(None, None, -1 if flip else 1) for flip in orientation.flipped)]


def label_facts(label: Image, *, image: Image, values: Array, file: str) -> LabelFacts:
    """The mask's classes, and the image's `values` (body axes) within them.

    A mask that lies on another grid is measured on its own; intensities are then left out.
    """
    mismatch, turned = _placed(label.grid, image.grid)
    data = body_view(label.data[..., 0] if label.data.ndim == 4 else label.data, label.grid)
    rounded, whole = whole_labels(data)
    found = tuple(_classes(rounded, label.grid))
    inside = np.zeros(0)
    if not mismatch and found:
        inside = sample_of(values[rounded > 0])
    return LabelFacts(
        file=file,
        dtype=str(data.dtype),
        voxels=int(data.size),
        classes=found,
        whole=whole,
        lowest=float(data.min()),
        highest=float(data.max()),
        mismatch=mismatch,
        turned=turned,
        percentiles=tuple(float(cut) for cut in np.percentile(inside, PERCENTS))
        if inside.size
        else (),
        mean=float(inside.mean()) if inside.size else 0.0,
    )


def whole_labels(data: Array) -> tuple[npt.NDArray[np.int32], bool]:
    """Labels as integers, and whether they were whole numbers from 0 (else: above 0.5 is 1)."""
    if data.dtype.kind in "biu":
        labels = data.astype(np.int32)
        return np.maximum(labels, 0), bool(labels.min(initial=0) >= 0)
    rounded = np.rint(data)
    if np.array_equal(rounded, data) and rounded.min(initial=0) >= 0:
        return rounded.astype(np.int32), True
    return (data > 0.5).astype(np.int32), False


def _placed(label: Grid, image: Grid) -> tuple[str, str]:
    """How the mask's grid differs, and whether it only stores the same one in other axes."""
    own, other = (grid if grid.shape[2] == 1 else grid.canonical() for grid in (label, image))
    if own.shape != other.shape:
        sizes = [" x ".join(map(str, grid.shape)) for grid in (own, other)]
        return f"mask {sizes[0]}, image {sizes[1]} voxels", ""
    apart = own.corner_distance(other)
    if apart > SAME_GRID_TOLERANCE_MM and (label.sized or image.sized):
        return f"mask and image lie up to {apart:.3g} mm apart", ""
    if label.oriented and image.oriented and label.orientation != image.orientation:
        return "", OTHER_AXES.format(label=label.orientation.code, image=image.orientation.code)
    return "", ""


def _classes(labels: npt.NDArray[np.int32], grid: Grid) -> list[ClassFacts]:
    counts = np.bincount(labels.reshape(-1)) if int(labels.max(initial=0)) < 1 << 20 else None
    if counts is None or np.count_nonzero(counts) > MOST_VALUES:
        return []
    boxes = ndimage.find_objects(labels)
    found = []
    for value in np.flatnonzero(counts[1:]) + 1:
        box = boxes[value - 1]
        mask = labels[box] == value
        found.append(
            ClassFacts(
                value=int(value),
                voxels=int(counts[value]),
                mm3=float(counts[value]) * grid.voxel_mm3,
                components=count_components(mask),
                right_share=_right(mask, start=box[0].start, length=labels.shape[0])
                if grid.oriented and labels.shape[2] > 1
                else None,
                cut=labels.shape[2] > 1
                and any(
                    part.start == 0 or part.stop == size
                    for part, size in zip(box, labels.shape, strict=True)
                ),
            )
        )
    return found


def _right(mask: npt.NDArray[np.bool_], *, start: int, length: int) -> float:
    """The share of a mask beyond the image's middle; a voxel on it counts half on either side."""
    planes = np.count_nonzero(mask, axis=(1, 2))
    place = np.arange(start, start + planes.size) - (length - 1) / 2
    return float((planes * np.where(place > 0, 1.0, np.where(place < 0, 0.0, 0.5))).sum()
                 / planes.sum())  # fmt: skip
