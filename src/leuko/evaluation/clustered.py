"""Intervals for cases that come in groups, such as slices of one patient: whole groups are drawn.

Slices of one patient resemble each other, so that many slices of few patients tell less than their
number suggests. Percentile intervals of a bootstrap that draws patients with replacement (Field and
Welsh 2007) take that into account; intervals that count cases (Wilson, DeLong) are too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError

__all__ = ["ClusteredIntervals", "clustered_intervals"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Interval = tuple[float, float]

FEWEST_GROUPS = 3
ENOUGH = 0.9  # of the draws must give a value
AT_ONCE = 1 << 22  # values of cases and draws that are held together


@dataclass(frozen=True, slots=True)
class ClusteredIntervals:
    """95 % intervals; nan where there are too few groups, or a value exists in too few draws."""

    groups: int
    draws: int
    auc: Interval
    sensitivity: Interval
    specificity: Interval
    lr_positive: Interval
    lr_negative: Interval


def clustered_intervals(
    scores: Sequence[float] | FloatArray,
    called: Sequence[bool] | BoolArray,
    truth: Sequence[bool] | BoolArray,
    groups: Sequence[str],
    *,
    draws: int = 2000,
    seed: int = 1,
) -> ClusteredIntervals:
    """Intervals of the AUC of `scores` and of the decisions `called`, a case each.

    `groups` says whose each case is. A draw without cases of a kind has no AUC; likelihood ratios
    may be infinite in a draw, and so may the end of their interval. UsageError (exit 2) where the
    lengths differ.
    """
    values = np.asarray(scores, dtype=np.float64).ravel()
    decisions, real = np.asarray(called, dtype=bool), np.asarray(truth, dtype=bool)
    if not values.size == decisions.size == real.size == len(groups):
        raise UsageError(
            "Scores, decisions, truth and groups differ in number.", hint="Give one of each a case."
        )
    names, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    unknown = (math.nan, math.nan)
    if len(names) < FEWEST_GROUPS:
        return ClusteredIntervals(len(names), 0, *[unknown] * 5)
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)

    def drawn(kept: BoolArray) -> FloatArray:
        return np.asarray(weights @ np.bincount(index[kept], minlength=len(names)), np.float64)

    positives, negatives = drawn(real), drawn(~real)
    auc = _areas(values, real, index, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        sensitivity = drawn(decisions & real) / positives
        specificity = drawn(~decisions & ~real) / negatives
        false_alarms = drawn(decisions & ~real) / negatives
        misses = drawn(~decisions & real) / positives
        found = (
            auc,
            sensitivity,
            specificity,
            sensitivity / false_alarms,
            misses / specificity,
        )
    return ClusteredIntervals(len(names), draws, *(_interval(each) for each in found))


def _areas(
    scores: FloatArray, real: BoolArray, index: npt.NDArray[np.intp], weights: npt.NDArray[np.int64]
) -> FloatArray:
    """The area under the curve in each draw: its share of pairs in the right order.

    A case counts as often as its group was drawn, `weights` (draws, groups); ties count a half.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-math.inf))
    found = []
    for some in np.array_split(weights, max(1, weights.shape[0] * scores.size // AT_ONCE)):
        each = some[:, index[order]].astype(np.float64)
        yes = np.add.reduceat(each * real[order], starts, axis=1)
        no = np.add.reduceat(each * ~real[order], starts, axis=1)
        below = no.cumsum(axis=1) - no / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append((yes * below).sum(axis=1) / (yes.sum(axis=1) * no.sum(axis=1)))
    return np.concatenate(found)


def _interval(values: FloatArray) -> Interval:
    """The middle 95 % of the draws; infinite values are drawn values, nan are none."""
    known = np.sort(values[~np.isnan(values)])
    if known.size < ENOUGH * values.size:
        return math.nan, math.nan
    low, high = (known[min(known.size - 1, int(part * known.size))] for part in (0.025, 0.975))
    return float(low), float(high)
