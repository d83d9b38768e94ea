"""The voxels of all lesions as a list: most of a volume is background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from leuko.masks.box import Box, voxel_indices

__all__ = ["LesionVoxels", "lesion_voxels"]

Scalar = TypeVar("Scalar", bound=np.generic)
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LesionVoxels:
    """Indices (N, 3) and labels (N,) of all lesion voxels, in the C order of the array.

    Sums run in this order, so that results do not depend on how arrays lie in memory.
    """

    indices: IntArray
    labels: IntArray
    sizes: IntArray  # voxels of label 1, 2, ...
    box: Box | None  # what holds them all; None without a lesion

    @property
    def count(self) -> int:
        """Number of lesions."""
        return int(self.sizes.size)

    @property
    def origin(self) -> IntArray:
        """First index of the box along each axis."""
        return np.array([part.start for part in self.box or ()], dtype=np.int64)

    def inside(self, array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """The part of an array of the lesions' shape that lies in their box."""
        return array[self.box] if self.box else array[:0]

    def values(self, array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """The values (N,) of an array of the lesions' shape."""
        return np.asarray(array[tuple(self.indices.T)])

    def means(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """The mean over each lesion of values (N,)."""
        sums = np.bincount(self.labels, weights=values.astype(np.float64), minlength=self.count + 1)
        return np.asarray(sums[1:] / self.sizes)

    def peaks(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """The highest of values (N,) of each lesion."""
        highest = np.full(self.count, -np.inf)
        np.maximum.at(highest, self.labels - 1, values.astype(np.float64))
        return highest


def lesion_voxels(labels: npt.NDArray[np.int32]) -> LesionVoxels:
    """The voxels of lesions numbered 1..n, with no number missing."""
    indices = voxel_indices(labels)
    of_voxel = labels[tuple(indices.T)].astype(np.int64)
    if not len(indices):
        return LesionVoxels(indices, of_voxel, np.zeros(0, dtype=np.int64), None)
    x, y, z = (
        slice(low, high + 1)
        for low, high in zip(
            indices.min(axis=0).tolist(), indices.max(axis=0).tolist(), strict=True
        )
    )
    return LesionVoxels(indices, of_voxel, np.bincount(of_voxel)[1:], (x, y, z))
