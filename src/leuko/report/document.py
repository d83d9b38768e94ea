"""Everything a report says, already decided and rounded: page and PDF only lay it out."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.report.document_pieces import Measure, Notice, Picture
from leuko.report.sections import Definition, Section

__all__ = [
    "Bar",
    "Document",
    "Entry",
    "LesionRow",
    "Measure",
    "MeasureGroup",
    "Method",
    "Notice",
    "Picture",
    "Profile",
    "Reference",
    "SizeRow",
    "StepRow",
]


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """Numbers that belong under one heading."""

    title: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: `value` gives its length, `text` is written at its end."""

    name: str
    label: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class SizeRow:
    """A size class: how many lesions and how much volume."""

    name: str  # small, medium or large
    label: str
    range: str
    count: int
    count_text: str
    volume_ml: float
    volume_text: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Volume along the slice axis, rising towards `high`; `peak` is None without a lesion."""

    axis_label: str
    value_label: str
    positions: tuple[float, ...]  # mm, or slice indices where the orientation is unknown
    volumes_ml: tuple[float, ...]
    low: str  # what lies at the low end, e.g. 'inferior'; empty when unknown
    high: str
    peak: int | None
    peak_text: str
    explained: str


@dataclass(frozen=True, slots=True)
class LesionRow:
    """A row of the lesion table, as text."""

    label: str
    size_name: str
    volume: str
    size: str
    side: str
    region: str
    centre: str
    distance: str
    z: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Method:
    """A paragraph of the methods text under a heading."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """A finished step: its name, its time, its parameters and effects."""

    name: str
    seconds: str
    details: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A numbered reference and its DOI, empty where the text holds it."""

    number: int
    text: str
    doi: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the provenance."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Document:
    """A report. Texts are plain (not markup); every layout escapes them itself."""

    language: str
    title: str
    subject: str  # file name of the scan, never a path
    created: str  # from the provenance; empty when it says nothing
    version: str
    summary: tuple[str, ...]  # sentences
    care: tuple[str, ...]  # findings of severity warning or refusal, as the summary ends with them
    headline: tuple[Measure, ...]
    groups: tuple[MeasureGroup, ...]
    sides: tuple[Bar, ...]  # right, midline, left; empty when not measured
    sides_note: str
    regions: tuple[Bar, ...]
    regions_note: str
    sizes: tuple[SizeRow, ...]
    profile: Profile
    lesions: tuple[LesionRow, ...]  # the largest first
    lesions_shown: int  # how many of them are shown at once; the rest is folded
    lesions_note: str
    notices: tuple[Notice, ...]
    pictures: tuple[Picture, ...]
    methods: tuple[Method, ...]
    steps: tuple[StepRow, ...]
    references: tuple[Reference, ...]
    provenance: tuple[Entry, ...]
    research_use: str
    where: tuple[Section, ...] = ()  # what follows the first screen: where the lesions lie
    readings: tuple[Section, ...] = ()  # what is read from the numbers: rules, scales, norms
    sureness: str = "table.confidence"  # key of what the last column of the lesion table is
    definitions: tuple[Definition, ...] = ()  # of every number of the report
