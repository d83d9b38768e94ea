"""What every number of the report means, in a list."""

from __future__ import annotations

from leuko.quantify.uncertainty import VolumeInterval
from leuko.report.readings import Readings
from leuko.report.sections import Definition
from leuko.report.wording import Wording

__all__ = ["definitions"]

ALWAYS = ("volume", "lesion", "classes", "shares", "sides", "regions", "slice", "columns")


def definitions(
    *, interval: VolumeInterval | None, known: Readings, words: Wording
) -> tuple[Definition, ...]:
    """Names and definitions of what the report shows, in its order."""
    asked = (
        *ALWAYS[:1],
        *(("interval",) if interval else ()),
        *ALWAYS[1:],
        *(("distance",) if known.regions else ()),
        *(("scale",) if known.scales and not known.scales.why_not else ()),
        *(("lobes",) if known.lobes else ()),
    )
    how = words.translated(interval.how) if interval else ""
    level = words.numerals.general(100 * interval.level, 3) if interval else ""
    ms = known.definition == "ms" and known.regions is not None
    return tuple(
        Definition(words(f"means.{name}"), words(f"means.{name}.text", how=how, level=level))
        for name in (f"{name}.ms" if ms and name == "regions" else name for name in asked)
    )
