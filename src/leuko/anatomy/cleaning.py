"""One brain out of what the network named slice by slice: nothing in the face, no loose pieces.

The network sees a slice and its neighbours, so it takes muscle, fat and scalp for brain where they
look like it. What a brain is as a body in three dimensions is put right here, by stated rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.envelope import CORE, FAT, brain_shape
from leuko.anatomy.tissues import BRAIN, tissue_mask
from leuko.masks.box import bounding_box, voxel_indices
from leuko.masks.morphology import plane_holes
from leuko.masks.solid import closed
from leuko.models.classes import Tissue
from leuko.preparation.prepare import slice_axis

__all__ = ["clean_anatomy"]

BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

BELOW = (Tissue.BRAINSTEM, Tissue.CEREBELLUM)
LEAST_CEREBELLUM_ML = 20.0  # smaller pieces are cut off, or no cerebellum at all
CELL_MM = 2.0  # the shape of the brain is found on cells of up to this size
FLUID_MM = 9.0  # fluid farther than this from the brain does not surround it
LINED = 2 / 3  # a piece of the ventricles has brain beside it on more of its surface than this
PLEXUS_MM = 1.5  # clefts in the ventricles up to twice this are choroid plexus, or noise
PLEXUS_MM2 = 50.0  # holes in a slice of the ventricles up to this are, too
PIECES = np.ones((3, 3, 3), dtype=np.bool_)  # ventricles hang together by faces, edges and corners
FACES = np.concatenate([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])
IS_BRAIN = np.isin(np.arange(256), BRAIN)
IS_OUTER = np.isin(np.arange(256), (Tissue.BACKGROUND, Tissue.CSF))


def clean_anatomy(
    anatomy: Labels,
    *,
    image: npt.NDArray[Any],
    lesions: BoolArray,
    spacing: Triple,
) -> Labels:
    """The tissues (values of `Tissue`) of one brain, from what the network named; a new array.

    - Outside the brain there is nothing: see `envelope.brain_shape`; fluid counts within 9 mm.
      Below the middle of the cerebellum only it and the brainstem vouch for what is near them.
    - Pieces of brainstem and cerebellum apart from their main part are cortex.
    - Pieces of the ventricles apart from their main part stay where brain lines two thirds of them
      (horns, fourth ventricle); others are fluid outside the ventricles.
    - Clefts in the ventricles up to 3 mm wide that are not such fluid, and holes up to 50 mm2 in
      their slices, belong to them: choroid plexus. Lesions do not.

    Args:
        anatomy: as the network named them, canonical axes.
        image: the scan on the same voxels.
        lesions: what is held for a lesion, on the same voxels.
        spacing: mm between voxels along each axis.
    """
    found = anatomy.copy()
    box = bounding_box(anatomy)
    if box is None:
        return found
    part = found[box]
    _keep_one_brain(part, image=image[box], lesions=lesions[box], spacing=spacing)
    _keep_one_below(part)
    _drop_loose_ventricles(part)
    _fill_ventricles(part, lesions=lesions[box], spacing=spacing)
    return found


def _keep_one_brain(
    anatomy: Labels, *, image: npt.NDArray[Any], lesions: BoolArray, spacing: Triple
) -> None:
    """Make background of all outside the brain and the fluid around it."""
    white = (anatomy == Tissue.WHITE_MATTER) & ~lesions
    matter = tissue_mask(anatomy, (*CORE, Tissue.CORTEX))
    if white.any():
        matter &= (image < FAT * np.median(image[white])) | lesions
    core = matter & tissue_mask(anatomy, CORE)
    level = _middle_of_cerebellum(anatomy, voxel_ml=float(np.prod(spacing)) / 1000)
    core[..., :level] &= tissue_mask(anatomy[..., :level], BELOW)
    shape = brain_shape(core, matter, spacing=spacing, cell_mm=CELL_MM)
    if not shape.cells.any():  # too little to tell: everything stays
        return
    fluid = anatomy == Tissue.CSF
    anatomy[~shape.within() & ~fluid] = Tissue.BACKGROUND
    anatomy[fluid & ~shape.within(FLUID_MM)] = Tissue.BACKGROUND


def _middle_of_cerebellum(anatomy: Labels, *, voxel_ml: float) -> int:
    """The plane through the middle of the cerebellum; 0, the lowest plane, where there is none.

    Below it the cerebrum has but the tips of its temporal lobes, which are kept by what lies above
    them; all else that is taken for cerebrum there is the face.
    """
    cerebellum = anatomy == Tissue.CEREBELLUM
    box = bounding_box(cerebellum)
    if box is None:
        return 0
    parts, _ = ndimage.label(cerebellum[box])
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    main = int(np.argmax(sizes))
    if sizes[main] * voxel_ml < LEAST_CEREBELLUM_ML:
        return 0
    held = np.count_nonzero(parts == main, axis=(0, 1))
    return int(box[2].start) + int(np.average(np.arange(held.size), weights=held))


def _keep_one_below(anatomy: Labels) -> None:
    """Make cortex of brainstem and cerebellum that does not touch the main part of both."""
    below = tissue_mask(anatomy, BELOW)
    box = bounding_box(below)
    if box is None:
        return
    parts, count = ndimage.label(below[box])
    if count > 1:
        main = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
        anatomy[box][(parts > 0) & (parts != main)] = Tissue.CORTEX


def _drop_loose_ventricles(anatomy: Labels) -> None:
    """Make outer fluid of pieces of the ventricles that brain does not line."""
    box = bounding_box(anatomy == Tissue.VENTRICLES)
    if box is None:
        return
    part = anatomy[box]
    pieces, count = ndimage.label(part == Tissue.VENTRICLES, structure=PIECES)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    main = int(np.argmax(sizes))
    # Each face of a loose piece's voxels, and what lies beyond it.
    voxels = voxel_indices((pieces > 0) & (pieces != main))
    own = pieces[tuple(voxels.T)]
    start = np.array([edge.start for edge in box])
    lined, outer = np.zeros(count + 1), np.zeros(count + 1)
    for offset in FACES:
        beside = np.clip(voxels + start + offset, 0, np.array(anatomy.shape) - 1)
        tissue = anatomy[tuple(beside.T)]
        lined += np.bincount(own, weights=IS_BRAIN[tissue], minlength=count + 1)
        outer += np.bincount(own, weights=IS_OUTER[tissue], minlength=count + 1)
    loose = lined <= LINED * (lined + outer)
    loose[[0, main]] = False
    part[loose[pieces]] = Tissue.CSF


def _fill_ventricles(anatomy: Labels, *, lesions: BoolArray, spacing: Triple) -> None:
    """Give the choroid plexus that the network took for tissue back to the ventricles."""
    ventricles = anatomy == Tissue.VENTRICLES
    whole = closed(ventricles, spacing=spacing, radius_mm=PLEXUS_MM)
    whole &= anatomy != Tissue.CSF
    whole |= ventricles
    across = slice_axis(spacing)
    pixel_mm2 = float(np.prod(spacing)) / spacing[across]
    holes, _ = plane_holes(whole, plane_normal=across, max_voxels=int(PLEXUS_MM2 / pixel_mm2))
    whole[tuple(holes.T)] = True
    anatomy[whole & ~lesions] = Tissue.VENTRICLES
