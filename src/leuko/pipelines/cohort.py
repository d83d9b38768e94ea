"""Many scans in one call: what became of each case."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from leuko.errors import LeukoError, OutOfResources, ReadError
from leuko.pipelines.cases import Case
from leuko.pipelines.outputs import STATISTICS, is_ours, write_whole, writing
from leuko.pipelines.provenance import Provenance
from leuko.pipelines.statistics import Statistics, decode

__all__ = [
    "COHORT_TABLE",
    "Outcome",
    "Status",
    "as_json",
    "cohort",
    "cohort_exit_code",
    "kept",
    "table",
]

log = logging.getLogger(__name__)

COHORT_TABLE = "cohort.tsv"
BUG = LeukoError.exit_code


class Status(StrEnum):
    """What became of a case."""

    DONE = "done"
    KEPT = "kept"  # finished by an earlier run with the same version, weights, parameters, input
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of cohort.tsv: numbers where the case was finished, the reason where not."""

    case: Case
    status: Status
    statistics: Statistics | None = None
    reason: str = ""
    hint: str = ""
    exit_code: int = 0


def cohort(
    cases: Iterable[Case],
    *,
    out: Path,
    run: Callable[[Case, Path], Statistics],
    keep: Callable[[Case, Path], Statistics | None] = lambda case, folder: None,  # noqa: ARG005
    watch: Callable[[Outcome], None] = lambda outcome: None,  # noqa: ARG005
) -> tuple[Outcome, ...]:
    """Run every case into OUT/<case>/ and keep OUT/cohort.tsv up to date after each.

    `run` segments a case into a folder; `keep` gives the numbers of a case that need not run
    again. What goes wrong with a case stands in its row and does not stop the rest; only an
    interruption does. Raises WriteError (exit 6) or OutOfResources (exit 7) where the table
    itself cannot be written.
    """
    with writing(out.name):
        out.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    if not (out / COHORT_TABLE).exists():
        write_whole(out / COHORT_TABLE, table(outcomes))  # from now on the folder is ours
    for case in cases:
        outcome = _outcome(case, out / case.name, run=run, keep=keep)
        outcomes.append(outcome)
        write_whole(out / COHORT_TABLE, table(outcomes))
        watch(outcome)
    return tuple(outcomes)


def kept(folder: Path, *, wanted: Provenance) -> Statistics | None:
    """The numbers in a finished folder whose result a new run would only repeat, else None."""
    if not is_ours(folder):
        return None
    try:
        found = decode((folder / STATISTICS).read_bytes())
    except (OSError, ReadError):
        return None
    return found if found.provenance.same_result_as(wanted) else None


def cohort_exit_code(outcomes: Iterable[Outcome]) -> int:
    """0 when every case is finished, else the highest exit code among those that failed."""
    return max((outcome.exit_code for outcome in outcomes), default=0)


def _outcome(
    case: Case,
    folder: Path,
    *,
    run: Callable[[Case, Path], Statistics],
    keep: Callable[[Case, Path], Statistics | None],
) -> Outcome:
    try:
        if (numbers := keep(case, folder)) is not None:
            return Outcome(case, Status.KEPT, numbers)
        return Outcome(case, Status.DONE, run(case, folder))
    except LeukoError as error:
        return Outcome(case, Status.FAILED, None, error.what, error.hint, error.exit_code)
    except MemoryError:
        return Outcome(
            case,
            Status.FAILED,
            reason="There is not enough memory for this scan.",
            exit_code=OutOfResources.exit_code,
        )
    except Exception as error:
        log.warning("case %s failed", case.name, exc_info=error)
        return Outcome(
            case,
            Status.FAILED,
            reason=f"Something went wrong inside leuko ({type(error).__name__}).",
            hint="Run this scan alone to see more, and report it.",
            exit_code=BUG,
        )


# ---------------------------------------------------------------- the table

NUMBERS: tuple[tuple[str, Callable[[Statistics], object]], ...] = (
    ("volume_ml", lambda s: s.volume_ml),
    ("volume_mm3", lambda s: s.volume_mm3),
    ("volume_voxels", lambda s: s.volume_voxels),
    ("lesion_count", lambda s: s.lesion_count),
    ("small_count", lambda s: s.size_classes.small.count),
    ("medium_count", lambda s: s.size_classes.medium.count),
    ("large_count", lambda s: s.size_classes.large.count),
    ("left_ml", lambda s: s.left_ml),
    ("right_ml", lambda s: s.right_ml),
    ("midline_ml", lambda s: s.midline_ml),
    ("white_matter_percent", lambda s: s.white_matter_percent),
    ("brain_percent", lambda s: s.brain_percent),
    ("icv_percent", lambda s: s.icv_percent),
    ("largest_lesion_mm3", lambda s: s.largest_lesion_mm3),
    ("periventricular_ml", lambda s: s.regions_ml.get("periventricular")),
    ("deep_ml", lambda s: s.regions_ml.get("deep")),
    ("infratentorial_ml", lambda s: s.regions_ml.get("infratentorial")),
    ("white_matter_ml", lambda s: s.white_matter_ml),
    ("brain_ml", lambda s: s.brain_ml),
    ("ventricles_ml", lambda s: s.ventricles_ml),
    ("icv_ml", lambda s: s.icv_ml),
)


def table(outcomes: Iterable[Outcome]) -> bytes:
    """cohort.tsv: a row a case; what is not known is `n/a`."""
    lines = io.StringIO()
    rows = csv.writer(lines, dialect="excel-tab", lineterminator="\n")
    rows.writerow(["case", "input", "status", "reason", *(name for name, _ in NUMBERS), "findings"])
    for outcome in outcomes:
        found = outcome.statistics
        rows.writerow(
            [
                outcome.case.name,
                outcome.case.path.name,
                outcome.status,
                outcome.reason or "n/a",
                *(_cell(value(found) if found else None) for _, value in NUMBERS),
                ";".join(f"{f.severity}:{f.code}" for f in found.findings) if found else "n/a",
            ]
        )
    return lines.getvalue().encode()


def as_json(outcomes: Iterable[Outcome]) -> bytes:
    """The same as JSON: a list of cases, each with its whole stats.json or the reason."""
    cases = [
        {
            "case": outcome.case.name,
            "input": outcome.case.path.name,
            "status": outcome.status.value,
            "reason": outcome.reason or None,
            "exit_code": outcome.exit_code,
            "statistics": outcome.statistics,
        }
        for outcome in outcomes
    ]
    return msgspec.json.format(msgspec.json.encode({"cases": cases}), indent=2) + b"\n"


def _cell(value: object) -> str:
    if value is None:
        return "n/a"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
