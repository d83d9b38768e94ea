"""Where each lesion lies: by the ventricles, under the cortex, below the tentorium."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from leuko.anatomy.juxtacortical import CortexPlaces, CortexRule, cortex_places
from leuko.anatomy.periventricular import Rule, VentriclePlaces, ventricle_places
from leuko.anatomy.regions import Region
from leuko.masks.morphology import border
from leuko.models.classes import Tissue
from leuko.quantify.lesions import LesionTable
from leuko.quantify.voxels import LesionVoxels

__all__ = ["MsRegion", "Places", "place_lesions", "with_places"]

BoolArray = npt.NDArray[np.bool_]


class MsRegion(StrEnum):
    """The four regions of the McDonald criteria (Thompson 2018); UNKNOWN without anatomy."""

    PERIVENTRICULAR = "periventricular"
    JUXTACORTICAL = "juxtacortical"
    INFRATENTORIAL = "infratentorial"
    DEEP_WHITE = "deep_white"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where lesions 1..n lie; `ventricles` and `cortex` are None where these were not found."""

    infratentorial: BoolArray  # (n,)
    ventricles: VentriclePlaces | None
    cortex: CortexPlaces | None
    ms_regions: tuple[MsRegion, ...]


def place_lesions(
    voxels: LesionVoxels,
    *,
    table: LesionTable,
    anatomy: npt.NDArray[np.uint8],
    ventricles: BoolArray,
    spacing: tuple[float, float, float],
) -> Places:
    """Where each lesion lies.

    Args:
        voxels: all lesion voxels, canonical axes like all arrays here.
        table: what `measure_lesions` made of the same lesions, which says what is infratentorial.
        anatomy: tissues (values of `Tissue`).
        ventricles: the lateral ventricles as `anatomy.periventricular.lateral_ventricles` finds
            them; empty where there are none.
        spacing: mm between voxels along each axis.
    """
    below = np.array([lesion.region == Region.INFRATENTORIAL for lesion in table], dtype=np.bool_)
    by_ventricles = by_cortex = None
    if ventricles.any():
        by_ventricles = ventricle_places(
            voxels.indices,
            voxels.labels,
            count=voxels.count,
            ventricles=ventricles,
            spacing=spacing,
        )
    if (anatomy == Tissue.CORTEX).any():
        able = _at_edge(voxels) | (voxels.values(anatomy) == Tissue.CORTEX)
        by_cortex = cortex_places(
            voxels.indices[able],
            voxels.labels[able],
            count=voxels.count,
            anatomy=anatomy,
            spacing=spacing,
        )
    regions = tuple(
        _ms_region(index, below=below, ventricles=by_ventricles, cortex=by_cortex)
        for index in range(voxels.count)
    )
    return Places(below, by_ventricles, by_cortex, regions)


def with_places(
    table: LesionTable, places: Places, *, confluency: npt.NDArray[np.float64]
) -> LesionTable:
    """The rows with their MS region, their distance to the cortex and their confluency (n,)."""
    cortex = places.cortex
    return tuple(
        replace(
            lesion,
            ms_region=region.value,
            distance_to_cortex_mm=None
            if cortex is None or not np.isfinite(cortex.distance_mm[index])
            else float(cortex.distance_mm[index]),
            confluency=float(confluency[index]),
        )
        for index, (lesion, region) in enumerate(zip(table, places.ms_regions, strict=True))
    )


def _at_edge(voxels: LesionVoxels) -> BoolArray:
    """Which lesion voxels (N,) have a face neighbour outside all lesions."""
    if voxels.box is None:
        return np.zeros(0, dtype=np.bool_)
    local = tuple((voxels.indices - voxels.origin).T)
    inside = np.zeros([part.stop - part.start for part in voxels.box], dtype=np.bool_)
    inside[local] = True
    return np.asarray(border(inside)[local])


def _ms_region(
    index: int,
    *,
    below: BoolArray,
    ventricles: VentriclePlaces | None,
    cortex: CortexPlaces | None,
) -> MsRegion:
    """The first that holds: infratentorial, periventricular, juxtacortical, deep."""
    if below[index]:
        return MsRegion.INFRATENTORIAL
    if ventricles is None:
        return MsRegion.UNKNOWN
    if ventricles.lesions[Rule.TOUCHING][index]:
        return MsRegion.PERIVENTRICULAR
    if cortex is None:
        return MsRegion.UNKNOWN
    if cortex.lesions[CortexRule.TOUCHING][index]:
        return MsRegion.JUXTACORTICAL
    return MsRegion.DEEP_WHITE
