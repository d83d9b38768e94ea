"""A baseline with its parameters, fitted to samples and run on scenes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.baselines.features import feature_names, voxel_features
from leuko.baselines.learn import learning
from leuko.baselines.registry import Method, Parameters, method_named
from leuko.baselines.sample import Sample, few_rows, quarters
from leuko.baselines.scene import Scene
from leuko.baselines.tuning import FloatArray, best_candidate, best_cut
from leuko.baselines.untrained import find, function_of
from leuko.errors import UnusableInput

__all__ = ["Baseline", "fit_trained", "fit_untrained", "ready", "untuned"]

BoolArray = npt.NDArray[np.bool_]
Run = Callable[[Scene], BoolArray]

INNER_FOLDS = 4
MOST_ROWS = {"svm": 4000}  # its time grows with the square of the rows


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A method ready to be used or stored.

    `features` (N, F) and `lesion` (N) are the voxels that a trained method learns from, each time
    it is loaded; both are empty for an untrained one. `region` says how the region to search is
    found. `training_dice` is the mean Dice over the training images that chose the parameters (of
    a trained method: while their subjects were left out), nan where they are the defaults;
    `images` counts them.
    """

    method: str
    parameters: Parameters
    channels: int
    region: str
    features: npt.NDArray[np.float32]
    lesion: BoolArray
    seed: int = 0
    training_dice: float = float("nan")
    images: int = 0


def untuned(method: Method, *, channels: int, region: str) -> Baseline:
    """An untrained method with its defaults; outside brains nothing is left out at the edge."""
    parameters = dict(method.defaults)
    if region != "brain" and "inset_mm" in parameters:
        parameters["inset_mm"] = 0.0
    return Baseline(method.name, parameters, channels, region, *_no_rows(channels))


def fit_untrained(
    method: Method, tables: Sequence[FloatArray], *, channels: int, region: str
) -> Baseline:
    """The candidate that is best on the training images (`tuning.dice_of_candidates` of each)."""
    parameters, dice = best_candidate(method, tables)
    return Baseline(
        method.name,
        parameters,
        channels,
        region,
        *_no_rows(channels),
        training_dice=dice,
        images=len(tables),
    )


def fit_trained(
    method: Method, samples: Sequence[Sample], *, channels: int, region: str, seed: int = 0
) -> Baseline:
    """Learn from samples; the cut is chosen on subjects that the classifier had not seen.

    For this up to four groups of whole subjects are left out in turn; the final classifier then
    learns from all. With one subject a quarter of its voxels is left out in turn, which promises
    too much. Raises UnusableInput (exit 4) where the samples hold no lesion, or nothing else.
    """
    features, lesion = few_rows(samples, most=MOST_ROWS.get(method.name), seed=seed)
    if not lesion.any() or lesion.all():
        raise UnusableInput(
            "The training masks hold no lesion inside the region, or nothing else.",
            hint="Check that the masks belong to the images, and --region and --label.",
        )
    parameters, dice = dict(method.defaults), float("nan")
    if scored := _scored_unseen(method, samples, seed=seed):
        parameters["cut"], dice = best_cut(scored)
    return Baseline(
        method.name,
        parameters,
        channels,
        region,
        features,
        lesion,
        seed=seed,
        training_dice=dice,
        images=len(samples),
    )


def _scored_unseen(
    method: Method, samples: Sequence[Sample], *, seed: int
) -> list[tuple[Sample, FloatArray]]:
    """Samples with scores of classifiers that did not learn from their subject."""
    if len({sample.subject for sample in samples}) == 1:
        samples = [part for sample in samples for part in quarters(sample)]
    subjects = sorted({sample.subject for sample in samples})
    count = min(INNER_FOLDS, len(subjects))
    scored: list[tuple[Sample, FloatArray]] = []
    for fold in range(count):
        left_out = set(subjects[fold::count])
        rest = [sample for sample in samples if sample.subject not in left_out]
        rows = few_rows(rest, most=MOST_ROWS.get(method.name), seed=seed)
        if rows[1].any() and not rows[1].all():
            score = _fitted(method, *rows, seed=seed)
            scored += [(one, score(one.features)) for one in samples if one.subject in left_out]
    return scored


def ready(baseline: Baseline) -> Run:
    """What finds lesions in a scene: a mask (X, Y, Z), canonical axes. Trained methods learn here.

    Raises UnusableInput (exit 4) for a scene with another number of channels.
    """
    method = method_named(baseline.method)
    score = None
    if method.trained:
        score = _fitted(method, baseline.features, baseline.lesion, seed=baseline.seed)

    def run(scene: Scene) -> BoolArray:
        if len(scene.values) != baseline.channels:
            raise UnusableInput(
                f"The baseline was made for {baseline.channels} channels, not {len(scene.values)}.",
                hint="Give the same kinds of images in the same order.",
            )
        if score is None:
            return find(method, scene, baseline.parameters)
        found = np.zeros(scene.region.shape, dtype=np.bool_)
        found[scene.region] = score(voxel_features(scene)) > baseline.parameters["cut"]
        return found

    return run


def _fitted(
    method: Method, features: npt.NDArray[np.float32], lesion: BoolArray, *, seed: int
) -> Callable[[npt.NDArray[np.float32]], FloatArray]:
    """A function from features (N, F) to scores (N): the higher, the more like a lesion."""
    with learning():
        model: Any = function_of(method)(seed)
        model.fit(features, lesion)

    def score(rows: npt.NDArray[np.float32]) -> FloatArray:
        with learning():
            if hasattr(model, "decision_function"):
                return np.asarray(model.decision_function(rows), dtype=np.float64)
            return np.asarray(model.predict_proba(rows)[:, 1], dtype=np.float64)

    return score


def _no_rows(channels: int) -> tuple[npt.NDArray[np.float32], BoolArray]:
    width = len(feature_names(channels))
    return np.zeros((0, width), dtype=np.float32), np.zeros(0, dtype=np.bool_)
