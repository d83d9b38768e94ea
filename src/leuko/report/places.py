"""Where the lesions lie: the schematic brain with the volume of each region and side."""

from __future__ import annotations

import math
from collections.abc import Mapping

from leuko.quantify.burden import Burden
from leuko.quantify.lesions import LesionTable, Side
from leuko.quantify.regions import RegionNumbers, SidedAmount
from leuko.report.document import Bar
from leuko.report.drawing import Drawing
from leuko.report.region_diagram import Zone, region_diagram
from leuko.report.sections import Chart, Section
from leuko.report.wording import Wording

__all__ = ["Volumes", "places", "volumes_of"]

Volumes = Mapping[tuple[str, str], float]
"""ml by region and side ('deep', 'left')."""
RULE, CORTEX_RULE = "cluster_2mm", "cortex_3mm"  # the rule of Lesion.region, and the wider one
REGIONS = ("deep", "periventricular", "infratentorial")


def volumes_of(table: LesionTable) -> Volumes:
    """Millilitres of each region and side, a lesion counted as a whole; empty without sides."""
    volumes = {(region, side): 0.0 for region in REGIONS for side in ("right", "left", "midline")}
    for lesion in table:
        place = (lesion.region, lesion.side.value)
        if lesion.side is Side.UNKNOWN or place not in volumes:
            return {}
        volumes[place] += lesion.volume_mm3 / 1000
    return volumes


def places(
    table: LesionTable,
    *,
    burden: Burden,
    sides: tuple[Bar, ...],
    words: Wording,
    regions: RegionNumbers | None = None,
    definition: str | None = None,
) -> tuple[Section, ...]:
    """The diagram, where regions and sides are known; nothing else.

    With `regions` volumes go by voxel to either side; of the definition 'ms' the diagram shows the
    regions of the McDonald criteria.
    """
    known = burden.left_ml is not None and bool(burden.region_ml) and bool(table)
    volumes = (
        {} if not known else volumes_of(table) if regions is None else _sided(regions, definition)
    )
    if not volumes:
        return ()
    note = words("places.explained")
    if regions is not None and definition != "ms":
        note = f"{note} {_juxtacortical(regions, words)}".strip()
    return (
        Section(
            name="places",
            title=words("section.places"),
            charts=(
                Chart(
                    "",
                    diagram(volumes, total=burden.volume_ml, sides=sides, words=words),
                    note=note,
                    wide=True,
                ),
            ),
        ),
    )


def _sided(regions: RegionNumbers, definition: str | None) -> Volumes:
    """Millilitres by region and side; empty where the ventricles or the sides are not known."""
    amounts: dict[str, SidedAmount | None] = {}
    if definition == "ms":
        amounts = {
            {"deep_white": "deep"}.get(one.region, one.region): one.amount
            for one in regions.ms_regions
        }
        if "unknown" in amounts:
            return {}
    else:
        rule = regions.rule(RULE)
        amounts = {"deep": rule.deep, "periventricular": rule.periventricular}
        amounts["infratentorial"] = regions.infratentorial
    volumes = {}
    for region, amount in amounts.items():
        if amount is None or amount.left is None or amount.right is None:
            return {}
        volumes[region, "right"] = amount.right.volume_ml
        volumes[region, "left"] = amount.left.volume_ml
        volumes[region, "midline"] = amount.midline.volume_ml if amount.midline else 0.0
    return volumes


def _juxtacortical(regions: RegionNumbers, words: Wording) -> str:
    """How much of it lies under the cortex, in a sentence."""
    near = next((one for one in regions.juxtacortical if one.name == CORTEX_RULE), None)
    if near is None or near.juxtacortical is None:
        return ""
    total = near.juxtacortical.total
    volume = words.numerals.millilitres(total.volume_ml)
    return words("places.juxtacortical", volume=volume, count=words.numerals.count(total.lesions))


def diagram(volumes: Volumes, *, total: float, sides: tuple[Bar, ...], words: Wording) -> Drawing:
    """The drawing; `sides` gives what stands above either half."""
    regions = tuple(dict.fromkeys(region for region, _ in volumes))
    zones = []
    for region in regions:
        for side in ("right", "left"):
            ml = volumes.get((region, side), 0.0)
            share = ml / total if total > 0 else 0.0
            percent = words.numerals.percent(100 * share)
            text = f"{words.numerals.millilitres(ml)} {words('unit.ml')} ({percent} %)"
            zones.append(Zone(region, side, words(f"region.{region}"), text, share))
    middle = math.fsum(ml for (_, side), ml in volumes.items() if side == "midline")
    heads = {bar.name: (bar.label, bar.text) for bar in sides if bar.name != "midline"}
    below = ""
    if middle > 0:
        volume = words.numerals.millilitres(middle)
        below = words("places.midline", volume=volume)
    return region_diagram(zones, heads=heads, middle=below)
