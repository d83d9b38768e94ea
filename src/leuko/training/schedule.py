"""How far a run has come, and the learning rate and averaging that follow from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from leuko.training.recipe import Optimisation

__all__ = ["SCHEDULES", "averaging", "learning_rate", "progress"]


def progress(plan: Optimisation, *, step: int, seconds: float) -> float:
    """Share of the run that is done, 0..1: by steps or by time, whichever is further."""
    share = step / plan.steps
    if plan.minutes is not None:
        share = max(share, seconds / (60.0 * plan.minutes))
    return min(1.0, share)


def learning_rate(plan: Optimisation, *, step: int, done: float) -> float:
    """Rises linearly over `warmup_steps`, then falls as `schedule` says towards final_lr x lr."""
    rise = min(1.0, (step + 1) / (plan.warmup_steps + 1))
    return plan.lr * rise * SCHEDULES[plan.schedule](done, plan.final_lr)


def cosine(done: float, final: float) -> float:
    """Half a cosine from 1 to `final`: slow at both ends."""
    return final + (1.0 - final) * (0.5 * (1.0 + math.cos(math.pi * done)))


def poly(done: float, final: float) -> float:
    """(1 - done)**0.9, almost a straight line from 1 to `final`."""
    return final + (1.0 - final) * math.pow(1.0 - done, 0.9)


def constant(done: float, final: float) -> float:  # noqa: ARG001 (one signature for all)
    """1 all along."""
    return 1.0


def step(done: float, final: float) -> float:
    """1, its root and `final` for a third of the run each: 1, 0.1, 0.01 for a `final` of 0.01."""
    return math.pow(max(final, LOWEST), min(2, int(3.0 * done)) / 2.0)


def exponential(done: float, final: float) -> float:
    """From 1 to `final` by the same factor in every step."""
    return math.pow(max(final, LOWEST), done)


LOWEST = 1e-6  # a power of 0 would be 0 at once
SCHEDULES: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "cosine": cosine,
        "poly": poly,
        "constant": constant,
        "step": step,
        "exponential": exponential,
    }
)


def averaging(plan: Optimisation, *, step: int) -> float:
    """Decay of the moving average: short memory at first, so that early weights are forgotten."""
    return min(plan.ema_decay, (1.0 + step) / (10.0 + step))
