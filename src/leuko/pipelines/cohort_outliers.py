"""Which cases of a cohort are unlike the others, by one rule that is said on the page.

A case is named where a measure's robust z-score, (value - median) / (1.4826 x median absolute
deviation), is beyond 3.5 (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.exploration.robust import LIMIT, robust_z
from leuko.pipelines.cohort_table import Outcome

__all__ = ["AGED", "Unlike", "unlike"]

AGED = 20  # cases of known age, from which the volume is judged for its age
LEAST_ML = 0.1  # added to a volume before its logarithm: differences below this hardly count
SIDED_ML = 1.0  # volume from which left and right are compared
PAIRS = 200_000  # of cases, from which the slope with age is taken


@dataclass(frozen=True, slots=True)
class Unlike:
    """A measure by which a case stands out: its value, what is usual, and the robust z-score.

    `usual` is the median, or for a volume `for_age` what the others have at that age.
    """

    measure: str
    value: float
    usual: float
    z: float
    for_age: float | None = None


@dataclass(frozen=True, slots=True)
class _Measure:
    name: str
    value: Callable[[Outcome], float | None]
    floor: float  # the least spread, in the unit of the scale
    logarithmic: bool = False


def _column(name: str) -> Callable[[Outcome], float | None]:
    return lambda outcome: outcome.numbers.number(name) if outcome.numbers else None


def _asymmetry(outcome: Outcome) -> float | None:
    """(left - right) / (left + right), of lesions of 1 ml and more."""
    left, right = _column("left_ml")(outcome), _column("right_ml")(outcome)
    if left is None or right is None or left + right < SIDED_ML:
        return None
    return (left - right) / (left + right)


MEASURES = (
    _Measure("volume_ml", _column("volume_ml"), 0.15, logarithmic=True),
    _Measure("asymmetry", _asymmetry, 0.1),
    _Measure("brain_ml", _column("brain_ml"), 30.0),
    _Measure("white_matter_ml", _column("white_matter_ml"), 20.0),
    _Measure("ventricles_ml", _column("ventricles_ml"), 0.1, logarithmic=True),
    _Measure("icv_ml", _column("icv_ml"), 40.0),
)


def unlike(outcomes: Sequence[Outcome]) -> dict[int, tuple[Unlike, ...]]:
    """By place among the outcomes what is unusual, the strongest first; nothing below 5 cases."""
    found: dict[int, list[Unlike]] = {}
    for measure in MEASURES:
        values = [measure.value(outcome) for outcome in outcomes]
        places = [place for place, value in enumerate(values) if value is not None]
        numbers = np.array([values[place] for place in places], dtype=np.float64)
        if not len(numbers):
            continue
        ages = _ages(measure, [outcomes[place] for place in places])
        scaled = np.log10(numbers + LEAST_ML) if measure.logarithmic else numbers
        expected = _for_age(scaled, ages)
        for place, number, usual, z in zip(
            places,
            numbers,
            expected,
            robust_z(list(scaled - expected), floor=measure.floor),
            strict=True,
        ):
            if abs(z) > LIMIT:
                back = 10**usual - LEAST_ML if measure.logarithmic else usual
                age = None if ages is None else outcomes[place].case.age
                one = Unlike(measure.name, float(number), max(float(back), 0.0)
                             if measure.logarithmic else float(back), float(z), age)  # fmt: skip
                found.setdefault(place, []).append(one)
    return {
        place: tuple(sorted(found[place], key=lambda one: -abs(one.z))) for place in sorted(found)
    }


def _ages(measure: _Measure, outcomes: Sequence[Outcome]) -> npt.NDArray[np.float64] | None:
    """The ages, NaN where unknown; None where the measure is not judged for its age."""
    if measure.name != "volume_ml":
        return None
    ages = [math.nan if o.case.age is None else o.case.age for o in outcomes]
    known = np.array(ages, dtype=np.float64)
    return known if np.isfinite(known).sum() >= AGED and np.nanstd(known) > 0 else None


def _for_age(
    values: npt.NDArray[np.float64], ages: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64]:
    """What is usual for each case: the median, or a line through the ages (Theil and Sen)."""
    middle = np.full(len(values), float(np.median(values)))
    if ages is None:
        return middle
    known = np.flatnonzero(np.isfinite(ages))
    slope = _slope(ages[known], values[known])
    start = float(np.median(values[known] - slope * ages[known]))
    middle[known] = start + slope * ages[known]
    return middle


def _slope(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """The median of the slopes between pairs: of all, or of as many drawn by a fixed generator."""
    count = len(x)
    if count * (count - 1) // 2 <= PAIRS:
        first, second = np.triu_indices(count, 1)
    else:
        draw = np.random.default_rng(0)
        first, second = draw.integers(0, count, (2, PAIRS))
    apart = x[second] - x[first]
    held = apart != 0
    return float(np.median((y[second] - y[first])[held] / apart[held]))
