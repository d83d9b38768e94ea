"""From a prediction to a mask under an operating point: calibrated, refined, sure somewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leuko.inference.predict import Prediction
from leuko.models.classes import Tissue
from leuko.pipelines.mask import make_mask
from leuko.pipelines.model import Settings
from leuko.progress import Journal

SETTINGS = Settings(
    definition="ms", temperature=1.0, threshold=0.5, refine=True, refine_support=0.5,
    refine_evidence=4.0, refine_level=0.5, refine_summit=0.9, refine_deviations=0.0,
    refine_reach_mm=0.0, confine=True, confine_margin_mm=2.0, min_lesion_mm3=0.0,
    min_lesion_peak=0.8, fill_holes_mm3=0.0,
)  # fmt: skip
SURE, FAINT_PART, FAINT = (slice(8, 12), 8, 3), (slice(12, 15), 8, 3), (slice(8, 15), 16, 3)


def scan() -> tuple[Prediction, np.ndarray]:
    """A bright lesion with a faint half, and a spot as bright that is nowhere sure."""
    anatomy = np.full((24, 24, 6), Tissue.WHITE_MATTER, dtype=np.uint8)
    data = np.full(anatomy.shape, 100, dtype=np.int16)
    lesion = np.zeros(anatomy.shape, dtype=np.float32)
    for place, probability in ((SURE, 0.9), (FAINT_PART, 0.2), (FAINT, 0.7)):
        data[place], lesion[place] = 200, probability
    return Prediction(lesion, np.zeros_like(lesion), anatomy), data


def masked(**changes: object) -> tuple[np.ndarray, np.ndarray, dict[str, object]]:
    prediction, data = scan()
    journal = Journal()
    made = make_mask(
        prediction,
        data=data,
        spacing=(1.0, 1.0, 3.0),
        settings=replace(SETTINGS, **changes),
        journal=journal,
    )
    return made.mask, made.probability, dict(journal.steps[0].details)


def test_faint_parts_of_a_sure_lesion_stay_and_a_faint_lesion_goes() -> None:
    mask, _, noted = masked()
    assert mask[SURE].all()
    assert mask[FAINT_PART].all()
    assert not mask[FAINT].any()
    assert 1 == noted["doubtful_lesions_removed"]


def test_brightness_alone_decides_nothing_where_it_has_no_weight() -> None:
    mask, _, _ = masked(refine_evidence=0.0, min_lesion_peak=0.0)
    assert not mask[FAINT_PART].any()
    assert mask[FAINT].all()


def test_the_temperature_changes_probabilities_before_anything_is_decided() -> None:
    mask, probability, noted = masked(temperature=2.0)
    assert 0.75 == pytest.approx(float(probability[SURE].max()))
    assert not mask.any()  # .9 has become .75: sure nowhere
    assert 2.0 == noted["temperature"]
    assert masked(temperature=2.0, min_lesion_peak=0.7)[0][SURE].all()
