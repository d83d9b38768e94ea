"""The losses by name; importing this module loads no torch.

Every loss is called with logits (B, C, H, W), float32, and `allowed` (B, H, W), an integer whose
bit c is set where class c is possible; it returns a `Parts` mapping with the scalar 'loss' to
minimise and its components.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from leuko.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LOSSES", "LossRecord", "Parts", "build"]

Parts = dict[str, "Tensor"]
Objective = Callable[["Tensor", "Tensor"], "dict[str, Tensor]"]


@dataclass(frozen=True, slots=True)
class LossRecord:
    """Where a loss is defined, and what it is in a line."""

    module: str
    factory: str
    summary: str


_MODULE = "leuko.training.objectives"
LOSSES: Mapping[str, LossRecord] = MappingProxyType(
    {
        "marginal-dice": LossRecord(
            _MODULE, "MarginalDice", "marginal cross-entropy and Dice of lesions, caps and both"
        ),
        "cross-entropy": LossRecord(_MODULE, "MarginalCrossEntropy", "marginal cross-entropy"),
        "dice": LossRecord(_MODULE, "LesionDice", "Dice of lesions, caps and both, over the batch"),
        "focal": LossRecord(_MODULE, "Focal", "cross-entropy that fades where it is already right"),
        "tversky": LossRecord(_MODULE, "Tversky", "Dice that weighs misses and excess apart"),
    }
)


def build(name: str, options: Mapping[str, float] | None = None) -> Objective:
    """The loss `name` with its options; UsageError for an unknown name or option."""
    try:
        record = LOSSES[name]
    except KeyError:
        raise UsageError(
            f"There is no loss '{name}'.", hint=f"Choose from: {', '.join(LOSSES)}."
        ) from None
    factory = getattr(importlib.import_module(record.module), record.factory)
    try:
        return cast(Objective, factory(**(options or {})))
    except TypeError as error:
        raise UsageError(f"The loss '{name}' refused its options: {error}", hint="") from None
