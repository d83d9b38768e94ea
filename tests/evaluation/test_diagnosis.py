"""Decisions and scores of cases against the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from leuko.errors import UsageError
from leuko.evaluation.calibration import calibration
from leuko.evaluation.diagnosis import (
    Confusion,
    confusion,
    posterior_odds,
    posterior_probability,
    roc,
    wilson_interval,
)

TABLE = Confusion(true_positive=90, false_positive=40, false_negative=10, true_negative=160)


def test_a_table_of_four_by_hand() -> None:
    assert TABLE.sensitivity == 0.9
    assert TABLE.specificity == 0.8
    assert TABLE.accuracy == pytest.approx(250 / 300)
    assert TABLE.ppv == pytest.approx(90 / 130)
    assert TABLE.npv == pytest.approx(160 / 170)
    assert TABLE.lr_positive == pytest.approx(4.5)
    assert TABLE.lr_negative == pytest.approx(0.125)
    assert (TABLE.positives, TABLE.negatives, TABLE.count) == (100, 200, 300)


def test_decisions_are_counted_against_the_truth() -> None:
    made = confusion([True, True, False, False, True], [1, 0, 1, 0, 1])
    assert made == Confusion(2, 1, 1, 1)


def test_the_interval_of_a_likelihood_ratio_is_symmetric_on_the_logarithmic_scale() -> None:
    """SE of ln 4.5 is sqrt(1/90 - 1/100 + 1/40 - 1/200) = 0.14530."""
    low, high = TABLE.lr_positive_interval
    assert low == pytest.approx(4.5 / math.exp(1.959964 * 0.145297), abs=1e-4)
    assert high == pytest.approx(4.5 * math.exp(1.959964 * 0.145297), abs=1e-4)
    low, high = TABLE.lr_negative_interval
    assert low * high == pytest.approx(0.125**2)


def test_a_perfect_test_has_an_infinite_likelihood_ratio_and_decides() -> None:
    made = Confusion(5, 0, 0, 5)
    assert made.lr_positive == math.inf
    assert made.lr_negative == 0.0
    assert math.isnan(made.lr_positive_interval[0])
    assert posterior_probability(0.1, made.lr_positive) == 1.0
    assert posterior_probability(0.1, made.lr_negative) == 0.0


def test_bayes_by_hand() -> None:
    """A prior of 20 % is odds of 1:4; times 4.5 it is 9:8, a probability of 9/17."""
    assert posterior_odds(0.2, 4.5) == pytest.approx(9 / 8)
    assert posterior_probability(0.2, 4.5) == pytest.approx(9 / 17)
    assert posterior_probability(TABLE.positives / TABLE.count, TABLE.lr_positive) == (
        pytest.approx(TABLE.ppv)
    )


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_no_test_changes_certainty(prior: float) -> None:
    assert posterior_probability(prior, math.inf) == prior
    assert posterior_probability(prior, 0.0) == prior


@pytest.mark.parametrize("prior", [-0.1, 1.5, math.nan])
def test_a_prior_is_a_probability(prior: float) -> None:
    with pytest.raises(UsageError, match="no probability"):
        posterior_odds(prior, 2.0)


@pytest.mark.parametrize(("part", "whole"), [(0, 10), (10, 10), (9, 10), (81, 263)])
def test_wilsons_interval_equals_scipy(part: int, whole: int) -> None:
    expected = stats.binomtest(part, whole).proportion_ci(method="wilson")
    assert wilson_interval(part, whole) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_table_without_cases_has_no_values() -> None:
    made = Confusion(0, 0, 0, 0)
    for value in (made.sensitivity, made.specificity, made.accuracy, made.ppv, made.npv,
                  made.lr_positive, made.lr_negative, *made.accuracy_interval):  # fmt: skip
        assert math.isnan(value)


def test_the_curve_by_hand() -> None:
    """Positives .9 .6 .6, negatives .6 .2: of six pairs 4 in order and 2 tied, area 5/6.

    Thresholds inf, .9, .6, .2; the best is .9 or .6? 1/3 + 1 - 1 against 1 + 1/2 - 1: .6.
    """
    made = roc([0.6, 0.9, 0.2, 0.6, 0.6], [1, 1, 0, 0, 1])
    assert made.thresholds.tolist() == [math.inf, 0.9, 0.6, 0.2]
    assert made.sensitivity == pytest.approx([0, 1 / 3, 1, 1])
    assert made.specificity == pytest.approx([1, 1, 0.5, 0])
    assert made.auc == pytest.approx(5 / 6)
    assert made.youden_threshold == 0.6
    assert made.youden == pytest.approx(0.5)
    assert (made.positives, made.negatives) == (3, 2)


def components(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Area and DeLong's standard error from every pair, as the paper writes it."""
    x, y = scores[truth][:, None], scores[~truth][None, :]
    order = (x > y) + 0.5 * (x == y)
    of_x, of_y = order.mean(axis=1), order.mean(axis=0)
    error = math.sqrt(of_x.var(ddof=1) / of_x.size + of_y.var(ddof=1) / of_y.size)
    return float(order.mean()), error


@pytest.mark.parametrize("seed", range(5))
def test_area_and_interval_equal_delongs_components(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(60) < 0.4
    scores = np.round(rng.normal(size=60) + truth, 1)  # with ties
    area, error = components(scores, truth)
    made = roc(scores, truth)
    assert made.auc == pytest.approx(area)
    low, high = max(0.0, area - 1.959964 * error), min(1.0, area + 1.959964 * error)
    assert made.auc_interval == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_equals_that_of_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    truth = rng.random(80) < 0.5
    scores = np.round(rng.random(80), 1)
    made = roc(scores, truth)
    wrong, found, thresholds = metrics.roc_curve(truth, scores, drop_intermediate=False)
    assert made.sensitivity == pytest.approx(found)
    assert 1 - made.specificity == pytest.approx(wrong)
    assert made.thresholds.tolist() == thresholds.tolist()
    assert made.auc == pytest.approx(metrics.roc_auc_score(truth, scores))


def test_youdens_threshold_reaches_its_sensitivity_and_specificity() -> None:
    rng = np.random.default_rng(9)
    truth = rng.random(50) < 0.5
    scores = rng.normal(size=50) + 2 * truth
    made = roc(scores, truth)
    table = confusion(scores >= made.youden_threshold, truth)
    assert table.sensitivity + table.specificity - 1 == pytest.approx(made.youden)
    assert made.youden == pytest.approx(np.max(made.sensitivity + made.specificity - 1))


def test_cases_of_one_kind_have_no_area() -> None:
    made = roc([0.1, 0.9], [1, 1])
    assert made.sensitivity.tolist() == [0, 0.5, 1]
    assert math.isnan(made.auc)
    assert math.isnan(made.youden_threshold)
    assert math.isnan(roc([], []).auc)
    one = roc([0.1, 0.9, 0.4], [0, 1, 1])
    assert one.auc == 1.0
    assert math.isnan(one.auc_interval[0])


def test_scores_and_truth_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="2 cases and 1"):
        roc([0.1, 0.2], [1])
    with pytest.raises(UsageError, match="true or false"):
        roc([0.1, 0.2], [1, 2])
    with pytest.raises(UsageError, match="missing"):
        roc([0.1, math.nan], [0, 1])


def test_calibration_by_hand() -> None:
    """Two bins: .2, .4 of which one is true; .6, 1 of which both are.

    Gaps |.3 - .5| and |.8 - 1|, half of the cases each: ECE .2. Brier (.04+.36+.16+0)/4 = .14.
    """
    made = calibration([0.2, 0.4, 0.6, 1.0], [0, 1, 1, 1], bins=2)
    low, high = made.bins
    assert (low.count, low.predicted, low.observed) == (2, pytest.approx(0.3), 0.5)
    assert (high.count, high.predicted, high.observed) == (2, pytest.approx(0.8), 1.0)
    assert (low.low, low.high, high.high) == (0.0, 0.5, 1.0)
    assert high.observed_interval == wilson_interval(2, 2)
    assert made.ece == pytest.approx(0.2)
    assert made.brier == pytest.approx(0.14)


def test_a_probability_on_a_bins_edge_belongs_to_the_upper_bin() -> None:
    made = calibration([0.1, 0.3, 0.7, 1.0, 0.0], [0, 0, 1, 1, 0])
    assert [row.count for row in made.bins] == [1, 1, 0, 1, 0, 0, 0, 1, 0, 1]
    assert math.isnan(made.bins[2].observed)


def test_frequencies_that_are_probabilities_have_no_calibration_error() -> None:
    made = calibration([0.25] * 4 + [0.75] * 4, [1, 0, 0, 0, 1, 1, 1, 0])
    assert made.ece == 0.0
    assert made.brier == pytest.approx(0.1875)


def test_calibration_of_nothing_is_nan_and_of_no_probability_refused() -> None:
    assert math.isnan(calibration([], []).ece)
    with pytest.raises(UsageError, match="between 0 and 1"):
        calibration([1.2], [1])
    with pytest.raises(UsageError, match="don't fit"):
        calibration([0.2, 0.3], [1])
