"""The scores of cases, and of all of them together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from leuko.evaluation.aggregate import Summary, summarise
from leuko.evaluation.lesionwise import SizeScore
from leuko.findings import Finding
from leuko.pipelines.pairing import PathPair

__all__ = ["CaseScores", "Evaluation", "Failure", "summaries"]


@dataclass(frozen=True, slots=True)
class CaseScores:
    """The metrics of one case by name; nan where a metric has no value.

    `rule` says which voxels of the prediction counted, `findings` what was peculiar. With labels,
    `labels` holds the metrics of every label and `values` their means over the labels (volumes,
    which have no mean worth the name, are in `labels` alone). `sized` is False for pictures, whose
    lengths count pixels. `sizes` counts lesions by size where a lesion-wise metric was asked for.
    `pieces` are the images that were counted together, each with its voxels in error; none where
    the case is one image.
    """

    case: str
    values: Mapping[str, float]
    rule: str
    findings: tuple[Finding, ...] = ()
    labels: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    site: str = ""
    seen: bool | None = None
    sized: bool = True
    sizes: tuple[SizeScore, ...] = ()
    pieces: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that could not be scored, and why."""

    case: str
    what: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Cases scored, cases failed, summaries over those scored, and names without a partner.

    `labels` holds the names of the labels by value where there are any, `files` the two files of
    each case (where the images of a subject are one case: of each image).
    """

    cases: tuple[CaseScores, ...]
    failures: tuple[Failure, ...]
    summary: Mapping[str, Summary]
    only_reference: tuple[str, ...] = ()
    only_prediction: tuple[str, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    files: Mapping[str, PathPair] = field(default_factory=dict)

    @property
    def sized(self) -> bool:
        """Whether lengths are mm; pictures have pixels."""
        return not self.cases or any(case.sized for case in self.cases)

    @property
    def counted(self) -> str:
        """What a case is, in the plural."""
        return "subjects" if any(case.pieces for case in self.cases) else "cases"

    @property
    def both_empty(self) -> int:
        """In how many cases both masks are empty, where Dice is 1 by definition."""
        rows = [case.values for case in self.cases]
        return sum(row.get("dice") == 1 and math.isnan(row.get("sensitivity", 0.0)) for row in rows)

    def label_summary(self, label: int) -> Mapping[str, Summary]:
        """The summary of one label's metrics over the cases that hold it."""
        return summaries([case.labels[label] for case in self.cases if label in case.labels])


def summaries(
    rows: Sequence[Mapping[str, float]], *, names: Iterable[str] | None = None
) -> Mapping[str, Summary]:
    """The summary of every metric over `rows`, one a case; all metrics of the first by default."""
    chosen = tuple(rows[0] if rows else ()) if names is None else tuple(names)
    return MappingProxyType({name: summarise(row[name] for row in rows) for name in chosen})
