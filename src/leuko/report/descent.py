"""The curve of an optimisation: the cost after each iteration, a panel a resolution."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from leuko.report.drawing import Bar, Drawing, Rule, Text, svg
from leuko.report.palette import ACCENT, INK, LINE, MUTED

__all__ = ["descent_curve"]

PANEL, HEIGHT, GAP = 170.0, 150.0, 26.0
LEFT, BOTTOM, TOP = 8.0, 26.0, 34.0
Shape = Bar | Rule | Text


def descent_curve(
    levels: Sequence[tuple[str, str, Sequence[float]]], *, label: str, width: int = 4
) -> str:
    """A standalone SVG: for each (title, remark, costs) a panel with its own scale, left to right.

    Lower is better. At most `width` panels stand in a row.
    """
    columns = min(width, max(1, len(levels)))
    rows = (len(levels) + columns - 1) // columns
    whole = (columns * (PANEL + GAP) - GAP + 2 * LEFT, rows * HEIGHT + LEFT)
    shapes: list[Shape] = [Bar(0, 0, whole[0], whole[1], "#ffffff")]
    for number, (title, remark, costs) in enumerate(levels):
        left = LEFT + (number % columns) * (PANEL + GAP)
        bottom = whole[1] - (number // columns + 1) * HEIGHT
        shapes += _panel(title, remark, costs, left, bottom)
    drawn = svg(Drawing(*whole, tuple(shapes)), label=label)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" width="{whole[0]:g}"'
    return drawn.replace("<svg", head, 1) + "\n"


def _panel(
    title: str, remark: str, costs: Sequence[float], left: float, bottom: float
) -> list[Shape]:
    floor, roof = bottom + BOTTOM, bottom + HEIGHT - TOP
    shapes: list[Shape] = [
        Text(left, bottom + HEIGHT - 12, title, 9, INK, bold=True),
        Text(left, bottom + HEIGHT - 24, remark, 8, MUTED),
        Rule(left, floor, left + PANEL, floor, LINE, 1),
        Rule(left, floor, left, roof, LINE, 1),
        Text(left, floor - 12, "0", 8, MUTED),
        Text(left + PANEL, floor - 12, f"{len(costs) - 1} iterations", 8, MUTED, "end"),
    ]
    if not costs:
        return shapes
    low, high = min(costs), max(costs)
    room = (high - low) or 1.0
    step = PANEL / max(len(costs) - 1, 1)
    points = [
        (left + k * step, floor + 4 + (cost - low) / room * (roof - floor - 10))
        for k, cost in enumerate(costs)
    ]
    shapes += [Rule(*one, *two, ACCENT, 1.6) for one, two in pairwise(points)]
    shapes.append(Text(left + 5, roof - 4, f"{costs[0]:.4g}", 8, INK))
    shapes.append(Text(left + PANEL, points[-1][1] + 5, f"{costs[-1]:.4g}", 8, INK, "end"))
    return shapes
