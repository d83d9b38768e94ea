"""How far a run has come, and the learning rate and averaging that follow from it."""

from __future__ import annotations

import math

from leuko.training.recipe import Optimisation

__all__ = ["averaging", "learning_rate", "progress"]


def progress(plan: Optimisation, *, step: int, seconds: float) -> float:
    """Share of the run that is done, 0..1: by steps or by time, whichever is further."""
    share = step / plan.steps
    if plan.minutes is not None:
        share = max(share, seconds / (60.0 * plan.minutes))
    return min(1.0, share)


def learning_rate(plan: Optimisation, *, step: int, done: float) -> float:
    """Rises linearly over `warmup_steps`, then falls along a cosine to final_lr x lr."""
    rise = min(1.0, (step + 1) / (plan.warmup_steps + 1))
    fall = plan.final_lr + (1.0 - plan.final_lr) * 0.5 * (1.0 + math.cos(math.pi * done))
    return plan.lr * rise * fall


def averaging(plan: Optimisation, *, step: int) -> float:
    """Decay of the moving average: short memory at first, so that early weights are forgotten."""
    return min(plan.ema_decay, (1.0 + step) / (10.0 + step))
