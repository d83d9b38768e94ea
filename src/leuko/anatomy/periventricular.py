"""Which part of the lesions is periventricular: the four rules in use, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.contact import touching_groups
from leuko.anatomy.regions import INFRATENTORIAL, SUPRATENTORIAL, ventricle_reach_mm
from leuko.anatomy.tissues import tissue_mask
from leuko.masks.box import bounding_box, grow_box
from leuko.masks.distance import nearest_distance
from leuko.models.classes import Tissue

__all__ = [
    "NEAR_MM",
    "RULE_TEXTS",
    "Rule",
    "VentriclePlaces",
    "lateral_ventricles",
    "ventricle_places",
]

BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

NEAR_MM = 10.0
FEWEST_ML = 0.5  # less in all is no ventricle, but a few voxels taken for one
# Smaller pieces are dark spots in lesions and deep grey matter as often as tips of horns. Chosen on
# eight heads: of a confluent one they move 4 ml by the rule of 10 mm.
SMALLEST_PIECE_MM3 = 30.0
PIECES = np.ones((3, 3, 3), dtype=np.bool_)  # ventricles hang together by faces, edges and corners
CELL_MM, AROUND_MM = 4.0, 12.0  # cells, and the width of what is asked around one


class Rule(StrEnum):
    """The four rules by which lesions are called periventricular."""

    CONTINUITY = "continuity"
    VOXEL_10MM = "voxel_10mm"
    CLUSTER_2MM = "cluster_2mm"
    TOUCHING = "touching"


RULE_TEXTS: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.CONTINUITY: "the whole lesion, where one of its voxels shares a face with the lateral "
        "ventricles or lies in them (within the slice where slices are more than 3 mm apart)",
        Rule.VOXEL_10MM: "each voxel by itself, where its centre is within 10 mm of the nearest "
        "voxel centre of the lateral ventricles; the lesion counts where most of its voxels lie",
        Rule.CLUSTER_2MM: "the whole lesion, where one of its voxel centres is within 2 mm (or a "
        "pixel's diagonal, if that is more) of a voxel centre of the lateral ventricles",
        Rule.TOUCHING: "the whole lesion, where it meets the lateral ventricles after one voxel of "
        "dilation, corners included (within the slice where slices are more than 3 mm apart)",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class VentriclePlaces:
    """Where lesions lie about the lateral ventricles.

    `distance_mm` (N,): of every lesion voxel, in the order of `quantify.voxels.lesion_voxels`,
    between voxel centres. `lesions`: for each rule, which lesions 1..n are periventricular (for
    `voxel_10mm`: by most of their voxels, half is enough). `voxels` (N,): for each rule, which
    voxels are.
    """

    distance_mm: npt.NDArray[np.float64]
    lesions: Mapping[Rule, BoolArray]
    voxels: Mapping[Rule, BoolArray]


def lateral_ventricles(anatomy: Labels, *, spacing: Triple) -> BoolArray:
    """The ventricles without the fourth and without specks; empty where less than 0.5 ml is found.

    The anatomy has one label for all ventricles. What lies amid brainstem and cerebellum (these
    outnumber cortex, deep grey and white matter in the 12 mm cube around a cell of 4 mm) is the
    fourth ventricle or the aqueduct and left out. The third stays: nothing but deep grey matter
    lies beside it. Pieces below 30 mm3 are left out.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes.
        spacing: mm between voxels along each axis.
    """
    ventricles = anatomy == Tissue.VENTRICLES
    box = bounding_box(ventricles)
    if box is None:
        return np.asarray(ventricles)
    x, y, z = (int(np.ceil(AROUND_MM / step)) for step in spacing)
    wide = grow_box(box, by=(x, y, z), shape=anatomy.shape)
    ventricles[wide] &= ~_amid_infratentorial(anatomy[wide], spacing=spacing)
    pieces, _ = ndimage.label(ventricles[box], structure=PIECES)
    mm3 = np.bincount(pieces.ravel()) * float(np.prod(spacing))
    kept = mm3 >= SMALLEST_PIECE_MM3
    kept[0] = False
    if mm3[kept].sum() < FEWEST_ML * 1000:
        kept[:] = False
    ventricles[box] = kept[pieces]
    return np.asarray(ventricles)


def ventricle_places(
    voxels: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    *,
    count: int,
    ventricles: BoolArray,
    spacing: Triple,
) -> VentriclePlaces:
    """Lesion voxels and lesions by the four rules.

    Args:
        voxels: indices (N, 3) of all lesion voxels, canonical axes.
        labels: the lesion 1..n of each.
        count: n.
        ventricles: the lateral ventricles, not empty.
        spacing: mm between voxels along each axis.
    """
    distance = nearest_distance(voxels, to=ventricles, spacing=spacing)
    nearest = np.full(count, np.inf)
    np.minimum.at(nearest, labels - 1, distance)
    near = distance <= NEAR_MM
    held = np.bincount(labels[near], minlength=count + 1)[1:]
    sizes = np.bincount(labels, minlength=count + 1)[1:]
    by_face, by_corner = touching_groups(
        voxels, labels, count=count, of=ventricles, spacing=spacing
    )
    lesions = {
        Rule.CONTINUITY: by_face,
        Rule.VOXEL_10MM: 2 * held >= sizes,
        Rule.CLUSTER_2MM: nearest <= ventricle_reach_mm(spacing),
        Rule.TOUCHING: by_corner,
    }
    of_voxel = {rule: whole[labels - 1] for rule, whole in lesions.items()}
    of_voxel[Rule.VOXEL_10MM] = near
    return VentriclePlaces(distance, MappingProxyType(lesions), MappingProxyType(of_voxel))


def _amid_infratentorial(anatomy: Labels, *, spacing: Triple) -> BoolArray:
    """Where brainstem and cerebellum outnumber the cerebrum, in cells of about 4 mm."""
    factors = [max(1, round(CELL_MM / step)) for step in spacing]
    widths = [
        2 * round((AROUND_MM / (factor * step) - 1) / 2) + 1
        for factor, step in zip(factors, spacing, strict=True)
    ]
    more = _cells(tissue_mask(anatomy, INFRATENTORIAL), factors)
    more -= _cells(tissue_mask(anatomy, SUPRATENTORIAL), factors)
    for axis, width in enumerate(widths):
        more = _running_sum(more, axis=axis, width=max(1, width))
    amid = more > 0
    for axis, factor in enumerate(factors):
        amid = np.repeat(amid, factor, axis=axis)
    x, y, z = anatomy.shape
    return np.asarray(amid[:x, :y, :z])


def _cells(mask: BoolArray, factors: list[int]) -> npt.NDArray[np.int64]:
    """Voxels of a mask in each cell."""
    counts = mask.view(np.uint8)
    for axis, factor in enumerate(factors):
        edges = np.arange(0, mask.shape[axis], factor)
        counts = np.add.reduceat(counts, edges, axis=axis, dtype=np.uint16)
    return counts.astype(np.int64)


def _running_sum(values: npt.NDArray[np.int64], *, axis: int, width: int) -> npt.NDArray[np.int64]:
    """Sums over `width` (odd) neighbours along an axis; nothing lies beyond the array."""
    pad = [(0, 0)] * values.ndim
    pad[axis] = (width // 2 + 1, width // 2)
    sums = np.cumsum(np.pad(values, pad), axis=axis)
    size = values.shape[axis]
    ahead = np.take(sums, np.arange(width, width + size), axis=axis)
    return np.asarray(ahead - np.take(sums, np.arange(size), axis=axis))
