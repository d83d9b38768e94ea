"""Intervals of cases in groups: whole groups are drawn, so copies of a case add no certainty."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leuko.errors import UsageError
from leuko.evaluation.clustered import clustered_intervals
from leuko.evaluation.diagnosis import roc

SCORES = [0.9, 0.2, 0.8, 0.4, 0.6, 0.7, 0.3, 0.1, 0.55, 0.5]
TRUTH = [True, False, True, False, True, False, True, False, True, False]
GROUPS = ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e"]


def called(scores: list[float]) -> list[bool]:
    return [score >= 0.5 for score in scores]


def test_repeating_every_case_of_a_group_changes_no_interval() -> None:
    once = clustered_intervals(SCORES, called(SCORES), TRUTH, GROUPS)
    many = clustered_intervals(SCORES * 7, called(SCORES * 7), TRUTH * 7, GROUPS * 7)
    assert once == many
    narrower = roc(SCORES * 7, TRUTH * 7).auc_interval
    assert narrower[1] - narrower[0] < many.auc[1] - many.auc[0]


def test_the_draws_are_those_of_the_plain_definition() -> None:
    found = clustered_intervals(SCORES, called(SCORES), TRUTH, GROUPS, draws=400, seed=3)
    names = sorted(set(GROUPS))
    weights = np.random.default_rng(3).multinomial(5, [0.2] * 5, size=400)
    areas, sensitivities = [], []
    for row in weights:
        picked = [
            k for name, n in zip(names, row, strict=True) for _ in range(n)
            for k, group in enumerate(GROUPS) if group == name
        ]  # fmt: skip
        truth = [TRUTH[k] for k in picked]
        areas.append(roc([SCORES[k] for k in picked], truth).auc)
        hits = [SCORES[k] >= 0.5 for k in picked if TRUTH[k]]
        sensitivities.append(sum(hits) / len(hits))
    assert found.auc == pytest.approx((np.sort(areas)[10], np.sort(areas)[390]))
    assert found.sensitivity == pytest.approx(
        (np.sort(sensitivities)[10], np.sort(sensitivities)[390])
    )


def test_a_perfect_test_has_a_certain_area_and_an_infinite_likelihood_ratio() -> None:
    scores = [1.0 if real else 0.0 for real in TRUTH]
    found = clustered_intervals(scores, called(scores), TRUTH, GROUPS)
    assert found.auc == (1.0, 1.0)
    assert found.lr_positive == (math.inf, math.inf)
    assert found.lr_negative == (0.0, 0.0)


def test_two_groups_are_too_few() -> None:
    found = clustered_intervals(SCORES[:4], called(SCORES[:4]), TRUTH[:4], GROUPS[:4])
    assert found.groups == 2
    assert all(map(math.isnan, (*found.auc, *found.specificity)))


def test_groups_of_one_kind_each_leave_the_area_unknown_where_draws_lack_a_kind() -> None:
    found = clustered_intervals(
        [0.9, 0.1, 0.2], [True, False, False], [True, False, False], ["a", "b", "c"]
    )
    assert all(map(math.isnan, found.auc))


def test_other_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match="differ in number"):
        clustered_intervals([0.1], [False], [True, False], ["a", "b"])
