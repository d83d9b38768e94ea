"""Where the brain is at all: a body in three dimensions, found on coarse cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.masks.morphology import dilate
from leuko.masks.solid import closed, filled, main_part
from leuko.models.classes import Tissue

__all__ = ["CORE", "FAT", "SULCUS_MM", "BrainShape", "brain_shape"]

BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

# What the network confuses with muscle and fat least; cortex it also sees in the face and neck.
CORE = (
    Tissue.DEEP_GREY,
    Tissue.WHITE_MATTER,
    Tissue.VENTRICLES,
    Tissue.BRAINSTEM,
    Tissue.CEREBELLUM,
)
# Chosen on four heads with a parcellation or a brain extraction of others (Dice .91 to .98).
CORE_MM = 2.5  # what hangs on the core by bridges thinner than twice this is cut off
REACH_MM = (16.0, 16.0, 8.0)  # from the core: cortex and sulci; below lie the muscles of the jaw
BRIDGE_MM = 6.0  # the same for the whole brain
SULCUS_MM = 4.0  # clefts up to twice this are filled
FAT = 2.2  # of the level of white matter: fat of the neck; lesions stay below


@dataclass(frozen=True, slots=True, eq=False)
class BrainShape:
    """The brain on coarse cells, and how these lie on the voxels they were made from."""

    cells: BoolArray
    cell_mm: Triple
    factors: tuple[int, int, int]  # voxels of a cell along each axis
    voxels: tuple[int, int, int]

    def within(self, margin_mm: float = 0.0) -> BoolArray:
        """The voxels that lie up to `margin_mm` outside the brain, and at least up to one cell."""
        margin = max(margin_mm, min(self.cell_mm))
        grown = dilate(self.cells, spacing=self.cell_mm, radius_mm=margin)
        x, y, z = self.voxels
        return _spread(grown, self.factors)[:x, :y, :z]


def brain_shape(
    core: BoolArray, matter: BoolArray, *, spacing: Triple, cell_mm: float
) -> BrainShape:
    """The shape of the brain, free of what the network took for brain elsewhere.

    The core is freed of what hangs on it by thin bridges; other matter counts within 16 mm of it
    (8 mm up and down), and bridges thinner than 12 mm to what is left are cut.

    Args:
        core: tissue that is brain for sure, where it is one piece (`CORE`); canonical axes.
        matter: all tissue that may belong to it, the core too.
        spacing: mm between voxels along each axis.
        cell_mm: cells are up to this size; voxels may be larger.
    """
    x, y, z = (max(1, int(cell_mm / step + 1e-3)) for step in spacing)
    factors = (x, y, z)
    cells: Triple = (spacing[0] * x, spacing[1] * y, spacing[2] * z)
    heart = main_part(_reduced(core, factors), spacing=cells, radius_mm=max(CORE_MM, min(cells)))
    near = dilate(heart, spacing=cells, radius_mm=REACH_MM)
    shape = closed(_reduced(matter, factors) & near, spacing=cells, radius_mm=SULCUS_MM)
    shape = main_part(filled(shape), spacing=cells, radius_mm=BRIDGE_MM)
    nx, ny, nz = core.shape
    return BrainShape(shape, cells, factors, (nx, ny, nz))


def _spread(cells: BoolArray, factors: tuple[int, int, int]) -> BoolArray:
    """Every cell as a block of voxels; much faster than `np.repeat`."""
    for axis, factor in reversed(list(enumerate(factors))):
        if factor > 1:
            shape = list(cells.shape)
            shape[axis] *= factor
            wider = np.empty(shape, dtype=np.bool_)
            along = np.moveaxis(wider, axis, 0)
            for start in range(factor):
                along[start::factor] = np.moveaxis(cells, axis, 0)
            cells = wider
    return cells


def _reduced(mask: BoolArray, factors: tuple[int, int, int]) -> BoolArray:
    """Blocks of voxels that are at least half full; the last ones may reach beyond the array."""
    block = int(np.prod(factors))
    filled_voxels = np.ascontiguousarray(mask).view(np.uint8)
    if block > np.iinfo(np.uint8).max:
        filled_voxels = filled_voxels.astype(np.uint32)
    for axis, factor in enumerate(factors):
        along = np.moveaxis(filled_voxels, axis, 0)
        total = along[::factor].copy(order="K")
        for start in range(1, factor):
            more = along[start::factor]
            total[: len(more)] += more
        filled_voxels = np.moveaxis(total, 0, axis)
    return np.asarray(filled_voxels >= (block + 1) // 2)
