"""Two methods on the same cases, and seen against unseen scanners."""

from __future__ import annotations

import math

import pytest

from leuko.errors import UsageError
from leuko.evaluation.statistics import clear_drop, wilcoxon


def test_signed_ranks_by_hand() -> None:
    """Differences 1, 2, -3, 4, 5: positive ranks 12, negative 3.

    Of the 32 signs of five ranks, 5 have a sum of at most 3 (none, 1, 2, 3, 1+2): p = 10/32.
    """
    made = wilcoxon([1, 2, 0, 4, 5], [0, 0, 3, 0, 0])
    assert made.statistic == 3.0
    assert made.p == pytest.approx(10 / 32)
    assert (made.count, made.ties, made.median) == (5, 0, 2.0)


def test_six_cases_in_one_direction_are_significant_and_five_are_not() -> None:
    assert wilcoxon([2, 3, 4, 5, 6, 7], [1] * 6).p == pytest.approx(2 / 64)
    assert wilcoxon([2, 3, 4, 5, 6], [1] * 5).p == pytest.approx(2 / 32)


def test_missing_values_and_equal_ones_are_no_evidence() -> None:
    made = wilcoxon([2, 3, 4, 5, 6, 7, math.nan, 1, 9], [1] * 6 + [1, 1, math.nan])
    assert made.p == pytest.approx(2 / 64)
    assert (made.count, made.ties) == (7, 1)


def test_methods_without_a_difference_or_without_cases() -> None:
    same = wilcoxon([0.5, 0.1 + 0.2], [0.5, 0.3])
    assert (same.statistic, same.p, same.ties) == (0.0, 1.0, 2)
    assert math.isnan(wilcoxon([], []).p)
    with pytest.raises(UsageError, match="2 and 1 cases"):
        wilcoxon([1, 2], [1])


def test_three_points_of_a_score_are_a_clear_drop_and_less_is_none() -> None:
    seen = {"dice": 0.80, "lesion_recall": 0.70, "lesion_f1": 0.70}
    made = clear_drop(seen, {"dice": 0.77, "lesion_recall": 0.671, "lesion_f1": 0.9})
    assert {name: drop.clear for name, drop in made.items()} == {
        "dice": True,
        "lesion_recall": False,
        "lesion_f1": False,
    }
    assert made["dice"].change == pytest.approx(-0.03)
    assert made["dice"].unit == "points"


def test_half_as_much_again_of_a_distance_is_a_clear_drop() -> None:
    made = clear_drop({"h95": 4.0, "avd": 20.0}, {"h95": 6.0, "avd": 29.0})
    assert (made["h95"].change, made["h95"].unit, made["h95"].clear) == (50.0, "%", True)
    assert (made["avd"].change, made["avd"].clear) == (pytest.approx(45.0), False)
    assert not clear_drop({"h95": 4.0}, {"h95": 1.0})["h95"].clear


def test_values_of_cases_are_averaged_without_the_missing_ones() -> None:
    made = clear_drop({"dice": [0.8, 0.9, math.nan]}, {"dice": [0.7, 0.8]})
    assert (made["dice"].seen, made["dice"].unseen) == (pytest.approx(0.85), 0.75)
    assert made["dice"].clear
    unknown = clear_drop({"dice": [math.nan]}, {"dice": 0.7})["dice"]
    assert math.isnan(unknown.change)
    assert not unknown.clear


def test_an_error_that_was_zero_rises_by_more_than_any_share() -> None:
    assert clear_drop({"avd": 0.0}, {"avd": 1.0})["avd"].clear
    assert clear_drop({"avd": 0.0}, {"avd": 0.0})["avd"].change == 0.0


def test_only_metrics_with_a_good_direction_in_both_are_compared() -> None:
    made = clear_drop({"dice": 0.8, "reference_ml": 3.0, "h95": 2.0}, {"dice": 0.8, "avd": 2.0})
    assert list(made) == ["dice"]
    with pytest.raises(UsageError, match="jaccard"):
        clear_drop({"jaccard": 0.5}, {})
