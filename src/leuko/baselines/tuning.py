"""Choosing parameters on training images, by the mean Dice that they reach there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from leuko.baselines.registry import Method, Parameters
from leuko.baselines.sample import Sample
from leuko.baselines.scene import Scene
from leuko.baselines.untrained import find

__all__ = ["best_candidate", "best_cut", "dice_of_candidates", "weighted_dice"]

FloatArray = npt.NDArray[np.float64]
CUTS = 200  # values tried between the scores that occur


def dice_of_candidates(method: Method, scene: Scene, truth: npt.NDArray[np.bool_]) -> FloatArray:
    """The Dice of each of the method's candidates on one image; 1 where both masks are empty."""
    found = []
    for parameters in method.candidates:
        mask = find(method, scene, parameters)
        both = int(np.count_nonzero(mask)) + int(np.count_nonzero(truth))
        found.append(2 * np.count_nonzero(mask & truth) / both if both else 1.0)
    return np.array(found)


def best_candidate(method: Method, tables: Sequence[FloatArray]) -> tuple[Parameters, float]:
    """The candidate with the best mean over images (of equals the first), and that mean."""
    means = np.mean(tables, axis=0)
    best = int(np.argmax(means))
    return method.candidates[best], float(means[best])


def best_cut(scored: Sequence[tuple[Sample, FloatArray]]) -> tuple[float, float]:
    """The score above which voxels are best called lesion, and the mean Dice over images there.

    `scored`: samples with the scores (N) that a classifier gave them which had not seen them.
    """
    every = np.concatenate([scores for _, scores in scored])
    cuts = np.unique(np.quantile(every, np.linspace(0.0, 1.0, CUTS + 1)))
    cuts = (cuts[:-1] + cuts[1:]) / 2 if len(cuts) > 1 else cuts
    means = np.mean([weighted_dice(sample, scores, cuts) for sample, scores in scored], axis=0)
    # Dice is flat around its best: the middle of what is as good is the steadiest choice.
    good = np.flatnonzero(means >= means.max() - 1e-9)
    best = int(good[len(good) // 2])
    return float(cuts[best]), float(means[best])


def weighted_dice(sample: Sample, scores: FloatArray, cuts: FloatArray) -> FloatArray:
    """The image's Dice at each cut, estimated from a sample of its voxels."""
    order = np.argsort(scores, kind="stable")
    weights = sample.weights[order].astype(np.float64)
    above = np.concatenate([np.cumsum(weights[::-1])[::-1], [0.0]])
    hits = np.concatenate([np.cumsum((weights * sample.lesion[order])[::-1])[::-1], [0.0]])
    first = np.searchsorted(scores[order], cuts, side="right")
    total = hits[0] + sample.missed + above[first]
    return np.asarray(np.where(total > 0, 2 * hits[first] / np.maximum(total, 1e-12), 1.0))
