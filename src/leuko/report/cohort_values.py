"""What the page of a cohort says: texts, tables, charts and pictures, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.report.document import Entry, Measure, Picture
from leuko.report.sections import Definition, Plot, Table

__all__ = [
    "CohortPage",
    "Failure",
    "Striking",
    "Tally",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason, what to do about it, its exit code and the cases that failed for it."""

    reason: str
    hint: str
    exit_code: int
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Striking:
    """A case to look at, why, where its report is, and its picture where there is room for it."""

    case: str
    why: tuple[str, ...]
    grave: bool
    link: str
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """A finding, in how many cases it was made, and the first of them."""

    severity: str
    severity_label: str
    code: str
    what: str
    count: str
    cases: str


@dataclass(frozen=True, slots=True)
class CohortPage:
    """The page of a cohort, from top to bottom."""

    name: str
    created: str
    version: str
    lead: str
    more: str
    care: tuple[str, ...]
    headline: tuple[Measure, ...]
    failures: tuple[Failure, ...]
    failures_note: str
    striking: tuple[Striking, ...]
    shown: int  # of them at once; the rest is folded
    striking_note: str
    plots: tuple[Plot, ...]
    frequency: Picture | None
    groups: Table | None
    numbers: Table | None
    grades: Table | None
    findings: tuple[Tally, ...]
    findings_note: str
    cases: Table
    definitions: tuple[Definition, ...]
    provenance: tuple[Entry, ...] = ()
    provenance_note: str = ""
