"""Sums of losses on integer labels; called as in `leuko.training.label_losses`."""

from __future__ import annotations

from typing import Any

import msgspec
import torch
from torch import Tensor

from leuko.training import losses
from leuko.training.label_losses import BalancedCrossEntropy, CrossEntropy, Magnitude, Share
from leuko.training.label_losses_overlap import Above, Dice

__all__ = ["BalancedDiceCrossEntropy", "DiceCrossEntropy", "Part", "Sum"]


class DiceCrossEntropy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`dice` times the Dice loss plus `entropy` times cross-entropy."""

    dice: Magnitude = 1.0
    entropy: Magnitude = 1.0
    smooth: Above = 1.0
    background: bool = False
    batch: bool = False
    weights: tuple[Magnitude, ...] | None = None
    smoothing: Share = 0.0

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        overlap = Dice(smooth=self.smooth, background=self.background, batch=self.batch)
        entropy = CrossEntropy(weights=self.weights, smoothing=self.smoothing)
        first, second = overlap(logits, labels), entropy(logits, labels)
        loss = self.dice * first.pop("loss") + self.entropy * second.pop("loss")
        return {"loss": loss, **first, **second}


class BalancedDiceCrossEntropy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`dice` times the Dice loss plus `entropy` times balanced cross-entropy, rescaled."""

    beta: Share | None = None
    shares: tuple[Share, ...] | None = None
    dice: Magnitude = 1.0
    entropy: Magnitude = 1.0
    smooth: Above = 1.0
    background: bool = False
    batch: bool = False

    def __post_init__(self) -> None:
        if (self.beta is None) == (self.shares is None):
            raise ValueError("give either 'beta' or 'shares'")

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        overlap = Dice(smooth=self.smooth, background=self.background, batch=self.batch)
        entropy = BalancedCrossEntropy(beta=self.beta, shares=self.shares, rescale=True)
        first, second = overlap(logits, labels), entropy(logits, labels)
        loss = self.dice * first.pop("loss") + self.entropy * second.pop("loss")
        return {"loss": loss, **first, **second}


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A loss of a sum, by name, and its weight there."""

    name: str
    weight: Magnitude = 1.0
    options: dict[str, Any] = {}


class Sum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weighted sum of other losses, none of them itself a sum."""

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not self.parts or any(part.name == "sum" for part in self.parts):
            raise ValueError("'parts' needs at least one loss, and none that is a sum")
        self.objectives()

    def objectives(self) -> list[losses.Objective]:
        """The loss of each part; UsageError for a wrong name or option."""
        return [losses.build(part.name, part.options, target="labels") for part in self.parts]

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The sum, and each part's own value before its weight."""
        total = torch.zeros((), device=logits.device)
        values: dict[str, Tensor] = {}
        for part, objective in zip(self.parts, self.objectives(), strict=True):
            value = objective(logits, labels)["loss"]
            total = total + part.weight * value
            values[part.name.replace("-", "_")] = value.detach()
        return {"loss": total, **values}
