"""The optimisers by name, without weight decay on normalisations and biases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import torch
from torch import nn

from leuko.errors import UsageError

__all__ = ["OPTIMISERS", "Optimiser", "build"]

Optimiser = Literal["adamw", "adam", "sgd", "rmsprop"]
OPTIMISERS: tuple[str, ...] = get_args(Optimiser)


def build(
    name: str,
    parameters: Iterable[nn.Parameter],
    *,
    lr: float,
    weight_decay: float = 0.0,
    momentum: float = 0.9,
) -> torch.optim.Optimizer:
    """The optimiser `name`: weights with more than one axis decay, the others don't.

    `momentum` is that of sgd (Nesterov's) and rmsprop, and the first beta of adam and adamw. The
    decay of adamw is apart from the gradient, that of the others part of it. UsageError for an
    unknown name.
    """
    trained = [p for p in parameters if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=lr, betas=(momentum, 0.999))
    if name == "adam":
        return torch.optim.Adam(groups, lr=lr, betas=(momentum, 0.999))
    if name == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=momentum > 0.0)
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=lr, momentum=momentum)
    raise UsageError(
        f"There is no optimiser '{name}'.", hint=f"Choose from: {', '.join(OPTIMISERS)}."
    )
