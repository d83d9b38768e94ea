"""The place among norms in stats.json."""

from __future__ import annotations

from msgspec import Struct

from leuko.quantify.norms import NormPlace

__all__ = ["NormRecord", "norm_record"]


class NormBandRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Published volumes in ml at percentiles, for an age from `from_age` to below `to_age`."""

    from_age: float
    to_age: float
    sex: str | None
    ml: dict[str, float]


class NormRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The percentiles of people of that age between which the volume lies; null where not told."""

    age: float
    sex: str | None
    volume_ml: float
    space: str
    percentile_low: float | None
    percentile_high: float | None
    why_not: str
    warnings: list[str]
    source: str
    people: int | None
    from_age: float
    to_age: float
    bands: list[NormBandRecord]


def norm_record(place: NormPlace | None) -> NormRecord | None:
    """The record of a place; None where no age was given."""
    if place is None:
        return None
    table = place.table
    return NormRecord(
        age=place.age,
        sex=place.sex,
        volume_ml=round(place.volume_ml, 6),
        space=place.space,
        percentile_low=place.low,
        percentile_high=place.high,
        why_not=place.why_not,
        warnings=list(place.warnings),
        source=table.source,
        people=table.people,
        from_age=table.from_age,
        to_age=table.to_age,
        bands=[
            NormBandRecord(
                band.from_age, band.to_age, band.sex, {f"p{p:g}": ml for p, ml in band.cuts}
            )
            for band in table.bands
        ],
    )
