"""Which of several methods is best on the same cases, by two schemes.

The scheme is known to decide the winner, so both are given: the formula of the ResU-Net paper on
mean values, and the mean of ranks a case and metric, whose order is bootstrapped over cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from leuko.errors import UsageError
from leuko.evaluation.registry import CHALLENGE, METRICS

__all__ = ["Place", "Ranking", "rank"]

FloatArray = npt.NDArray[np.float64]
Table = Mapping[str, Mapping[str, Mapping[str, float]]]

RESAMPLES = 10_000
SEED = 20170914
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a method (1 is best) in resamples of the cases: 95 % of them, and the first.

    `first` is the share of resamples in which no method is better.
    """

    low: float
    high: float
    first: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Methods in order, best first.

    `order` and `formula` (0 best, 1 worst) follow the paper's formula, `order_by_rank`, `ranks`
    (mean rank, 1 best) and `bootstrap` rank-then-aggregate. `missing` counts the values a method
    does not have although another one has.
    """

    order: tuple[str, ...]
    formula: dict[str, float]
    order_by_rank: tuple[str, ...]
    ranks: dict[str, float]
    bootstrap: dict[str, Place]
    missing: dict[str, int]


def rank(
    table: Table,
    *,
    metrics: Iterable[str] = CHALLENGE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Ranking:
    """Rank the methods of `table` (method -> case -> metric -> value) by `metrics`.

    Formula: the mean over cases, scaled over the methods from 0 (best) to 1 (worst), averaged over
    the metrics; 0 where all methods are equal, 1 for a method without any value. Rank-then-
    aggregate: ranks over the methods a case and metric (ties share their mean), averaged. A value
    that is missing ranks worst; in the mean it is as bad as the worst of the others on that case.
    Where no method has a value (a reference without lesions), the case does not count for the
    metric. Raises UsageError (exit 2) for an unknown metric or one without a good direction.
    """
    names = tuple(dict.fromkeys(metrics))
    signs = np.array([_sign(name) for name in names], dtype=np.float64)
    methods = tuple(table)
    if not methods or not names:
        raise UsageError("There is nothing to rank.", hint="Give methods and metrics.")
    costs, missing = _costs(table, methods, names, signs)
    formula = _formula(costs)
    ranks = _ranks(costs)  # (methods, cases), mean over metrics
    mean_ranks = _over_cases(ranks)
    return Ranking(
        order=_ordered(methods, formula),
        formula=dict(zip(methods, map(float, formula), strict=True)),
        order_by_rank=_ordered(methods, mean_ranks),
        ranks=dict(zip(methods, map(float, mean_ranks), strict=True)),
        bootstrap=_bootstrap(methods, ranks, resamples=resamples, seed=seed),
        missing=dict(zip(methods, map(int, missing), strict=True)),
    )


def _sign(name: str) -> float:
    if name not in METRICS or METRICS[name].better == "none":
        raise UsageError(
            f"Methods can't be ranked by {name!r}.",
            hint="Choose metrics that have a good direction; see docs/metrics.md.",
        )
    return -1.0 if METRICS[name].better == "higher" else 1.0


def _costs(
    table: Table, methods: tuple[str, ...], names: tuple[str, ...], signs: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Values of shape (methods, cases, metrics) that are lower for better; inf is missing.

    nan where no method has a value. And the number of missing values of each method.
    """
    cases = tuple(dict.fromkeys(case for method in methods for case in table[method]))
    values = np.full((len(methods), len(cases), len(names)), math.nan)
    for i, method in enumerate(methods):
        for j, case in enumerate(cases):
            row = table[method].get(case, {})
            values[i, j] = [float(row.get(name, math.nan)) for name in names]
    toward_zero = np.array([METRICS[name].better == "zero" for name in names])
    values[..., toward_zero] = np.abs(values[..., toward_zero])
    values *= signs
    lacking = ~np.isfinite(values)
    lacking_everywhere = lacking.all(axis=0)
    values[lacking] = math.inf
    values[:, lacking_everywhere] = math.nan
    return values, (lacking & ~lacking_everywhere).sum(axis=(1, 2))


def _formula(costs: FloatArray) -> FloatArray:
    """Mean over metrics of the mean costs over cases, scaled to 0 (best) .. 1 (worst)."""
    without = ~np.isfinite(costs).any(axis=1)  # (methods, metrics): no value at all
    finite = np.where(np.isinf(costs), -math.inf, costs)
    worst = finite.max(axis=0)
    filled = np.where(np.isinf(costs), worst, costs)
    known = ~np.isnan(filled)
    counts = known.sum(axis=1)
    means = np.where(known, filled, 0.0).sum(axis=1) / np.maximum(counts, 1)
    means[without] = math.nan
    scaled = np.ones_like(means)
    for metric in range(means.shape[1]):
        column = means[:, metric]
        have = ~np.isnan(column)
        if have.any():
            low, high = column[have].min(), column[have].max()
            span = high - low if high - low > 1e-12 * max(1.0, abs(high)) else 0.0
            scaled[have, metric] = (column[have] - low) / span if span else 0.0
    return np.asarray(scaled.mean(axis=1))


def _ranks(costs: FloatArray) -> FloatArray:
    """Mean rank over metrics of each (method, case); nan where a case has no value at all."""
    ranks = stats.rankdata(np.round(costs, 12), axis=0)
    known = ~np.isnan(costs[0])
    counts = known.sum(axis=-1)
    total = np.where(known, np.nan_to_num(ranks), 0.0).sum(axis=-1)
    return np.asarray(np.where(counts > 0, total / np.maximum(counts, 1), math.nan))


def _over_cases(ranks: FloatArray) -> FloatArray:
    kept = ranks[:, ~np.isnan(ranks[0])]
    return np.asarray(kept.mean(axis=1)) if kept.size else np.full(len(ranks), math.nan)


def _bootstrap(
    methods: tuple[str, ...], ranks: FloatArray, *, resamples: int, seed: int
) -> dict[str, Place]:
    kept = ranks[:, ~np.isnan(ranks[0])]
    if kept.shape[1] < 2 or resamples < 1:
        return {method: Place(math.nan, math.nan, math.nan) for method in methods}
    draw = np.random.default_rng(seed)
    places = []
    for start in range(0, resamples, CHUNK):
        size = (min(CHUNK, resamples - start), kept.shape[1])
        chosen = draw.integers(kept.shape[1], size=size)
        means = np.round(kept[:, chosen].mean(axis=-1), 12)  # (methods, resamples)
        places.append(stats.rankdata(means, method="min", axis=0))
    place = np.concatenate(places, axis=1)
    low, high = np.percentile(place, (2.5, 97.5), axis=1)
    first = (place == 1).mean(axis=1)
    return {
        method: Place(float(low[i]), float(high[i]), float(first[i]))
        for i, method in enumerate(methods)
    }


def _ordered(methods: tuple[str, ...], values: FloatArray) -> tuple[str, ...]:
    """Best (lowest) first; equal ones in the order they were given."""
    numbers = np.round(np.nan_to_num(values, nan=math.inf), 12)
    return tuple(methods[i] for i in np.argsort(numbers, kind="stable"))
