"""Losses on integer labels that measure overlap: Dice, Tversky and their kin.

Called as in `leuko.training.label_losses`. Sums run over the voxels of each sample, or with
`batch` over those of the whole batch; the mean is over classes, without background unless
`background`. `smooth` (voxels) keeps classes that are absent from a sample finite: there the loss
falls as their probabilities do.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor

from leuko.training.label_losses import Magnitude, check, needs_space

__all__ = ["Dice", "FocalTversky", "GeneralisedDice", "Sums", "Tversky", "sums"]

Above = Annotated[float, msgspec.Meta(gt=0.0)]


class Sums(msgspec.Struct, frozen=True):
    """Sums of p * g, p and g over voxels, each (samples or 1, classes)."""

    hit: Tensor
    found: Tensor
    true: Tensor


class Dice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """1 - soft Dice, (2 sum(p g) + smooth) / (sum p + sum g + smooth)."""

    smooth: Above = 1.0
    background: bool = False
    batch: bool = False

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        s = sums(logits, labels, batch=self.batch, background=self.background)
        dice = (2.0 * s.hit + self.smooth) / (s.found + s.true + self.smooth)
        return {"loss": 1.0 - dice.mean(), **_parts("dice", dice, first=not self.background)}


class Tversky(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """1 - Tversky index (Salehi et al. 2017); `miss` and `excess` of 0.5 make it Dice.

    `miss` weighs truth that is not found, `excess` what is found and not true.
    """

    miss: Magnitude = 0.7
    excess: Magnitude = 0.3
    smooth: Above = 1.0
    background: bool = False
    batch: bool = False

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        s = sums(logits, labels, batch=self.batch, background=self.background)
        index = _tversky(s, miss=self.miss, excess=self.excess, smooth=self.smooth)
        return {"loss": 1.0 - index.mean(), **_parts("tversky", index, first=not self.background)}


class FocalTversky(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """(1 - Tversky index)**(1 / gamma) per class (Abraham and Khan 2019)."""

    miss: Magnitude = 0.7
    excess: Magnitude = 0.3
    gamma: Above = 4.0 / 3.0
    smooth: Above = 1.0
    background: bool = False
    batch: bool = False

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        s = sums(logits, labels, batch=self.batch, background=self.background)
        index = _tversky(s, miss=self.miss, excess=self.excess, smooth=self.smooth)
        # Without a floor the root's gradient has no bound at the perfect answer.
        loss = ((1.0 - index).clamp(min=1e-6) ** (1.0 / self.gamma)).mean()
        return {"loss": loss, **_parts("tversky", index, first=not self.background)}


class GeneralisedDice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """1 - Dice of all classes together, each weighing 1 / (voxels in truth)**2 (Sudre 2017).

    Background is one of the classes. One that is absent weighs nothing: what is wrongly found of
    it is missing from the others.
    """

    smooth: Above = 1e-3
    batch: bool = False

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        s = sums(logits, labels, batch=self.batch, background=True)
        present = s.true > 0
        weights = torch.where(present, 1.0 / s.true.clamp(min=1.0) ** 2, 0.0)
        weights = weights / weights.amax(dim=1, keepdim=True).clamp(min=1e-20)
        hit = (weights * s.hit).sum(1)
        total = (weights * (s.found + s.true)).sum(1)
        dice = (2.0 * hit + self.smooth) / (total + self.smooth)
        value = 1.0 - dice.mean()
        return {"loss": value, "generalised_dice": 1.0 - value.detach()}


def sums(logits: Tensor, labels: Tensor, *, batch: bool, background: bool) -> Sums:
    """What overlap is made of; voxels without a label are left out."""
    labels = check(logits, labels)
    needs_space(labels, "of overlap")
    p = torch.softmax(logits, dim=1).flatten(2)
    flat = labels.reshape(labels.shape[0], -1)
    truth = F.one_hot(flat.clamp(min=0), logits.shape[1]).movedim(-1, 1).to(p.dtype)
    known = (flat >= 0).unsqueeze(1)
    p, truth = p * known, truth * known
    if not background:
        p, truth = p[:, 1:], truth[:, 1:]
    hit, found, true = (p * truth).sum(2), p.sum(2), truth.sum(2)
    if batch:
        hit, found, true = (value.sum(0, keepdim=True) for value in (hit, found, true))
    return Sums(hit=hit, found=found, true=true)


def _tversky(s: Sums, *, miss: float, excess: float, smooth: float) -> Tensor:
    """The index (samples or 1, classes)."""
    error = miss * (s.true - s.hit) + excess * (s.found - s.hit)
    return (s.hit + smooth) / (s.hit + error + smooth)


def _parts(name: str, values: Tensor, *, first: int) -> dict[str, Tensor]:
    """The mean over samples of every class, as name_1, name_2 and so on."""
    means = values.detach().mean(0)
    return {f"{name}_{index + first}": value for index, value in enumerate(means)}
