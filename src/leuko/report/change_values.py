"""What a report of change is composed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from leuko.change.classes import ChangeClass
from leuko.change.compare import Comparison
from leuko.change.lesions import ChangedLesion
from leuko.findings import Finding
from leuko.image.image import Image
from leuko.quantify.burden import Burden
from leuko.report.change_colours import colour_name

__all__ = ["ChangeValues", "StepValues", "VisitValues", "changed", "of_colour", "stable"]


@dataclass(frozen=True, slots=True, eq=False)
class VisitValues:
    """A visit: its file, the scan, the numbers of its own mask, its day if known."""

    name: str
    sha256: str  # empty for an image that was made in memory
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

    is_significant is of the lesion change, net_is_significant of the net change.
    provenance: version, weights_name, weights_version, weights_sha256, engine, precision, time,
        definition (vascular or ms), parameters; unknown ones are empty or missing.
    """

    visits: tuple[VisitValues, ...]
    comparison: Comparison
    lesions: tuple[ChangedLesion, ...]
    growth_ml: float
    regression_ml: float
    smallest_lesion_change_ml: float
    is_significant: bool
    smallest_net_change_ml: float
    net_is_significant: bool
    years: float | None
    steps: tuple[StepValues, ...]
    findings: tuple[Finding, ...]
    provenance: Mapping[str, object]

    @property
    def lesion_change_ml(self) -> float:
        """Growth less regression."""
        return self.growth_ml - self.regression_ml

    @property
    def net_change_ml(self) -> float:
        """The last visit's own mask less the first's."""
        return self.visits[-1].burden.volume_ml - self.visits[0].burden.volume_ml

    @property
    def definition(self) -> str:
        """What was segmented: vascular or ms."""
        return str(self.provenance.get("definition", "vascular"))


def of_colour(values: ChangeValues, name: str) -> list[ChangedLesion]:
    """The lesions of a colour; those that one visit does not show are of none."""
    return [
        one
        for one in values.lesions
        if colour_name(one.kind) == name and one.kind is not ChangeClass.NOT_SEEN
    ]


def changed(values: ChangeValues) -> list[ChangedLesion]:
    """The lesions that are not stable, those that changed most first."""
    found = [one for one in values.lesions if colour_name(one.kind) != "stable"]
    return sorted(found, key=lambda one: (-abs(one.change_mm3), one.number))


def stable(values: ChangeValues) -> list[ChangedLesion]:
    """The lesions that stayed."""
    return [one for one in values.lesions if colour_name(one.kind) == "stable"]
