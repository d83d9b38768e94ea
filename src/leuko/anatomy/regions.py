"""The region of each lesion, by stated rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.tissues import tissue_mask
from leuko.masks.box import Box, bounding_box, grow_box
from leuko.masks.morphology import dilate
from leuko.models.classes import Tissue

__all__ = [
    "INFRATENTORIAL_RULE",
    "PERIVENTRICULAR_MM",
    "PERIVENTRICULAR_RULE",
    "Region",
    "classify_regions",
    "ventricle_reach_mm",
]

Triple = tuple[float, float, float]

PERIVENTRICULAR_MM = 2.0
PERIVENTRICULAR_RULE = "cluster within 2 mm of the ventricles"  # one of four in use
INFRATENTORIAL_RULE = "mostly brainstem or cerebellum within 3 mm"
NEIGHBOURHOOD_MM = 3.0

INFRATENTORIAL = (Tissue.BRAINSTEM, Tissue.CEREBELLUM)
SUPRATENTORIAL = (Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.WHITE_MATTER)  # ventricles: in both


class Region(StrEnum):
    """Where a lesion lies as a whole; UNKNOWN without anatomy or ventricles."""

    PERIVENTRICULAR = "periventricular"
    DEEP = "deep"
    INFRATENTORIAL = "infratentorial"
    UNKNOWN = "unknown"


def ventricle_reach_mm(spacing: Triple) -> float:
    """The distance between voxel centres that counts as within 2 mm of the ventricles.

    2 mm, or the diagonal of a pixel where that is longer: on coarse grids a lesion that touches
    the ventricles is periventricular.
    """
    first, second, _ = sorted(spacing)
    return max(PERIVENTRICULAR_MM, float(np.hypot(first, second)) + 1e-6)


def classify_regions(
    labels: npt.NDArray[np.int32],
    *,
    anatomy: npt.NDArray[np.uint8] | None,
    ventricle_mm: npt.NDArray[np.float64],
    spacing: Triple,
) -> tuple[Region, ...]:
    """The region of each lesion 1..n.

    Infratentorial where brainstem and cerebellum outnumber the tissues of the cerebrum within 3 mm
    (the network calls lesion voxels white matter wherever they lie, so only voxels outside the
    lesions are asked); else periventricular by the rule of clusters; else deep; unknown where no
    ventricles are found.

    Args:
        labels: 0 outside, 1..n.
        anatomy: tissues on the same voxels; without them every region is unknown.
        ventricle_mm: distance of each lesion's nearest voxel to the ventricles, inf without any.
        spacing: mm between voxels along each axis.
    """
    count = len(ventricle_mm)
    if anatomy is None:
        return (Region.UNKNOWN,) * count
    box = bounding_box(labels)
    if box is None:
        return ()
    # At least a voxel in every direction, so that thick slices have neighbours, too.
    radius = (
        max(NEIGHBOURHOOD_MM, spacing[0]),
        max(NEIGHBOURHOOD_MM, spacing[1]),
        max(NEIGHBOURHOOD_MM, spacing[2]),
    )
    x, y, z = (int(np.ceil(r / step)) for r, step in zip(radius, spacing, strict=True))
    wide = grow_box(box, by=(x, y, z), shape=labels.shape)
    near = _Surroundings(labels[wide], anatomy[wide], spacing, radius, (x, y, z))
    reach = ventricle_reach_mm(spacing)
    regions = []
    for index, (i, j, k) in enumerate(ndimage.find_objects(near.labels, max_label=count)):
        if near.infratentorial(index + 1, (i, j, k)):
            regions.append(Region.INFRATENTORIAL)
        elif not np.isfinite(ventricle_mm[index]):
            regions.append(Region.UNKNOWN)
        elif ventricle_mm[index] <= reach:
            regions.append(Region.PERIVENTRICULAR)
        else:
            regions.append(Region.DEEP)
    return tuple(regions)


@dataclass(frozen=True, slots=True, eq=False)
class _Surroundings:
    """Lesions and tissues in a box, and how far to look around a lesion: in mm and in voxels."""

    labels: npt.NDArray[np.int32]
    anatomy: npt.NDArray[np.uint8]
    spacing: Triple
    radius_mm: Triple
    reach: tuple[int, int, int]

    def infratentorial(self, label: int, box: Box) -> bool:
        """Whether brainstem and cerebellum outnumber the cerebrum around a lesion."""
        wide = grow_box(box, by=self.reach, shape=self.labels.shape)
        around = self.anatomy[wide]
        below = tissue_mask(around, INFRATENTORIAL)
        if not below.any():
            return False
        here = self.labels[wide]
        near = dilate(here == label, spacing=self.spacing, radius_mm=self.radius_mm)
        near &= here == 0
        return bool((below & near).sum() > (tissue_mask(around, SUPRATENTORIAL) & near).sum())
