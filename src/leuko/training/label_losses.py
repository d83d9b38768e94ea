"""Losses on integer labels that look at one voxel at a time: the family of cross-entropy.

All are called with logits (N, K, *spatial), float32, and labels (N, *spatial), any integer type,
in 2D, 3D or, for classification, without spatial axes. A label of -1 (`IGNORED`) counts nowhere.
The result maps 'loss' to the scalar to minimise; its other entries are for the learning curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor

from leuko.errors import UsageError

__all__ = [
    "IGNORED",
    "BalancedCrossEntropy",
    "CrossEntropy",
    "Focal",
    "TopK",
    "balanced_weights",
    "check",
    "needs_space",
    "voxel_entropy",
]

IGNORED = -1
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
PartialShare = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Magnitude = Annotated[float, msgspec.Meta(ge=0.0)]


class CrossEntropy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mean of -log p of the true class, weighted by `weights` of the classes where given.

    `smoothing` is the share of the truth that is spread evenly over all classes.
    """

    weights: tuple[Magnitude, ...] | None = None
    smoothing: Share = 0.0

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        labels = check(logits, labels)
        log_p = torch.log_softmax(logits, dim=1)
        entropy = voxel_entropy(log_p, labels)
        if self.smoothing:
            entropy = (1.0 - self.smoothing) * entropy - self.smoothing * log_p.mean(dim=1)
        weights = _of_voxels(self.weights, labels, classes=logits.shape[1])
        value = (weights * entropy).sum() / weights.sum().clamp(min=1e-6)
        return {"loss": value, "cross_entropy": value.detach()}


class BalancedCrossEntropy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cross-entropy whose classes weigh what the others take up in the whole training set.

    `beta` is the mean share of background over the training set: foreground weighs `beta` and
    background 1 - `beta`, all classes of foreground alike. With `shares` of all K classes instead,
    class c weighs (1 - share c) / (K - 1), which for two classes is the same. The mean is over
    voxels, not over weights: a batch with much foreground counts more, as in the paper (Jin et al.
    2018, after Xie and Tu 2015). `rescale` divides by the mean weight over the training set, a
    constant, so that the loss starts where plain cross-entropy does; for sums with other losses.
    """

    beta: Share | None = None
    shares: tuple[Share, ...] | None = None
    rescale: bool = False

    def __post_init__(self) -> None:
        if (self.beta is None) == (self.shares is None):
            raise ValueError("give either 'beta' or 'shares'")

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        labels = check(logits, labels)
        shares = self.shares if self.shares is not None else (self.beta or 0.0,)
        weights, scale = balanced_weights(shares, classes=logits.shape[1])
        known = (labels >= 0).sum().clamp(min=1)
        entropy = voxel_entropy(torch.log_softmax(logits, dim=1), labels)
        of_voxels = _of_voxels(weights, labels, classes=logits.shape[1])
        value = (of_voxels * entropy).sum() / known
        if self.rescale:
            value = value / max(scale, 1e-6)
        return {"loss": value, "balanced_cross_entropy": value.detach()}


class Focal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cross-entropy times (1 - p)**gamma, which fades where it is already right (Lin 2017)."""

    gamma: Magnitude = 2.0
    weights: tuple[Magnitude, ...] | None = None

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        labels = check(logits, labels)
        entropy = voxel_entropy(torch.log_softmax(logits, dim=1), labels)
        # The floor keeps the gradient finite for a gamma below 1.
        fading = (1.0 - torch.exp(-entropy)).clamp(min=1e-6) ** self.gamma
        weights = _of_voxels(self.weights, labels, classes=logits.shape[1])
        value = (weights * fading * entropy).sum() / weights.sum().clamp(min=1e-6)
        return {"loss": value, "focal": value.detach()}


class TopK(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mean cross-entropy of the worst `share` of a batch's voxels (Wu et al. 2016)."""

    share: PartialShare = 0.1

    def __call__(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """See the module."""
        labels = check(logits, labels)
        entropy = voxel_entropy(torch.log_softmax(logits, dim=1), labels)[labels >= 0]
        if not entropy.numel():
            return {"loss": logits.sum() * 0.0, "top_k": logits.new_zeros(())}
        count = max(1, round(self.share * entropy.numel()))
        value = entropy.topk(count, sorted=False).values.mean()
        return {"loss": value, "top_k": value.detach()}


def check(logits: Tensor, labels: Tensor) -> Tensor:
    """The labels as int64; UsageError where they do not fit the logits."""
    if logits.ndim < 2 or logits.shape[:1] + logits.shape[2:] != labels.shape:
        raise UsageError(
            f"Logits {tuple(logits.shape)} and labels {tuple(labels.shape)} do not fit.",
            hint="Logits are (N, classes, ...), labels (N, ...).",
        )
    labels = labels.long()
    if labels.numel():
        low, high = (int(value) for value in torch.aminmax(labels))
        if low < IGNORED or high >= logits.shape[1]:
            raise UsageError(
                f"Labels from {low} to {high} do not fit {logits.shape[1]} classes.",
                hint="Labels are 0 to classes - 1; -1 marks voxels that do not count.",
            )
    return labels


def needs_space(labels: Tensor, name: str) -> None:
    """UsageError for labels of whole images, of which no shape or overlap can be told."""
    if labels.ndim < 2:
        raise UsageError(
            f"The loss '{name}' is for segmentation, not for classes of whole images.",
            hint="To classify, use cross-entropy, balanced-ce, focal or top-k.",
        )


def voxel_entropy(log_p: Tensor, labels: Tensor) -> Tensor:
    """-log p of the true class, (N, *spatial); 0 where the label is ignored."""
    return F.nll_loss(log_p, labels, reduction="none", ignore_index=IGNORED)


def balanced_weights(shares: Sequence[float], *, classes: int) -> tuple[tuple[float, ...], float]:
    """Weights of the classes from their shares, and the mean weight over the training set.

    `shares` has one entry per class, or only that of background.
    """
    if len(shares) == 1:
        beta = shares[0]
        return (1.0 - beta, *([beta] * (classes - 1))), 2.0 * beta * (1.0 - beta)
    if len(shares) != classes:
        raise UsageError(
            f"{len(shares)} shares were given for {classes} classes.",
            hint="Give one share per class, background first, or only 'beta'.",
        )
    weights = tuple((1.0 - share) / (classes - 1) for share in shares)
    return weights, sum(w * s for w, s in zip(weights, shares, strict=True))


def _of_voxels(weights: Sequence[float] | None, labels: Tensor, *, classes: int) -> Tensor:
    """The weight of every voxel, 0 where the label is ignored."""
    if weights is None:
        return (labels >= 0).to(torch.float32)
    if len(weights) != classes:
        raise UsageError(
            f"{len(weights)} class weights were given for {classes} classes.",
            hint="Give one weight per class, background first.",
        )
    table = torch.tensor([*weights, 0.0], dtype=torch.float32, device=labels.device)
    return table[labels]  # -1 finds the last
