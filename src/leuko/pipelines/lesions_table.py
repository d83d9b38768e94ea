"""lesions.tsv: a row for each lesion."""

from __future__ import annotations

from leuko.pipelines.tab_texts import tab_separated
from leuko.quantify.lesions import Lesion, LesionTable

__all__ = ["lesions_tsv"]

LESION_COLUMNS = (
    "label",
    "volume_mm3",
    "voxels",
    "size_class",
    "x_mm",
    "y_mm",
    "z_mm",
    "region",
    "side",
    "distance_to_ventricles_mm",
    "mean_z",
    "confidence",
    "ms_region",
    "distance_to_cortex_mm",
    "confluency",
    "mean_probability",
    "peak_probability",
)


def lesions_tsv(table: LesionTable) -> bytes:
    """A row for each lesion, the largest first; what is not known is `n/a`."""
    return tab_separated([LESION_COLUMNS, *map(_row, table)])


def _row(lesion: Lesion) -> tuple[object, ...]:
    return (
        lesion.label,
        _number(lesion.volume_mm3),
        lesion.voxels,
        lesion.size_class,
        *(_number(value) for value in lesion.centre_mm),
        lesion.region,
        lesion.side,
        _number(lesion.distance_to_ventricles_mm),
        _number(lesion.mean_z),
        _number(lesion.confidence),
        "n/a" if lesion.ms_region == "unknown" else lesion.ms_region,
        _number(lesion.distance_to_cortex_mm),
        _number(lesion.confluency),
        _number(lesion.mean_probability),
        _number(lesion.peak_probability),
    )


def _number(value: float | None) -> str:
    return (
        "n/a"
        if value is None
        else f"{round(value, 3) + 0.0:g}"
        if abs(value) < 1e5
        else f"{value:.1f}"
    )
