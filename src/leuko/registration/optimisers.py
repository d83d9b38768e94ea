"""Going downhill: from a cost with its slope to the parameters that make it least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["OPTIMISERS", "Descent", "OptimiserName"]

Vector = npt.NDArray[np.float64]
Cost = Callable[[Vector], tuple[float, Vector]]
OptimiserName = Literal["lbfgs", "gradient", "powell"]

MEMORY = 8
ENOUGH = 1e-4  # of the expected fall that a step must bring (Armijo)
SHORTEST = 2.0**-12
RELAX = 0.5  # of the regular step where the slope turns round


@dataclass(frozen=True, slots=True)
class Descent:
    """Where an optimiser ended, and the cost after each iteration, the start included."""

    parameters: Vector
    cost: float
    trace: tuple[float, ...]


def lbfgs(cost: Cost, start: Vector, *, iterations: int, step: float, tolerance: float) -> Descent:
    """Limited-memory BFGS with backtracking; the first step has length `step`.

    Ends when no parameter changes by more than `tolerance`. Nocedal & Wright, Numerical
    Optimization, 2nd ed., algorithm 7.4.
    """
    x = start.copy()
    value, slope = cost(x)
    trace = [value]
    history: list[tuple[Vector, Vector, float]] = []
    for _ in range(iterations):
        towards = _two_loop(slope, history)
        falls = float((towards * slope).sum())
        if not history or falls >= 0:
            history.clear()
            longest = float(np.abs(slope).max())
            if longest == 0.0:
                break
            towards, falls = (
                -slope * (step / longest),
                -float((slope * slope).sum()) * step / longest,
            )
        # A step of many times the usual length is a guess beyond what was seen.
        towards_longest = float(np.abs(towards).max())
        share = min(1.0, 4 * step / towards_longest)
        while True:
            following = x + share * towards
            new_value, new_slope = cost(following)
            if new_value <= value + ENOUGH * share * falls:
                break
            share /= 2
            if share < SHORTEST:
                break
        if share < SHORTEST:
            if not history:
                break
            history.clear()  # the curvature misled: once more along the slope
            step = max(step / 4, tolerance)
            if step <= tolerance:
                break
            continue
        moved, turned = following - x, new_slope - slope
        curvature = float((moved * turned).sum())
        if curvature > 1e-12 * float((turned * turned).sum()):
            history = [*history[-(MEMORY - 1) :], (moved, turned, 1 / curvature)]
        x, value, slope = following, new_value, new_slope
        trace.append(value)
        if float(np.abs(moved).max()) < tolerance:
            break
    return Descent(x, value, tuple(trace))


def gradient(
    cost: Cost, start: Vector, *, iterations: int, step: float, tolerance: float
) -> Descent:
    """Steps of a set length down the slope; the length halves where the slope turns round."""
    x = start.copy()
    value, slope = cost(x)
    trace, length = [value], step
    best, least = x, value
    before = slope
    for _ in range(iterations * 4):
        norm = float(np.sqrt((slope * slope).sum()))
        if norm == 0.0 or length < tolerance:
            break
        if float((slope * before).sum()) < 0:
            length *= RELAX
        before = slope
        x = x - slope * (length / norm)
        value, slope = cost(x)
        trace.append(value)
        if value < least:
            best, least = x, value
    return Descent(best, least, tuple(trace))


def powell(cost: Cost, start: Vector, *, iterations: int, step: float, tolerance: float) -> Descent:
    """Powell's method: line by line, without slopes (of no use for hundreds of parameters)."""
    from scipy.optimize import minimize

    trace = [cost(start)[0]]
    search: Any = minimize  # its stubs know no callback of this kind
    found = search(
        lambda x: cost(np.asarray(x))[0],
        start,
        method="Powell",
        callback=lambda x: trace.append(cost(np.asarray(x))[0]),
        options={
            "direc": np.eye(len(start)) * step,
            "maxiter": iterations,
            "xtol": tolerance,
            "ftol": 1e-7,
        },
    )
    return Descent(
        np.asarray(found.x, dtype=np.float64).reshape(-1), float(found.fun), tuple(trace)
    )


OPTIMISERS: MappingProxyType[OptimiserName, Callable[..., Descent]] = MappingProxyType(
    {"lbfgs": lbfgs, "gradient": gradient, "powell": powell}
)


def _two_loop(slope: Vector, history: list[tuple[Vector, Vector, float]]) -> Vector:
    """Minus the slope times the approximate inverse curvature."""
    if not history:
        return -slope
    towards, shares = -slope, []
    for moved, turned, weight in reversed(history):
        share = weight * float((moved * towards).sum())
        shares.append(share)
        towards = towards - share * turned
    moved, turned, weight = history[-1]
    towards = towards / (weight * float((turned * turned).sum()))
    for (moved, turned, weight), share in zip(history, reversed(shares), strict=True):
        towards = towards + (share - weight * float((turned * towards).sum())) * moved
    return towards
