"""benchmarks/intervals.py: how far volumes err, and what probabilities say, fitted by hand."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from leuko.evaluation.calibration import fitted_log_odds
from leuko.models.card import LogOdds

E = math.e


@pytest.fixture
def fits(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("interval_fits")


@pytest.fixture
def benchmark(fits: ModuleType) -> ModuleType:
    return importlib.import_module("intervals")


@pytest.fixture
def scan(fits: ModuleType) -> Callable[..., Any]:
    def make(group: str, case: str, volume: float, truth: float, **more: Any) -> Any:
        nothing = np.zeros(0)
        values: dict[str, Any] = {
            "key": group, "group": group, "case": case, "definition": "ms", "weights": "w",
            "volume_ml": volume, "truth_ml": truth, "sure_ml": volume / 2,
            "doubtful_ml": 2 * volume, "peak": nothing, "mean": nothing,
            "real": nothing.astype(bool), "probability": nothing, "lesion": nothing.astype(bool),
        }  # fmt: skip
        return fits.Scan(**(values | more))

    return make


def test_two_shares_are_met_exactly() -> None:
    # 1 of 4 true where the log-odds are 0, 3 of 4 where they are 2: logits -log 3 and log 3.
    values = np.array([0.0] * 4 + [2.0] * 4)
    truth = np.array([1, 0, 0, 0, 1, 1, 1, 0], dtype=bool)
    slope, offset = fitted_log_odds(values, truth, weights=np.ones(8))
    assert (math.log(3), -math.log(3)) == pytest.approx((slope, offset), abs=1e-6)


def test_a_case_counts_as_its_weight() -> None:
    values, truth = np.array([0.0, 0.0, 2.0, 2.0]), np.array([True, False, True, False])
    weights = np.array([1.0, 3.0, 3.0, 1.0])
    slope, offset = fitted_log_odds(values, truth, weights=weights)
    assert (math.log(3), -math.log(3)) == pytest.approx((slope, offset), abs=1e-6)


def test_what_points_the_wrong_way_says_nothing() -> None:
    values, truth = np.array([2.0, 2.0, 0.0, 0.0]), np.array([False, False, True, False])
    slope, offset = fitted_log_odds(values, truth, weights=np.ones(4))
    assert (0.0, -math.log(3)) == pytest.approx((slope, offset))


def test_of_one_kind_only_the_share_is_known() -> None:
    slope, offset = fitted_log_odds(np.arange(5.0), np.zeros(5, bool), weights=np.ones(5))
    assert 0.0 == slope
    assert -math.log(9) == pytest.approx(offset)  # as if half a case of ten halves were true


def test_errors_by_hand(fits: ModuleType, scan: Callable[..., Any]) -> None:
    # Floor 1. Errors of log(volume + 1): -2, -2 in one set and +1 in another. In units of their
    # side all are 1, so the reach is that of each side itself.
    scans = [scan("a", "1", E**2 - 1, 0.0), scan("a", "2", E**3 - 1, E - 1),
             scan("b", "1", 0.0, E - 1)]  # fmt: skip
    errors = fits.fit_errors(scans, floor_ml=1.0)
    assert (2.0, 1.0) == pytest.approx((errors.below, errors.above), abs=1e-3)
    assert (3, 2) == (errors.scans, errors.sets)


def test_nine_of_ten_errors_lie_within_the_reach(
    fits: ModuleType, scan: Callable[..., Any]
) -> None:
    scans = [scan("a", str(n), math.exp(n / 10) - 1, 0.0) for n in range(1, 30)]
    errors = fits.fit_errors(scans, floor_ml=1.0)
    assert 2.7 == pytest.approx(errors.below, abs=1e-3)  # the 27th of 29: ceil(30 * 0.9)
    assert 27 == sum(one.inside for one in fits.held(scans, errors))


def test_every_set_is_judged_by_the_others(fits: ModuleType, scan: Callable[..., Any]) -> None:
    scans = [scan(group, case, 1.0, 1.0) for group in "abc" for case in "12"]
    seen: list[tuple[str, ...]] = []

    def fit(others: Any) -> str:
        return "".join(dict.fromkeys(one.group for one in others))

    def attempt(own: Any, others: str) -> list[str]:
        seen.extend((one.group, others) for one in own)
        return [one.case for one in own]

    assert ["1", "2"] * 3 == fits.left_out(scans, fit, attempt)
    assert [("a", "bc")] * 2 + [("b", "ac")] * 2 + [("c", "ab")] * 2 == seen


def test_the_floor_is_what_healthy_heads_are_given(
    fits: ModuleType, scan: Callable[..., Any]
) -> None:
    assert 3.0 == fits.healthy_floor(
        [scan("a", "1", 2, 0), scan("a", "2", 4, 0), scan("b", "1", 9, 9)]
    )
    assert 1.0 == fits.healthy_floor([scan("b", "1", 9, 9)])


def test_every_scan_counts_the_same(fits: ModuleType, scan: Callable[..., Any]) -> None:
    few = scan("a", "1", 1, 1, peak=np.array([0.9, 0.9]), real=np.array([True, False]))
    many = scan("b", "1", 1, 1, peak=np.full(50, 0.9), real=np.zeros(50, bool))
    odds = fits.fit_lesions([few, many])
    assert 0.25 == pytest.approx(fits.likelihood(np.array([0.9]), odds).item(), abs=1e-3)


def test_a_fit_that_is_no_better_is_not_written(
    benchmark: ModuleType, scan: Callable[..., Any]
) -> None:
    tables = importlib.import_module("interval_tables")
    from leuko.models.store import load_card

    one = scan("a", "1", 1, 1, peak=np.array([0.9, 0.99]), mean=np.array([0.0, 1.0]),
               real=np.array([False, True]), probability=np.array([0.1, 0.9]),
               lesion=np.array([True, False]))  # fmt: skip
    odds = LogOdds(slope=0.5, offset=0.0)
    trial = benchmark.Trial([], tables.lesions_tried([one], odds), tables.voxels_tried([one], odds))
    card = load_card()
    errors = card.volume_errors
    made = benchmark.fitted(card, [one], errors=errors, trial=trial)
    assert made.lesion_odds is None  # the mean probability was perfect
    assert made.voxel_odds is not None  # the network was wrong, and too sure of it
    assert (card.files, card.operating_points, errors) == (
        made.files, made.operating_points, made.volume_errors,
    )  # fmt: skip
