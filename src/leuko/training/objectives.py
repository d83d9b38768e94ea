"""Losses for truth that is known in part: a voxel names the classes that are possible there.

Marginal cross-entropy and Dice over known voxels follow the idea of marginal losses (Shi et al.,
Medical Image Analysis 2021): -log of the summed probability of what is possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from leuko.models.classes import Tissue

__all__ = [
    "Focal",
    "LesionDice",
    "MarginalCrossEntropy",
    "MarginalDice",
    "Tversky",
    "class_bits",
    "marginal_log_probability",
    "membership",
    "soft_dice",
]

LESION = int(Tissue.LESION)
CAP_RIM = int(Tissue.CAP_RIM)
TARGETS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("lesion", (LESION,)),
    ("cap_rim", (CAP_RIM,)),
    ("both", (LESION, CAP_RIM)),
)


def class_bits(classes: Sequence[int]) -> int:
    """The bit mask of several classes."""
    return sum(1 << c for c in classes)


def _possible(allowed: Tensor, classes: int) -> Tensor:
    """Booleans (B, C, H, W) of the bits of `allowed` (B, H, W)."""
    bits = torch.arange(classes, device=allowed.device, dtype=torch.int32).view(1, -1, 1, 1)
    return ((allowed.to(torch.int32).unsqueeze(1) >> bits) & 1).bool()


def marginal_log_probability(log_probabilities: Tensor, allowed: Tensor) -> Tensor:
    """Log of the summed probability of the possible classes, (B, H, W), at most 0."""
    possible = _possible(allowed, log_probabilities.shape[1])
    # A finite floor keeps gradients finite in voxels where nothing is possible.
    return torch.logsumexp(log_probabilities.masked_fill(~possible, -1e4), dim=1).clamp(max=0.0)


def membership(allowed: Tensor, classes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Where a voxel is known to be of `classes`, and where that is known at all (booleans)."""
    bits = class_bits(classes)
    inside = (allowed & ~bits) == 0
    return inside, inside | ((allowed & bits) == 0)


def soft_dice(
    probability: Tensor,
    inside: Tensor,
    known: Tensor,
    smooth: float,
    counts: Tensor | None = None,
) -> Tensor:
    """Dice of a probability and a truth over the known voxels of a whole batch.

    `counts` says how many voxels each one stands for; by default one.
    """
    p = probability * known
    g = (inside & known).to(p.dtype)
    hit = p * g
    if counts is not None:
        hit, p, g = hit * counts, p * counts, g * counts
    return (2.0 * hit.sum() + smooth) / (p.sum() + g.sum() + smooth)


def _weights(allowed: Tensor, classes: int, lesion: float, cap_rim: float) -> Tensor:
    """Weight a voxel: 0 where every class is possible, more on lesions and caps."""
    weights = (allowed != class_bits(range(classes))).to(torch.float32)
    weights = torch.where(allowed == 1 << LESION, lesion, weights)
    weights = torch.where(allowed == class_bits((LESION, CAP_RIM)), lesion, weights)
    return torch.where(allowed == 1 << CAP_RIM, cap_rim, weights)


@dataclass(frozen=True)
class MarginalCrossEntropy:
    """Weighted mean of -log(probability of what is possible) over voxels that say anything."""

    lesion: float = 2.5
    cap_rim: float = 2.5

    def __call__(self, logits: Tensor, allowed: Tensor) -> dict[str, Tensor]:
        """See the module `losses` for arguments and result."""
        value = self.of_log_probabilities(torch.log_softmax(logits, dim=1), allowed)
        return {"loss": value, "cross_entropy": value.detach()}

    def of_log_probabilities(
        self, log_probabilities: Tensor, allowed: Tensor, counts: Tensor | None = None
    ) -> Tensor:
        """The loss from log probabilities; `counts` (B, H, W) multiplies the weights."""
        weights = _weights(allowed, log_probabilities.shape[1], self.lesion, self.cap_rim)
        if counts is not None:
            weights = weights * counts
        entropy = -marginal_log_probability(log_probabilities, allowed)
        return (weights * entropy).sum() / weights.sum().clamp(min=1.0)


@dataclass(frozen=True)
class LesionDice:
    """1 - soft Dice of lesions, of caps and rims, and of both, over a batch's known voxels."""

    smooth: float = 20.0  # pixels: keeps batches with hardly any lesion from dominating
    lesion: float = 1.0
    cap_rim: float = 0.5
    both: float = 1.0

    def __call__(self, logits: Tensor, allowed: Tensor) -> dict[str, Tensor]:
        """See the module `losses` for arguments and result."""
        return self.of_probabilities(torch.softmax(logits, dim=1), allowed)

    def of_probabilities(
        self, probabilities: Tensor, allowed: Tensor, counts: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The loss from probabilities; `counts` as in `soft_dice`."""
        total = probabilities.new_zeros(())
        parts: dict[str, Tensor] = {}
        for name, classes in TARGETS:
            inside, known = membership(allowed, classes)
            p = probabilities[:, list(classes)].sum(1)
            dice = soft_dice(p, inside, known, self.smooth, counts)
            total = total + getattr(self, name) * (1.0 - dice)
            parts[f"dice_{name}"] = dice.detach()
        share = self.lesion + self.cap_rim + self.both
        return {"loss": total / share, **parts}


@dataclass(frozen=True)
class MarginalDice:
    """Marginal cross-entropy plus `dice` times the Dice loss.

    Without `apart` Dice is that of lesions, caps and rims together: where the truth does not tell
    them apart, their own Dice would teach that there are none.
    """

    lesion: float = 2.5
    cap_rim: float = 2.5
    dice: float = 1.0
    smooth: float = 20.0
    apart: bool = True

    def __call__(self, logits: Tensor, allowed: Tensor) -> dict[str, Tensor]:
        """See the module `losses` for arguments and result."""
        log_probabilities = torch.log_softmax(logits, dim=1)
        entropy = MarginalCrossEntropy(self.lesion, self.cap_rim).of_log_probabilities(
            log_probabilities, allowed
        )
        own = {} if self.apart else {"lesion": 0.0, "cap_rim": 0.0}
        parts = LesionDice(self.smooth, **own).of_probabilities(log_probabilities.exp(), allowed)
        overlap = parts.pop("loss")
        return {
            "loss": entropy + self.dice * overlap,
            "cross_entropy": entropy.detach(),
            **parts,
        }


@dataclass(frozen=True)
class Focal:
    """Marginal cross-entropy times (1 - p)**gamma (Lin et al. 2017)."""

    gamma: float = 2.0
    lesion: float = 2.5
    cap_rim: float = 2.5

    def __call__(self, logits: Tensor, allowed: Tensor) -> dict[str, Tensor]:
        """See the module `losses` for arguments and result."""
        log_p = marginal_log_probability(torch.log_softmax(logits, dim=1), allowed)
        weights = _weights(allowed, logits.shape[1], self.lesion, self.cap_rim)
        fading = (1.0 - log_p.exp()).clamp(min=0.0) ** self.gamma
        value = -(weights * fading * log_p).sum() / weights.sum().clamp(min=1.0)
        return {"loss": value, "focal": value.detach()}


@dataclass(frozen=True)
class Tversky:
    """1 - Tversky index of lesions and caps together (Salehi et al. 2017), plus cross-entropy.

    `miss` weighs truth that is not found, `excess` what is found and not true; both 0.5: Dice.
    """

    miss: float = 0.7
    excess: float = 0.3
    smooth: float = 20.0

    def __call__(self, logits: Tensor, allowed: Tensor) -> dict[str, Tensor]:
        """See the module `losses` for arguments and result."""
        log_probabilities = torch.log_softmax(logits, dim=1)
        entropy = MarginalCrossEntropy().of_log_probabilities(log_probabilities, allowed)
        inside, known = membership(allowed, (LESION, CAP_RIM))
        p = log_probabilities.exp()[:, [LESION, CAP_RIM]].sum(1) * known
        g = (inside & known).to(p.dtype)
        hit = (p * g).sum()
        error = self.miss * (g.sum() - hit) + self.excess * (p.sum() - hit)
        index = (hit + self.smooth) / (hit + error + self.smooth)
        return {
            "loss": entropy + 1.0 - index,
            "cross_entropy": entropy.detach(),
            "tversky": index.detach(),
        }
