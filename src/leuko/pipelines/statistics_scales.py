"""The visual scales in stats.json."""

from __future__ import annotations

from msgspec import Struct

from leuko.quantify.scales import Grade, Scales

__all__ = ["GradeRecord", "ScalesRecord", "scales_record"]


class MeasuredRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A number that led to a grade."""

    value: float
    unit: str
    definition: str


class GradeRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A grade with its rule and what it was measured from; null where `why_not` says why."""

    grade: int | None
    maximum: int
    rule: str
    measured: dict[str, MeasuredRecord]
    parts: dict[str, int | None]
    why_not: str


class ScalesRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Visual scales by stated rules: estimates, not a reader's grades."""

    label: str
    why_not: str
    fazekas_periventricular: GradeRecord
    fazekas_deep: GradeRecord
    fazekas_total: GradeRecord
    by_volume: GradeRecord
    csvd_point: GradeRecord
    arwmc: GradeRecord
    scheltens_periventricular: GradeRecord
    scheltens_deep: GradeRecord
    disagree: bool


def scales_record(scales: Scales | None) -> ScalesRecord | None:
    """The record of all scales; None where none was asked for."""
    if scales is None:
        return None
    return ScalesRecord(
        label=scales.label,
        why_not=scales.why_not,
        disagree=scales.disagree,
        **{grade.name: _grade(grade) for grade in scales.grades},
    )


def _grade(grade: Grade) -> GradeRecord:
    return GradeRecord(
        grade=grade.grade,
        maximum=grade.maximum,
        rule=grade.rule,
        measured={
            one.name: MeasuredRecord(one.value, one.unit, one.what) for one in grade.measured
        },
        parts={part.name: part.grade for part in grade.parts},
        why_not=grade.why_not,
    )
