"""Where lesions lie, in stats.json."""

from __future__ import annotations

from msgspec import Struct

from leuko.quantify.regions import Amount, RegionNumbers, SidedAmount

__all__ = ["RegionsRecord", "regions_record"]


class AmountRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A volume and a number of lesions."""

    volume_ml: float
    lesions: int


class SidedRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A volume and a number of lesions, in all and by side; null where sides are not known."""

    volume_ml: float
    lesions: int
    left: AmountRecord | None
    right: AmountRecord | None
    midline: AmountRecord | None


class PeriventricularRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """What one rule calls periventricular and deep; null where no ventricles were found."""

    rule: str
    periventricular: SidedRecord | None
    deep: SidedRecord | None


class JuxtacorticalRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """What one rule calls juxtacortical; null where no cortex was found."""

    rule: str
    juxtacortical: SidedRecord | None


class DistanceBinRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Volume with a distance in (from_mm, to_mm]; to_mm null: without an end."""

    from_mm: float
    to_mm: float | None
    volume_ml: float


class RegionsRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Where lesions lie, by every rule in use."""

    supratentorial: SidedRecord
    infratentorial: SidedRecord
    infratentorial_rule: str
    periventricular: dict[str, PeriventricularRecord]
    juxtacortical: dict[str, JuxtacorticalRecord]
    ms_regions: dict[str, SidedRecord]
    distance_to_ventricles: list[DistanceBinRecord] | None
    median_distance_to_ventricles_mm: float | None


def regions_record(regions: RegionNumbers | None) -> RegionsRecord | None:
    """The record of all regions; None where nothing was measured."""
    if regions is None:
        return None
    return RegionsRecord(
        supratentorial=_whole(regions.supratentorial),
        infratentorial=_whole(regions.infratentorial),
        infratentorial_rule=regions.infratentorial_rule,
        periventricular={
            one.name: PeriventricularRecord(one.rule, _sided(one.periventricular), _sided(one.deep))
            for one in regions.rules
        },
        juxtacortical={
            one.name: JuxtacorticalRecord(one.rule, _sided(one.juxtacortical))
            for one in regions.juxtacortical
        },
        ms_regions={one.region: _whole(one.amount) for one in regions.ms_regions},
        distance_to_ventricles=None
        if regions.distances is None
        else [
            DistanceBinRecord(one.from_mm, one.to_mm, one.volume_ml) for one in regions.distances
        ],
        median_distance_to_ventricles_mm=regions.median_distance_mm,
    )


def _sided(amount: SidedAmount | None) -> SidedRecord | None:
    return None if amount is None else _whole(amount)


def _whole(amount: SidedAmount) -> SidedRecord:
    return SidedRecord(
        amount.total.volume_ml,
        amount.total.lesions,
        _part(amount.left),
        _part(amount.right),
        _part(amount.midline),
    )


def _part(amount: Amount | None) -> AmountRecord | None:
    return None if amount is None else AmountRecord(amount.volume_ml, amount.lesions)
