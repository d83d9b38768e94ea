"""How well a network does on validation items: what chooses the best weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from leuko.inference.windows import classify_case, predict_case
from leuko.preparation.case import CasePlan
from leuko.training.supervised.prior import Probabilities
from leuko.training.supervised.samples import Example

__all__ = ["runner", "score_categories", "score_masks"]

FloatArray = npt.NDArray[np.float32]


def runner(
    network: nn.Module, *, autocast: Any, offset: Sequence[float] = ()
) -> Callable[[FloatArray], FloatArray]:
    """A network in evaluation mode as a function of arrays: images to probabilities.

    `offset` is added to the logits, see `prior.prior_offset`.
    """
    device = next(network.parameters()).device
    module = Probabilities(network, tuple(offset)).to(device)

    @torch.no_grad()
    def run(batch: FloatArray) -> FloatArray:
        with autocast():
            shares = module(torch.from_numpy(np.ascontiguousarray(batch)).to(device))
        found: FloatArray = shares.float().cpu().numpy()
        return found

    return run


def score_masks(
    examples: Sequence[Example],
    *,
    plan: CasePlan,
    run: Callable[[FloatArray], FloatArray],
    names: Sequence[str],
) -> dict[str, float]:
    """Dice per class and their mean: voxels of all examples pooled, classes without any left out.

    Pooled, because single slices often hold no voxel of a class.
    """
    common = np.zeros(len(names))
    both = np.zeros(len(names))
    for example in examples:
        if example.label is None:
            continue
        shares = predict_case(example.case, plan=plan, run=run, classes=len(names))
        found = shares.argmax(axis=0)
        for index in range(1, len(names)):
            truth, mask = example.label == index, found == index
            common[index] += np.count_nonzero(truth & mask)
            both[index] += np.count_nonzero(truth) + np.count_nonzero(mask)
    dice = {
        f"dice_{names[i]}": float(2 * common[i] / both[i]) for i in range(1, len(names)) if both[i]
    }
    return {"score": float(np.mean(list(dice.values()))) if dice else 0.0, **dice}


def score_categories(
    examples: Sequence[Example],
    *,
    plan: CasePlan,
    run: Callable[[FloatArray], FloatArray],
    names: Sequence[str],
) -> dict[str, float]:
    """Accuracy, and the mean probability of the true category's negative logarithm."""
    shares = np.stack(
        [classify_case(e.case, plan=plan, run=run, classes=len(names)) for e in examples]
    )
    truth = np.array([example.category for example in examples])
    right = float((shares.argmax(axis=1) == truth).mean())
    entropy = float(-np.log(np.clip(shares[np.arange(len(truth)), truth], 1e-7, 1.0)).mean())
    balanced = [
        float((shares.argmax(axis=1) == truth)[truth == k].mean())
        for k in range(len(names))
        if (truth == k).any()
    ]
    # Cross-entropy chooses: accuracy moves in steps of one item.
    return {"score": -entropy, "accuracy": right, "balanced_accuracy": float(np.mean(balanced))}
