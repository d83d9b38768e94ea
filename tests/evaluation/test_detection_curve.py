"""benchmarks/detection_curve.py: lesions counted at several settings, read off and drawn."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from leuko.evaluation.pair import Pair, pair_masks
from leuko.image.grid import Grid

SHAPE = (20, 20, 20)


@pytest.fixture
def detection(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("detection_curve")


def scan(*, found: int, false: int) -> Pair:
    """Two true lesions of 8 mm3 and one of 64 mm3; marks touch `found` of them, `false` do not."""
    truth, mask = np.zeros((2, *SHAPE), dtype=bool)
    truth[0:2, 0:2, 0:2] = truth[0:2, 6:8, 0:2] = truth[0:4, 12:16, 0:4] = True
    for y in (12, 0, 6)[:found]:
        mask[0, y, 0] = True
    for y in range(false):
        mask[10, 2 * y, 10] = True
    return pair_masks(truth, mask, grid=Grid(shape=SHAPE, affine=np.eye(4)))


@pytest.fixture
def curve(detection: ModuleType) -> object:
    """Two scans at two thresholds: everything with 3 false, the large lesion alone with 0 or 1."""
    counted = detection.counted
    return detection.Curve.of(
        {
            0.2: [counted(scan(found=3, false=3)), counted(scan(found=2, false=3))],
            0.8: [counted(scan(found=1, false=0)), counted(scan(found=1, false=1))],
        },
        method="one",
        set="tabriz-lesions",
        used=0.2,
        seen=False,
    )


def test_lesions_are_pooled_over_scans_and_false_ones_counted_a_scan(curve: object) -> None:
    low, high = curve.points
    assert curve.true == (4, 0, 2, 0, 0)
    assert (low.false_per_scan, high.false_per_scan) == (3.0, 0.5)
    assert low.recall == pytest.approx(5 / 6)
    assert high.recall == pytest.approx(2 / 6)
    assert low.recall_by_size == (0.75, None, 1.0, None, None)
    assert high.recall_by_size == (0.0, None, 1.0, None, None)
    assert high.f1_strict == pytest.approx((0.5 + 0.4) / 2)


def test_a_curve_is_read_at_a_rate_of_false_lesions(curve: object) -> None:
    assert curve.best(3) == pytest.approx(5 / 6)
    assert curve.best(2) == pytest.approx(2 / 6)
    assert curve.best(2, 0) == 0.0
    assert curve.best(0.4) is None
    assert curve.best(3, 1) is None


def test_tables_and_picture_name_the_settings(
    detection: ModuleType, curve: object, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    text = detection.tables([curve], vary="threshold")
    assert "## tabriz-lesions: 6 lesions" in text
    assert "3.0 as it comes" in text
    assert "<= 1 | 0.33" in text
    detection.draw([curve], vary="threshold", path=tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 10_000
