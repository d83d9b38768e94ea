"""Every method of the registry finds lesions it has not seen, and the same ones twice."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import SPACING, dice, scene_of

from leuko.baselines.growth import grown
from leuko.baselines.model import Baseline, fit_trained, fit_untrained, ready, untuned
from leuko.baselines.registry import METHODS, method_named
from leuko.baselines.sample import draw_sample
from leuko.baselines.scene import Scene
from leuko.baselines.tuning import dice_of_candidates
from leuko.errors import MissingExtra, UnusableInput, UsageError

LEARNING = [name for name in METHODS if name != "threshold"]


def fitted(name: str) -> Baseline:
    method = METHODS[name]
    scenes = [scene_of(number) for number in range(3)]
    if not method.trained:
        tables = [dice_of_candidates(method, *one) for one in scenes]
        return fit_untrained(method, tables, channels=1, region="foreground")
    samples = [
        draw_sample(*one, name=f"s{number}", subject=f"s{number}")
        for number, one in enumerate(scenes)
    ]
    return fit_trained(method, samples, channels=1, region="foreground")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_finds_lesions_it_has_not_seen_and_the_same_ones_twice(name: str) -> None:
    if name != "threshold":
        pytest.importorskip("sklearn")
    scene, truth = scene_of(4)
    found = ready(fitted(name))(scene)
    assert dice(found, truth) > 0.85
    assert not (found & ~scene.region).any()
    again = ready(fitted(name))(scene)
    assert (found == again).all()


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if not method.trained])
def test_a_method_without_training_works_with_its_defaults(name: str) -> None:
    if name != "threshold":
        pytest.importorskip("sklearn")
    scene, truth = scene_of(1)
    run = ready(untuned(METHODS[name], channels=1, region="foreground"))
    assert (run(scene) & truth).any()


def test_growth_keeps_what_touches_a_seed_and_nothing_else() -> None:
    values = np.array([5, 3, 3, 1, 3, 3, 1, 1, 5.0], np.float32).reshape(1, 9, 1, 1)
    region = np.ones((9, 1, 1), bool)
    scene = Scene(values, region, np.full((9, 1, 1), 9, np.float32), (1, 1, 1))
    found = grown(scene, {"kappa": 4.0, "grow": 0.5, "inset_mm": 0.0})
    assert [1, 1, 1, 0, 0, 0, 0, 0, 1] == found[:, 0, 0].astype(int).tolist()


def test_the_edge_of_the_region_is_left_out_by_mm() -> None:
    scene, _ = scene_of(0)
    parameters = {"kappa": -9.0, "grow": 1.0, "inset_mm": 6.0}
    found = grown(scene, parameters)
    assert scene.depth[found].min() > 6.0
    assert (found == (scene.depth > 6.0)).all()
    assert found.any()


@pytest.mark.parametrize("name", ["gmm", "kmeans"])
def test_a_scene_where_all_voxels_are_alike_has_no_lesions(name: str) -> None:
    pytest.importorskip("sklearn")
    values = np.zeros((1, 4, 4, 4), np.float32)
    scene = Scene(values, np.ones((4, 4, 4), bool), np.ones((4, 4, 4), np.float32), SPACING)
    assert not ready(untuned(METHODS[name], channels=1, region="all"))(scene).any()


def test_an_unknown_method_is_told_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        method_named("forrest")
    assert "threshold, gmm, kmeans, forest, svm, tree" in caught.value.hint


def test_masks_without_any_lesion_cannot_be_learnt_from() -> None:
    pytest.importorskip("sklearn")
    scene, truth = scene_of(0)
    sample = draw_sample(scene, np.zeros_like(truth), name="a", subject="a")
    with pytest.raises(UnusableInput, match="no lesion inside the region"):
        fit_trained(METHODS["tree"], [sample], channels=1, region="all")


def test_another_number_of_channels_is_refused() -> None:
    scene, _ = scene_of(0)
    with pytest.raises(UnusableInput, match="made for 2 channels, not 1"):
        ready(untuned(METHODS["threshold"], channels=2, region="all"))(scene)


@pytest.mark.parametrize("name", LEARNING)
def test_without_scikit_learn_the_extra_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.exceptions", None)
    with pytest.raises(MissingExtra, match="scikit-learn"):
        fitted(name)
