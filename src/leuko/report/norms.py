"""The place of a volume among published norms: what is known by age, and this head's point."""

from __future__ import annotations

import math
from collections.abc import Callable

from leuko.quantify.norms import NormBand, NormPlace
from leuko.report.charts import WIDTH
from leuko.report.drawing import Dot, Drawing, Rule, Shape, Text
from leuko.report.palette import ACCENT, FAINT, INK, LINE, MUTED, SIZE
from leuko.report.sections import Chart, Section
from leuko.report.wording import Wording

__all__ = ["norm_chart", "norm_sentence", "norms"]

LEAST = 0.05  # ml: the lower end of the axis; what is smaller stands there
DECADES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


def norms(place: NormPlace | None, *, volume_ml: float, words: Wording) -> tuple[Section, ...]:
    """The section, with source and warnings; nothing where no age was given.

    `volume_ml` is that of the report: where another one was compared, both are told.
    """
    if place is None:
        return ()
    said = words.translated(place.why_not) if place.why_not else norm_sentence(place, words)
    source = words("norm.source", source=place.table.source)
    about = words.translated(place.table.about)
    warnings = " ".join(words.translated(text) for text in place.warnings)
    chart = Chart("", norm_chart(place, words=words), note=f"{source} {about}".strip(), wide=True)
    note = " ".join(
        filter(None, (said, _sized(place, volume_ml, words), words("norm.care"), warnings))
    )
    return (Section("norm", words("section.norm"), note, charts=(chart,)),)


def norm_sentence(place: NormPlace, words: Wording) -> str:
    """The range of percentiles in words; empty where there is none."""
    if place.low is None or place.high is None:
        return ""
    age, low, high = (words.numerals.general(v, 3) for v in (place.age, place.low, place.high))
    if place.low <= 0:
        return words("norm.below", age=age, high=high)
    if place.high >= 100:
        return words("norm.above", age=age, low=low)
    return words("norm.between", age=age, low=low, high=high)


def _sized(place: NormPlace, volume_ml: float, words: Wording) -> str:
    """Both volumes, where the source measures in heads of the template's size."""
    own, sized = (words.numerals.millilitres(ml) for ml in (volume_ml, place.volume_ml))
    if place.space == "native" or own == sized:
        return ""
    return words("norm.sized", own=own, sized=sized)


def norm_chart(place: NormPlace, *, words: Wording) -> Drawing:
    """Published volumes by age as steps on a logarithmic axis, and the point of this head."""
    height, left, bottom, top, right = 170.0, 40.0, 30.0, 150.0, WIDTH - 78
    table = place.table
    known = [ml for band in table.bands for _, ml in band.cuts]
    most = max([*known, place.volume_ml, 3.0]) * 1.6
    first = min(table.from_age, place.age) - 2
    last = max(table.to_age, place.age) + 2

    def across(age: float) -> float:
        return left + (right - left) * (age - first) / (last - first)

    def up(ml: float) -> float:
        share = math.log(max(ml, LEAST) / LEAST) / math.log(most / LEAST)
        return bottom + (top - bottom) * share

    shapes: list[Shape] = [Text(0, height - 8, words("norm.value"), 7.4, MUTED)]
    for ml in DECADES:
        if LEAST < ml < most:
            shapes.append(Rule(left, up(ml), right, up(ml), LINE, 0.6))
            text = words.numerals.general(ml, 4)
            shapes.append(Text(left - 5, up(ml) - 2.6, text, 7, MUTED, "end"))
    shapes.append(Rule(left, bottom, right, bottom, FAINT, 0.6))
    for age in range(10 * math.ceil(first / 10), math.floor(last) + 1, 10):
        shapes.append(Rule(across(age), bottom, across(age), bottom - 3, FAINT, 0.6))
        shapes.append(Text(across(age), bottom - 11, str(age), 7, MUTED, "middle"))
    for band in table.bands:
        shapes += _steps(band, across(band.from_age), across(band.to_age), up, words)
    x, y = across(place.age), up(place.volume_ml)
    shapes.append(Rule(x, bottom, x, y, SIZE["large"], 0.7))
    shapes.append(Dot(x, y, 4.2, SIZE["large"]))
    text = f"{words.numerals.millilitres(place.volume_ml)} {words('unit.ml')}"
    beyond = x > 0.75 * right
    shapes.append(
        Text(x + (-8 if beyond else 8), y + 3, text, 8, INK, "end" if beyond else "start", True)
    )
    shapes.append(Text((left + right) / 2, 4, words("norm.axis"), 7.4, MUTED, "middle"))
    return Drawing(WIDTH, height, tuple(shapes))


def _steps(
    band: NormBand, start: float, end: float, up: Callable[[float], float], words: Wording
) -> list[Shape]:
    """A line for every published percentile of a band, its name behind it."""
    shapes: list[Shape] = []
    for percentile, ml in band.cuts:
        name = words("norm.median") if percentile == 50 else f"P{percentile:g}"
        if band.sex:
            name = f"{name}, {words(f'norm.{band.sex}')}"
        shapes.append(Rule(start, up(ml), end, up(ml), ACCENT, 2.2))
        shapes.append(Text(end + 4, up(ml) - 2.6, name, 7, ACCENT))
    return shapes
