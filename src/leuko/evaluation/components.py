"""Connected components of one mask, and how far another mask covers each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["Components", "components"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The 26-connected components of a mask: voxels of each, and those the other mask shares."""

    voxels: IntArray
    shared: IntArray

    @property
    def count(self) -> int:
        """Number of components."""
        return int(self.voxels.size)

    def touched(self, *, min_overlap: float = 0.0) -> BoolArray:
        """Which components share a voxel with the other mask.

        `min_overlap` asks for more: the least shared fraction of the component's own voxels.
        """
        return np.asarray((self.shared > 0) & (self.shared >= min_overlap * self.voxels))


def components(mask: BoolArray, *, touched_by: BoolArray) -> Components:
    """The 26-connected components of `mask` (3D), with the voxels that `touched_by` shares."""
    labels, count = ndimage.label(mask, structure=np.ones((3, 3, 3), dtype=bool))
    return Components(
        voxels=np.bincount(labels[mask], minlength=count + 1)[1:],
        shared=np.bincount(labels[mask & touched_by], minlength=count + 1)[1:],
    )
