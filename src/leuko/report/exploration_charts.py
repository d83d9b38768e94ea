"""The charts of a data set: volumes of classes, values of voxels, ranges and sizes by case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from leuko.report.axes import shortened
from leuko.report.charts import HALF, WIDTH
from leuko.report.drawing import Area, Bar, Dot, Drawing, Rule, Shape, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SIZE

__all__ = [
    "Density",
    "Point",
    "Strip",
    "density_chart",
    "histogram_chart",
    "ranges_chart",
    "strips_chart",
]

THIRD = 164.0
TEXT, SMALL = 8.0, 7.2
MOST_DOTS = 300  # in a strip; of more, every n-th is drawn
FEW = 4  # cases up to which each has its colour
FEW_COLOURS = (ACCENT, SIZE["medium"], SIZE["large"], SIZE["small"])
OUTSIDE, INSIDE, UNUSUAL = "#c3ccd4", ACCENT, SIZE["large"]


@dataclass(frozen=True, slots=True)
class Point:
    """A case on an axis; `unusual` ones are drawn in their own colour and named."""

    name: str
    value: float
    unusual: bool = False
    number: int = 0  # of the case, for its colour where there are few


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of points."""

    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Density:
    """Shares of voxels by value in classes of equal width; `inside` may be empty."""

    low: float
    high: float
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    unit: str


def strips_chart(strips: Sequence[Strip], *, unit: str) -> Drawing:
    """A row a class over a logarithmic axis: a dot a case, a bar from quartile to quartile."""
    row, left, right, bottom = 26.0, 104.0, WIDTH - 10, 30.0
    top = 18.0 if len({p.number for strip in strips for p in strip.points}) <= FEW else 6.0
    height = bottom + row * len(strips) + top
    values = [point.value for strip in strips for point in strip.points]
    low, high = 0.92 * min(values), 1.08 * max(values)
    span = math.log(high / low)

    def across(value: float) -> float:
        return left + (right - left) * math.log(value / low) / span

    shapes: list[Shape] = []
    for tick in _log_ticks(low, high):
        shapes.append(Rule(across(tick), bottom - 2, across(tick), height - top, LINE, 0.6))
        shapes.append(Text(across(tick), bottom - 11, f"{tick:,g}", 7, MUTED, "middle"))
    shapes.append(Text((left + right) / 2, 4, unit, 7.4, MUTED, "middle"))
    names = {point.number: point.name for strip in strips for point in strip.points}
    if len(names) <= FEW:
        for place, (number, name) in enumerate(sorted(names.items())):
            x = left + place * (right - left) / FEW
            shapes.append(Dot(x, height - 7, 2.8, FEW_COLOURS[number % FEW]))
            shapes.append(Text(x + 6, height - 9.6, shortened(name, 22), 7.4, INK))
    for number, strip in enumerate(strips):
        middle = height - top - row * (number + 0.5)
        shapes.append(Text(0, middle - 2.6, shortened(strip.label, 24), TEXT, INK))
        shapes += _strip(strip, middle, across)
    return Drawing(WIDTH, height, tuple(shapes))


def density_chart(density: Density, *, wide: bool = False) -> Drawing:
    """What lies outside as an area, what lies inside of the foreground as a line."""
    width = WIDTH if wide else HALF
    height, left, bottom, right, top = 150.0, 8.0, 28.0, width - 6, 128.0
    bins = len(density.outside)
    first, last = _held(density)
    step = (density.high - density.low) / bins
    start, end = density.low + first * step, density.low + (last + 1) * step
    highest = _highest(density, first, last)

    def across(value: float) -> float:
        return left + (right - left) * (value - start) / (end - start)

    def up(share: float) -> float:
        return bottom + (top - bottom) * min(share / highest, 1.0)

    shapes: list[Shape] = []
    points = [(across(start), bottom)]
    for number in range(first, last + 1):
        edges = (density.low + number * step, density.low + (number + 1) * step)
        points += [(across(edge), up(density.outside[number])) for edge in edges]
    shapes.append(Area((*points, (across(end), bottom)), OUTSIDE))
    if any(density.inside):
        line = [
            (across(density.low + (number + 0.5) * step), up(density.inside[number]))
            for number in range(first, last + 1)
        ]
        shapes += [Rule(*a, *b, INSIDE, 1.4) for a, b in pairwise(line)]
    shapes.append(Rule(left, bottom, right, bottom, FAINT, 0.8))
    for tick in _ticks(start, end, most=12 if wide else 6):
        shapes.append(Rule(across(tick), bottom, across(tick), bottom - 3, FAINT, 0.6))
        # A number of many digits at the end would be cut by the edge of the drawing.
        place = min(across(tick), width - 2.1 * len(_number(tick)))
        shapes.append(Text(place, bottom - 11, _number(tick), 7, MUTED, "middle"))
    shapes.append(Text((left + right) / 2, 4, density.unit, 7.4, MUTED, "middle"))
    shapes += _key(left, top + 12, bool(any(density.inside)))
    return Drawing(width, height, tuple(shapes))


def histogram_chart(values: Sequence[float], *, unit: str) -> Drawing:
    """How many cases have which value, in at most 16 classes."""
    height, left, bottom, right, top = 112.0, 22.0, 28.0, THIRD - 4, 104.0
    edges = _classes(min(values), max(values))
    counts = [sum(a <= v < b for v in values) for a, b in pairwise(edges)]
    highest = _ceiling(max(counts))
    start, end = edges[0], edges[-1]
    shapes: list[Shape] = []
    for value in sorted({0, highest // 2 if highest > 1 else 0, highest}):
        y = bottom + (top - bottom) * value / highest
        shapes.append(Rule(left, y, right, y, LINE, 0.6))
        shapes.append(Text(left - 5, y - 2.6, f"{value:g}", 7, MUTED, "end"))
    for (a, b), count in zip(pairwise(edges), counts, strict=True):
        if count:
            x = left + (right - left) * (a - start) / (end - start)
            width = (right - left) * (b - a) / (end - start)
            tall = max((top - bottom) * count / highest, 0.8)
            shapes.append(Bar(x + 0.5, bottom, width - 1, tall, ACCENT))
    for tick in _ticks(start, end, most=5):
        x = left + (right - left) * (tick - start) / (end - start)
        shapes.append(Text(x, bottom - 11, _number(tick), 7, MUTED, "middle"))
    shapes.append(Text((left + right) / 2, 4, unit, 7.4, MUTED, "middle"))
    return Drawing(THIRD, height, tuple(shapes))


def ranges_chart(
    ranges: Sequence[tuple[str, float, float, float]], *, unit: str, logarithmic: bool
) -> Drawing:
    """A line for each case from a low to a high percentile, its median marked, by the median."""
    height, left, bottom, right, top = 150.0, 40.0, 20.0, WIDTH - 6, 136.0
    ordered = sorted(ranges, key=lambda item: (item[2], item[0]))
    positive = [v for item in ordered for v in item[1:] if v > 0]
    least = min(positive, default=1.0)

    def scaled(value: float) -> float:
        return math.log10(max(value, least)) if logarithmic else value

    low = min(scaled(item[1]) for item in ordered)
    high = max(scaled(item[3]) for item in ordered)
    high = high if high > low else low + 1.0

    def up(value: float) -> float:
        return bottom + (top - bottom) * (scaled(value) - low) / (high - low)

    ticks = (
        [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
        if logarithmic
        else _ticks(low, high, most=5)
    )
    shapes: list[Shape] = [Text(0, height - 8, unit, 7.4, MUTED)]
    for tick in ticks:
        shapes.append(Rule(left, up(tick), right, up(tick), LINE, 0.6))
        shapes.append(Text(left - 5, up(tick) - 2.6, _number(tick), 7, MUTED, "end"))
    step = (right - left) / len(ordered)
    thick = min(max(0.6 * step, 0.4), 6.0)
    for number, (_, a, middle, b) in enumerate(ordered):
        x = left + step * (number + 0.5)
        shapes.append(Rule(x, up(a), x, up(b), OUTSIDE, thick))
        shapes.append(Rule(x - step / 2, up(middle), x + step / 2, up(middle), INSIDE, 1.6))
    text = "Cases, by their median"
    shapes.append(Text((left + right) / 2, 4, text, 7.4, MUTED, "middle"))
    return Drawing(WIDTH, height, tuple(shapes))


# ---------------------------------------------------------------- pieces


def _strip(strip: Strip, middle: float, across: object) -> list[Shape]:
    assert callable(across)
    numbers = sorted(point.value for point in strip.points)
    shapes: list[Shape] = []
    if len(numbers) >= 4:
        lower, centre, upper = (_quantile(numbers, share) for share in (0.25, 0.5, 0.75))
        x, end = across(lower), across(upper)
        shapes.append(Bar(x, middle - 7, max(end - x, 1.0), 14, "#dbe7ec"))
        shapes.append(Rule(across(centre), middle - 7, across(centre), middle + 7, INK, 1.2))
    usual = [point for point in strip.points if not point.unusual]
    step = -(-len(usual) // MOST_DOTS) or 1
    if len(numbers) <= FEW:
        return [Dot(across(p.value), middle, 2.8, FEW_COLOURS[p.number % FEW], p.name)
                for p in strip.points]  # fmt: skip
    for number, point in enumerate(usual[::step]):
        away = ((number * 7) % 5 - 2) * 2.1  # spread up and down, the same way every time
        shapes.append(Dot(across(point.value), middle + away, 1.7, ACCENT, point.name))
    for point in strip.points:
        if point.unusual:
            x = across(point.value)
            shapes.append(Dot(x, middle, 2.6, UNUSUAL, point.name))
            near = x > 0.75 * WIDTH
            shapes.append(
                Text(x - 4 if near else x + 4, middle + 4.5, shortened(point.name, 30), 6.6, INK,
                     "end" if near else "start")
            )  # fmt: skip
    return shapes


def _key(left: float, base: float, inside: bool) -> list[Shape]:
    shapes: list[Shape] = []
    if inside:
        shapes += [Rule(left, base + 2.6, left + 12, base + 2.6, INSIDE, 1.6),
                   Text(left + 16, base, "in the foreground", 7.4, INK)]  # fmt: skip
    shift = 92.0 if inside else 0.0
    name = "outside of it" if inside else "all voxels"
    return [*shapes, Bar(left + shift, base - 1, 12, 7, OUTSIDE),
            Text(left + shift + 16, base, name, 7.4, INK)]  # fmt: skip


def _held(density: Density) -> tuple[int, int]:
    """The first and last class that holds more than next to nothing."""
    totals = [a + b for a, b in zip(density.inside or density.outside, density.outside,
                                    strict=True)]  # fmt: skip
    limit = 0.0005 * sum(totals)
    held = [number for number, value in enumerate(totals) if value > limit] or [0, len(totals) - 1]
    return held[0], held[-1]


def _highest(density: Density, first: int, last: int) -> float:
    """The top of the axis: that of the foreground; single higher classes outside are cut."""
    outside = sorted(density.outside[first : last + 1])
    inside = max(density.inside, default=0.0)
    third = outside[-4] if len(outside) >= 12 else outside[-1]
    return 1.06 * max(inside, third) or 1.0


def _log_ticks(low: float, high: float) -> list[float]:
    """Round numbers: powers of ten over a wide range, even steps over a narrow one."""
    if high < 8 * low:
        return [tick for tick in _ticks(low, high, most=8) if tick > 0]
    steps = (1,) if high > 1000 * low else (1, 2, 5)
    found = [m * 10.0**p for p in range(-6, 13) for m in steps if low <= m * 10.0**p <= high]
    return found[:: -(-len(found) // 12) or 1]


def _ticks(low: float, high: float, *, most: int) -> list[float]:
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(m * power for m in (1, 2, 5, 10, 20) if (high - low) / (m * power) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 9) + 0.0 for number in range(first, last + 1)]


def _classes(low: float, high: float) -> list[float]:
    """Edges of classes of a round width; a single value gets one class around it."""
    if not high > low * (1 + 1e-9):
        half = 0.5 * max(abs(low) * 0.1, 1e-3)
        return [low - half, low + half]
    power = 10.0 ** math.floor(math.log10((high - low) / 15))
    step = next(m * power for m in (1, 2, 5, 10, 20) if (high - low) / (m * power) <= 15)
    first = math.floor(low / step)
    count = math.floor(high / step) - first + 1
    return [round((first + number) * step, 9) for number in range(count + 1)]


def _ceiling(value: int) -> int:
    power = 10 ** (len(str(value)) - 1)
    steps: list[int] = [m * power for m in (1, 2, 4, 6, 8, 10)]
    return next(step for step in steps if step >= value)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _number(value: float) -> str:
    return f"{value:,g}".replace("-", "−")
