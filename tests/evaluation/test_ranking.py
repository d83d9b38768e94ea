"""The order of methods by the paper's formula and by ranks a case."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leuko.errors import UsageError
from leuko.evaluation.ranking import rank
from leuko.evaluation.registry import CHALLENGE


def one_metric(name: str, **values: list[float]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        method: {f"case{i}": {name: value} for i, value in enumerate(row)}
        for method, row in values.items()
    }


def test_the_formula_by_hand() -> None:
    """Dice means .8 .7 .6 scale to 0 .5 1; H95 means 4 3 7 to .25 0 1: means .125 .25 1."""
    table = {
        "a": {"1": {"dice": 0.9, "h95": 5.0}, "2": {"dice": 0.7, "h95": 3.0}},
        "b": {"1": {"dice": 0.7, "h95": 3.0}, "2": {"dice": 0.7, "h95": 3.0}},
        "c": {"1": {"dice": 0.6, "h95": 8.0}, "2": {"dice": 0.6, "h95": 6.0}},
    }
    made = rank(table, metrics=["dice", "h95"])
    assert made.formula == pytest.approx({"a": 0.125, "b": 0.25, "c": 1.0})
    assert made.order == ("a", "b", "c")
    # Ranks: case 1 dice 1 2 3, h95 2 1 3; case 2 dice 1.5 1.5 3, h95 1.5 1.5 3.
    assert made.ranks == pytest.approx({"a": 1.5, "b": 1.5, "c": 3.0})
    assert made.bootstrap["c"].low == made.bootstrap["c"].high == 3.0
    assert made.bootstrap["c"].first == 0.0


def test_a_published_table_of_the_challenge_ranks_by_the_formula() -> None:
    """Means of three methods in all five metrics, worked by hand.

    Dice .80 .78 .77, H95 6.30 7.36 7.24, AVD 21.9 22.2 17.6, recall .84 .78 .76, F1 .76 .72 .73.
    """
    rows = {
        "one": (0.80, 6.30, 21.9, 0.84, 0.76),
        "two": (0.78, 7.36, 22.2, 0.78, 0.72),
        "three": (0.77, 7.24, 17.6, 0.76, 0.73),
    }
    table = {m: {"all": dict(zip(CHALLENGE, row, strict=True))} for m, row in rows.items()}
    made = rank(table)
    expected = {
        "one": (4.3 / 4.6) / 5,
        "two": (2 / 3 + 1 + 1 + 6 / 8 + 1) / 5,
        "three": (1 + 0.94 / 1.06 + 0 + 1 + 3 / 4) / 5,
    }
    assert made.formula == pytest.approx(expected)
    assert made.order == ("one", "three", "two")


def test_methods_that_are_equal_all_score_zero() -> None:
    made = rank(one_metric("dice", a=[0.5, 0.7], b=[0.6, 0.6]), metrics=["dice"])
    assert made.formula == {"a": 0.0, "b": 0.0}
    assert made.order == ("a", "b")


def test_a_method_without_any_value_scores_one() -> None:
    table = one_metric("h95", a=[math.nan], b=[9.0], c=[3.0])
    made = rank(table, metrics=["h95"])
    assert made.formula == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert made.ranks == {"a": 3.0, "b": 2.0, "c": 1.0}
    assert made.missing == {"a": 1, "b": 0, "c": 0}


def test_a_missing_value_is_no_way_to_win() -> None:
    """Without case 1 the mean of `a` would be 2, the best; it counts as 10, the worst there."""
    made = rank(one_metric("h95", a=[math.nan, 2.0], b=[10.0, 3.0], c=[5.0, 3.0]), metrics=["h95"])
    assert made.formula == pytest.approx({"a": (6 - 4) / 2.5, "b": 1.0, "c": 0.0})
    assert made.order[0] == "c"
    assert made.ranks["a"] == 2.0


def test_a_case_that_a_method_lacks_altogether_is_missing_too() -> None:
    table = {"a": {"1": {"dice": 0.9}}, "b": {"1": {"dice": 0.8}, "2": {"dice": 0.8}}}
    made = rank(table, metrics=["dice"])
    assert made.ranks == {"a": 1.5, "b": 1.5}
    assert made.missing == {"a": 1, "b": 0}


def test_a_case_in_which_no_method_has_a_value_counts_for_none() -> None:
    table = one_metric("lesion_recall", a=[math.nan, 0.9], b=[math.nan, 0.5])
    made = rank(table, metrics=["lesion_recall"])
    assert made.formula == {"a": 0.0, "b": 1.0}
    assert made.ranks == {"a": 1.0, "b": 2.0}
    assert made.missing == {"a": 0, "b": 0}


def test_a_signed_difference_is_best_at_zero() -> None:
    table = one_metric("volume_difference_ml", a=[-1.0], b=[3.0], c=[-4.0])
    made = rank(table, metrics=["volume_difference_ml"])
    assert made.order == ("a", "b", "c")


def test_the_schemes_can_disagree_about_the_winner() -> None:
    """One terrible case spoils the mean of `a`, which is better in the other four."""
    table = one_metric("dice", a=[0.8, 0.8, 0.8, 0.8, 0.0], b=[0.7] * 5)
    made = rank(table, metrics=["dice"])
    assert made.order == ("b", "a")
    assert made.order_by_rank == ("a", "b")
    assert made.ranks == pytest.approx({"a": 1.2, "b": 1.8})


def test_bootstrap_shares_are_those_of_the_resamples() -> None:
    """`a` wins one case of two: it is better in 1/4 of resamples, equal in 1/2, worse in 1/4."""
    made = rank(one_metric("dice", a=[0.9, 0.5], b=[0.5, 0.9]), metrics=["dice"])
    assert made.bootstrap["a"].first == pytest.approx(0.75, abs=0.02)
    assert (made.bootstrap["a"].low, made.bootstrap["a"].high) == (1.0, 2.0)


def test_a_method_that_is_best_in_every_case_is_first_in_every_resample_and_again() -> None:
    rng = np.random.default_rng(2)
    better = rng.uniform(0.6, 0.8, 20)
    table = one_metric("dice", a=(better - 0.1).tolist(), b=better.tolist())
    made = rank(table, metrics=["dice"], resamples=700)
    assert made.bootstrap["b"].first == 1.0
    assert made.bootstrap == rank(table, metrics=["dice"], resamples=700).bootstrap


def test_one_case_has_no_bootstrap() -> None:
    made = rank(one_metric("dice", a=[0.9], b=[0.5]), metrics=["dice"])
    assert math.isnan(made.bootstrap["a"].first)


@pytest.mark.parametrize("name", ["jaccard", "reference_ml"])
def test_what_has_no_good_direction_ranks_nothing(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        rank(one_metric("dice", a=[0.9]), metrics=[name])


def test_nothing_to_rank_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing"):
        rank({})
