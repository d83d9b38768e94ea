"""atlas_NAME.tsv: a row for each region of an atlas."""

from __future__ import annotations

from leuko.pipelines.tab_texts import tab_separated
from leuko.quantify.atlas import AtlasNumbers, AtlasRegion

__all__ = ["ATLAS_COLUMNS", "atlas_tsv"]

ATLAS_COLUMNS = ("value", "region", "region_ml", "volume_ml", "lesion_count", "percent")


def atlas_tsv(numbers: AtlasNumbers) -> bytes:
    """The table; what lies in no region is the last row, with the value 0."""
    outside = (0, "outside the atlas", "n/a", f"{numbers.outside_ml:.4f}", "n/a", "n/a")
    return tab_separated([ATLAS_COLUMNS, *map(_row, numbers.regions), outside])


def _row(region: AtlasRegion) -> tuple[object, ...]:
    return (
        region.value,
        region.name,
        f"{region.region_ml:.3f}",
        f"{region.volume_ml:.4f}",
        region.lesion_count,
        "n/a" if region.percent is None else f"{region.percent:.3f}",
    )
