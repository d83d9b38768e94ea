"""Axes of charts: round ticks, how they are written, and labels that fit beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["axis", "fitted", "label_width", "shortened", "written"]


def axis(
    values: Sequence[float], *, bounded: bool, zero: bool = False
) -> tuple[float, float, list[float]]:
    """Ends and round ticks of an axis that holds all values."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if bounded and low >= 0:
        low, high = (low if 0.5 <= low < 1 else 0.0), 1.0
    elif low >= 0 and (zero or low < 0.5 * high or high == low):
        low = 0.0
    if high - low < 1e-9:
        low, high = (low - 1, high + 1) if high else (0.0, 1.0)
    step = _step((high - low) / 4.5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(number * step, 10) + 0.0 for number in range(first, last + 1)]
    return ticks[0], ticks[-1], ticks


def _step(wished: float) -> float:
    power = float(10.0 ** math.floor(math.log10(wished)))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= wished * 0.999)


def written(tick: float, ticks: Sequence[float]) -> str:
    """A tick with as many decimals as its neighbours need."""
    step = min((abs(b - a) for a, b in pairwise(ticks)), default=1.0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step else 0
    return f"{tick:,.{decimals}f}".replace("-", "−")


def label_width(labels: Sequence[str], width: float) -> float:
    """The room for labels beside a chart that is `width` wide: a third of it at most."""
    longest = max((len(label) for label in labels), default=0)
    return min(0.36 * width, 10 + 3.9 * longest)


def fitted(text: str, width: float) -> str:
    """The text, cut where it would be wider."""
    return shortened(text, max(4, int((width - 4) / 3.9)))


def shortened(text: str, most: int) -> str:
    """The text of at most so many letters."""
    return text if len(text) <= most else text[: most - 1] + "…"
