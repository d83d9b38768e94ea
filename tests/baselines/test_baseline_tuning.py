"""Parameters are chosen by Dice, on subjects that a classifier has not seen."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import dice, scene_of

from leuko.baselines.model import fit_trained
from leuko.baselines.registry import METHODS
from leuko.baselines.sample import LESION_VOXELS, Sample, draw_sample, quarters
from leuko.baselines.scene import Scene
from leuko.baselines.tuning import best_candidate, best_cut, weighted_dice


def sample_of(scores: np.ndarray, lesion: np.ndarray, weights: np.ndarray, missed: int) -> Sample:
    features = scores.astype(np.float32)[:, None]
    return Sample("a", features, lesion, weights.astype(np.float32), missed)


def test_dice_of_a_sample_of_all_voxels_is_the_dice_of_the_masks() -> None:
    random = np.random.default_rng(1)
    lesion = random.random(500) < 0.2
    scores = np.round(random.random(500) + 0.4 * lesion, 1)  # with ties
    cuts = np.array([0.05, 0.5, 0.8, 1.0])
    sample = sample_of(scores, lesion, np.ones(500), 0)
    expected = [dice(scores > cut, lesion) for cut in cuts]
    assert expected == pytest.approx(weighted_dice(sample, scores, cuts).tolist())


def test_rows_count_as_often_as_the_voxels_they_stand_for() -> None:
    lesion = np.array([True, True, False, False])
    scores = np.array([0.9, 0.2, 0.8, 0.1])
    sample = sample_of(scores, lesion, np.array([10, 10, 5, 100]), missed=3)
    # found: 10 + 5; lesion: 20 and 3 beyond reach; in common: 10
    assert weighted_dice(sample, scores, np.array([0.5])) == pytest.approx([20 / (15 + 23)])


def test_the_cut_lies_between_what_can_be_told_apart() -> None:
    lesion = np.repeat([False, True], 50)
    scores = np.concatenate([np.linspace(0, 0.4, 50), np.linspace(0.6, 1, 50)])
    cut, reached = best_cut([(sample_of(scores, lesion, np.ones(100), 0), scores)])
    assert 0.4 <= cut < 0.6
    assert reached == 1.0


def test_the_candidate_with_the_best_mean_wins_and_the_first_of_equals() -> None:
    method = METHODS["kmeans"]
    tables = [np.zeros(len(method.candidates)), np.zeros(len(method.candidates))]
    tables[0][[2, 5]] = 0.8
    tables[1][[2, 5, 7]] = 0.6
    assert (method.candidates[2], pytest.approx(0.7)) == best_candidate(method, tables)


def large_scene() -> Scene:
    values = np.random.default_rng(0).normal(size=(1, 30, 30, 6)).astype(np.float32)
    region = np.ones(values.shape[1:], bool)
    region[0] = False
    return Scene(values, region, np.ones_like(values[0]), (1.0, 1.0, 1.0))


def test_a_draw_depends_on_the_name_and_the_seed_only() -> None:
    truth = np.zeros((30, 30, 6), bool)
    truth[:15] = True
    drawn = [
        draw_sample(large_scene(), truth, name=name, subject="x", seed=seed).features.tobytes()
        for name, seed in (("a", 0), ("a", 0), ("b", 0), ("a", 1))
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_a_large_lesion_is_sampled_and_its_weight_kept() -> None:
    truth = np.zeros((30, 30, 6), bool)
    truth[:15] = True
    sample = draw_sample(large_scene(), truth, name="a", subject="a")
    assert sample.lesion.sum() == LESION_VOXELS
    assert sample.weights[sample.lesion].sum() == pytest.approx(14 * 30 * 6)
    assert sample.missed == 30 * 6


def test_with_one_subject_the_cut_is_chosen_on_voxels_left_out() -> None:
    pytest.importorskip("sklearn")
    samples = [draw_sample(*scene_of(n), name=f"v{n}", subject="one") for n in range(2)]
    fitted = fit_trained(METHODS["tree"], samples, channels=1, region="all")
    assert fitted.training_dice > 0.9


def test_quarters_hold_every_row_once() -> None:
    sample = draw_sample(*scene_of(0), name="a", subject="a")
    parts = quarters(sample)
    assert len({part.subject for part in parts}) == 4
    assert sum(len(part.lesion) for part in parts) == len(sample.lesion)
    assert sum(part.weights.sum() for part in parts) == pytest.approx(sample.weights.sum())
