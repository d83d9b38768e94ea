"""How sure the main job is of a result: what the card's fitted numbers make of it, and without."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from brightness_network import make_head
from msgspec.structs import replace

from leuko.image.image import Image
from leuko.models.card import LogOdds, VolumeErrors
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.measure import measure
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment
from leuko.pipelines.statistics import statistics
from leuko.quantify.uncertainty import SUREST

ERRORS = VolumeErrors(below=0.5, above=0.25, floor_ml=2.0, scans=13, sets=3, held=16, judged=18)
LIKELY = LogOdds(slope=0.5, offset=-1.0)
MakeModel = Callable[..., Model]


@pytest.fixture
def fitted(make_model: MakeModel) -> Model:
    return make_model(volume_errors=ERRORS, lesion_odds=LIKELY, voxel_odds=LIKELY)


def test_a_card_that_knows_no_errors_gives_null_and_no_guess(
    head_image: Image, fake_model: Model
) -> None:
    result = segment(head_image, model=fake_model)
    assert result.interval is None
    assert statistics(result).volume_interval is None
    assert {None} == {lesion.confidence for lesion in result.table}
    assert None not in {lesion.peak_probability for lesion in result.table}


def test_the_interval_is_that_of_the_volume(head_image: Image, fitted: Model) -> None:
    result = segment(head_image, model=fitted)
    volume = result.burden.volume_ml
    found = statistics(result).volume_interval
    assert found is not None
    assert (volume + 2) * np.exp(-0.5) - 2 == pytest.approx(found.low_ml)
    assert (volume + 2) * np.exp(0.25) - 2 == pytest.approx(found.high_ml)
    assert 0.9 == found.level
    assert "16 of 18" in found.how


@pytest.mark.parametrize("changed", [{"threshold": 0.7}, {"refine": False}, {"confine": False}])
def test_a_mask_of_other_parameters_has_other_errors(
    head_image: Image, fitted: Model, changed: dict[str, object]
) -> None:
    result = segment(head_image, config=replace(SegmentConfig(), **changed), model=fitted)
    assert result.interval is None


def test_a_mask_that_was_given_has_no_interval(head_image: Image, fitted: Model) -> None:
    mask = head_image.with_data((np.asarray(head_image.data, np.int16) > 800).astype(np.uint8))
    result = measure(head_image, mask, model=fitted)
    assert result.interval is None
    assert {None} == {lesion.confidence for lesion in result.table}


def test_without_lesions_the_interval_begins_at_nothing(head_image: Image, fitted: Model) -> None:
    healthy = Image(make_head(lesions=False), head_image.grid)
    result = segment(healthy, config=SegmentConfig(policy="lenient"), model=fitted)
    assert result.interval is not None
    assert 0.0 == result.interval.low_ml == result.burden.volume_ml
    assert 2 * np.exp(0.25) - 2 == pytest.approx(result.interval.high_ml)


def test_flips_and_units_of_brightness_change_nothing(head_image: Image, fitted: Model) -> None:
    plain = segment(head_image, model=fitted)
    flipped = Image(np.ascontiguousarray(head_image.data[::-1, :, ::-1]), head_image.grid)
    brighter = head_image.with_data(np.asarray(head_image.data * 4, np.int16))
    for other in (brighter, flipped):
        again = segment(other, model=fitted)
        assert plain.interval is not None
        assert again.interval is not None
        assert plain.interval.high_ml == pytest.approx(again.interval.high_ml, rel=0.02)


def test_confidence_is_that_of_the_highest_probability(head_image: Image, fitted: Model) -> None:
    for lesion in segment(head_image, model=fitted).table:
        assert lesion.peak_probability is not None
        peak = min(lesion.peak_probability, SUREST)
        odds = np.exp(-1.0) * (peak / (1 - peak)) ** 0.5
        assert odds / (1 + odds) == pytest.approx(lesion.confidence)


def test_the_probability_map_is_calibrated_and_the_mask_is_not_changed(
    head_image: Image, fake_model: Model, fitted: Model
) -> None:
    config = SegmentConfig(probability=True)
    before, after = (segment(head_image, config=config, model=m) for m in (fake_model, fitted))
    assert before.probability is not None
    assert after.probability is not None
    assert np.array_equal(before.mask.data, after.mask.data)
    was, found = np.asarray(before.probability.data), np.asarray(after.probability.data)
    between = (was > 0.001) & (was < 0.999)
    odds = np.exp(-1.0) * (was[between] / (1 - was[between])) ** 0.5
    assert np.allclose(odds / (1 + odds), found[between], atol=1e-5)
    assert np.array_equal(was == 0, found == 0)
    assert found.dtype == np.float32


def test_the_temperature_is_on_record(head_image: Image, fake_model: Model) -> None:
    result = segment(head_image, model=fake_model)
    assert 1.0 == result.provenance.parameters["temperature"]
