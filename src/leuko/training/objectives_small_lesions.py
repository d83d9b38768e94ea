"""A loss in which the pixels of small lesions count several times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from leuko.training.objectives import (
    CAP_RIM,
    LESION,
    LesionDice,
    MarginalCrossEntropy,
    class_bits,
)

__all__ = ["SmallLesions", "lesion_counts"]

# Pixels that touch at a corner belong together; slices of a batch have nothing to do with another.
TOUCHING = np.zeros((3, 3, 3), dtype=bool)
TOUCHING[1] = True


def lesion_counts(allowed: Tensor, *, pixels: float, power: float, most: float) -> Tensor:
    """How often each pixel of `allowed` (B, H, W) counts: more in small lesions, elsewhere once.

    A lesion of n pixels in its slice has the count (`pixels` / n) ** `power`, from 1 to `most`.
    """
    inside = (allowed == 1 << LESION) | (allowed == class_bits((LESION, CAP_RIM)))
    numbers, found = ndimage.label(inside.cpu().numpy(), structure=TOUCHING)
    if not found:
        return torch.ones(allowed.shape, device=allowed.device)
    counts = (pixels / np.maximum(np.bincount(numbers.ravel()), 1)) ** power
    counts = np.clip(counts, 1.0, most).astype(np.float32)
    counts[0] = 1.0
    return torch.from_numpy(counts[numbers]).to(allowed.device)


@dataclass(frozen=True)
class SmallLesions:
    """Marginal cross-entropy plus `dice` times Dice, a small lesion's pixels counted several times.

    Sum-like losses are decided by large lesions, since nearly all pixels lie there; detection is
    scored lesion by lesion. A lesion of `pixels` and more counts as usual, a smaller one of n
    pixels (`pixels` / n) ** `power` times, at most `most`: with power 1 every small lesion would
    weigh alike. What a lesion is follows from one slice, where a large one may be cut small.
    """

    pixels: float = 64.0
    power: float = 0.5
    most: float = 8.0
    lesion: float = 2.5
    cap_rim: float = 2.5
    dice: float = 1.0
    smooth: float = 20.0
    apart: bool = True  # as in MarginalDice

    def __call__(self, logits: Tensor, allowed: Tensor) -> dict[str, Tensor]:
        """See the module `losses` for arguments and result."""
        counts = lesion_counts(allowed, pixels=self.pixels, power=self.power, most=self.most)
        log_probabilities = torch.log_softmax(logits, dim=1)
        entropy = MarginalCrossEntropy(self.lesion, self.cap_rim).of_log_probabilities(
            log_probabilities, allowed, counts
        )
        own = {} if self.apart else {"lesion": 0.0, "cap_rim": 0.0}
        parts = LesionDice(self.smooth, **own).of_probabilities(
            log_probabilities.exp(), allowed, counts
        )
        overlap = parts.pop("loss")
        return {
            "loss": entropy + self.dice * overlap,
            "cross_entropy": entropy.detach(),
            **parts,
        }
