"""Yes-or-no decisions against the truth: tables, likelihood ratios, Bayes, ROC curves.

Truth is one value a case, true for the condition. Scores rise with the condition. Intervals are
95 %. A value that nothing can be divided by is nan.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from leuko.errors import UsageError

__all__ = [
    "Confusion",
    "Roc",
    "confusion",
    "posterior_odds",
    "posterior_probability",
    "roc",
    "wilson_interval",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Interval = tuple[float, float]

NORMAL = float(special.ndtri(0.975))
UNKNOWN: Interval = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of cases: called rightly or wrongly positive, wrongly or rightly negative."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def positives(self) -> int:
        """Cases that have the condition."""
        return self.true_positive + self.false_negative

    @property
    def negatives(self) -> int:
        """Cases that don't have the condition."""
        return self.false_positive + self.true_negative

    @property
    def count(self) -> int:
        """All cases."""
        return self.positives + self.negatives

    @property
    def sensitivity(self) -> float:
        """Share of cases with the condition that are called positive."""
        return _ratio(self.true_positive, self.positives)

    @property
    def sensitivity_interval(self) -> Interval:
        """Wilson's interval of the sensitivity."""
        return wilson_interval(self.true_positive, self.positives)

    @property
    def specificity(self) -> float:
        """Share of cases without the condition that are called negative."""
        return _ratio(self.true_negative, self.negatives)

    @property
    def specificity_interval(self) -> Interval:
        """Wilson's interval of the specificity."""
        return wilson_interval(self.true_negative, self.negatives)

    @property
    def accuracy(self) -> float:
        """Share of all cases that are called rightly."""
        return _ratio(self.true_positive + self.true_negative, self.count)

    @property
    def accuracy_interval(self) -> Interval:
        """Wilson's interval of the accuracy."""
        return wilson_interval(self.true_positive + self.true_negative, self.count)

    @property
    def ppv(self) -> float:
        """Share of positive calls that are right, at the prevalence of these cases."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def ppv_interval(self) -> Interval:
        """Wilson's interval of the positive predictive value."""
        return wilson_interval(self.true_positive, self.true_positive + self.false_positive)

    @property
    def npv(self) -> float:
        """Share of negative calls that are right, at the prevalence of these cases."""
        return _ratio(self.true_negative, self.true_negative + self.false_negative)

    @property
    def npv_interval(self) -> Interval:
        """Wilson's interval of the negative predictive value."""
        return wilson_interval(self.true_negative, self.true_negative + self.false_negative)

    @property
    def lr_positive(self) -> float:
        """Sensitivity / (1 - specificity); inf where no negative case is called positive."""
        return _likelihood(self.sensitivity, _ratio(self.false_positive, self.negatives))

    @property
    def lr_positive_interval(self) -> Interval:
        """Interval on the logarithmic scale (Simel 1991); nan where a count is 0."""
        return _ratio_interval(
            self.true_positive, self.positives, self.false_positive, self.negatives
        )

    @property
    def lr_negative(self) -> float:
        """(1 - sensitivity) / specificity; inf where no negative case is called negative."""
        return _likelihood(_ratio(self.false_negative, self.positives), self.specificity)

    @property
    def lr_negative_interval(self) -> Interval:
        """Interval on the logarithmic scale (Simel 1991); nan where a count is 0."""
        return _ratio_interval(
            self.false_negative, self.positives, self.true_negative, self.negatives
        )


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """Sensitivity and specificity at every threshold, from inf (nothing is positive) down.

    A case is positive where its score >= threshold. `youden_threshold` is the highest one at which
    sensitivity + specificity - 1 is largest (`youden`).
    """

    thresholds: FloatArray
    sensitivity: FloatArray
    specificity: FloatArray
    auc: float
    auc_interval: Interval
    youden_threshold: float
    youden: float
    positives: int
    negatives: int


def confusion(called: Sequence[bool] | BoolArray, truth: Sequence[bool] | BoolArray) -> Confusion:
    """The table of decisions `called` against `truth`, a case each (true: has the condition)."""
    decisions, real = np.asarray(called, dtype=bool), _truth(truth, size=len(called))
    return Confusion(
        true_positive=int(np.count_nonzero(decisions & real)),
        false_positive=int(np.count_nonzero(decisions & ~real)),
        false_negative=int(np.count_nonzero(~decisions & real)),
        true_negative=int(np.count_nonzero(~decisions & ~real)),
    )


def posterior_odds(prior: float, likelihood_ratio: float) -> float:
    """Odds of the condition after a test: prior odds times likelihood ratio (Bayes).

    `prior` is a probability, 0 to 1; UsageError (exit 2) otherwise.
    """
    if not 0 <= prior <= 1:
        raise UsageError(
            f"A prior of {prior:g} is no probability.", hint="Give a number from 0 to 1."
        )
    if prior in (0, 1):  # certainty is not changed by any test
        return math.inf if prior else 0.0
    return prior / (1 - prior) * likelihood_ratio


def posterior_probability(prior: float, likelihood_ratio: float) -> float:
    """Probability of the condition after a test, from the probability `prior` before it."""
    odds = posterior_odds(prior, likelihood_ratio)
    return 1.0 if math.isinf(odds) else odds / (1 + odds)


def wilson_interval(part: int, whole: int) -> Interval:
    """Wilson's 95 % interval of the proportion part / whole; nan where whole is 0."""
    if not whole:
        return UNKNOWN
    share, z2 = part / whole, NORMAL**2
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    spread = share * (1 - share) / whole + z2 / (4 * whole**2)
    half = NORMAL / (1 + z2 / whole) * math.sqrt(spread)
    # The ends are exact where rounding would miss them.
    low = 0.0 if part == 0 else middle - half
    return low, 1.0 if part == whole else middle + half


def roc(scores: Sequence[float] | FloatArray, truth: Sequence[bool] | BoolArray) -> Roc:
    """The ROC curve of `scores` (a case each), the area under it, and Youden's threshold.

    The area is the share of (positive, negative) pairs in the right order, ties counting a half;
    its interval is DeLong's (1988), cut at 0 and 1. nan where all cases are of one kind, and for
    the interval where a kind has one case only. Raises UsageError (exit 2) for a missing score.
    """
    values = np.asarray(scores, dtype=np.float64).ravel()
    real = _truth(truth, size=values.size)
    if np.isnan(values).any():
        raise UsageError("A score is missing (nan).", hint="Leave such cases out.")
    positives, negatives = int(real.sum()), int((~real).sum())
    order = np.argsort(-values, kind="stable")
    ranked, hits = values[order], real[order]
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, values.size > 0))
    found = np.concatenate([[0], np.cumsum(hits)[ends]])
    wrong = np.concatenate([[0], np.cumsum(~hits)[ends]])
    sensitivity = found / positives if positives else np.full(found.size, math.nan)
    specificity = 1 - wrong / negatives if negatives else np.full(found.size, math.nan)
    thresholds = np.concatenate([[math.inf], ranked[ends]])
    area, interval = _area(values[real], values[~real])
    index = sensitivity + specificity - 1
    best = int(np.argmax(np.round(index, 12))) if positives and negatives else 0
    return Roc(
        thresholds=thresholds,
        sensitivity=sensitivity,
        specificity=specificity,
        auc=area,
        auc_interval=interval,
        youden_threshold=float(thresholds[best]) if positives and negatives else math.nan,
        youden=float(index[best]),
        positives=positives,
        negatives=negatives,
    )


def _area(positive: FloatArray, negative: FloatArray) -> tuple[float, Interval]:
    """The area under the curve and DeLong's interval, from mid-ranks."""
    m, n = positive.size, negative.size
    if not m or not n:
        return math.nan, UNKNOWN
    together = stats.rankdata(np.concatenate([positive, negative]))
    below = (together[:m] - stats.rankdata(positive)) / n  # of each positive case: its share
    above = 1 - (together[m:] - stats.rankdata(negative)) / m
    area = float(below.mean())
    if m < 2 or n < 2:
        return area, UNKNOWN
    error = math.sqrt(float(below.var(ddof=1)) / m + float(above.var(ddof=1)) / n)
    return area, (max(0.0, area - NORMAL * error), min(1.0, area + NORMAL * error))


def _truth(truth: Sequence[bool] | BoolArray, *, size: int) -> BoolArray:
    values = np.asarray(truth).ravel()
    if values.size != size:
        raise UsageError(
            f"There are {size} cases and {values.size} truths.", hint="Give one of each a case."
        )
    if not np.isin(values, (0, 1)).all():
        raise UsageError(
            "The truth of a case must be true or false (1 or 0).",
            hint="Say which class is the condition first.",
        )
    return values.astype(bool)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _likelihood(among_positives: float, among_negatives: float) -> float:
    if among_negatives == 0 and among_positives > 0:
        return math.inf
    return _ratio(among_positives, among_negatives)


def _ratio_interval(part: int, whole: int, other_part: int, other_whole: int) -> Interval:
    if not part or not other_part:
        return UNKNOWN
    error = math.sqrt(1 / part - 1 / whole + 1 / other_part - 1 / other_whole)
    middle = math.log(part / whole / (other_part / other_whole))
    return math.exp(middle - NORMAL * error), math.exp(middle + NORMAL * error)
