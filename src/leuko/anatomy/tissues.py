"""The tissues of a head: the label map that is written, and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.hemispheres import MidsagittalPlane, right_of_plane
from leuko.masks.box import bounding_box
from leuko.models.classes import Tissue

__all__ = [
    "BRAIN",
    "LABEL_NAMES",
    "TissueVolumes",
    "brain_is_cut",
    "is_brain_extracted",
    "measure_tissues",
    "side_labels",
    "tissue_mask",
    "tissues_of",
    "written_values",
]

Labels = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

# Lesions are brain as well: callers unite these tissues with the mask.
BRAIN = (Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.WHITE_MATTER, Tissue.BRAINSTEM, Tissue.CEREBELLUM)
PAIRED = (
    Tissue.CORTEX,
    Tissue.DEEP_GREY,
    Tissue.WHITE_MATTER,
    Tissue.VENTRICLES,
    Tissue.CEREBELLUM,
)
LEFT_OFFSET, RIGHT_OFFSET = 10, 20  # added to a paired tissue's value in the written label map
# Of the largest cross-section: more brain than this in the scan's first or last plane is cut; next
# to empty planes it takes more, because thick slices end abruptly by themselves.
CUT_AREA, ABRUPT_AREA = 0.1, 0.4
SHELL_MM = (3.0, 10.0)  # around the brain: scalp and skull lie there, or nothing
# Of the brain's own level, and of the shell: .8 or more on scans with scalp, below .1 without.
BRIGHT, FEWEST_BRIGHT = 0.15, 0.3

_NAMES = {
    Tissue.CORTEX: "cortex",
    Tissue.DEEP_GREY: "deep grey matter",
    Tissue.WHITE_MATTER: "white matter",
    Tissue.VENTRICLES: "ventricles",
    Tissue.CEREBELLUM: "cerebellum",
}
LABEL_NAMES: Mapping[int, str] = MappingProxyType(
    {
        0: "background",
        int(Tissue.CSF): "cerebrospinal fluid outside the ventricles",
        **{int(tissue): f"{_NAMES[tissue]}, side unknown" for tissue in PAIRED},
        int(Tissue.BRAINSTEM): "brainstem",
        **{LEFT_OFFSET + int(tissue): f"left {_NAMES[tissue]}" for tissue in PAIRED},
        **{RIGHT_OFFSET + int(tissue): f"right {_NAMES[tissue]}" for tissue in PAIRED},
    }
)


@dataclass(frozen=True, slots=True)
class TissueVolumes:
    """Volumes in ml; lesions are counted as white matter, which is part of the brain.

    `icv_ml` is brain, ventricles and the fluid around them; None where the scan does not show all
    of it.
    """

    white_matter_ml: float
    brain_ml: float
    ventricles_ml: float
    icv_ml: float | None


def tissue_mask(anatomy: Labels, tissues: tuple[Tissue, ...]) -> BoolArray:
    """Where the anatomy is one of `tissues`."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(tissues)] = True
    return np.asarray(table[anatomy])


def written_values(tissue: Tissue) -> tuple[int, ...]:
    """The values of a tissue in the label map that is written: side unknown, left, right."""
    paired = (tissue + LEFT_OFFSET, tissue + RIGHT_OFFSET) if tissue in PAIRED else ()
    return (int(tissue), *paired)


def side_labels(anatomy: Labels, *, spacing: Triple, plane: MidsagittalPlane | None) -> Labels:
    """The label map that is written: 1 CSF, 6 brainstem, paired tissues 10 + t left, 20 + t right.

    Without a plane paired tissues keep their own value; `LABEL_NAMES` names every value.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes.
        spacing: mm between voxels along each axis.
        plane: the mid-sagittal plane; the sign of the distance decides, there is no midline here.
    """
    if plane is None:
        return anatomy.copy()
    left = np.arange(256, dtype=np.uint8)
    right = left.copy()
    left[list(PAIRED)] += LEFT_OFFSET
    right[list(PAIRED)] += RIGHT_OFFSET
    on_right = right_of_plane(anatomy.shape, spacing=spacing, plane=plane)
    return np.where(on_right, right[anatomy], left[anatomy])


def tissues_of(written: Labels) -> Labels:
    """The tissues (values of `Tissue`) of a label map that is written: the way back from sides."""
    table = np.arange(256, dtype=np.uint8)
    for tissue in PAIRED:
        table[[tissue + LEFT_OFFSET, tissue + RIGHT_OFFSET]] = tissue
    return table[written]


def measure_tissues(
    anatomy: Labels, *, mask: BoolArray, voxel_mm3: float, whole_head: bool
) -> TissueVolumes:
    """Volumes of the tissues, every voxel of `mask` counted as white matter.

    Args:
        anatomy: tissues (values of `Tissue`).
        mask: lesions, on the same voxels.
        voxel_mm3: volume of a voxel.
        whole_head: whether all fluid around the brain is in the scan: neither brain-extracted
            (`is_brain_extracted`) nor cut (`brain_is_cut`).
    """
    # Counting one by one: a histogram would copy a large array into a type eight times as wide.
    voxels = np.array([np.count_nonzero(anatomy == tissue) for tissue in Tissue], dtype=float)
    under_lesions = np.bincount(anatomy[mask], minlength=len(Tissue))
    voxels -= under_lesions
    voxels[Tissue.WHITE_MATTER] += under_lesions.sum()
    ml = voxels * voxel_mm3 / 1000
    brain = float(ml[list(BRAIN)].sum())
    ventricles = float(ml[Tissue.VENTRICLES])
    return TissueVolumes(
        white_matter_ml=float(ml[Tissue.WHITE_MATTER]),
        brain_ml=brain,
        ventricles_ml=ventricles,
        icv_ml=brain + ventricles + float(ml[Tissue.CSF]) if whole_head else None,
    )


def brain_is_cut(anatomy: Labels) -> bool:
    """Whether an edge of the scan, or empty planes around it, cut through the brain.

    Judged by the area of brain in the first and last planes that hold any tissue against the
    largest; natural ends taper. The brainstem goes on below and does not count.
    """
    body = tuple(tissue for tissue in BRAIN if tissue is not Tissue.BRAINSTEM)
    box = bounding_box(anatomy)
    if box is None:
        return False
    for axis in range(3):
        # Every other voxel within the planes is enough for areas.
        step = [slice(part.start, part.stop, 2) for part in box]
        step[axis] = box[axis]
        planes = np.moveaxis(tissue_mask(anatomy[step[0], step[1], step[2]], body), axis, 0)
        areas = planes.sum(axis=(1, 2))
        for area, at_edge in (
            (areas[0], box[axis].start == 0),
            (areas[-1], box[axis].stop == anatomy.shape[axis]),
        ):
            if area > (CUT_AREA if at_edge else ABRUPT_AREA) * areas.max():
                return True
    return False


def is_brain_extracted(anatomy: Labels, *, image: npt.NDArray[np.generic], spacing: Triple) -> bool:
    """Whether the scan shows nothing around the brain: no scalp, skull marrow or neck.

    Looks for signal between 3 and 10 mm outside brain and fluid, on every n-th voxel (about 3 mm).
    """
    stride = tuple(slice(None, None, max(1, round(3.0 / step))) for step in spacing)
    x, y, z = (part.step * step for part, step in zip(stride, spacing, strict=True))
    head = anatomy[stride]
    values = np.asarray(image[stride], dtype=np.float32)
    brain = tissue_mask(head, BRAIN)
    if not brain.any():
        return False
    level = float(np.median(values[brain]))
    distance = ndimage.distance_transform_edt(head == Tissue.BACKGROUND, sampling=(x, y, z))
    shell = values[(distance >= SHELL_MM[0]) & (distance <= SHELL_MM[1])]
    return shell.size > 0 and float((shell > BRIGHT * level).mean()) < FEWEST_BRIGHT
