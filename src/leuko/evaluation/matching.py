"""The lesions of one mask, and how far another mask covers each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.masks.components import connected_components

__all__ = ["LesionCover", "lesion_cover"]

IntArray = npt.NDArray[np.int64]
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


def lesion_cover(mask: BoolArray, *, touched_by: BoolArray) -> LesionCover:
    """The 26-connected components of `mask` (3D), with the voxels that `touched_by` shares."""
    found = connected_components(mask, connectivity=26)
    shared = np.bincount(found.labels[mask & touched_by], minlength=found.count + 1)[1:]
    return LesionCover(voxels=found.sizes, shared=shared)
