"""What a report of change is composed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from leuko.change.compare import Comparison
from leuko.change.lesions import ChangedLesion
from leuko.findings import Finding
from leuko.image.image import Image
from leuko.quantify.burden import Burden

__all__ = ["ChangeValues", "StepValues", "VisitValues"]


@dataclass(frozen=True, slots=True, eq=False)
class VisitValues:
    """A visit: its file's name, the scan, the numbers of its own mask, its day if known."""

    name: str
    image: Image
    burden: Burden
    day: date | None


@dataclass(frozen=True, slots=True)
class StepValues:
    """What a visit of a timeline shows against the one before it, and against the first."""

    new: int
    growth_ml: float
    regression_ml: float
    since_baseline_ml: float


@dataclass(frozen=True, slots=True, eq=False)
class ChangeValues:
    """From the first visit to the last; `steps` has an entry for each visit after the first.

    provenance: version, weights_name, time, definition (vascular or ms).
    """

    visits: tuple[VisitValues, ...]
    comparison: Comparison
    lesions: tuple[ChangedLesion, ...]
    growth_ml: float
    regression_ml: float
    smallest_change_ml: float
    is_significant: bool
    years: float | None
    steps: tuple[StepValues, ...]
    findings: tuple[Finding, ...]
    provenance: Mapping[str, str]
