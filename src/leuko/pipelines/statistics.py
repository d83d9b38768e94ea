"""stats.json: the numbers of a result with their units and definitions."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from leuko.errors import ReadError
from leuko.findings import Severity
from leuko.pipelines.json_texts import indented, schema_of
from leuko.pipelines.provenance import Provenance, Value, plain_values
from leuko.pipelines.result import Result
from leuko.pipelines.statistics_definitions import DEFINITIONS, Definition
from leuko.pipelines.statistics_norm import NormRecord, norm_record
from leuko.pipelines.statistics_regions import RegionsRecord, regions_record
from leuko.pipelines.statistics_scales import ScalesRecord, scales_record
from leuko.pipelines.template_record import (
    AtlasRecord,
    LobeRecord,
    TemplateRecord,
    atlas_records,
    lobe_records,
    template_record,
)
from leuko.quantify.burden import Burden, SizeShare, SliceBurden
from leuko.quantify.uncertainty import VolumeInterval

__all__ = [
    "Statistics",
    "decode",
    "encode",
    "schema",
    "size_classes",
    "statistics",
]


class SizeClass(Struct, frozen=True, forbid_unknown_fields=True):
    """Lesions of one size class."""

    count: int
    share: float
    volume_ml: float


class SizeClasses(Struct, frozen=True, forbid_unknown_fields=True):
    """Small: v < 10 mm3; medium: 10 <= v < 100 mm3; large: v >= 100 mm3."""

    small: SizeClass
    medium: SizeClass
    large: SizeClass


class MostAffectedSlice(Struct, frozen=True, forbid_unknown_fields=True):
    """The slice with most voxels of the mask."""

    index: int
    position_mm: float
    voxels: int
    volume_ml: float


class VolumeIntervalRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the volume that an expert would draw is expected, and how that was measured."""

    level: float
    low_ml: float
    high_ml: float
    how: str


class StepRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A step of the run: its time, its parameters and effects."""

    name: str
    seconds: float
    parameters: dict[str, Value]


class FindingRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """What was noticed about the input or the result."""

    code: str
    severity: Severity
    what: str
    hint: str


class Statistics(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers of one scan. Null: cannot be measured in this scan; no lesion is 0."""

    volume_ml: float
    volume_mm3: float
    volume_voxels: int
    volume_interval: VolumeIntervalRecord | None
    lesion_count: int
    lesion_count_6_connected: int
    size_classes: SizeClasses
    left_ml: float | None
    right_ml: float | None
    midline_ml: float | None
    white_matter_percent: float | None
    brain_percent: float | None
    icv_percent: float | None
    most_affected_slice: MostAffectedSlice | None
    slice_axis: int
    largest_lesion_mm3: float
    regions_ml: dict[str, float]
    regions: RegionsRecord | None
    white_matter_ml: float | None
    brain_ml: float | None
    ventricles_ml: float | None
    icv_ml: float | None
    scales: ScalesRecord | None
    norm: NormRecord | None
    template: TemplateRecord | None
    lobes: dict[str, LobeRecord] | None
    atlases: dict[str, AtlasRecord] | None
    findings: list[FindingRecord]
    steps: list[StepRecord]
    provenance: Provenance
    definitions: dict[str, Definition]


def statistics(result: Result) -> Statistics:
    """The content of stats.json for a result."""
    burden = result.burden
    return Statistics(
        volume_ml=burden.volume_ml,
        volume_mm3=burden.volume_mm3,
        volume_voxels=burden.volume_voxels,
        volume_interval=_interval(result.interval),
        lesion_count=burden.lesion_count,
        lesion_count_6_connected=burden.lesion_count_6_connected,
        size_classes=size_classes(burden),
        left_ml=burden.left_ml,
        right_ml=burden.right_ml,
        midline_ml=burden.midline_ml,
        white_matter_percent=burden.white_matter_percent,
        brain_percent=burden.brain_percent,
        icv_percent=burden.icv_percent,
        most_affected_slice=_slice(burden.most_affected_slice),
        slice_axis=burden.slice_axis,
        largest_lesion_mm3=burden.largest_lesion_mm3,
        regions_ml=dict(burden.region_ml),
        regions=regions_record(result.regions),
        white_matter_ml=burden.white_matter_ml,
        brain_ml=burden.brain_ml,
        ventricles_ml=burden.ventricles_ml,
        icv_ml=burden.icv_ml,
        scales=scales_record(result.scales),
        norm=norm_record(result.norm),
        template=template_record(result.template),
        lobes=lobe_records(result.lobes),
        atlases=atlas_records(result.atlases),
        findings=[FindingRecord(f.code, f.severity, f.what, f.hint) for f in result.findings],
        steps=[
            StepRecord(step.name, round(step.seconds, 4), plain_values(step.details))
            for step in result.steps
        ],
        provenance=result.provenance,
        definitions=dict(DEFINITIONS),
    )


def encode(content: Statistics) -> bytes:
    """The bytes of stats.json, indented for readers; no number is ever NaN there, but null."""
    return indented(content)


def decode(content: bytes) -> Statistics:
    """Read a stats.json of this version; anything else raises ReadError (exit 3)."""
    try:
        return msgspec.json.decode(content, type=Statistics)
    except msgspec.MsgspecError as error:
        raise ReadError(f"This is no stats.json of this version of leuko: {error}.") from error


def schema() -> bytes:
    """The JSON schema of stats.json (draft 2020-12), as packaged in stats.schema.json."""
    return schema_of(Statistics)


def size_classes(burden: Burden) -> SizeClasses:
    """The lesions of a burden by their size."""

    def record(share: SizeShare) -> SizeClass:
        return SizeClass(share.count, share.share, share.volume_ml)

    return SizeClasses(record(burden.small), record(burden.medium), record(burden.large))


def _interval(found: VolumeInterval | None) -> VolumeIntervalRecord | None:
    if found is None:
        return None
    return VolumeIntervalRecord(found.level, found.low_ml, found.high_ml, found.how)


def _slice(most: SliceBurden | None) -> MostAffectedSlice | None:
    if most is None:
        return None
    return MostAffectedSlice(most.index, most.position_mm, most.voxels, most.volume_ml)
