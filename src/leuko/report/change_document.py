"""Everything a report of change says, already decided and rounded: page and PDF lay it out."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.report.document import Entry, Measure, Method, Notice, Picture, Reference
from leuko.report.drawing import Drawing
from leuko.report.sections import Definition

__all__ = ["ChangeDocument", "ChangeRow", "ClassRow", "Sheetful"]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of change: how many lesions, and their volumes at both visits."""

    name: str  # new, enlarging, stable, shrinking, disappeared
    label: str
    meaning: str
    count: str
    baseline: str
    followup: str
    change: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A row of the lesion table, as text; `name` is the class that colours it."""

    number: str
    name: str
    label: str
    baseline: str
    followup: str
    change: str
    limit: str
    side: str
    region: str
    centre: str


@dataclass(frozen=True, slots=True)
class Sheetful:
    """A small table: a head and rows of text; `words` columns are texts, the others numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChangeDocument:
    """A report of change. Texts are plain (not markup); every layout escapes them itself."""

    language: str
    title: str
    subject: str
    created: str
    version: str
    summary: tuple[str, ...]
    care: tuple[str, ...]
    headline: tuple[Measure, ...]
    pictures: tuple[Picture, ...]  # key, changes (where there are any), map
    classes: tuple[ClassRow, ...]
    classes_note: str
    tables: tuple[Sheetful, ...]  # sizes now and prior, visits
    timeline: Drawing | None
    timeline_note: str
    changed: tuple[ChangeRow, ...]
    stable: tuple[ChangeRow, ...]
    lesions_note: str
    notices: tuple[Notice, ...]
    definitions: tuple[Definition, ...]
    methods: tuple[Method, ...]
    references: tuple[Reference, ...]
    provenance: tuple[Entry, ...]
    research_use: str
