"""stats.json of a comparison of visits."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from leuko.change.classes import ChangeClass
from leuko.pipelines.json_texts import indented, schema_of
from leuko.pipelines.longitudinal_definitions import CHANGE_DEFINITIONS
from leuko.pipelines.longitudinal_result import (
    DAYS_PER_YEAR,
    Change,
    Followed,
    Longitudinal,
)
from leuko.pipelines.provenance import Value, plain_values, program_version
from leuko.pipelines.statistics import FindingRecord, SizeClasses, StepRecord, size_classes
from leuko.pipelines.statistics_definitions import Definition

__all__ = [
    "ChangeStatistics",
    "change_schema",
    "change_statistics",
    "encode_change",
]

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Matrix = list[list[float]]


class ChangeCounts(Struct, frozen=True, forbid_unknown_fields=True):
    """Lesions of each class; a lesion is counted once."""

    new: int
    enlarging: int
    stable: int
    shrinking: int
    disappeared: int
    merged: int
    split: int


class VisitRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A visit by its own result, whose numbers are all in the stats.json of its folder."""

    folder: str
    date: str | None
    """Day of the scan, where it is known: YYYY-MM-DD."""
    years: float | None
    """Time since the baseline."""
    volume_ml: float
    lesion_count: int
    size_classes: SizeClasses
    voxel_mm: list[float]
    """Length of a voxel along each axis of the file."""
    input_name: str
    input_sha256: Sha256 | None


class RegistrationRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """How two visits lie to each other, and how sure that is."""

    baseline_to_followup: Matrix
    """4x4, RAS mm: places of the baseline to places of the follow-up."""
    angle_degrees: float
    agreement: float | None
    """Share of small blocks of one brain that are found within 3 mm of their place in the other."""
    overlap: float
    inconsistency_mm: float | None


class StepChange(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What changed between two visits."""

    baseline: str
    """The earlier visit, by its folder."""
    followup: str
    years: float | None
    baseline_ml: float
    followup_ml: float
    net_change_ml: float
    net_change_percent: float | None
    net_change_ml_per_year: float | None
    repeatability_percent: float
    smallest_net_change_ml: float
    net_change_is_significant: bool
    growth_ml: float
    regression_ml: float
    lesion_change_ml: float
    lesion_change_ml_per_year: float | None
    smallest_lesion_change_ml: float
    change_is_significant: bool
    """Of the lesion change."""
    counts: ChangeCounts
    not_seen: int
    registration: RegistrationRecord


class ChangeProvenance(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Program, weights and parameters of a comparison; the visits are in `visits`."""

    program: Literal["leuko"] = "leuko"
    version: str
    weights_name: str | None
    weights_version: str | None
    weights_sha256: Sha256 | None
    engine: str | None
    precision: str | None
    time: str
    """When the run began, UTC, ISO 8601."""
    parameters: dict[str, Value]


class ChangeStatistics(StepChange, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From the first visit to the last; the steps between are in `steps_between`.

    Null: not known, or not to be measured. No lesion is 0.
    """

    visits: list[VisitRecord]
    since_baseline: list[StepChange]
    """Of more than two visits: each against the first."""
    since_previous: list[StepChange]
    """Of more than two visits: each against the one before it."""
    resolution: Literal["thin", "thick", "coarse"]
    findings: list[FindingRecord]
    steps: list[StepRecord]
    provenance: ChangeProvenance
    definitions: dict[str, Definition]


def change_statistics(result: Longitudinal) -> ChangeStatistics:
    """The content of stats.json of a comparison."""
    several = len(result.visits) > 2
    first = result.visits[0]
    provenance = first.result.provenance
    return ChangeStatistics(
        **msgspec.structs.asdict(_step(result.change)),
        visits=[_visit(visit, first) for visit in result.visits],
        since_baseline=[_step(step) for step in result.since_first] if several else [],
        since_previous=[_step(step) for step in result.steps] if several else [],
        resolution=result.change.comparison.repeatability.resolution.value,
        findings=[FindingRecord(f.code, f.severity, f.what, f.hint) for f in result.findings],
        steps=[
            StepRecord(step.name, round(step.seconds, 4), plain_values(step.details))
            for step in result.journal
        ],
        provenance=ChangeProvenance(
            version=program_version(),
            weights_name=provenance.weights_name,
            weights_version=provenance.weights_version,
            weights_sha256=provenance.weights_sha256,
            engine=provenance.engine,
            precision=provenance.precision,
            time=result.time,
            parameters=plain_values(result.parameters),
        ),
        definitions=dict(CHANGE_DEFINITIONS),
    )


def encode_change(content: ChangeStatistics) -> bytes:
    """The bytes of stats.json, indented for readers."""
    return indented(content)


def change_schema() -> bytes:
    """The JSON schema (draft 2020-12), as packaged in longitudinal.schema.json."""
    return schema_of(ChangeStatistics)


def _step(change: Change) -> StepChange:
    net, years = change.net_change_ml, change.years
    counts, quality = change.counts, change.comparison.space.quality
    transform = change.comparison.space.transform
    return StepChange(
        baseline=change.baseline.name,
        followup=change.followup.name,
        years=None if years is None else round(years, 3),
        baseline_ml=change.baseline_ml,
        followup_ml=change.followup_ml,
        net_change_ml=net,
        net_change_percent=100 * net / change.baseline_ml if change.baseline_ml else None,
        net_change_ml_per_year=None if years is None else net / years,
        repeatability_percent=change.comparison.repeatability.percent,
        smallest_net_change_ml=change.smallest_net_change_ml,
        net_change_is_significant=change.net_change_is_significant,
        growth_ml=change.growth_ml,
        regression_ml=change.regression_ml,
        lesion_change_ml=change.lesion_change_ml,
        lesion_change_ml_per_year=None if years is None else change.lesion_change_ml / years,
        smallest_lesion_change_ml=change.smallest_lesion_change_ml,
        change_is_significant=change.is_significant,
        counts=ChangeCounts(
            **{kind.value: n for kind, n in counts.items() if kind is not ChangeClass.NOT_SEEN}
        ),
        not_seen=counts[ChangeClass.NOT_SEEN],
        registration=RegistrationRecord(
            baseline_to_followup=transform.matrix.tolist(),
            angle_degrees=transform.angle_degrees,
            agreement=quality.agreement,
            overlap=float(quality.overlap),
            inconsistency_mm=quality.inconsistency_mm,
        ),
    )


def _visit(visit: Followed, first: Followed) -> VisitRecord:
    burden, provenance = visit.result.burden, visit.result.provenance
    return VisitRecord(
        folder=visit.name,
        date=None if visit.day is None else visit.day.isoformat(),
        years=_years(first, visit),
        volume_ml=burden.volume_ml,
        lesion_count=burden.lesion_count,
        size_classes=size_classes(burden),
        voxel_mm=list(visit.image.grid.spacing),
        input_name=provenance.input_name,
        input_sha256=provenance.input_sha256,
    )


def _years(first: Followed, visit: Followed) -> float | None:
    if first.day is None or visit.day is None:
        return None
    return round((visit.day - first.day).days / DAYS_PER_YEAR, 3)
