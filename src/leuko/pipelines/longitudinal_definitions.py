"""What every number of a comparison of visits is, and its unit."""

from __future__ import annotations

from types import MappingProxyType

from leuko.pipelines.statistics_definitions import Definition

__all__ = ["CHANGE_DEFINITIONS"]

CHANGE_DEFINITIONS = MappingProxyType(
    {
        name: Definition(unit, text)
        for name, unit, text in (
            (
                "baseline_ml",
                "ml",
                "volume of the first visit's own mask, as `leuko segment` has it",
            ),
            ("followup_ml", "ml", "volume of the last visit's own mask, as `leuko segment` has it"),
            (
                "net_change_ml",
                "ml",
                "followup_ml less baseline_ml; each mask has its own edge of brightness, so "
                "lesion_change_ml is the more reliable number",
            ),
            (
                "net_change_percent",
                "%",
                "net_change_ml in percent of baseline_ml; null without any",
            ),
            ("net_change_ml_per_year", "ml a year", "net_change_ml by the time between the visits"),
            (
                "growth_ml",
                "ml",
                "new lesions, and voxels that lesions gained: in the follow-up's mask, further "
                "than half a voxel (of the coarser visit) from the baseline's, at least 0.35 of "
                "the lesions' contrast brighter and 0.2 likelier to be lesion; of lesions that "
                "gained more than repeated scans differ by; and new lesions that the difference of "
                "the scans shows and no mask holds; on a 1 mm grid half-way between",
            ),
            ("regression_ml", "ml", "as growth_ml, with the visits exchanged"),
            ("lesion_change_ml", "ml", "growth_ml less regression_ml"),
            (
                "lesion_change_ml_per_year",
                "ml a year",
                "lesion_change_ml by the time between the visits",
            ),
            (
                "smallest_lesion_change_ml",
                "ml",
                "1 % of the masks' mean volume, at least 0.1 ml: growth less regression of all "
                "lesions was smaller in every pair of repeated scans",
            ),
            (
                "change_is_significant",
                "",
                "whether lesion_change_ml, up or down, is beyond smallest_lesion_change_ml",
            ),
            (
                "counts",
                "lesions",
                "a lesion is what touches, or lies within 1.5 mm, over both visits. new: less than "
                "a tenth of it was there; enlarging, shrinking: growth less regression beyond "
                "smallest_change_mm3 of lesions.tsv; disappeared: less than a tenth of it is left; "
                "merged: enlarging, out of several lesions; split: shrinking into several; else "
                "stable",
            ),
            ("not_seen", "lesions", "lesions where one visit shows nothing: of no class"),
            (
                "repeatability_percent",
                "%",
                "within-subject coefficient of variation of the volume over repeated sampling of "
                "one head, as measured for this class of resolution",
            ),
            (
                "resolution",
                "",
                "thin: no voxel of either visit is longer than 2.5 mm; thick: 5.5 mm; else coarse",
            ),
            (
                "smallest_net_change_ml",
                "ml",
                "2.77 times repeatability_percent of the masks' mean volume, at least 0.1 ml: 19 "
                "of 20 pairs of repeated scans differ by less",
            ),
            (
                "net_change_is_significant",
                "",
                "whether net_change_ml, up or down, is beyond smallest_net_change_ml",
            ),
        )
    }
)
