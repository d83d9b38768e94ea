"""Cleaning a mask: where it may lie, what is too small, which holes are closed."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.tissues import BRAIN, tissue_mask
from leuko.masks.box import bounding_box, grow_box, voxel_indices
from leuko.masks.components import connected_components, select
from leuko.masks.morphology import dilate, plane_holes
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
    "remove_doubtful",
    "remove_small",
]

BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

# Where lesions arise. Left out: cortex, fluid and what is not brain.
HOST_TISSUES = (Tissue.WHITE_MATTER, Tissue.DEEP_GREY, Tissue.BRAINSTEM, Tissue.CEREBELLUM)
CONFINE_MARGIN_MM = 2.0  # about the thickness of cortex: juxtacortical lesions reach into it
# Removes specks of one or two voxels in 1 mm scans, nothing where a voxel is larger. Of the lesions
# that raters drew in three 1 mm scans 12 % are smaller than 3 mm3 (.04 % of the volume), but 38 %
# are smaller than 10 mm3: what is small is better judged by its probability (`remove_doubtful`).
MIN_LESION_MM3 = 3.0
FILL_HOLES_MM3 = 10.0
MAIN_BRAIN_SHARE = 0.1  # parts of this share of the largest are brain as well, as in a cut scan
SAMPLED_FROM = 128  # voxels along an axis
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
    box = bounding_box(outside)
    if box is None:
        return mask, effect_of(mask, mask)
    x, y, z = (int(np.ceil(margin_mm / step)) for step in spacing)
    around = grow_box(box, by=(x, y, z), shape=mask.shape)
    near = dilate(tissue_mask(anatomy[around], tissues), spacing=spacing, radius_mm=margin_mm)
    kept = mask.copy()
    kept[around] &= near
    return kept, effect_of(mask, kept)


def keep_main_brain(mask: BoolArray, *, anatomy: Labels) -> tuple[BoolArray, Effect]:
    """Keep lesions that touch the main brain: its largest part, or one a tenth as large.

    Parts are connected by faces, judged on every other voxel along axes of 128 voxels and more; a
    lesion (26-connected) touches a part when it shares such a voxel with it or neighbours one.
    Without any brain nothing is removed.

    Args:
        mask: 3D.
        anatomy: tissues (values of `Tissue`) on the same voxels.
    """
    stride = [2 if size >= SAMPLED_FROM else 1 for size in anatomy.shape]
    x, y, z = (slice(None, None, every) for every in stride)
    parts, count = ndimage.label(tissue_mask(anatomy[x, y, z], BRAIN))
    if count == 0:
        return mask, effect_of(mask, mask)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    main = sizes >= max(MAIN_BRAIN_SHARE * sizes.max(), 1)
    lesions = connected_components(mask)
    voxels = voxel_indices(mask)
    own = lesions.labels[tuple(voxels.T)]
    touching = np.zeros(lesions.count + 1, dtype=np.bool_)
    touching[0] = True
    for offset in sorted(itertools.product((0, -1, 1), repeat=3), key=np.count_nonzero):
        # Most lesions lie in it; only the few that do not yet touch it are asked again.
        apart = ~touching[own]
        voxels, own = voxels[apart], own[apart]
        beside = np.clip(voxels // stride + offset, 0, np.array(parts.shape) - 1)
        touching[own[main[parts[tuple(beside.T)]]]] = True
    if touching.all():
        return mask, effect_of(mask, mask)
    kept = select(lesions, keep=touching[1:])
    return kept, effect_of(mask, kept, lesions_removed=int(np.count_nonzero(~touching)))


def remove_doubtful(
    mask: BoolArray, *, probability: npt.NDArray[np.float32], min_peak: float
) -> tuple[BoolArray, Effect]:
    """Remove lesions (26-connected) whose probability reaches `min_peak` nowhere.

    So a mask may be cut at a low probability, which keeps the faint parts of a lesion, and yet
    holds no lesion that is faint throughout.
    """
    lesions = connected_components(mask)
    sure = mask & (probability >= np.float32(min_peak))
    keep = np.bincount(lesions.labels[sure], minlength=lesions.count + 1)[1:] > 0
    if keep.all():
        return mask, effect_of(mask, mask)
    kept = select(lesions, keep=keep)
    return kept, effect_of(mask, kept, lesions_removed=int(np.count_nonzero(~keep)))


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
    voxels, holes = plane_holes(mask, plane_normal=slice_axis, max_voxels=most)
    if image is not None and darkest is not None:
        bright = np.asarray(image[tuple(voxels.T)], dtype=np.float32) >= np.float32(darkest)
        voxels, holes = voxels[bright], holes[bright]
    filled = mask.copy()
    filled[tuple(voxels.T)] = True
    return filled, effect_of(mask, filled, holes_filled=int(np.unique(holes).size))
