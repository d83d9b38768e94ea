"""Whether probabilities mean what they say, and what makes them so: reliability, Platt's fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.evaluation.diagnosis import wilson_interval

__all__ = ["Bin", "Calibration", "calibration", "fitted_log_odds"]

STEPS = 50  # of Newton's method; a dozen are enough
FLAT = 1e-9  # keeps the curvature invertible where one side has no case


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases with a probability in [low, high): the mean of it, and the share that is true.

    The last bin holds 1 too. Both are nan in a bin without cases.
    """

    low: float
    high: float
    count: int
    predicted: float
    observed: float
    observed_interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """`ece`: mean over cases of |predicted - observed| of their bin. `brier`: mean squared error.

    Both are 0 at best.
    """

    bins: tuple[Bin, ...]
    ece: float
    brier: float
    count: int


def calibration(
    probabilities: Sequence[float] | npt.NDArray[np.float64],
    truth: Sequence[bool] | npt.NDArray[np.bool_],
    *,
    bins: int = 10,
) -> Calibration:
    """How well `probabilities` (0 to 1, a case or voxel each) agree with `truth` (true or false).

    Bins are of equal width. nan without cases. Raises UsageError (exit 2) for what is no
    probability.
    """
    values = np.asarray(probabilities, dtype=np.float64).ravel()
    real = np.asarray(truth).ravel().astype(bool)
    if values.size != real.size or bins < 1:
        raise UsageError(
            f"{values.size} probabilities, {real.size} truths and {bins} bins don't fit.",
            hint="Give one probability and one truth a case, and at least one bin.",
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise UsageError("A probability is not between 0 and 1.", hint="Apply the softmax first.")
    edges = np.arange(bins + 1) / bins
    index = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    predicted = np.bincount(index, weights=values, minlength=bins)
    observed = np.bincount(index, weights=real, minlength=bins)
    rows = []
    for number in range(bins):
        count = int(counts[number])
        rows.append(
            Bin(
                low=float(edges[number]),
                high=float(edges[number + 1]),
                count=count,
                predicted=float(predicted[number] / count) if count else math.nan,
                observed=float(observed[number] / count) if count else math.nan,
                observed_interval=wilson_interval(round(observed[number]), count),
            )
        )
    size = values.size
    return Calibration(
        bins=tuple(rows),
        ece=float(np.abs(predicted - observed).sum() / size) if size else math.nan,
        brier=float(((values - real) ** 2).mean()) if size else math.nan,
        count=size,
    )


def fitted_log_odds(
    log_odds: npt.NDArray[np.float64],
    truth: npt.NDArray[np.bool_],
    *,
    weights: npt.NDArray[np.float64],
) -> tuple[float, float]:
    """The slope (never below 0) and offset that make calibrated log-odds of `log_odds`.

    They maximise the likelihood of `truth`, each case counting as its weight. Where one side has
    no weight, the slope is 0 and the offset is that of one case on the other side's behalf.
    Source: Platt, Probabilistic outputs for support vector machines, 1999.
    """
    real = np.asarray(truth, dtype=np.float64)
    share = float((weights * real).sum() / weights.sum())
    least = 1.0 / (2.0 * real.size)
    offset = math.log(min(max(share, least), 1 - least) / (1 - min(max(share, least), 1 - least)))
    if share in (0.0, 1.0):
        return 0.0, offset
    known = np.stack([log_odds, np.ones_like(log_odds)])
    found = np.array([0.0, offset])
    for _ in range(STEPS):
        expected = 1.0 / (1.0 + np.exp(-found @ known))
        slant = known @ (weights * (expected - real))
        bend = (known * (weights * expected * (1 - expected))) @ known.T
        step = np.linalg.solve(bend + FLAT * np.eye(2) * weights.sum(), slant)
        found = found - step
        if np.abs(step).max() < 1e-9:
            break
    slope, offset = (float(value) for value in found)
    return (slope, offset) if slope >= 0 else (0.0, math.log(share / (1 - share)))
