"""atlas_NAME.tsv: a row for each region of an atlas."""

from __future__ import annotations

import csv
import io

from leuko.quantify.atlas import AtlasNumbers

__all__ = ["ATLAS_COLUMNS", "atlas_tsv"]

ATLAS_COLUMNS = ("value", "region", "region_ml", "volume_ml", "lesion_count", "percent")


def atlas_tsv(numbers: AtlasNumbers) -> bytes:
    """The table; what lies in no region is the last row, with the value 0."""
    lines = io.StringIO()
    rows = csv.writer(lines, dialect="excel-tab", lineterminator="\n")
    rows.writerow(ATLAS_COLUMNS)
    for region in numbers.regions:
        share = "n/a" if region.percent is None else f"{region.percent:.3f}"
        rows.writerow(
            [
                region.value,
                region.name,
                f"{region.region_ml:.3f}",
                f"{region.volume_ml:.4f}",
                region.lesion_count,
                share,
            ]
        )
    rows.writerow([0, "outside the atlas", "n/a", f"{numbers.outside_ml:.4f}", "n/a", "n/a"])
    return lines.getvalue().encode()
