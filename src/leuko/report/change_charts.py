"""Volumes over the visits, as a line and dots."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from leuko.report.charts import WIDTH, ceiling
from leuko.report.drawing import Anchor, Dot, Drawing, Rule, Shape, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED

__all__ = ["timeline_chart"]

HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 150.0, 34.0, 40.0, 30.0, 16.0


def timeline_chart(
    places: Sequence[float],
    *,
    own: Sequence[float],
    followed: Sequence[float],
    names: Sequence[str],
    label: str,
) -> Drawing:
    """The volume of each visit (`own`, dots) and what lesions gained or lost (`followed`, line).

    `places` are the visits' places in time, in any unit; `names` stand below them.
    """
    roof = ceiling(max(*own, *followed, 1e-3))
    span = (places[-1] - places[0]) or 1.0
    room = WIDTH - LEFT - RIGHT

    def x(place: float) -> float:
        return LEFT + (place - places[0]) / span * room

    def y(value: float) -> float:
        return BOTTOM + max(value, 0.0) / roof * (HEIGHT - BOTTOM - TOP)

    shapes: list[Shape] = []
    for part in (0.0, 0.5, 1.0):
        shapes.append(Rule(LEFT, y(part * roof), WIDTH - RIGHT, y(part * roof), LINE, 0.7))
        shapes.append(Text(LEFT - 6, y(part * roof) - 2.5, f"{part * roof:g}", 7.2, MUTED, "end"))
    shapes.append(Text(LEFT - 6, HEIGHT - 6, label, 7.2, MUTED, "end"))
    points = [(x(place), y(value)) for place, value in zip(places, followed, strict=True)]
    shapes += [Rule(*one, *other, ACCENT, 2.0) for one, other in pairwise(points)]
    for number, (place, value) in enumerate(zip(places, own, strict=True)):
        anchor: Anchor = (
            "start" if number == 0 else "end" if number == len(places) - 1 else "middle"
        )
        shapes.append(Dot(x(place), y(value), 3.2, FAINT, f"{value:.2f}"))
        shapes.append(Dot(*points[number], 2.6, ACCENT, f"{followed[number]:.2f}"))
        above = points[number][1] + 6
        shapes.append(Text(points[number][0], above, f"{followed[number]:.2f}", 7.6, INK, anchor))
        shapes.append(Text(x(place), BOTTOM - 14, names[number], 7.2, MUTED, anchor))
    return Drawing(WIDTH, HEIGHT, tuple(shapes))
