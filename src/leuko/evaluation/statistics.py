"""Whether two methods differ on the same cases, and whether one drops on unseen scanners."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from leuko.errors import UsageError
from leuko.evaluation.registry import METRICS

__all__ = ["Drop", "Wilcoxon", "clear_drop", "wilcoxon"]

Numbers = Sequence[float] | npt.NDArray[np.float64]

CLEAR_POINTS = 0.03  # of a score between 0 and 1
CLEAR_PERCENT = 50.0  # of a distance or a difference
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Wilcoxon:
    """Signed-rank statistic, two-sided p, pairs that have both values (`ties` of them equal).

    `median` is the median of first minus second.
    """

    statistic: float
    p: float
    count: int
    ties: int
    median: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Means of a metric on seen and on unseen scanners.

    `change` is unseen minus seen: in points of a score (0.03 = 3 points), in percent of `seen`
    (`unit` "%") for distances and volume differences. `clear` is nothing but the rule's answer.
    """

    seen: float
    unseen: float
    change: float
    unit: str
    clear: bool


def wilcoxon(first: Numbers, second: Numbers) -> Wilcoxon:
    """Wilcoxon's signed-rank test of two methods on the same cases, in the same order.

    Cases that miss a value (nan) of either are left out, cases with equal values don't count as
    evidence. p is 1 where no case differs and nan without cases.
    """
    a, b = (np.asarray(values, dtype=np.float64).ravel() for values in (first, second))
    if a.size != b.size:
        raise UsageError(
            f"The methods have {a.size} and {b.size} cases.",
            hint="Give the same cases in the same order; nan where a value is missing.",
        )
    kept = np.isfinite(a) & np.isfinite(b)
    # Values that differ by rounding only are equal.
    difference = np.round(a[kept] - b[kept], 12)
    count, ties = int(difference.size), int(np.count_nonzero(difference == 0))
    if not count:
        return Wilcoxon(math.nan, math.nan, 0, 0, math.nan)
    median = float(np.median(difference))
    if ties == count:
        return Wilcoxon(0.0, 1.0, count, ties, median)
    result = stats.wilcoxon(difference[difference != 0])
    return Wilcoxon(float(result.statistic), float(result.pvalue), count, ties, median)


def clear_drop(
    seen: Mapping[str, float | Numbers], unseen: Mapping[str, float | Numbers]
) -> dict[str, Drop]:
    """Which metrics drop clearly from seen to unseen scanners: the rule of the ResU-Net paper.

    A score (higher is better) drops clearly by 3 points or more, a distance or volume difference
    (lower is better) by rising 50 % or more. Both arguments map a metric's name to its mean, or to
    its values of the cases, of which the mean is taken; nan is skipped. Only metrics in both that
    have a good direction are compared. Raises UsageError (exit 2) for an unknown metric.
    """
    drops: dict[str, Drop] = {}
    for name in seen:
        if name not in METRICS:
            raise UsageError(f"There is no metric called {name!r}.", hint="See docs/metrics.md.")
        better = METRICS[name].better
        if name not in unseen or better not in ("higher", "lower"):
            continue
        before, after = _mean(seen[name]), _mean(unseen[name])
        if better == "higher":
            change = after - before
            drops[name] = Drop(before, after, change, "points", -change >= CLEAR_POINTS - ROUNDING)
        else:
            change = _percent(before, after)
            drops[name] = Drop(before, after, change, "%", change >= CLEAR_PERCENT - ROUNDING)
    return drops


def _percent(before: float, after: float) -> float:
    if before == 0 and after > 0:
        return math.inf
    if before == after:
        return 0.0
    return 100 * (after - before) / before


def _mean(values: float | Numbers) -> float:
    numbers = np.asarray(values, dtype=np.float64).ravel()
    numbers = numbers[~np.isnan(numbers)]
    return float(numbers.mean()) if numbers.size else math.nan
