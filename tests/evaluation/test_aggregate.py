"""Summaries over cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leuko.evaluation.aggregate import summarise, summarise_groups, summarise_table


def test_cases_without_a_value_are_skipped_and_counted() -> None:
    summary = summarise([1.0, math.nan, 3.0, 2.0, math.nan])
    assert (summary.count, summary.skipped) == (3, 2)
    assert summary.mean == 2.0
    assert summary.median == 2.0
    assert summary.standard_deviation == 1.0
    assert (summary.quartile_low, summary.quartile_high) == (1.5, 2.5)


def test_the_interval_is_that_of_the_mean_and_the_same_every_time() -> None:
    """Of a wide normal sample it is close to mean +- 1.96 standard errors."""
    values = np.random.default_rng(1).normal(5, 2, 200)
    first, second = summarise(values), summarise(values)
    error = 1.96 * values.std(ddof=1) / math.sqrt(200)
    assert first == second
    assert first.interval_low == pytest.approx(values.mean() - error, abs=0.05)
    assert first.interval_high == pytest.approx(values.mean() + error, abs=0.05)


@pytest.mark.parametrize("values", [[], [math.nan, math.nan]])
def test_no_value_at_all_gives_nan_and_no_warning(values: list[float]) -> None:
    summary = summarise(values)
    assert summary.count == 0
    assert summary.skipped == len(values)
    assert math.isnan(summary.mean)


def test_one_case_has_a_mean_and_no_spread() -> None:
    summary = summarise([0.5])
    assert summary.mean == summary.median == 0.5
    assert math.isnan(summary.standard_deviation)
    assert math.isnan(summary.interval_low)


SITES = {"a": "Utrecht", "b": "Utrecht", "c": "Amsterdam"}
TABLE = {
    "a": {"dice": 0.5, "h95": 4.0},
    "b": {"dice": 0.7, "h95": math.nan},
    "c": {"dice": 0.9},
    "d": {"dice": 0.1, "h95": 9.0},
}


def test_every_metric_of_a_table_is_summarised_and_a_missing_one_skipped() -> None:
    made = summarise_table(TABLE)
    assert list(made) == ["dice", "h95"]
    assert made["dice"].mean == pytest.approx(0.55)
    assert (made["h95"].count, made["h95"].skipped, made["h95"].mean) == (2, 2, 6.5)
    assert made["dice"] == summarise([0.5, 0.7, 0.9, 0.1])


def test_sites_are_summarised_by_themselves_and_cases_without_one_come_last() -> None:
    made = summarise_groups(TABLE, groups=SITES)
    assert list(made) == ["Amsterdam", "Utrecht", ""]
    assert made["Utrecht"]["dice"].mean == pytest.approx(0.6)
    assert made["Utrecht"]["dice"].standard_deviation == pytest.approx(math.sqrt(0.02))
    assert (made["Utrecht"]["h95"].count, made["Utrecht"]["h95"].skipped) == (1, 1)
    assert made["Amsterdam"]["dice"].median == 0.9
    assert made[""]["h95"].mean == 9.0
