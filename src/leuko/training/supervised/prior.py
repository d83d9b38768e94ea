"""How common the classes are that a network reckons with, when its loss weighed them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from leuko.errors import UsageError

__all__ = ["Probabilities", "prior_offset"]

BALANCED = "balanced-ce"


class Probabilities(nn.Module):
    """A network with the softmax inside, of its logits plus `offset` where there is one.

    Gives (N, classes, *spatial), or (N, classes) of a classifier.
    """

    def __init__(self, network: nn.Module, offset: tuple[float, ...] = ()) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("offset", torch.tensor(offset) if offset else None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities of images."""
        logits: Tensor = self.network(x).float()
        if isinstance(self.offset, Tensor):
            logits = logits + self.offset.view(1, -1, *(1,) * (logits.ndim - 2))
        return torch.softmax(logits, dim=1)


def prior_offset(
    recipe: Mapping[str, Any], *, beta: float | None, classes: int
) -> tuple[float, ...]:
    """What is added to the logits so that probabilities fit the recipe's `prior`.

    A loss that weighs class c by w(c) teaches p(c) w(c), normalised. For `prior: data` the weights
    are divided out again, by adding -log w(c); for `prior: loss` nothing is added. UsageError
    where the loss is not balanced-ce, of which alone this holds exactly.
    """
    if recipe.get("prior", "loss") == "loss":
        return ()
    if recipe["loss"]["name"] != BALANCED:
        raise UsageError(
            "prior: data takes back the weights of the loss balanced-ce; this recipe has "
            f"{recipe['loss']['name']}.",
            hint="Leave prior out, or train with loss: {name: balanced-ce}.",
        )
    known = recipe["loss"]["options"].get("beta", beta)
    if known is None:
        raise UsageError("The run does not say how common background is.", hint="Train it again.")
    return (-math.log(1.0 - known), *(-math.log(known),) * (classes - 1))
