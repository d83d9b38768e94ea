"""Which lesions are juxtacortical: both definitions in use, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from leuko.anatomy.contact import touching_groups
from leuko.masks.distance import nearest_distance
from leuko.models.classes import Tissue

__all__ = ["CORTEX_MM", "CORTEX_RULE_TEXTS", "CortexPlaces", "CortexRule", "cortex_places"]

BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

CORTEX_MM = 3.0


class CortexRule(StrEnum):
    """The two rules by which lesions are called juxtacortical."""

    CORTEX_3MM = "cortex_3mm"
    TOUCHING = "touching"


CORTEX_RULE_TEXTS: Mapping[CortexRule, str] = MappingProxyType(
    {
        CortexRule.CORTEX_3MM: "the whole lesion, where one of its voxel centres is within 3 mm of "
        "a voxel centre of cortex",
        CortexRule.TOUCHING: "the whole lesion, where it meets cortex after one voxel of dilation, "
        "corners included (within the slice where slices are more than 3 mm apart)",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class CortexPlaces:
    """Where lesions lie under the cortex.

    `distance_mm`: of each lesion 1..n, from its nearest voxel, between voxel centres; inf without
    cortex. `lesions`: for each rule, which lesions are juxtacortical.
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
        voxels: indices (N, 3) of all lesion voxels, canonical axes.
        labels: the lesion 1..n of each.
        count: n.
        anatomy: tissues (values of `Tissue`).
        spacing: mm between voxels along each axis.
    """
    cortex = anatomy == Tissue.CORTEX
    distance = np.full(count, np.inf)
    np.minimum.at(distance, labels - 1, nearest_distance(voxels, to=cortex, spacing=spacing))
    _, touching = touching_groups(voxels, labels, count=count, of=cortex, spacing=spacing)
    lesions = {CortexRule.CORTEX_3MM: distance <= CORTEX_MM, CortexRule.TOUCHING: touching}
    return CortexPlaces(distance, MappingProxyType(lesions))
