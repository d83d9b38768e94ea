"""Where the lesions lie: the schematic brain with the volume of each region and side."""

from __future__ import annotations

import math
from collections.abc import Mapping

from leuko.quantify.burden import Burden
from leuko.quantify.lesions import LesionTable, Side
from leuko.report.document import Bar
from leuko.report.drawing import Drawing
from leuko.report.evaluation_values import Chart, Section
from leuko.report.region_diagram import Zone, region_diagram
from leuko.report.wording import Wording

__all__ = ["Volumes", "places", "volumes_of"]

Volumes = Mapping[tuple[str, str], float]
"""ml by region and side ('deep', 'left')."""
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
    table: LesionTable, *, burden: Burden, sides: tuple[Bar, ...], words: Wording
) -> tuple[Section, ...]:
    """The diagram, where regions and sides are known; nothing else."""
    volumes = volumes_of(table) if burden.left_ml is not None and burden.region_ml else {}
    if not volumes:
        return ()
    return (
        Section(
            name="places",
            title=words("section.places"),
            charts=(
                Chart(
                    "",
                    diagram(volumes, total=burden.volume_ml, sides=sides, words=words),
                    note=words("places.explained"),
                    wide=True,
                ),
            ),
        ),
    )


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
