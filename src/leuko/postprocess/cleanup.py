"""Cleaning a mask: where it may lie, what is too small, which holes are closed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.tissues import BRAIN, tissue_mask
from leuko.masks.box import bounding_box, grow_box
from leuko.masks.components import connected_components, select
from leuko.masks.distance import nearest_distance
from leuko.masks.morphology import plane_holes
from leuko.models.classes import Tissue
from leuko.postprocess.effect import Effect, effect_of

__all__ = [
    "CONFINE_MARGIN_MM",
    "FILL_HOLES_MM3",
    "HOST_TISSUES",
    "MIN_LESION_MM3",
    "confine",
    "fill_holes",
    "keep_main_brain",
    "remove_small",
]

BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

# Where lesions arise. Left out: cortex, fluid and what is not brain.
HOST_TISSUES = (Tissue.WHITE_MATTER, Tissue.DEEP_GREY, Tissue.BRAINSTEM, Tissue.CEREBELLUM)
CONFINE_MARGIN_MM = 2.0  # about the thickness of cortex: juxtacortical lesions reach into it
# Removes specks of one or two voxels in 1 mm scans, nothing where a voxel is larger. Larger limits
# cost more than they clean: of the lesions that raters drew in three 1 mm scans 12 % are smaller
# than 3 mm3 (.04 % of the volume), but 38 % are smaller than 10 mm3, and in thick slices none is.
MIN_LESION_MM3 = 3.0
FILL_HOLES_MM3 = 10.0
MAIN_BRAIN_SHARE = 0.1  # parts of this share of the largest are brain as well, as in a cut scan
VOLUME_DECIMALS = 6  # mm3: ten voxels of 1 mm3 are 10 mm3, however a header rounds


def confine(
    mask: BoolArray,
    *,
    anatomy: Labels,
    spacing: Triple,
    margin_mm: float = CONFINE_MARGIN_MM,
    tissues: tuple[Tissue, ...] = HOST_TISSUES,
) -> tuple[BoolArray, Effect]:
    """Keep voxels within `margin_mm` (between voxel centres) of the tissues that bear lesions.

    The anatomy counts what the network called lesion as white matter, so such voxels stay.

    Args:
        mask: 3D.
        anatomy: tissues (values of `Tissue`) on the same voxels.
        spacing: mm between voxels along each axis.
        margin_mm: how far outside the tissues a lesion may reach.
        tissues: the tissues that bear lesions.
    """
    outside = mask & ~tissue_mask(anatomy, tissues)
    voxels = np.argwhere(outside)
    kept = mask.copy()
    if len(voxels):
        far = ~np.isfinite(
            nearest_distance(
                voxels, to=tissue_mask(anatomy, tissues), spacing=spacing, limit_mm=margin_mm
            )
        )
        kept[tuple(voxels[far].T)] = False
    return kept, effect_of(mask, kept)


def keep_main_brain(mask: BoolArray, *, anatomy: Labels) -> tuple[BoolArray, Effect]:
    """Keep lesions that touch the main brain: its largest part, or one a tenth as large.

    Parts are connected by faces; a lesion (26-connected) touches a part when it shares a voxel
    with it or neighbours one. Without any brain nothing is removed.

    Args:
        mask: 3D.
        anatomy: tissues (values of `Tissue`) on the same voxels.
    """
    lesions = connected_components(mask)
    box = bounding_box(mask)
    main = _main_brain(anatomy)
    if box is None or main is None:
        return mask, effect_of(mask, mask)
    around = grow_box(box, by=(1, 1, 1), shape=mask.shape)
    near = ndimage.binary_dilation(main[around], structure=np.ones((3, 3, 3), dtype=np.bool_))
    touching = np.zeros(lesions.count + 1, dtype=np.bool_)
    touching[lesions.labels[around][near]] = True
    if touching[1:].all():
        return mask, effect_of(mask, mask)
    kept = select(lesions, keep=touching[1:])
    return kept, effect_of(mask, kept, lesions_removed=int(np.count_nonzero(~touching[1:])))


def _main_brain(anatomy: Labels) -> BoolArray | None:
    brain = tissue_mask(anatomy, BRAIN)
    box = bounding_box(brain)
    if box is None:
        return None
    parts, count = ndimage.label(brain[box])
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    brain[box] = (sizes >= MAIN_BRAIN_SHARE * sizes.max())[parts] & (parts > 0)
    return brain


def remove_small(
    mask: BoolArray, *, voxel_mm3: float, min_mm3: float = MIN_LESION_MM3
) -> tuple[BoolArray, Effect]:
    """Remove lesions (26-connected) smaller than `min_mm3`."""
    lesions = connected_components(mask)
    keep = np.round(lesions.sizes * voxel_mm3, VOLUME_DECIMALS) >= min_mm3
    if keep.all():
        return mask, effect_of(mask, mask)
    kept = select(lesions, keep=keep)
    return kept, effect_of(mask, kept, lesions_removed=int(np.count_nonzero(~keep)))


def fill_holes(
    mask: BoolArray,
    *,
    voxel_mm3: float,
    slice_axis: int,
    max_mm3: float = FILL_HOLES_MM3,
    image: npt.NDArray[np.generic] | None = None,
    darkest: float | None = None,
) -> tuple[BoolArray, Effect]:
    """Fill holes of at most `max_mm3` in each slice, but no voxel darker than `darkest`.

    Lacunes and black holes are darker than white matter: they are not part of the lesion around
    them and stay open. A hole is background enclosed within its slice.

    Args:
        mask: 3D.
        voxel_mm3: volume of a voxel.
        slice_axis: the axis across slices.
        max_mm3: largest hole that is filled.
        image: intensities on the same voxels; without them holes are filled whatever is in them.
        darkest: the level of normal white matter.
    """
    most = int(np.round(max_mm3 / voxel_mm3, VOLUME_DECIMALS))
    holes = plane_holes(mask, plane_normal=slice_axis, max_voxels=most)
    inside = np.nonzero(holes)
    if image is not None and darkest is not None:
        bright = np.asarray(image[inside], dtype=np.float32) >= np.float32(darkest)
        inside = tuple(index[bright] for index in inside)
    filled = mask.copy()
    filled[inside] = True
    return filled, effect_of(mask, filled, holes_filled=int(np.unique(holes[inside]).size))
