"""Blurred maps of a head's tissues on coarse cells: what is mirrored, or laid on a template."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.masks.box import Box, bounding_box
from leuko.models.classes import Tissue

__all__ = ["BRAIN", "GROUPS", "Groups", "TissueMaps"]

Triple = tuple[float, float, float]
Labels = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
Groups = tuple[tuple[Tissue, ...], ...]

FEWEST_BRAIN_ML = 100.0  # less brain than this has no shape to speak of
CELL_MM = 4.0
BLUR_MM = 3.0
RIM = 2  # cells without tissue around the maps
CUT_AREA = 0.03  # of the largest cross-section: more brain than this in a border plane is cut
# Lesions count as white matter before they come here, so that disease does not change the shape.
GROUPS: Groups = (
    (Tissue.CSF, Tissue.VENTRICLES),
    (Tissue.CORTEX,),
    (Tissue.WHITE_MATTER,),
    (Tissue.DEEP_GREY, Tissue.BRAINSTEM),
    (Tissue.CEREBELLUM,),
)
BRAIN = (Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.WHITE_MATTER, Tissue.BRAINSTEM, Tissue.CEREBELLUM)


@dataclass(frozen=True, slots=True, eq=False)
class TissueMaps:
    """Blurred tissue maps on coarse cells, with an empty rim of two cells."""

    values: FloatArray  # (X, Y, Z, groups + 1): the last is 0 where the scan's edge cuts the brain
    origin: Points  # mm of the first cell's centre
    step: Points  # mm between cells
    brain: npt.NDArray[np.bool_]  # (X, Y, Z): cells that are brain by half

    @classmethod
    def of(cls, anatomy: Labels, *, spacing: Triple, groups: Groups = GROUPS) -> TissueMaps | None:
        """The maps of a head; None with less than 100 ml of brain.

        Args:
            anatomy: tissues (values of `Tissue`), canonical axes.
            spacing: mm between voxels along each axis.
            groups: the tissues that each map holds.
        """
        box = bounding_box(anatomy)
        if box is None:
            return None
        # Every n-th voxel, about 2 mm apart, then means over blocks of about 4 mm.
        stride = [max(1, round(CELL_MM / 2 / step)) for step in spacing]
        x, y, z = (slice(p.start, p.stop, n) for p, n in zip(box, stride, strict=True))
        sampled = np.ascontiguousarray(anatomy[x, y, z])
        sample_mm = np.multiply(stride, spacing)
        block = np.maximum(1, np.round(CELL_MM / sample_mm)).astype(int)
        fill = [(0, -n % m) for n, m in zip(sampled.shape, block, strict=True)]
        sampled = np.pad(sampled, fill)
        step = block * sample_mm
        brain = _block_means(_table(BRAIN)[sampled], block)
        if float(brain.sum() * np.prod(step)) < FEWEST_BRAIN_ML * 1000:
            return None
        rim = [(RIM, RIM)] * 3
        known = np.pad(np.ones(brain.shape, dtype=np.float32), rim, constant_values=1.0)
        for axis, side in _cut_faces(brain, box, anatomy.shape):
            np.moveaxis(known, axis, 0)[slice(0, RIM) if side == 0 else slice(-RIM, None)] = 0.0
        start = np.multiply([part.start for part in box], spacing)
        sigma = BLUR_MM / step
        blurred = [
            ndimage.gaussian_filter(
                np.pad(_block_means(_table(group)[sampled], block), rim), sigma, truncate=2.5
            )
            for group in groups
        ]
        return cls(
            values=np.stack([*blurred, known], axis=-1),
            origin=start + (block - 1) / 2 * sample_mm - RIM * step,
            step=step,
            brain=np.pad(brain > 0.5, rim),
        )

    def points(self) -> Points:
        """Centres in mm of the cells that are brain, (N, 3)."""
        return np.asarray(np.argwhere(self.brain) * self.step + self.origin)

    def own(self) -> FloatArray:
        """The maps at `points`, (N, groups)."""
        return np.asarray(self.values[self.brain][:, :-1])

    def nearest(self, points: Points) -> FloatArray:
        """The maps in the cells nearest to points (..., 3) in mm; the rim goes on outside."""
        index = np.rint((points - self.origin) / self.step).astype(np.intp)
        np.clip(index, 0, np.array(self.brain.shape) - 1, out=index)
        return np.asarray(self._flat.take(index @ self._strides, axis=0))

    def linear(self, points: Points) -> FloatArray:
        """The maps at points (N, 3) in mm, trilinear; the rim goes on outside."""
        last = np.array(self.brain.shape) - 1
        place = np.clip((points - self.origin) / self.step, 0, last)
        low = np.minimum(place.astype(np.intp), last - 1)
        high_share = (place - low).astype(np.float32).T
        shares = (1 - high_share, high_share)
        flat, strides = self._flat, self._strides
        base = low @ strides
        total = np.zeros((len(points), flat.shape[1]), dtype=np.float32)
        for i, j, k in itertools.product((0, 1), repeat=3):
            weight = shares[i][0] * shares[j][1] * shares[k][2]
            total += weight[:, None] * flat.take(base + int(np.dot((i, j, k), strides)), axis=0)
        return total

    @property
    def _flat(self) -> FloatArray:
        """The maps, a row a cell."""
        return self.values.reshape(-1, self.values.shape[-1])

    @property
    def _strides(self) -> npt.NDArray[np.int64]:
        """Rows from a cell to its next neighbour along each axis."""
        _, y, z = self.brain.shape
        return np.array([y * z, z, 1])


def _table(tissues: tuple[Tissue, ...]) -> FloatArray:
    table = np.zeros(256, dtype=np.float32)
    table[list(tissues)] = 1.0
    return table


def _block_means(values: FloatArray, block: npt.NDArray[np.int64]) -> FloatArray:
    """Means over blocks of voxels; every axis is a multiple of its block."""
    for axis, size in enumerate(block.tolist()):
        shape = (*values.shape[:axis], -1, size, *values.shape[axis + 1 :])
        values = values.reshape(shape).mean(axis=axis + 1)
    return values


def _cut_faces(brain: FloatArray, box: Box, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Axis and side (0 low, 1 high) of the array's faces that cut through brain."""
    cut = []
    for axis in range(3):
        areas = brain.sum(axis=tuple(other for other in range(3) if other != axis))
        reaches = (box[axis].start == 0, box[axis].stop == shape[axis])
        for side, area in enumerate((areas[0], areas[-1])):
            if reaches[side] and area > CUT_AREA * areas.max():
                cut.append((axis, side))
    return cut
