"""How much lies where: the rules in use side by side, by side of the brain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.anatomy import hemispheres
from leuko.anatomy.juxtacortical import CORTEX_RULE_TEXTS, CortexRule
from leuko.anatomy.periventricular import RULE_TEXTS, Rule
from leuko.anatomy.regions import INFRATENTORIAL_RULE
from leuko.image.grid import Grid
from leuko.quantify.lesions import LesionTable, Side, volume_of
from leuko.quantify.places import MsRegion, Places
from leuko.quantify.voxels import LesionVoxels

__all__ = [
    "DISTANCE_EDGES_MM",
    "Amount",
    "DistanceBin",
    "JuxtacorticalRule",
    "MsRegionAmount",
    "PeriventricularRule",
    "RegionNumbers",
    "SidedAmount",
    "measure_regions",
]

MM3_PER_ML = 1000
DISTANCE_EDGES_MM = (*(float(mm) for mm in range(21)), 25.0, 30.0, 40.0)
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Amount:
    """A volume in ml and a number of lesions."""

    volume_ml: float
    lesions: int


@dataclass(frozen=True, slots=True)
class SidedAmount:
    """What lies in a region: in all, and by side; sides are None where they are not known.

    Volumes go by voxel (midline: within 1.5 mm of the mid-sagittal plane), lesions by the side
    that holds most of their voxels (`Lesion.side`). Left, right and midline add up to `total`.
    """

    total: Amount
    left: Amount | None
    right: Amount | None
    midline: Amount | None


@dataclass(frozen=True, slots=True)
class PeriventricularRule:
    """The supratentorial lesions split in two by one rule; None where no ventricles were found.

    `periventricular` and `deep` add up to `RegionNumbers.supratentorial`, for volumes, lesions and
    sides alike.
    """

    name: str  # continuity, voxel_10mm, cluster_2mm or touching
    rule: str  # in words
    periventricular: SidedAmount | None
    deep: SidedAmount | None


@dataclass(frozen=True, slots=True)
class JuxtacorticalRule:
    """Supratentorial lesions near the cortex by one rule; None where no cortex was found.

    Independent of the rules for periventricular: a large lesion may be both.
    """

    name: str  # cortex_3mm or touching
    rule: str  # in words
    juxtacortical: SidedAmount | None


@dataclass(frozen=True, slots=True)
class DistanceBin:
    """Supratentorial volume whose distance to the lateral ventricles is in (from_mm, to_mm].

    The first bin also holds 0 (voxels within the ventricles); `to_mm` None: without an end.
    """

    from_mm: float
    to_mm: float | None
    volume_ml: float


@dataclass(frozen=True, slots=True)
class MsRegionAmount:
    """One of the regions of the McDonald criteria, to each of which whole lesions belong.

    Every lesion has one: infratentorial before periventricular (`touching`) before juxtacortical
    (`touching`) before deep_white; `unknown` is there only where ventricles or cortex are not
    found. All of them add up to all lesions.
    """

    region: str  # periventricular, juxtacortical, infratentorial, deep_white or unknown
    amount: SidedAmount


@dataclass(frozen=True, slots=True)
class RegionNumbers:
    """Where the lesions of a scan lie. Everything in ml and lesions; None: cannot be measured.

    `supratentorial` and `infratentorial` add up to all lesions. `rules` are the four rules for
    periventricular in the order of `anatomy.periventricular.Rule`; `cluster_2mm` is the one of
    `Lesion.region`. `ms_regions` are what a diagram of regions shows: disjoint, whole, by side.
    """

    supratentorial: SidedAmount
    infratentorial: SidedAmount
    infratentorial_rule: str
    rules: tuple[PeriventricularRule, ...]
    juxtacortical: tuple[JuxtacorticalRule, ...]
    distances: tuple[DistanceBin, ...] | None  # in order; None without ventricles
    median_distance_mm: float | None  # half of the supratentorial volume is nearer
    ms_regions: tuple[MsRegionAmount, ...]

    def rule(self, name: str) -> PeriventricularRule:
        """The rule for periventricular of that name."""
        return next(one for one in self.rules if one.name == name)


def measure_regions(
    voxels: LesionVoxels,
    *,
    places: Places,
    table: LesionTable,
    grid: Grid,
    sides: npt.NDArray[np.uint8] | None = None,
) -> RegionNumbers:
    """Volumes and lesions by region and side.

    Args:
        voxels: all lesion voxels, canonical axes.
        places: what `quantify.places.place_lesions` says of the same voxels.
        table: what `measure_lesions` made of the same lesions, for their sides.
        grid: the canonical grid.
        sides: the side of every voxel, canonical axes; without them sides are not measured.
    """
    tally = _Tally.of(voxels, table, grid, sides)
    above = ~places.infratentorial
    above_voxels = above[voxels.labels - 1]
    ventricles, cortex = places.ventricles, places.cortex
    rules = []
    for rule in Rule:
        split: list[SidedAmount | None] = [None, None]
        if ventricles is not None:
            near, near_voxels = ventricles.lesions[rule], ventricles.voxels[rule]
            split = [
                tally.amount(above_voxels & near_voxels, above & near),
                tally.amount(above_voxels & ~near_voxels, above & ~near),
            ]
        rules.append(PeriventricularRule(rule.value, RULE_TEXTS[rule], split[0], split[1]))
    distance = None if ventricles is None else ventricles.distance_mm[above_voxels]
    return RegionNumbers(
        supratentorial=tally.lesions(above),
        infratentorial=tally.lesions(places.infratentorial),
        infratentorial_rule=INFRATENTORIAL_RULE,
        rules=tuple(rules),
        juxtacortical=tuple(
            JuxtacorticalRule(
                rule.value,
                CORTEX_RULE_TEXTS[rule],
                None if cortex is None else tally.lesions(above & cortex.lesions[rule]),
            )
            for rule in CortexRule
        ),
        distances=None if distance is None else _histogram(distance, grid=grid),
        median_distance_mm=float(np.median(distance))
        if distance is not None and distance.size
        else None,
        ms_regions=_ms_regions(places.ms_regions, tally),
    )


def _ms_regions(regions: Sequence[MsRegion], tally: _Tally) -> tuple[MsRegionAmount, ...]:
    """Every region, empty ones too; unknown only where there is any."""
    of_lesion = np.array([region.value for region in regions], dtype=object)
    return tuple(
        MsRegionAmount(region.value, tally.lesions(of_lesion == region.value))
        for region in MsRegion
        if region is not MsRegion.UNKNOWN or region in regions
    )


def _histogram(distance: npt.NDArray[np.float64], *, grid: Grid) -> tuple[DistanceBin, ...]:
    # Up to the edge belongs to the bin before it; rounded, so that 3 mm is not 3.0000001 mm.
    edges = np.array(DISTANCE_EDGES_MM)
    place = np.searchsorted(edges[1:], np.round(distance, 4), side="left")
    counts = np.bincount(place, minlength=len(edges)).tolist()
    ends: list[float | None] = [*DISTANCE_EDGES_MM[1:], None]
    return tuple(
        DistanceBin(start, end, _ml(number, grid))
        for start, end, number in zip(DISTANCE_EDGES_MM, ends, counts, strict=True)
    )


def _ml(voxels: int, grid: Grid) -> float:
    return volume_of(voxels, voxel_mm3=grid.voxel_mm3) / MM3_PER_ML


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """Counts voxels and lesions by side."""

    labels: npt.NDArray[np.int64]
    side_of_voxel: npt.NDArray[np.uint8] | None
    side_of_lesion: npt.NDArray[np.uint8]
    grid: Grid

    @classmethod
    def of(
        cls,
        voxels: LesionVoxels,
        table: LesionTable,
        grid: Grid,
        sides: npt.NDArray[np.uint8] | None,
    ) -> _Tally:
        numbers = {
            Side.LEFT: hemispheres.LEFT,
            Side.RIGHT: hemispheres.RIGHT,
            Side.MIDLINE: hemispheres.MIDLINE,
            Side.UNKNOWN: hemispheres.UNKNOWN,
        }
        known = sides is not None and bool(sides.any())
        return cls(
            labels=voxels.labels,
            side_of_voxel=voxels.values(sides) if known and sides is not None else None,
            side_of_lesion=np.array([numbers[lesion.side] for lesion in table], dtype=np.uint8),
            grid=grid,
        )

    def lesions(self, held: BoolArray) -> SidedAmount:
        """Whole lesions; `held` (n,) says which."""
        return self.amount(held[self.labels - 1], held)

    def amount(self, voxels: BoolArray, lesions: BoolArray) -> SidedAmount:
        """Of the voxels (N,) and lesions (n,) that are held, in all and by side."""
        total = Amount(_ml(int(voxels.sum()), self.grid), int(lesions.sum()))
        if self.side_of_voxel is None:
            return SidedAmount(total, None, None, None)
        by_voxel = np.bincount(self.side_of_voxel[voxels], minlength=4).tolist()
        by_lesion = np.bincount(self.side_of_lesion[lesions], minlength=4).tolist()
        left, right, midline = (
            Amount(_ml(by_voxel[side], self.grid), by_lesion[side])
            for side in (hemispheres.LEFT, hemispheres.RIGHT, hemispheres.MIDLINE)
        )
        return SidedAmount(total, left, right, midline)
