"""Which lesions are juxtacortical: both definitions in use, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.contact import touching_groups
from leuko.masks.box import bounding_box, grow_box
from leuko.masks.nearest import nearest_by_group
from leuko.models.classes import Tissue

__all__ = [
    "CORTEX_MM",
    "CORTEX_RULE_TEXTS",
    "CortexPlaces",
    "CortexRule",
    "cortex_places",
    "without_insula",
]

BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

CORTEX_MM = 3.0
INSULA_MM = 12.0  # from deep grey matter: see docs/regions.md for how much of it that is
CELL_MM = 3.0


class CortexRule(StrEnum):
    """The two rules by which lesions are called juxtacortical."""

    CORTEX_3MM = "cortex_3mm"
    TOUCHING = "touching"


CORTEX_RULE_TEXTS: Mapping[CortexRule, str] = MappingProxyType(
    {
        CortexRule.CORTEX_3MM: "the whole lesion, where one of its voxel centres is within 3 mm of "
        "a voxel centre of cortex; cortex within 12 mm of deep grey matter, mostly insula, is left "
        "out",
        CortexRule.TOUCHING: "the whole lesion, where it meets cortex after one voxel of dilation, "
        "corners included (within the slice where slices are more than 3 mm apart)",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class CortexPlaces:
    """Where lesions lie under the cortex.

    `distance_mm`: of each lesion 1..n, from its nearest voxel to cortex without insula, between
    voxel centres; inf without cortex. `lesions`: for each rule, which lesions are juxtacortical.
    """

    distance_mm: npt.NDArray[np.float64]
    lesions: Mapping[CortexRule, BoolArray]


def cortex_places(
    voxels: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    *,
    count: int,
    anatomy: Labels,
    spacing: Triple,
) -> CortexPlaces:
    """Lesions by both rules.

    Args:
        voxels: indices (N, 3) of lesion voxels, canonical axes: all, or without those that have
            lesion on all six faces and no cortex under them, which cannot be the nearest.
        labels: the lesion 1..n of each.
        count: n.
        anatomy: tissues (values of `Tissue`).
        spacing: mm between voxels along each axis.
    """
    cortex = anatomy == Tissue.CORTEX
    _, touching = touching_groups(voxels, labels, count=count, of=cortex, spacing=spacing)
    outer = without_insula(cortex, deep_grey=anatomy == Tissue.DEEP_GREY, spacing=spacing)
    distance = nearest_by_group(voxels, labels, count=count, to=outer, spacing=spacing)
    lesions = {CortexRule.CORTEX_3MM: distance <= CORTEX_MM, CortexRule.TOUCHING: touching}
    return CortexPlaces(distance, MappingProxyType(lesions))


def without_insula(cortex: BoolArray, *, deep_grey: BoolArray, spacing: Triple) -> BoolArray:
    """Cortex that is not within 12 mm of deep grey matter, measured in cells of about 3 mm.

    The anatomy has no insula. It lies over the putamen, nearer to deep grey matter than other
    cortex but for the hippocampus, the amygdala and some of the orbital gyri, which go with it.
    """
    box = bounding_box(deep_grey)
    found = cortex.copy()
    if box is None:
        return found
    factors = [max(1, round(CELL_MM / step)) for step in spacing]
    x, y, z = (
        factor * int(np.ceil(INSULA_MM / (factor * step)))
        for factor, step in zip(factors, spacing, strict=True)
    )
    wide = grow_box(box, by=(x, y, z), shape=cortex.shape)
    cells = deep_grey[wide].view(np.uint8)
    for axis, factor in enumerate(factors):
        cells = np.maximum.reduceat(cells, np.arange(0, cells.shape[axis], factor), axis=axis)
    sampling = [factor * step for factor, step in zip(factors, spacing, strict=True)]
    near = ndimage.distance_transform_edt(cells == 0, sampling=sampling) <= INSULA_MM
    for axis, factor in enumerate(factors):
        near = np.repeat(near, factor, axis=axis)
    part = found[wide]
    part &= ~near[tuple(slice(size) for size in part.shape)]
    return found
