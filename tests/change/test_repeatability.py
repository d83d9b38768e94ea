"""The limits of what counts as change."""

from __future__ import annotations

import pytest

from leuko.change.repeatability import Repeatability, Resolution, repeatability_of, resolution_of


def test_the_coarser_visit_gives_the_class() -> None:
    assert resolution_of((1.0, 1.0, 1.0), (1.0, 1.0, 2.0)) is Resolution.THIN
    assert resolution_of((1.0, 1.0, 1.0), (0.7, 0.7, 3.0)) is Resolution.THICK
    assert resolution_of((1.0, 1.0, 1.0), (0.9, 0.9, 6.5)) is Resolution.COARSE
    assert repeatability_of((1.0, 1.0, 1.0)).resolution is Resolution.THIN


def test_a_total_changes_beyond_2_77_deviations_and_a_tenth_of_a_millilitre() -> None:
    limits = Repeatability(Resolution.THIN, percent=2.0, lesion_mm3=10.0, lesion_share=0.1)
    assert limits.net_change_limit_ml(20.0) == pytest.approx(2.7719 * 0.02 * 20, rel=1e-4)
    assert limits.net_change_limit_ml(1.0) == 0.1
    assert limits.lesion_limit_mm3(200.0) == 30.0


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9, 0.9, 5.0)])
def test_what_was_measured_is_near_the_goal(spacing: tuple[float, float, float]) -> None:
    assert 0 < repeatability_of(spacing).percent < 6
