"""The brain as one solid mask, from the tissues that the network named slice by slice."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from leuko.anatomy.tissues import tissue_mask
from leuko.masks.morphology import dilate
from leuko.masks.solid import closed, filled, largest_part, main_part, smoothed
from leuko.models.classes import Tissue

__all__ = ["Extent", "brain_mask"]

Extent = Literal["brain", "intracranial"]
BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

# What the network confuses with muscle and fat least; cortex it also sees in the face and neck.
CORE = (
    Tissue.DEEP_GREY,
    Tissue.WHITE_MATTER,
    Tissue.VENTRICLES,
    Tissue.BRAINSTEM,
    Tissue.CEREBELLUM,
)
WORK_MM = 2.0  # shapes are found on voxels of up to this size; only their surface is finer
# Chosen on four heads with a parcellation or a brain extraction of others (Dice .91 to .98).
CORE_MM = 2.5  # what hangs on the core by bridges thinner than twice this is cut off
REACH_MM = (16.0, 16.0, 8.0)  # from the core: cortex and sulci; below lie the muscles of the jaw
BRIDGE_MM = 6.0  # the same for the whole brain
SULCUS_MM = 4.0  # clefts up to twice this are filled
SMOOTH_MM = 1.5
FAT = 2.2  # of the level of white matter: fat of the neck; lesions stay below


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
    factors = [max(1, int(WORK_MM / step + 1e-3)) for step in spacing]
    wanted = (*CORE, Tissue.CORTEX, *((Tissue.CSF,) if extent == "intracranial" else ()))
    matter = tissue_mask(anatomy, wanted)
    core = tissue_mask(anatomy, CORE)
    white = image[anatomy == Tissue.WHITE_MATTER]
    if white.size:
        matter &= image < FAT * np.median(white)
        core &= matter
    region = _region(
        _reduced(core, factors),
        _reduced(matter, factors),
        spacing=_coarse(spacing, factors),
    )
    matter &= _enlarged(region, factors, matter.shape)
    solid = filled(closed(matter, spacing=spacing, radius_mm=SULCUS_MM))
    found = filled(largest_part(smoothed(solid, spacing=spacing, sigma_mm=SMOOTH_MM)))
    return dilate(found, spacing=spacing, radius_mm=margin_mm) if margin_mm > 0 else found


def _region(core: BoolArray, matter: BoolArray, *, spacing: Triple) -> BoolArray:
    """Where tissue is part of the brain, a voxel more on all sides; on coarse voxels."""
    core = main_part(core, spacing=spacing, radius_mm=CORE_MM)
    near = dilate(core, spacing=spacing, radius_mm=REACH_MM)
    shape = filled(closed(matter & near, spacing=spacing, radius_mm=SULCUS_MM))
    shape = main_part(shape, spacing=spacing, radius_mm=BRIDGE_MM)
    return dilate(shape, spacing=spacing, radius_mm=min(spacing))


def _coarse(spacing: Triple, factors: list[int]) -> Triple:
    x, y, z = (step * factor for step, factor in zip(spacing, factors, strict=True))
    return x, y, z


def _reduced(mask: BoolArray, factors: list[int]) -> BoolArray:
    """Blocks of voxels that are at least half full."""
    pad = [(0, -size % factor) for size, factor in zip(mask.shape, factors, strict=True)]
    whole = np.pad(mask, pad)
    blocks: list[int] = []
    for size, factor in zip(whole.shape, factors, strict=True):
        blocks += [size // factor, factor]
    share = whole.reshape(blocks).mean(axis=(1, 3, 5), dtype=np.float32)
    return np.asarray(share >= 0.5)


def _enlarged(mask: BoolArray, factors: list[int], shape: tuple[int, ...]) -> BoolArray:
    for axis, factor in enumerate(factors):
        mask = np.repeat(mask, factor, axis=axis)
    return mask[: shape[0], : shape[1], : shape[2]]
