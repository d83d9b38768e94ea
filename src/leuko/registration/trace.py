"""What an optimisation went through."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LevelTrace"]


@dataclass(frozen=True, slots=True)
class LevelTrace:
    """The cost after each iteration at one resolution (mm), the start included; lower is better."""

    step_mm: float
    stage: str
    costs: tuple[float, ...]
