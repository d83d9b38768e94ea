"""The place of a volume among people of the same age: only what published numbers say.

A table of norms has bands of age with the volumes at some percentiles. Nothing is fitted or
interpolated: the answer is the range of percentiles that the published numbers leave open. Where a
source says that volumes rise with age, an age between two bands lies between their volumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["DE_KORT", "NormBand", "NormPlace", "NormTable", "Sex", "place_among_norms"]

Sex = Literal["male", "female"]
SEXES: tuple[Sex, ...] = ("male", "female")
ALL = 100.0


@dataclass(frozen=True, slots=True)
class NormBand:
    """Volumes in ml at percentiles, rising, for ages `from_age` <= age < `to_age`.

    `sex` is None where the numbers are of both sexes.
    """

    from_age: float
    to_age: float
    sex: Sex | None
    cuts: tuple[tuple[float, float], ...]  # percentile, ml


@dataclass(frozen=True, slots=True)
class NormTable:
    """Published norms: who measured how many people of which ages, and in which space.

    `rises` says that the source finds volumes to rise with age.
    """

    source: str
    people: int | None
    from_age: float
    to_age: float
    space: Literal["MNI", "native"]
    bands: tuple[NormBand, ...]
    rises: bool = True
    about: str = ""


@dataclass(frozen=True, slots=True)
class NormPlace:
    """The range of percentiles, `low` to `high`, in which a volume lies for its age.

    Both are None where `why_not` says why. `volume_ml` is the volume that was compared, `space`
    the size of head that it is for.
    """

    age: float
    sex: Sex | None
    volume_ml: float
    space: Literal["MNI", "native"]
    low: float | None
    high: float | None
    table: NormTable
    warnings: tuple[str, ...] = ()
    why_not: str = ""


DE_KORT = NormTable(
    source="de Kort et al., Neurobiology of Aging, 2025 (doi 10.1016/j.neurobiolaging."
    "2024.11.006); medians as in the authors' abstract in Alzheimer's & Dementia (doi 10.1002/"
    "alz.073654)",
    people=14876,
    from_age=18,
    to_age=97,
    space="MNI",
    bands=(
        NormBand(18, 45, None, ((50, 0.25),)),
        NormBand(86, 98, "male", ((50, 7.3),)),
        NormBand(86, 98, "female", ((50, 12.8),)),
    ),
    about="15 population-based cohorts without dementia, FLAIR and T1; all ages together: median "
    "2.0 ml, interquartile range 3.9 ml. Only the medians below 45 and above 85 years are public "
    "outside the paper; give its tables with --norms for narrower ranges.",
)

NATIVE = (
    "The norms are of volumes in MNI space, where most heads are larger; this volume is in the "
    "head's own size (--lobes gives both)."
)
OTHERS = (
    "Scanner, sequence and the definition of what counts move such volumes; already two experts on "
    "one scan can differ by a factor of 0.6 to 1.6. Do not read more than the range."
)
BETWEEN = (
    "Nothing is published for this very age: the volume was compared with those of younger and "
    "older people, and volumes rise with age, as the source says."
)
NOT_VASCULAR = "The norms are of hyperintensities of presumed vascular origin, not of MS lesions."


def place_among_norms(
    volume_ml: float,
    *,
    age: float,
    sex: Sex | None = None,
    table: NormTable = DE_KORT,
    mni_volume_ml: float | None = None,
    vascular: bool = True,
) -> NormPlace:
    """Where a volume lies among people of that age, as far as the table says.

    `mni_volume_ml` is the volume for a head of the template's size, which is compared where the
    norms are of such; without `sex` the range holds for both. With `vascular` False there is none.
    """
    in_mni = table.space == "MNI" and mni_volume_ml is not None
    compared = mni_volume_ml if in_mni and mni_volume_ml is not None else volume_ml
    low: float | None = None
    high: float | None = None
    if not vascular:
        why = NOT_VASCULAR
    elif not table.from_age <= age <= table.to_age:
        why = f"The norms are of people aged {table.from_age:g} to {table.to_age:g} years."
    else:
        asked = SEXES if sex is None else (sex,)
        ranges = [_range(compared, age=age, sex=one, table=table) for one in asked]
        low, high = min(one[0] for one in ranges), max(one[1] for one in ranges)
        why = "" if (low, high) != (0.0, ALL) else _open(age, table)
    if why:
        low = high = None
    other_ages = low is not None and not any(_holds(band, age) for band in table.bands)
    return NormPlace(
        age,
        sex,
        compared,
        "MNI" if in_mni else "native",
        low,
        high,
        table,
        warnings=(
            *((BETWEEN,) if other_ages else ()),
            *((NATIVE,) if table.space == "MNI" and not in_mni else ()),
            OTHERS,
        ),
        why_not=why,
    )


def _holds(band: NormBand, age: float) -> bool:
    return band.from_age <= age < band.to_age


def _range(volume: float, *, age: float, sex: Sex, table: NormTable) -> tuple[float, float]:
    bands = [band for band in table.bands if band.sex in (None, sex)]
    within = [band for band in bands if _holds(band, age)]
    if within:
        return _at_least(volume, within), _at_most(volume, within)
    if not table.rises:
        return 0.0, ALL
    before = [band for band in bands if band.to_age <= age]
    after = [band for band in bands if band.from_age > age]
    return _at_least(volume, _nearest(after, first=True)), _at_most(
        volume, _nearest(before, first=False)
    )


def _nearest(bands: Sequence[NormBand], *, first: bool) -> list[NormBand]:
    """The band that begins first, or ends last."""
    if not bands:
        return []
    return [
        min(bands, key=lambda band: band.from_age)
        if first
        else max(bands, key=lambda band: band.to_age)
    ]


def _at_least(volume: float, bands: Iterable[NormBand]) -> float:
    """The highest percentile whose volume is exceeded."""
    return float(max((p for band in bands for p, ml in band.cuts if volume > ml), default=0.0))


def _at_most(volume: float, bands: Iterable[NormBand]) -> float:
    """The lowest percentile whose volume is not exceeded."""
    return float(min((p for band in bands for p, ml in band.cuts if volume <= ml), default=ALL))


def _open(age: float, table: NormTable) -> str:
    """Why the whole range is left open."""
    if any(_holds(band, age) for band in table.bands):
        return "The published numbers leave the whole range open."
    return (
        f"Nothing is published outside the paper for the age of {age:g}, and the volume lies "
        "between those of younger and older people."
    )
