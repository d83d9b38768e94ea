"""The place among norms, where an age was given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from leuko.pipelines.config import SegmentConfig
from leuko.quantify.norms import DE_KORT, Sex, place_among_norms

if TYPE_CHECKING:
    from leuko.pipelines.result import Result

__all__ = ["require_norms", "with_norm"]


def require_norms(config: SegmentConfig) -> None:
    """Read the table that a config names, before anything else is done; UsageError (exit 2)."""
    if config.norms is not None:
        from leuko.pipelines.norm_table import read_norms

        read_norms(Path(config.norms))


def with_norm(
    result: Result,
    *,
    config: SegmentConfig,
    age: float | None = None,
    sex: Sex | None = None,
) -> Result:
    """The result with the place of its volume among people of that age.

    Age and sex are the config's, or else `age` and `sex`, which a DICOM file tells where the
    config asks it.
    """
    years = config.age if isinstance(config.age, int | float) else age
    if years is None:
        return result
    table = DE_KORT
    if config.norms is not None:
        from leuko.pipelines.norm_table import read_norms

        table = read_norms(Path(config.norms))
    place = place_among_norms(
        result.burden.volume_ml,
        age=float(years),
        sex=config.sex or sex,
        table=table,
        mni_volume_ml=result.template.volume_ml if result.template else None,
        vascular=config.definition == "vascular",
    )
    return replace(result, norm=place)
