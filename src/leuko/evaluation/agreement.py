"""Agreement of volumes, or of any number, measured twice or more on the same subjects.

Arguments are numbers, a subject each and in the same order; a subject with a missing value (nan) is
left out. Results are in the unit of the numbers; intervals are 95 %. What too few subjects do not
allow is nan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from leuko.errors import UsageError

__all__ = [
    "BlandAltman",
    "Concordance",
    "Correlation",
    "Icc",
    "Repeatability",
    "bland_altman",
    "concordance",
    "icc",
    "pearson",
    "repeatability",
    "spearman",
]

FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float]
Numbers = Sequence[float] | FloatArray

TAIL = 0.025
NORMAL = float(special.ndtri(1 - TAIL))  # 1.96
UNKNOWN: Interval = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Measured minus reference: `bias` +- 1.96 `sd` are the limits of agreement `low`, `high`."""

    bias: float
    sd: float
    low: float
    high: float
    bias_interval: Interval
    low_interval: Interval
    high_interval: Interval
    count: int


@dataclass(frozen=True, slots=True)
class Icc:
    """Intraclass correlations of a single measurement (Shrout and Fleiss 1979).

    `icc21`: raters are a sample, absolute agreement. `icc31`: these raters only, consistency.
    """

    icc21: float
    icc21_interval: Interval
    icc31: float
    icc31_interval: Interval
    count: int


@dataclass(frozen=True, slots=True)
class Concordance:
    """Lin's concordance correlation: 1 where every measurement equals its reference."""

    value: float
    interval: Interval
    count: int


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation coefficient of `count` pairs."""

    value: float
    interval: Interval
    count: int


@dataclass(frozen=True, slots=True)
class Repeatability:
    """Spread of repeated measurements of the same subject.

    `coefficient`: two measurements of a subject differ by less than it in 95 % of subjects.
    `within_cv` is a share (0.05 = 5 %) over `cv_count` of the `count` subjects.
    """

    within_sd: float
    coefficient: float
    within_cv: float
    count: int
    cv_count: int


def bland_altman(reference: Numbers, measured: Numbers) -> BlandAltman:
    """Bias and limits of agreement of measured minus reference (Bland and Altman 1986, 1999).

    The limits' interval takes their variance as sd^2 (1/n + 1.96^2 / (2 (n - 1))).
    """
    table = _complete(reference, measured)
    difference = table[:, 1] - table[:, 0]
    count = len(difference)
    if count < 2:
        bias = float(difference[0]) if count else math.nan
        return BlandAltman(bias, math.nan, math.nan, math.nan, UNKNOWN, UNKNOWN, UNKNOWN, count)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    low, high = bias - NORMAL * sd, bias + NORMAL * sd
    quantile = float(special.stdtrit(count - 1, 1 - TAIL))
    of_bias = quantile * sd / math.sqrt(count)
    of_limit = quantile * sd * math.sqrt(1 / count + NORMAL**2 / (2 * (count - 1)))
    return BlandAltman(
        bias=bias,
        sd=sd,
        low=low,
        high=high,
        bias_interval=(bias - of_bias, bias + of_bias),
        low_interval=(low - of_limit, low + of_limit),
        high_interval=(high - of_limit, high + of_limit),
        count=count,
    )


def icc(first: Numbers, *others: Numbers) -> Icc:
    """ICC(2,1) and ICC(3,1) of two or more raters (or methods), each a sequence over subjects.

    Source: Shrout and Fleiss 1979; intervals from F, for ICC(2,1) by Satterthwaite's degrees of
    freedom. nan where there are fewer than two subjects or no number differs from another.
    """
    if not others:
        raise UsageError("One rater has no agreement.", hint="Give the numbers of two or more.")
    table = _complete(first, *others)
    n, k = table.shape
    grand = table.mean() if n else math.nan
    if n < 2 or bool(np.all(table == table[0, 0])):
        return Icc(math.nan, UNKNOWN, math.nan, UNKNOWN, n)
    subjects = table.mean(axis=1) - grand
    raters = table.mean(axis=0) - grand
    rest = table - grand - subjects[:, None] - raters[None, :]
    of_subjects = float(k * (subjects**2).sum() / (n - 1))
    of_raters = float(n * (raters**2).sum() / (k - 1))
    of_rest = float((rest**2).sum() / ((n - 1) * (k - 1)))
    if of_rest < 1e-12 * float(table.var()):
        of_rest = 0.0  # rounding of raters that agree but for a shift
    absolute = of_subjects + (k - 1) * of_rest + k * (of_raters - of_rest) / n
    consistent = of_subjects + (k - 1) * of_rest
    icc21 = (of_subjects - of_rest) / absolute if absolute else math.nan
    icc31 = (of_subjects - of_rest) / consistent if consistent else math.nan
    return Icc(
        icc21,
        _icc21_interval(icc21, of_subjects, of_raters, of_rest, n=n, k=k),
        icc31,
        _icc31_interval(of_subjects, of_rest, n=n, k=k),
        n,
    )


def concordance(reference: Numbers, measured: Numbers) -> Concordance:
    """Lin's concordance correlation coefficient (1989), interval by his Fisher transform."""
    table = _complete(reference, measured)
    n = len(table)
    if n < 2:
        return Concordance(math.nan, UNKNOWN, n)
    (x, y), (sx, sy) = table.mean(axis=0), table.std(axis=0)
    covariance = float(((table[:, 0] - x) * (table[:, 1] - y)).mean())
    spread = float(sx**2 + sy**2 + (x - y) ** 2)
    if not spread:
        return Concordance(math.nan, UNKNOWN, n)
    value = min(1.0, max(-1.0, 2 * covariance / spread))
    if 1 - abs(value) < 1e-15:
        return Concordance(value, (value, value) if n > 2 else UNKNOWN, n)
    if n < 3 or not covariance:
        return Concordance(value, UNKNOWN, n)
    r, shift = covariance / float(sx * sy), float((x - y) ** 2 / (sx * sy))
    lost = 1 - value**2
    variance = (
        (1 - min(r * r, 1.0)) * value**2 / (lost * r**2)
        + 2 * value**3 * (1 - value) * shift / (r * lost**2)
        - value**4 * shift**2 / (2 * r**2 * lost**2)
    ) / (n - 2)
    return Concordance(value, _fisher(value, math.sqrt(max(variance, 0.0))), n)


def pearson(reference: Numbers, measured: Numbers) -> Correlation:
    """Pearson's correlation; interval by Fisher's transform. nan where one side is constant."""
    table = _complete(reference, measured)
    return _correlation(table[:, 0], table[:, 1], slack=lambda _: 1.0)


def spearman(reference: Numbers, measured: Numbers) -> Correlation:
    """Spearman's rank correlation; interval with the variance of Bonett and Wright (2000)."""
    table = _complete(reference, measured)
    ranks = stats.rankdata(table, axis=0)
    return _correlation(ranks[:, 0], ranks[:, 1], slack=lambda value: 1 + value**2 / 2)


def repeatability(first: Numbers, *others: Numbers, cv_from: float = 0.0) -> Repeatability:
    """Within-subject standard deviation, repeatability coefficient and coefficient of variation.

    `first` and `others` are the repeated measurements, each over all subjects. The coefficient is
    1.96 sqrt(2) times the within-subject standard deviation; the coefficient of variation is the
    root mean square of each subject's standard deviation over its mean, over subjects whose mean is
    at least `cv_from` and above 0.
    """
    if not others:
        raise UsageError("One measurement has no spread.", hint="Give two or more a subject.")
    table = _complete(first, *others)
    if not len(table):
        return Repeatability(math.nan, math.nan, math.nan, 0, 0)
    variances, means = table.var(axis=1, ddof=1), table.mean(axis=1)
    within = math.sqrt(float(variances.mean()))
    counted = (means >= cv_from) & (means > 0)
    squared = variances[counted] / means[counted] ** 2
    return Repeatability(
        within_sd=within,
        coefficient=NORMAL * math.sqrt(2) * within,
        within_cv=math.sqrt(float(squared.mean())) if squared.size else math.nan,
        count=len(table),
        cv_count=int(squared.size),
    )


def _complete(*columns: Numbers) -> FloatArray:
    """The columns as a table, without the rows that miss a value."""
    arrays = [np.asarray(column, dtype=np.float64).ravel() for column in columns]
    if len({array.size for array in arrays}) != 1:
        raise UsageError(
            f"The measurements have {', '.join(str(array.size) for array in arrays)} numbers.",
            hint="Give one number a subject, in the same order; nan where there is none.",
        )
    table = np.stack(arrays, axis=1)
    return np.asarray(table[np.isfinite(table).all(axis=1)])


def _icc31_interval(of_subjects: float, of_rest: float, *, n: int, k: int) -> Interval:
    if not of_rest:
        return 1.0, 1.0
    ratio, free = of_subjects / of_rest, (n - 1) * (k - 1)
    low = ratio / float(special.fdtri(n - 1, free, 1 - TAIL))
    high = ratio * float(special.fdtri(free, n - 1, 1 - TAIL))
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _icc21_interval(
    value: float, of_subjects: float, of_raters: float, of_rest: float, *, n: int, k: int
) -> Interval:
    if not of_rest and not of_raters:
        return 1.0, 1.0
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    terms = (a * of_raters) ** 2 / (k - 1) + (b * of_rest) ** 2 / ((n - 1) * (k - 1))
    if not terms:
        return UNKNOWN
    free = (a * of_raters + b * of_rest) ** 2 / terms
    upper = float(special.fdtri(n - 1, free, 1 - TAIL))
    lower = float(special.fdtri(free, n - 1, 1 - TAIL))
    mixed = k * of_raters + (k * n - k - n) * of_rest
    return (
        n * (of_subjects - upper * of_rest) / (upper * mixed + n * of_subjects),
        n * (lower * of_subjects - of_rest) / (mixed + n * lower * of_subjects),
    )


def _correlation(x: FloatArray, y: FloatArray, *, slack: Callable[[float], float]) -> Correlation:
    count = x.size
    if count < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(math.nan, UNKNOWN, count)
    x, y = x - x.mean(), y - y.mean()
    value = float((x * y).sum() / math.sqrt(float((x**2).sum()) * float((y**2).sum())))
    value = min(1.0, max(-1.0, value))
    if count < 4:
        return Correlation(value, UNKNOWN, count)
    return Correlation(value, _fisher(value, math.sqrt(slack(value) / (count - 3))), count)


def _fisher(value: float, error: float) -> Interval:
    """The interval of a correlation whose Fisher transform has this standard error."""
    if abs(value) >= 1:
        return value, value
    middle = math.atanh(value)
    return math.tanh(middle - NORMAL * error), math.tanh(middle + NORMAL * error)
