"""A schematic brain, cut as in a coronal picture, whose regions are shaded by lesion volume.

It is drawn, not taken from a scan or an atlas: which region lies where, not how large it is. As in
the pictures the patient's right is on the left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from leuko.report.drawing import Anchor, Area, Curve, Dot, Drawing, Rule, Shape, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, rgb

__all__ = ["Zone", "region_diagram"]

WIDTH, HEIGHT = 520.0, 266.0
MIDDLE, SCALE_X, SCALE_Y, BASE = 260.0, 128.0, 114.0, 133.0
EMPTY, FULL = "#f5f7f9", ACCENT
CORTEX, FLUID, STEM = "#d0d7de", "#ffffff", "#e4e9ed"
STEPS = 5  # points between two of a curve
Points = tuple[tuple[float, float], ...]

# Half a brain from the midline outwards: x to the side, y up; the unit is half its width.
HEMISPHERE: Points = (
    (0.025, 0.90), (0.16, 0.97), (0.40, 0.95), (0.64, 0.82), (0.83, 0.58), (0.92, 0.30),
    (0.91, 0.08), (0.80, -0.02), (0.90, -0.16), (0.89, -0.36), (0.74, -0.52), (0.52, -0.56),
    (0.32, -0.46), (0.20, -0.30), (0.07, -0.20), (0.025, 0.05), (0.03, 0.36), (0.025, 0.64),
)  # fmt: skip
WHITE: Points = (
    (0.15, 0.80), (0.36, 0.82), (0.56, 0.69), (0.71, 0.48), (0.77, 0.24), (0.70, 0.06),
    (0.60, -0.04), (0.68, -0.22), (0.66, -0.36), (0.54, -0.42), (0.40, -0.34), (0.30, -0.12),
    (0.15, 0.02), (0.10, 0.30), (0.10, 0.52), (0.17, 0.64),
)  # fmt: skip
DEEP: Points = (
    (0.20, 0.69), (0.36, 0.70), (0.51, 0.58), (0.61, 0.40), (0.64, 0.22), (0.57, 0.09),
    (0.45, 0.00), (0.33, -0.02), (0.18, 0.08), (0.12, 0.30), (0.12, 0.48), (0.17, 0.58),
)  # fmt: skip
AROUND: Points = (
    (0.05, 0.47), (0.20, 0.56), (0.36, 0.46), (0.42, 0.30), (0.36, 0.15), (0.24, 0.10),
    (0.13, 0.06), (0.05, 0.08),
)  # fmt: skip
VENTRICLE: Points = (
    (0.04, 0.37), (0.15, 0.43), (0.27, 0.37), (0.31, 0.27), (0.26, 0.22), (0.17, 0.24),
    (0.09, 0.20), (0.04, 0.22),
)  # fmt: skip
CEREBELLUM: Points = (
    (0.10, -0.60), (0.28, -0.62), (0.50, -0.68), (0.58, -0.80), (0.50, -0.93), (0.30, -1.00),
    (0.12, -0.96), (0.07, -0.80),
)  # fmt: skip
STEM_SHAPE: Points = (
    (0.0, -0.26), (0.11, -0.32), (0.13, -0.52), (0.10, -0.74), (0.07, -1.02), (0.0, -1.04),
)  # fmt: skip

# Region -> the curve it fills, and the point that its label leads to.
SHAPES: Mapping[str, tuple[Points, tuple[float, float]]] = {
    "juxtacortical": (WHITE, (0.72, 0.35)),
    "deep": (DEEP, (0.57, 0.24)),
    "periventricular": (AROUND, (0.36, 0.20)),
    "infratentorial": (CEREBELLUM, (0.44, -0.82)),
}
HEIGHTS = {"juxtacortical": 196.0, "deep": 148.0, "periventricular": 100.0, "infratentorial": 34.0}


@dataclass(frozen=True, slots=True)
class Zone:
    """A region on one side: its name, its label, what is written there, and its share 0..1."""

    name: str  # juxtacortical, deep, periventricular or infratentorial
    side: str  # left or right
    label: str
    text: str
    share: float


def region_diagram(
    zones: Sequence[Zone], *, heads: Mapping[str, tuple[str, str]], middle: str = ""
) -> Drawing:
    """The schematic with a label for every zone.

    `heads` gives side -> (its name, what is written under it); `middle` is written below.
    """
    shade = {(zone.name, zone.side): _shade(zone.share) for zone in zones}
    shown = {zone.name for zone in zones}
    shapes: list[Shape] = []
    for side, sign in (("right", -1), ("left", 1)):
        shapes.append(_area(HEMISPHERE, sign, CORTEX))
        white = shade.get(("juxtacortical", side), shade.get(("deep", side), EMPTY))
        shapes.append(_area(WHITE, sign, white))
        if "juxtacortical" in shown:
            shapes.append(_line(DEEP, sign, "#ffffff"))
        shapes.append(_area(DEEP, sign, shade.get(("deep", side), EMPTY)))
        shapes.append(_area(AROUND, sign, shade.get(("periventricular", side), EMPTY)))
        shapes.append(_line(AROUND, sign, "#ffffff"))
        shapes.append(_area(VENTRICLE, sign, FLUID))
        shapes.append(_line(VENTRICLE, sign, FAINT, width=0.5))
        shapes.append(_area(CEREBELLUM, sign, shade.get(("infratentorial", side), EMPTY)))
        shapes.append(_line(CEREBELLUM, sign, FAINT, width=0.6))
        stem = shade.get(("infratentorial", side), STEM)
        shapes.append(_area(STEM_SHAPE, sign, stem, closed=False))
        shapes.append(_line(HEMISPHERE, sign, FAINT, width=0.6))
    for zone in zones:
        shapes += _labelled(zone)
    for side, (name, text) in heads.items():
        edge = 0.0 if side == "right" else WIDTH
        anchor: Anchor = "start" if side == "right" else "end"
        shapes.append(Text(edge, HEIGHT - 9, name, 9.0, ACCENT, anchor, bold=True))
        shapes.append(Text(edge, HEIGHT - 20, text, 8.0, MUTED, anchor))
    if middle:
        shapes.append(Text(MIDDLE, 2, middle, 7.2, MUTED, "middle"))
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _labelled(zone: Zone) -> list[Shape]:
    """Name and volume at the edge, and a thin line to the region."""
    sign = 1 if zone.side == "left" else -1
    _, (x, y) = SHAPES[zone.name]
    aim = _place((x, y), sign)
    height = HEIGHTS[zone.name]
    edge = WIDTH if sign > 0 else 0.0
    anchor: Anchor = "end" if sign > 0 else "start"
    label = zone.label[:1].upper() + zone.label[1:]
    start = MIDDLE + sign * 150
    return [
        Rule(edge, height - 4, start, height - 4, LINE, 0.7),
        Rule(start, height - 4, aim[0], aim[1], FAINT, 0.6),
        Dot(aim[0], aim[1], 2.0, INK),
        Text(edge, height + 10.5, label, 8.0, INK, anchor, bold=True),
        Text(edge, height, zone.text, 8.0, INK, anchor),
    ]


def _shade(share: float) -> str:
    """From nearly white to the accent with the root of the share, so that little is seen too."""
    part = math.sqrt(min(max(share, 0.0), 1.0))
    low, high = rgb(EMPTY), rgb(FULL)
    mixed = (round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _area(points: Points, sign: int, colour: str, *, closed: bool = True) -> Area:
    return Area(tuple(_place(point, sign) for point in _curve(points, closed=closed)), colour)


def _line(points: Points, sign: int, colour: str, *, width: float = 0.8) -> Curve:
    placed = tuple(_place(point, sign) for point in _curve(points))
    return Curve(placed, colour, width, closed=True)


def _place(point: tuple[float, float], sign: int) -> tuple[float, float]:
    return (MIDDLE + sign * SCALE_X * point[0], BASE + SCALE_Y * point[1])


@cache
def _curve(points: Points, *, closed: bool = True) -> Points:
    """A smooth curve through the points (Catmull-Rom); an open one ends at its first and last."""
    count = len(points)
    spans = range(count) if closed else range(count - 1)

    def at(index: int) -> tuple[float, float]:
        return points[index % count] if closed else points[min(max(index, 0), count - 1)]

    placed = []
    for span in spans:
        a, b, c, d = (at(span + step) for step in (-1, 0, 1, 2))
        for number in range(STEPS):
            t = number / STEPS
            weights = (
                (-t + 2 * t**2 - t**3) / 2,
                (2 - 5 * t**2 + 3 * t**3) / 2,
                (t + 4 * t**2 - 3 * t**3) / 2,
                (t**3 - t**2) / 2,
            )
            corners = (a, b, c, d)
            x, y = (sum(w * p[k] for w, p in zip(weights, corners, strict=True)) for k in (0, 1))
            placed.append((x, y))
    return tuple(placed if closed else [*placed, points[-1]])
