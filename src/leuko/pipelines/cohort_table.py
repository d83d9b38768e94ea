"""The numbers of a cohort: a few values a case, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import chain
from pathlib import Path
from sys import intern
from types import MappingProxyType

import msgspec

from leuko.findings import Severity
from leuko.pipelines.case import Case
from leuko.pipelines.cohort_columns import COLUMNS, Value
from leuko.pipelines.json_texts import indented
from leuko.pipelines.statistics import Statistics
from leuko.pipelines.tab_texts import tab_separated

__all__ = ["COLUMNS", "Noticed", "Numbers", "Outcome", "Place", "Status", "as_json", "table"]

OF_THE_PERSON = ("age", "sex")  # parameters that differ from case to case

PLACES = MappingProxyType({name: place for place, name in enumerate(COLUMNS)})


class Status(StrEnum):
    """What became of a case."""

    DONE = "done"
    KEPT = "kept"  # finished by an earlier run with the same version, weights, parameters, input
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Noticed:
    """A finding of a case: its code, how much it matters, what was seen."""

    code: str
    severity: Severity
    what: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is kept in memory of a finished case: its columns, findings, input's hash and time."""

    values: tuple[Value, ...]
    findings: tuple[Noticed, ...]
    input_sha256: str
    made_by: str
    """Version, weights, parameters: equal where cases were made alike."""
    seconds: float

    @classmethod
    def of(cls, found: Statistics) -> Numbers:
        """The few numbers from a stats.json."""
        return cls(
            tuple(column.value(found) for column in COLUMNS.values()),
            tuple(Noticed(intern(f.code), f.severity, intern(f.what)) for f in found.findings),
            found.provenance.input_sha256 or "",
            _made_by(found),
            sum(step.seconds for step in found.steps),
        )

    def __getitem__(self, column: str) -> Value:
        """The value of a column of COLUMNS, None where it was not measured."""
        return self.values[PLACES[column]]

    def number(self, column: str) -> float | None:
        """The same as a float."""
        value = self[column]
        return float(value) if isinstance(value, int | float) else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a finished case are."""

    record: Path  # stats.json
    report: Path
    preview: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of cohort.tsv: numbers where the case was finished, the reason where not."""

    case: Case
    status: Status
    numbers: Numbers | None = None
    place: Place | None = None
    reason: str = ""
    hint: str = ""
    exit_code: int = 0


def table(outcomes: Iterable[Outcome]) -> bytes:
    """cohort.tsv: a row a case; what is not known is `n/a`."""
    head = (
        "case", "input", "group", "age", "sex", "status", "reason", *COLUMNS, "seconds", "findings"
    )  # fmt: skip
    return tab_separated(chain([head], map(_row, outcomes)))


def _row(outcome: Outcome) -> tuple[object, ...]:
    case, found = outcome.case, outcome.numbers
    return (
        case.name,
        case.path.name,
        case.group or "n/a",
        _cell(case.age),
        case.sex or "n/a",
        outcome.status,
        outcome.reason or "n/a",
        *map(_cell, found.values if found else (None,) * len(COLUMNS)),
        f"{found.seconds:.2f}" if found else "n/a",
        ";".join(f"{f.severity}:{f.code}" for f in found.findings) if found else "n/a",
    )


def as_json(outcomes: Iterable[Outcome]) -> bytes:
    """The same as JSON: a list of cases, each with its whole stats.json or the reason."""
    cases = [
        {
            "case": outcome.case.name,
            "input": outcome.case.path.name,
            "group": outcome.case.group or None,
            "age": outcome.case.age,
            "sex": outcome.case.sex,
            "status": outcome.status.value,
            "reason": outcome.reason or None,
            "exit_code": outcome.exit_code,
            "statistics": msgspec.Raw(outcome.place.record.read_bytes()) if outcome.place else None,
        }
        for outcome in outcomes
    ]
    return indented({"cases": cases})


def _made_by(found: Statistics) -> str:
    made = found.provenance
    own = {name: value for name, value in made.parameters.items() if name not in OF_THE_PERSON}
    told = (made.version, made.weights_sha256, made.engine, made.precision, sorted(own.items()))
    return sha256(repr(told).encode()).hexdigest()[:16]


def _cell(value: Value) -> str:
    if value is None:
        return "n/a"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
