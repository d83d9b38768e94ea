"""What `leuko.longitudinal` gives back: visits, what changed between two of them, a timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from leuko.change.classes import ChangeClass
from leuko.change.compare import Comparison
from leuko.change.lesions import ChangedLesion
from leuko.findings import Finding
from leuko.image.image import Image
from leuko.pipelines.result import Result
from leuko.progress import Step

__all__ = ["DAYS_PER_YEAR", "Change", "ChangedLesion", "Followed", "Longitudinal", "spoken"]

DAYS_PER_YEAR = 365.25


def spoken(name: str) -> str:
    """The name of a visit in a sentence: baseline, visit 2, follow-up."""
    return "follow-up" if name == "followup" else name.replace("visit", "visit ")


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A visit: the scan, its own result, and its day where that is known."""

    name: str  # baseline, followup, or visit2, visit3 ... between them
    image: Image
    result: Result
    day: date | None = None

    @property
    def spoken(self) -> str:
        """Its name in a sentence."""
        return spoken(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What changed between two visits.

    map: uint8 on the follow-up's grid (file axes): 1 stable, 2 new, 3 enlarging, 4 shrinking,
        5 disappeared.
    comparison: both visits on the half-way grid, for pictures.
    """

    baseline: Followed
    followup: Followed
    map: Image
    lesions: tuple[ChangedLesion, ...]
    comparison: Comparison
    findings: tuple[Finding, ...]

    @property
    def baseline_ml(self) -> float:
        """Volume of the baseline's own mask."""
        return self.baseline.result.burden.volume_ml

    @property
    def followup_ml(self) -> float:
        """Volume of the follow-up's own mask."""
        return self.followup.result.burden.volume_ml

    @property
    def net_change_ml(self) -> float:
        """Net change: the follow-up's own mask less the baseline's."""
        return self.followup_ml - self.baseline_ml

    @property
    def growth_ml(self) -> float:
        """New lesions and what lesions gained, beyond repetition."""
        return self.comparison.growth_ml

    @property
    def regression_ml(self) -> float:
        """Lesions that disappeared and what lesions lost, beyond repetition."""
        return self.comparison.regression_ml

    @property
    def lesion_change_ml(self) -> float:
        """Lesion change: growth less regression."""
        return self.growth_ml - self.regression_ml

    @property
    def counts(self) -> Mapping[ChangeClass, int]:
        """Lesions of each class."""
        return {kind: sum(row.kind is kind for row in self.lesions) for kind in ChangeClass}

    @property
    def middle_ml(self) -> float:
        """The mean of both masks' volumes, to which limits of totals refer."""
        return (self.baseline_ml + self.followup_ml) / 2

    @property
    def smallest_lesion_change_ml(self) -> float:
        """The lesion change that is beyond repetition."""
        return self.comparison.repeatability.lesion_change_limit_ml(self.middle_ml)

    @property
    def is_significant(self) -> bool:
        """Whether the lesion change is beyond repetition."""
        return abs(self.lesion_change_ml) > self.smallest_lesion_change_ml

    @property
    def smallest_net_change_ml(self) -> float:
        """The net change that is beyond repetition."""
        return self.comparison.repeatability.net_change_limit_ml(self.middle_ml)

    @property
    def net_change_is_significant(self) -> bool:
        """Whether the net change is beyond repetition."""
        return abs(self.net_change_ml) > self.smallest_net_change_ml

    @property
    def years(self) -> float | None:
        """The time between the visits; None where a day is not known, or both are one."""
        first, last = self.baseline.day, self.followup.day
        if first is None or last is None or first == last:
            return None
        return (last - first).days / DAYS_PER_YEAR


@dataclass(frozen=True, slots=True, eq=False)
class Longitudinal:
    """The visits of one person in order, and what changed.

    change: from the first visit to the last. steps: from each visit to the next; of two visits the
    one step is `change`. since_first: from the first visit to each of the others.
    """

    visits: tuple[Followed, ...]
    change: Change
    steps: tuple[Change, ...]
    since_first: tuple[Change, ...]
    findings: tuple[Finding, ...]
    journal: tuple[Step, ...]
    parameters: Mapping[str, object]
    time: str
