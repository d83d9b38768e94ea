"""Which charts a page of a data set shows, from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from leuko.exploration.densities import Densities
from leuko.exploration.facts import PERCENTS, Case
from leuko.exploration.outliers_labels import RARE, VOLUME_FLOOR
from leuko.exploration.robust import FEWEST, LIMIT, robust_z
from leuko.pipelines.explore import Exploration
from leuko.report.exploration_charts import (
    Density,
    Point,
    Strip,
    density_chart,
    histogram_chart,
    ranges_chart,
    strips_chart,
)
from leuko.report.sections import Plot

__all__ = ["MOST_CLASSES", "plots_of", "volume_unit"]

MOST_CLASSES = 12
BODY = ("left to right", "back to front", "foot to head")
SCALES = {
    "hounsfield": "Hounsfield units",
    "grey": "grey levels",
    "arbitrary": "z-scores",
}


def plots_of(found: Exploration) -> tuple[Plot, ...]:
    """Volumes of classes, values of voxels, ranges of values, spacings and extents."""
    return (*_volumes(found), *_values(found), *_ranges(found), *_grids(found))


def volume_unit(found: Exploration) -> tuple[str, float]:
    """The unit of all volumes of a data set, and how many mm3 (or pixels) it has."""
    if not found.overview.sized:
        return "pixels", 1.0
    middle = sorted(row.mm3.median for row in found.overview.classes) or [0.0]
    return ("ml", 1000.0) if middle[len(middle) // 2] >= 500 else ("mm³", 1.0)


def _volumes(found: Exploration) -> Iterator[Plot]:
    shown = sorted(found.overview.classes, key=lambda row: -row.share)[:MOST_CLASSES]
    if not shown or found.overview.readable < 2:
        return
    unit, size = volume_unit(found)
    strips = []
    for row in sorted(shown, key=lambda row: row.value):
        held = [
            (case.name, part.mm3, number)
            for number, case in enumerate(_readable(found))
            if case.facts is not None
            and case.facts.label is not None
            and (part := case.facts.label.of(row.value)) is not None
        ]
        scores = robust_z([math.log(mm3) for _, mm3, _ in held], floor=VOLUME_FLOOR)
        far = np.abs(scores) > LIMIT
        if np.count_nonzero(far) > RARE * len(held):
            far[:] = False  # no exceptions, as in the list of cases
        points = [
            Point(name, mm3 / size, bool(unusual), number)
            for (name, mm3, number), unusual in zip(held, far, strict=True)
        ]
        strips.append(Strip(row.name, tuple(points)))
    count = len(found.overview.classes)
    of = f" The {len(shown)} largest of {count} classes." if count > len(shown) else ""
    what = "Area" if unit == "pixels" else "Volume"
    box = "; the bar reaches from the lower to the upper quartile, the line is the median"
    yield Plot(
        f"{what} of each class",
        strips_chart(strips, unit=f"{unit}, logarithmic"),
        f"A dot is a case{box if found.overview.readable >= FEWEST else ''}. Empty masks are not "
        f"shown.{of}",
        size="wide",
    )


def _values(found: Exploration) -> Iterator[Plot]:
    several = len(found.survey.densities) > 1
    for part in found.survey.densities:
        if not part.cases_outside:
            continue
        channel = f", channel {part.channel + 1}" if several else ""
        meaning = (
            " z = (value − mean) / standard deviation, over the voxels of the same image that are "
            "not 0."
            if part.scale == "arbitrary"
            else ""
        )
        yield Plot(
            f"Values of voxels in {SCALES[part.scale]}{channel}",
            density_chart(_density(part), wide=not several),
            f"Each area is 1; every case weighs the same ({part.cases_outside} "
            f"{'case' if part.cases_outside == 1 else 'cases'}, "
            f"{part.cases_inside} with foreground).{meaning}",
            size="half" if several else "wide",
        )


def _density(part: Densities) -> Density:
    return Density(
        low=part.low,
        high=part.high,
        inside=tuple(value / max(part.cases_inside, 1) for value in part.inside)
        if part.cases_inside
        else (),
        outside=tuple(value / part.cases_outside for value in part.outside),
        unit=part.unit,
    )


def _ranges(found: Exploration) -> Iterator[Plot]:
    ranges = [
        (case.name, cuts[0], cuts[PERCENTS.index(50.0)], cuts[-1])
        for case in _readable(found)
        if case.facts is not None and (cuts := case.facts.channels[0].percentiles)
    ]
    if len(ranges) < FEWEST:
        return
    spans = [high - low for _, low, _, high in ranges if high > low]
    logarithmic = bool(spans) and max(spans) > 100 * min(spans)
    logarithmic = logarithmic and min(low for _, low, _, _ in ranges) >= 0
    scale = ", logarithmic" if logarithmic else ""
    hounsfield = set(found.overview.scales) == {"hounsfield"}
    yield Plot(
        "Range of values, case by case",
        ranges_chart(
            ranges,
            unit=f"{'HU' if hounsfield else 'stored value'}{scale}",
            logarithmic=logarithmic,
        ),
        "The grey line reaches from the 0.5th to the 99.5th percentile of a case's voxels, the "
        "mark is its median." + (" First channel." if found.overview.channels > 1 else ""),
        size="wide",
    )


def _grids(found: Exploration) -> Iterator[Plot]:
    """Only what differs: a histogram of equal numbers says nothing."""
    facts = [case.facts for case in _readable(found) if case.facts is not None]
    if len(facts) < FEWEST:
        return
    sized = [item for item in facts if item.sized]
    for axis, name in enumerate(BODY):
        spacings = [item.body_spacing[axis] for item in sized]
        if len(set(spacings)) > 1:
            yield Plot(f"Voxel spacing, {name}", histogram_chart(spacings, unit="mm"), size="third")
    for axis, name in enumerate(BODY):
        lengths = [float(item.body_shape[axis]) for item in facts]
        if len(set(lengths)) > 1:
            yield Plot(f"Voxels, {name}", histogram_chart(lengths, unit="voxels"), size="third")


def _readable(found: Exploration) -> list[Case]:
    return [case for case in found.survey.cases if case.facts is not None]
