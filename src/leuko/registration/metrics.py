"""How well two scans match at a set of points, and how that changes with each value.

Every metric is a cost: lower is better. `f` holds the fixed values at the points, `m` the moving
values at their places, both about 0..1. A metric returns its cost and the cost's slope for each
moving value, so that any kind of transform can be improved by any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from leuko.registration.pyramid import Floats

__all__ = ["METRICS", "Metric", "MetricName", "mutual_information"]

MetricName = Literal["mse", "ncc", "mi", "nmi"]
Metric = Callable[[Floats, Floats], tuple[float, Floats]]
Doubles = npt.NDArray[np.float64]

BINS = 32
RIM = 2  # bins beyond 0 and 1 that the window of a value reaches into
TINY = 1e-12


def mean_squares(f: Floats, m: Floats) -> tuple[float, Floats]:
    """Mean squared difference: for scans of the same contrast and brightness."""
    difference = m - f
    slope = difference * np.float32(2.0 / len(f))
    return float(np.mean(difference * difference, dtype=np.float64)), slope


def correlation(f: Floats, m: Floats) -> tuple[float, Floats]:
    """Minus the correlation coefficient: for scans of the same contrast."""
    a = f - np.float32(f.mean(dtype=np.float64))
    b = m - np.float32(m.mean(dtype=np.float64))
    ab, aa, bb = (_sum(one * other) for one, other in ((a, b), (a, a), (b, b)))
    if aa <= TINY or bb <= TINY:
        return 0.0, np.zeros_like(m)
    norm = float(np.sqrt(aa * bb))
    return -ab / norm, (b * np.float32(ab / (norm * bb)) - a * np.float32(1.0 / norm))


def mutual_information(f: Floats, m: Floats) -> tuple[float, Floats]:
    """Minus the mutual information (nats): for scans of any two contrasts.

    Joint histogram of 32 bins with a cubic B-spline window on the moving values: Mattes et al.,
    IEEE Transactions on Medical Imaging 22, 120 (2003).
    """
    joint, window = _joint(f, m)
    of_fixed, of_moving = joint.sum(axis=1), joint.sum(axis=0)
    ratio = np.log((joint + TINY) / (of_fixed[:, None] * of_moving[None, :] + TINY))
    return -float((joint * ratio).sum()), window.slopes(-ratio)


def normalised_mutual_information(f: Floats, m: Floats) -> tuple[float, Floats]:
    """Minus (entropy of fixed + entropy of moving) / joint entropy: MI made even for any overlap.

    Studholme et al., Pattern Recognition 32, 71 (1999).
    """
    joint, window = _joint(f, m)
    of_fixed, of_moving = joint.sum(axis=1), joint.sum(axis=0)
    log_joint, log_moving = np.log(joint + TINY), np.log(of_moving + TINY)
    single = -float((of_fixed * np.log(of_fixed + TINY)).sum() + (of_moving * log_moving).sum())
    both = -float((joint * log_joint).sum())
    if both <= TINY:
        return -1.0, np.zeros_like(m)
    value = single / both
    # d(single) = -(log p_m) dp and d(both) = -(log p) dp, since the sum of dp is zero.
    slope = (log_moving[None, :] - value * log_joint) / both
    return -value, window.slopes(slope)


METRICS: MappingProxyType[MetricName, Metric] = MappingProxyType(
    {
        "mse": mean_squares,
        "ncc": correlation,
        "mi": mutual_information,
        "nmi": normalised_mutual_information,
    }
)


class _Window:
    """Which bins each pair of values lies in, and with which weight."""

    __slots__ = ("cell", "offset", "scale", "size")

    def __init__(self, f: Floats, m: Floats) -> None:
        self.size = BINS + 2 * RIM
        self.scale = BINS - 1
        row = np.clip(np.rint(f * np.float32(self.scale)), 0, self.scale).astype(np.intp) + RIM
        place = np.clip(m, 0, 1) * np.float32(self.scale) + np.float32(RIM)
        low = place.astype(np.intp)
        self.offset = place - low  # 0..1
        self.cell = row * self.size + low - 1

    def joint(self) -> Doubles:
        """The joint histogram, fixed bins down, moving bins across; its sum is 1."""
        t = self.offset
        s = 1 - t
        weights = (
            s * s * s / 6,
            (4 - 6 * t * t + 3 * t * t * t) / 6,
            (4 - 6 * s * s + 3 * s * s * s) / 6,
            t * t * t / 6,
        )
        total = np.zeros(self.size * self.size)
        for step, weight in enumerate(weights):
            total += np.bincount(self.cell + step, weights=weight, minlength=len(total))
        return total.reshape(self.size, self.size) / len(t)

    def slopes(self, table: Doubles) -> Floats:
        """How the cost changes with each moving value, for a slope of the cost a bin."""
        flat = np.asarray(table, dtype=np.float32).reshape(-1)
        t = self.offset
        s = 1 - t
        slope = flat[self.cell] * (-s * s / 2)
        slope += flat[self.cell + 1] * (1.5 * t * t - 2 * t)
        slope += flat[self.cell + 2] * (2 * s - 1.5 * s * s)
        slope += flat[self.cell + 3] * (t * t / 2)
        return np.asarray(slope * np.float32(self.scale / len(t)))


def _joint(f: Floats, m: Floats) -> tuple[Doubles, _Window]:
    window = _Window(f, m)
    return window.joint(), window


def _sum(values: Floats) -> float:
    return float(values.sum(dtype=np.float64))
