"""Connected components of a mask, largest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.masks.box import bounding_box

__all__ = ["Components", "Connectivity", "connected_components", "count_components", "select"]

Connectivity = Literal[6, 26]
BoolArray = npt.NDArray[np.bool_]

_NEIGHBOURS: dict[int, BoolArray] = {
    6: ndimage.generate_binary_structure(3, 1),
    26: ndimage.generate_binary_structure(3, 3),
}


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Labels 1..n (int32, 0 outside) and the voxels of each: `sizes[0]` belongs to label 1.

    Label 1 is the largest; components of one size are in the C order of their first voxels.
    """

    labels: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of components."""
        return int(self.sizes.size)


def connected_components(mask: BoolArray, *, connectivity: Connectivity = 26) -> Components:
    """The components of a 3D mask: voxels that share a face (6) or at least a corner (26).

    The order does not depend on how the mask lies in memory, only on its indices.
    """
    labels = np.zeros(mask.shape, dtype=np.int32)
    box = bounding_box(mask)
    if box is None:
        return Components(labels, np.zeros(0, dtype=np.int64))
    part = np.ascontiguousarray(mask[box])
    found, count = ndimage.label(part, structure=_NEIGHBOURS[connectivity])
    voxels = np.flatnonzero(part)
    of_voxel = found.ravel()[voxels]
    sizes = np.bincount(of_voxel, minlength=count + 1)[1:]
    first = np.empty(count + 1, dtype=np.int64)
    first[of_voxel[::-1]] = voxels[::-1]  # the last write wins: the component's first voxel
    order = np.lexsort((first[1:], -sizes))
    new_label = np.zeros(count + 1, dtype=np.int32)
    new_label[order + 1] = np.arange(1, count + 1)
    labels[box] = new_label[found]
    return Components(labels, sizes[order])


def count_components(mask: BoolArray, *, connectivity: Connectivity = 26) -> int:
    """The number of components of a 3D mask."""
    box = bounding_box(mask)
    if box is None:
        return 0
    return int(ndimage.label(mask[box], structure=_NEIGHBOURS[connectivity])[1])


def select(components: Components, *, keep: BoolArray) -> BoolArray:
    """The mask of the components for which `keep` (one entry a component) is true."""
    table = np.concatenate(([False], keep))
    return np.asarray(table[components.labels])
