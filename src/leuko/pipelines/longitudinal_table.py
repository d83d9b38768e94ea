"""lesions.tsv of a comparison of visits: a row for each lesion."""

from __future__ import annotations

from leuko.change.lesions import ChangedLesion
from leuko.pipelines.longitudinal_result import Change
from leuko.pipelines.tab_texts import tab_separated

__all__ = ["changes_tsv"]

TSV_COLUMNS = (
    "lesion",
    "class",
    "baseline_labels",
    "followup_labels",
    "baseline_mm3",
    "followup_mm3",
    "baseline_mask_mm3",
    "followup_mask_mm3",
    "growth_mm3",
    "regression_mm3",
    "smallest_change_mm3",
    "brightness_change",
    "x_mm",
    "y_mm",
    "z_mm",
    "side",
    "region",
)


def changes_tsv(change: Change) -> bytes:
    """A row for each lesion over both visits, the largest first; what is not there is `n/a`."""
    return tab_separated([TSV_COLUMNS, *map(_row, change.lesions)])


def _row(lesion: ChangedLesion) -> tuple[object, ...]:
    volumes = (
        lesion.baseline_mm3,
        lesion.followup_mm3,
        lesion.baseline_mask_mm3,
        lesion.followup_mask_mm3,
        lesion.growth_mm3,
        lesion.regression_mm3,
        lesion.limit_mm3,
    )
    return (
        lesion.number,
        lesion.kind.value,
        _labels(lesion.baseline_labels),
        _labels(lesion.followup_labels),
        *(f"{value:.1f}" for value in volumes),
        f"{lesion.brightness_change:.2f}",
        *(f"{value + 0.0:.1f}" for value in lesion.centre_mm),
        lesion.side,
        lesion.region,
    )


def _labels(labels: tuple[int, ...]) -> str:
    return ",".join(str(label) for label in labels) or "n/a"
