"""The lesions of one mask, and how far another mask or its lesions cover each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.masks.components import Components

__all__ = ["LesionCover", "Overlaps", "lesion_cover", "overlaps"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class LesionCover:
    """Voxels of each lesion of a mask, and of those the ones that the other mask shares."""

    voxels: IntArray
    shared: IntArray

    @property
    def count(self) -> int:
        """Number of lesions."""
        return int(self.voxels.size)

    def touched(self, *, min_overlap: float = 0.0) -> BoolArray:
        """Which lesions share a voxel with the other mask.

        `min_overlap` asks for more: the least shared fraction of the lesion's own voxels.
        """
        return np.asarray((self.shared > 0) & (self.shared >= min_overlap * self.voxels))


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """IoU of every pair of instances that share a voxel; how many instances either mask has."""

    iou: FloatArray
    first_count: int
    second_count: int


def lesion_cover(lesions: Components, *, touched_by: BoolArray) -> LesionCover:
    """The components of a mask, with the voxels that the mask `touched_by` shares with each."""
    counts = np.bincount(lesions.labels[touched_by], minlength=lesions.count + 1)
    return LesionCover(voxels=lesions.sizes, shared=counts[1:])


def overlaps(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Overlaps:
    """Overlaps of the instances of two label arrays of one shape; 0 is background."""
    labels, sizes = np.unique(first[first > 0], return_counts=True)
    others, other_sizes = np.unique(second[second > 0], return_counts=True)
    both = (first > 0) & (second > 0)
    rows = np.searchsorted(labels, first[both]).astype(np.int64)
    columns = np.searchsorted(others, second[both]).astype(np.int64)
    pairs, shared = np.unique(rows * max(others.size, 1) + columns, return_counts=True)
    row, column = np.divmod(pairs, max(others.size, 1))
    iou = shared / (sizes[row] + other_sizes[column] - shared)
    return Overlaps(iou=iou, first_count=labels.size, second_count=others.size)
