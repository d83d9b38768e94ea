"""The charts of a cohort: volumes on a logarithmic axis, by age and by group; no lesion is a 0."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from leuko.report.axes import shortened
from leuko.report.charts import HALF, WIDTH
from leuko.report.drawing import Bar, Dot, Drawing, Rule, Shape, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SIZE

__all__ = ["COLOURS", "Scan", "ages_chart", "groups_chart", "volumes_chart"]

SMALL = 7.0
PER_DECADE = 5  # bars of the histogram
LEAST = 0.01  # ml; smaller volumes are drawn here
MOST_TITLES = 600  # dots that say their names; more would make the page slow
COLOURS = (ACCENT, SIZE["large"], SIZE["medium"], SIZE["small"], "#6a4c93", "#4f772d")
STRIKING = SIZE["large"]


@dataclass(frozen=True, slots=True)
class Scan:
    """A dot: its name, its volume in ml, and what is known of the person."""

    name: str
    ml: float
    age: float | None = None
    group: str = ""
    striking: bool = False


@dataclass(frozen=True, slots=True)
class _Axis:
    """Volumes from `low` to `high` (powers of ten) on points of the page; 0 has its own place."""

    low: int
    high: int
    start: float
    end: float
    zero: float | None

    def at(self, ml: float) -> float:
        """Where a volume lies."""
        if ml <= 0 and self.zero is not None:
            return self.zero
        place = (math.log10(max(ml, LEAST)) - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * place

    def ticks(self) -> list[tuple[float, str]]:
        """Powers of ten, and 0."""
        powers = range(self.low, self.high + 1)
        found = [(self.at(10.0**power), f"{10.0**power:g}") for power in powers]
        return found if self.zero is None else [(self.zero, "0"), *found]


def volumes_chart(scans: Sequence[Scan], *, axis: str, counts: str) -> Drawing:
    """How many scans have which volume, in bars of a fifth of a decade; those without lesion: 0."""
    height, left, bottom, top = 150.0, 26.0, 30.0, 132.0
    along = _axis([scan.ml for scan in scans], left, HALF - 14, gap=18.0)
    bars = Counter(
        None if scan.ml <= 0 else math.floor(PER_DECADE * math.log10(max(scan.ml, LEAST)) + 1e-9)
        for scan in scans
    )
    highest = _ceiling(max(bars.values()))
    shapes: list[Shape] = [Text(0, height - 8, counts, 7.4, MUTED)]
    for value in sorted({0, highest // 2, highest}):
        y = bottom + (top - bottom) * value / highest
        shapes.append(Rule(left, y, HALF - 4, y, LINE, 0.6))
        shapes.append(Text(left - 5, y - 2.6, f"{value:,}", SMALL, MUTED, "end"))
    step = (along.end - along.start) / (PER_DECADE * (along.high - along.low))
    for place, count in bars.items():
        if place is None:
            assert along.zero is not None
            x, colour = along.zero - step / 2, FAINT
        else:
            x, colour = along.start + step * (place - PER_DECADE * along.low), ACCENT
        tall = max((top - bottom) * count / highest, 0.8)
        shapes.append(Bar(x + 0.4, bottom, step - 0.8, tall, colour))
    for x, text in along.ticks():
        shapes.append(Rule(x, bottom, x, bottom - 3, FAINT, 0.6))
        shapes.append(Text(x, bottom - 11, text, SMALL, MUTED, "middle"))
    shapes.append(Text((left + HALF) / 2, 4, axis, 7.4, MUTED, "middle"))
    return Drawing(HALF, height, tuple(shapes))


def ages_chart(
    scans: Sequence[Scan], *, axis: str, volumes: str, groups: Sequence[str] = ()
) -> Drawing:
    """A dot for each scan of a known age; `groups` get a colour each, with a key above."""
    height, left, bottom = 150.0, 30.0, 30.0
    top = 132.0 if not groups else 122.0
    known = [(scan, scan.age) for scan in scans if scan.age is not None]
    up = _axis([scan.ml for scan, _ in known], bottom, top, gap=10.0)
    ages = [age for _, age in known]
    first = 10 * math.floor(min(ages) / 10)
    last = max(10 * math.ceil(max(ages) / 10), first + 10)

    def across(age: float) -> float:
        return left + 4 + (HALF - 10 - left) * (age - first) / (last - first)

    shapes: list[Shape] = [Text(0, height - 8, volumes, 7.4, MUTED)]
    for y, text in up.ticks():
        shapes.append(Rule(left, y, HALF - 4, y, LINE, 0.6))
        shapes.append(Text(left - 5, y - 2.6, text, SMALL, MUTED, "end"))
    step = 10 if last - first <= 80 else 20
    shapes += [
        Text(across(age), bottom - 14, f"{age}", SMALL, MUTED, "middle")
        for age in range(first, last + 1, step)
    ]
    radius = 2.2 if len(known) <= 200 else 1.4
    for scan, age in known:
        colour = COLOURS[groups.index(scan.group)] if scan.group in groups else ACCENT
        title = scan.name if len(known) <= MOST_TITLES else ""
        shapes.append(Dot(across(age), up.at(scan.ml), radius, colour, title))
    shapes.append(Text((left + HALF) / 2, 4, axis, 7.4, MUTED, "middle"))
    place = 56.0
    for number, name in enumerate(groups):
        shapes.append(Dot(place, height - 5.6, 2.2, COLOURS[number]))
        shapes.append(Text(place + 4, height - 8, shortened(name, 14), 6.4, INK))
        place += 12 + 3.3 * min(len(name), 14)
    return Drawing(HALF, height, tuple(shapes))


def groups_chart(scans: Sequence[Scan], *, groups: Sequence[str], axis: str) -> Drawing:
    """A row for each group: a dot a scan, a box from quartile to quartile, the median."""
    row, left, bottom = 28.0, 112.0, 30.0
    height = bottom + row * len(groups) + 4
    along = _axis([scan.ml for scan in scans], left, WIDTH - 14, gap=22.0)
    shapes: list[Shape] = [Text((left + WIDTH) / 2, 4, axis, 7.4, MUTED, "middle")]
    for x, text in along.ticks():
        shapes.append(Rule(x, bottom - 2, x, height - 4, LINE, 0.6))
        shapes.append(Text(x, bottom - 11, text, SMALL, MUTED, "middle"))
    titled = len(scans) <= MOST_TITLES
    for number, group in enumerate(groups):
        middle = height - 4 - row * (number + 0.5)
        held = [scan for scan in scans if scan.group == group]
        shapes.append(Text(0, middle - 2.6, shortened(group, 22), 8.0, INK))
        shapes.append(Text(left - 10, middle - 2.6, f"{len(held):,}", SMALL, MUTED, "end"))
        shapes += _row(held, middle, along.at, titled=titled)
    return Drawing(WIDTH, height, tuple(shapes))


def _row(
    scans: Sequence[Scan], middle: float, across: Callable[[float], float], *, titled: bool
) -> list[Shape]:
    shapes: list[Shape] = []
    marks: list[Shape] = []
    if len(scans) >= 4:
        volumes = np.percentile([scan.ml for scan in scans], [25, 50, 75])
        low, centre, high = (across(float(ml)) for ml in volumes)
        shapes.append(Bar(low, middle - 9, max(high - low, 1.0), 18, "#dbe7ec"))
        marks = [Rule(x, middle - 9, x, middle + 9, INK, 0.7) for x in (low, high)]
        marks.append(Rule(centre, middle - 9, centre, middle + 9, INK, 1.8))
    radius = 1.8 if len(scans) <= 100 else 1.2
    for number, scan in enumerate(scans):
        away = ((number * 7) % 5 - 2) * 2.6  # spread up and down, the same way every time
        colour = STRIKING if scan.striking else ACCENT
        title = scan.name if titled or scan.striking else ""
        shapes.append(Dot(across(scan.ml), middle + away, radius, colour, title))
    return [*shapes, *marks]


def _axis(volumes: Sequence[float], start: float, end: float, *, gap: float) -> _Axis:
    """Powers of ten around the volumes; a place before them for 0 where there is one."""
    positive = [max(value, LEAST) for value in volumes if value > 0] or [1.0]
    low = math.floor(math.log10(min(positive)) + 1e-9)
    high = math.floor(math.log10(max(positive)) + 1e-9) + 1
    low = min(low, high - 2)
    if any(value <= 0 for value in volumes):
        return _Axis(low, high, start + gap, end, start + gap / 2 - 3)
    return _Axis(low, high, start, end, None)


def _ceiling(value: int) -> int:
    power = int(10 ** (len(str(value)) - 1))
    tenths = (10, 12, 16, 20, 30, 40, 50, 60, 80, 100)  # a whole number, and often its half
    steps = [m * power // 10 for m in tenths if m * power % 10 == 0]
    return next(step for step in steps if step >= value)
