"""Agreement of volumes against published examples, hand computations and other formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from leuko.errors import UsageError
from leuko.evaluation.agreement import (
    bland_altman,
    concordance,
    icc,
    pearson,
    repeatability,
    spearman,
)

# Shrout and Fleiss 1979, table 2: six targets, four judges.
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
                   [6, 2, 4, 7]], dtype=float).T  # fmt: skip
# Bland and Altman 1986, table 1: peak flow by two meters, first measurements.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_bias_and_limits_are_those_bland_and_altman_print() -> None:
    """They print -2.1 and 38.8 l/min, and -22.1 to 17.8 for the bias."""
    made = bland_altman(MINI, LARGE)
    assert made.count == 17
    assert made.bias == pytest.approx(-2.1, abs=0.05)
    assert made.sd == pytest.approx(38.8, abs=0.05)
    assert made.bias_interval == pytest.approx((-22.1, 17.8), abs=0.06)
    assert made.low == pytest.approx(made.bias - 1.959964 * made.sd, abs=1e-4)
    assert made.high == pytest.approx(made.bias + 1.959964 * made.sd, abs=1e-4)
    # They take sqrt(3 / n) for the limits' standard error: -114.3 to -45.1.
    assert made.low_interval == pytest.approx((-114.3, -45.1), abs=2.0)


def test_bias_by_hand_and_which_is_subtracted_from_which() -> None:
    """Differences 1, 2, 3 ml: bias 2, SD 1; t of two degrees of freedom is 4.3027."""
    made = bland_altman([10, 20, 30], [11, 22, 33])
    assert (made.bias, made.sd) == (2.0, 1.0)
    assert made.high == pytest.approx(3.959964)
    half = 4.302653 / math.sqrt(3)
    assert made.bias_interval == pytest.approx((2 - half, 2 + half), abs=1e-5)
    wide = 4.302653 * math.sqrt(1 / 3 + 1.959964**2 / 4)
    assert made.high_interval == pytest.approx((3.959964 - wide, 3.959964 + wide), abs=1e-4)


def test_intraclass_correlations_are_those_of_shrout_and_fleiss() -> None:
    made = icc(*JUDGES)
    assert made.icc21 == pytest.approx(0.29, abs=0.005)
    assert made.icc31 == pytest.approx(0.71, abs=0.005)
    # The intervals other statistics packages print for this table.
    assert made.icc21_interval == pytest.approx((0.019, 0.761), abs=0.001)
    assert made.icc31_interval == pytest.approx((0.342, 0.946), abs=0.001)


def test_a_constant_shift_spoils_agreement_and_not_consistency() -> None:
    """Subjects 1, 2, 3 and a rater 1 higher: MS of subjects 2, of raters 1.5, of the rest 0.

    ICC(3,1) = 1, ICC(2,1) = 2 / (2 + 2 * 1.5 / 3) = 2/3.
    """
    made = icc([1, 2, 3], [2, 3, 4])
    assert made.icc31 == 1.0
    assert made.icc31_interval == (1.0, 1.0)
    assert made.icc21 == pytest.approx(2 / 3)
    assert icc([1, 2, 3], [1, 2, 3]).icc21 == 1.0


def test_concordance_by_hand() -> None:
    """Of 1, 2, 3 and 2, 3, 4: variances 2/3, covariance 2/3, shift 1: (4/3) / (4/3 + 1) = 4/7."""
    assert concordance([1, 2, 3], [2, 3, 4]).value == pytest.approx(4 / 7)
    assert concordance([1, 2, 3], [1, 2, 3]).value == 1.0
    assert concordance([1, 2, 3], [3, 2, 1]).value == pytest.approx(-1.0)


def test_the_interval_of_the_concordance_covers_the_true_value_in_95_of_100_samples() -> None:
    """True value of x and x + 0.3 + noise of SD 0.5, for x of variance 1: 2 / (2.25 + 0.09)."""
    rng = np.random.default_rng(4)
    true, inside = 2 / (1 + 1.25 + 0.09), 0
    for _ in range(600):
        x = rng.normal(size=60)
        low, high = concordance(x, x + 0.3 + rng.normal(0, 0.5, 60)).interval
        inside += low <= true <= high
    assert inside / 600 == pytest.approx(0.95, abs=0.025)


def test_correlations_equal_scipy_and_pearsons_interval_too() -> None:
    made = pearson(LARGE, MINI)
    expected = stats.pearsonr(LARGE, MINI)
    assert made.value == pytest.approx(expected.statistic)
    assert made.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))
    ranked = spearman([*LARGE, 178], [*MINI, 300])  # a tie
    assert ranked.value == pytest.approx(stats.spearmanr([*LARGE, 178], [*MINI, 300]).statistic)


def test_spearmans_interval_by_hand() -> None:
    """Ranks 1..5 against 2, 1, 4, 3, 5: rho 0.8; SE sqrt(1.32 / 2) on Fisher's scale."""
    made = spearman([1, 2, 3, 4, 5], [20, 10, 40, 30, 50])
    assert made.value == pytest.approx(0.8)
    reach = 1.959964 * math.sqrt(1.32 / 2)
    expected = (math.tanh(math.atanh(0.8) - reach), math.tanh(math.atanh(0.8) + reach))
    assert made.interval == pytest.approx(expected, abs=1e-6)


def test_repeatability_by_hand() -> None:
    """Pairs 9, 11 and 20, 20: variances 2 and 0, so the within SD is 1; CV sqrt(.02 / 2) = .1."""
    made = repeatability([9, 20], [11, 20])
    assert made.within_sd == 1.0
    assert made.coefficient == pytest.approx(1.959964 * math.sqrt(2), abs=1e-5)
    assert made.within_cv == pytest.approx(0.1)
    assert (made.count, made.cv_count) == (2, 2)


def test_small_volumes_can_be_kept_out_of_the_coefficient_of_variation() -> None:
    """Of 1 and 3 ml the SD is as large as 70 % of the mean; it counts in the within SD only."""
    made = repeatability([9, 20, 0, 1], [11, 20, 0, 3], cv_from=5.0)
    assert made.within_cv == pytest.approx(0.1)
    assert (made.count, made.cv_count) == (4, 2)
    assert made.within_sd == 1.0


def test_subjects_with_a_missing_value_are_left_out() -> None:
    missing = math.nan
    assert bland_altman([1, 2, missing, 4], [2, missing, 3, 6]).count == 2
    assert icc([1, 2, 3, missing], [2, 3, 4, 5]) == icc([1, 2, 3], [2, 3, 4])


def test_too_few_subjects_give_nan_and_no_warning() -> None:
    one = bland_altman([1.0], [2.0])
    assert (one.bias, one.count) == (1.0, 1)
    assert math.isnan(one.sd)
    assert bland_altman([], []).count == 0
    assert math.isnan(icc([1.0], [2.0]).icc21)
    assert math.isnan(icc([1, 1], [1, 1]).icc31)
    assert math.isnan(concordance([], []).value)
    assert math.isnan(pearson([1, 2], [3, 3]).value)
    assert math.isnan(spearman([], []).value)
    assert math.isnan(pearson([1, 2, 3], [1, 2, 4]).interval[0])
    assert math.isnan(repeatability([], []).within_sd)
    assert math.isnan(repeatability([0.0], [0.0]).within_cv)


def test_lists_of_different_length_and_a_single_rater_are_refused() -> None:
    with pytest.raises(UsageError, match="3, 2 numbers"):
        bland_altman([1, 2, 3], [1, 2])
    with pytest.raises(UsageError, match="One rater"):
        icc([1, 2, 3])
    with pytest.raises(UsageError, match="One measurement"):
        repeatability([1, 2, 3])
