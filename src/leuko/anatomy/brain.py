"""The brain as one solid mask, from the tissues that the network named slice by slice."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from leuko.anatomy.envelope import CORE, FAT, SULCUS_MM, brain_shape
from leuko.anatomy.tissues import tissue_mask
from leuko.masks.morphology import dilate
from leuko.masks.solid import closed, filled, largest_part, smoothed
from leuko.models.classes import Tissue

__all__ = ["Extent", "brain_mask"]

Extent = Literal["brain", "intracranial"]
BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

WORK_MM = 2.0  # shapes are found on voxels of up to this size; only their surface is finer
SMOOTH_MM = 1.5


def brain_mask(
    anatomy: Labels,
    *,
    image: npt.NDArray[Any],
    spacing: Triple,
    extent: Extent = "brain",
    margin_mm: float = 0.0,
) -> BoolArray:
    """The brain as one part without holes, smooth in all three directions.

    The core (white matter, deep grey matter, ventricles, brainstem, cerebellum) is freed of what
    hangs on it by thin bridges; cortex counts within 16 mm of it (8 mm up and down); clefts up to
    8 mm wide (sulci, the fissure between the hemispheres) are filled; the surface is smoothed by a
    Gaussian of 1.5 mm. So most of the muscle and fat that the network took for brain in the face
    and neck is left out.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes.
        image: the scan on the same voxels.
        spacing: mm between voxels along each axis.
        extent: `brain`, or `intracranial`: with the fluid around the brain.
        margin_mm: the mask is grown by this much in the end.
    """
    wanted = (*CORE, Tissue.CORTEX, *((Tissue.CSF,) if extent == "intracranial" else ()))
    matter = tissue_mask(anatomy, wanted)
    core = tissue_mask(anatomy, CORE)
    white = image[anatomy == Tissue.WHITE_MATTER]
    if white.size:
        matter &= image < FAT * np.median(white)
        core &= matter
    matter &= brain_shape(core, matter, spacing=spacing, cell_mm=WORK_MM).within()
    solid = filled(closed(matter, spacing=spacing, radius_mm=SULCUS_MM))
    found = filled(largest_part(smoothed(solid, spacing=spacing, sigma_mm=SMOOTH_MM)))
    return dilate(found, spacing=spacing, radius_mm=margin_mm) if margin_mm > 0 else found
