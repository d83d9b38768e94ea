"""Metrics over many cases, whole or by site: mean, spread and a bootstrap interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Summary", "summarise", "summarise_groups", "summarise_table"]

RESAMPLES = 10_000
SEED = 20170914
CHUNK = 500  # resamples at a time, so that memory stays small with many cases
LEVEL = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Summary:
    """Over the cases that have a value: `count` of them; `skipped` had none (nan).

    The interval is the 95 % percentile bootstrap interval of the mean over cases; quantiles are
    linearly interpolated, the standard deviation is the sample's (n - 1). Everything is nan where
    there are too few cases for it.
    """

    count: int
    skipped: int
    mean: float
    standard_deviation: float
    median: float
    quartile_low: float
    quartile_high: float
    interval_low: float
    interval_high: float


def summarise(values: Iterable[float], *, resamples: int = RESAMPLES, seed: int = SEED) -> Summary:
    """The summary of one metric's values, a case each; the same values give the same summary."""
    every = np.array([float(value) for value in values], dtype=np.float64)
    kept = every[~np.isnan(every)]
    nan = math.nan
    if not kept.size:
        return Summary(0, every.size, nan, nan, nan, nan, nan, nan, nan)
    low, median, high = np.percentile(kept, [25, 50, 75])
    interval = _interval(kept, resamples, seed)
    return Summary(
        count=kept.size,
        skipped=every.size - kept.size,
        mean=float(kept.mean()),
        standard_deviation=float(kept.std(ddof=1)) if kept.size > 1 else nan,
        median=float(median),
        quartile_low=float(low),
        quartile_high=float(high),
        interval_low=interval[0],
        interval_high=interval[1],
    )


def summarise_table(
    table: Mapping[str, Mapping[str, float]], *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, Summary]:
    """The summary of every metric of a table case -> metric -> value, in the order they appear.

    A case without a metric counts as skipped.
    """
    names = dict.fromkeys(name for row in table.values() for name in row)
    return {
        name: summarise(
            (row.get(name, math.nan) for row in table.values()), resamples=resamples, seed=seed
        )
        for name in names
    }


def summarise_groups(
    table: Mapping[str, Mapping[str, float]],
    *,
    groups: Mapping[str, str],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, dict[str, Summary]]:
    """As `summarise_table`, for each group (site, scanner) that `groups` puts the cases in.

    Groups are in alphabetical order; cases without one form the last group, "".
    """
    members: dict[str, dict[str, Mapping[str, float]]] = {}
    for case, row in table.items():
        members.setdefault(groups.get(case, ""), {})[case] = row
    ordered = sorted(members, key=lambda group: (not group, group))
    return {
        group: summarise_table(members[group], resamples=resamples, seed=seed) for group in ordered
    }


def _interval(values: npt.NDArray[np.float64], resamples: int, seed: int) -> tuple[float, float]:
    if values.size < 2:
        return math.nan, math.nan
    draw = np.random.default_rng(seed)
    means = np.concatenate(
        [
            values[
                draw.integers(values.size, size=(min(CHUNK, resamples - start), values.size))
            ].mean(axis=1)
            for start in range(0, resamples, CHUNK)
        ]
    )
    low, high = np.percentile(means, LEVEL)
    return float(low), float(high)
