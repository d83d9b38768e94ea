"""The interval of a volume: by hand, and what holds for every volume and level."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from leuko.errors import UsageError
from leuko.models.card import VolumeErrors
from leuko.quantify.uncertainty import volume_interval
from leuko.report.wording import wording

ERRORS = VolumeErrors(below=0.5, above=0.25, floor_ml=2.0, scans=13, sets=3, held=16, judged=18)


def test_an_interval_by_hand() -> None:
    found = volume_interval(10.0, errors=ERRORS)
    assert 12 * math.exp(-0.5) - 2 == pytest.approx(found.low_ml)
    assert 12 * math.exp(0.25) - 2 == pytest.approx(found.high_ml)


def test_another_level_is_reached_as_by_a_normal_distribution() -> None:
    found = volume_interval(10.0, errors=ERRORS, level=0.6827)  # one standard deviation
    assert 12 * math.exp(0.25 / 1.64485) - 2 == pytest.approx(found.high_ml, rel=1e-4)


def test_without_lesions_it_begins_at_nothing() -> None:
    found = volume_interval(0.0, errors=ERRORS)
    assert found.low_ml == 0
    assert found.high_ml > 0


@pytest.mark.parametrize("volume", [0.0, 0.001, 0.5, 4.0, 80.0])
@pytest.mark.parametrize("level", [0.01, 0.5, 0.9, 0.99])
def test_it_holds_the_volume_and_grows_with_the_level(volume: float, level: float) -> None:
    found = volume_interval(volume, errors=ERRORS, level=level)
    wider = volume_interval(volume, errors=ERRORS, level=level + 0.005)
    assert 0 <= wider.low_ml <= found.low_ml <= volume <= found.high_ml < wider.high_ml
    assert level == found.level


def test_more_volume_moves_both_ends_up() -> None:
    found = [volume_interval(ml / 4, errors=ERRORS) for ml in range(200)]
    assert [one.low_ml for one in found] == sorted(one.low_ml for one in found)
    assert [one.high_ml for one in found] == sorted(one.high_ml for one in found)


def test_large_volumes_err_by_a_share() -> None:
    once, tenfold = (volume_interval(ml, errors=ERRORS) for ml in (1e5, 1e6))
    assert tenfold.low_ml / once.low_ml == pytest.approx(10, rel=1e-3)
    assert tenfold.high_ml / once.high_ml == pytest.approx(10, rel=1e-3)


def test_it_says_what_it_was_measured_on() -> None:
    how = volume_interval(10.0, errors=ERRORS).how
    assert "13 scans of 3 sets" in how
    assert "0.9 held 16 of 18" in how


def test_it_says_how_many_readings_were_no_experts() -> None:
    errors = replace(ERRORS, automatic=4, empty=2)
    how = volume_interval(10.0, errors=errors).how
    assert "5 of them drawn under two definitions" in how
    assert "4 with the mask of another program as reference, 2 without lesions" in how
    assert "Datensätzen" in wording("de").translated(how)
    assert "2 ohne Läsionen" in wording("de").translated(how)


@pytest.mark.parametrize(
    ("volume", "level"), [(-1.0, 0.9), (math.nan, 0.9), (math.inf, 0.9), (1.0, 0.0), (1.0, 1.0)]
)
def test_nonsense_is_refused(volume: float, level: float) -> None:
    with pytest.raises(UsageError, match="no interval"):
        volume_interval(volume, errors=ERRORS, level=level)
