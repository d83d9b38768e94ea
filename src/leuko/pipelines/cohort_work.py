"""One case of a cohort: kept, done, or failed with its reason; here or in another process."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from leuko.errors import LeukoError, OutOfResources
from leuko.pipelines.case import Case
from leuko.pipelines.cohort_table import Numbers, Outcome, Place, Status
from leuko.pipelines.model import Model
from leuko.pipelines.our_files import is_ours
from leuko.pipelines.provenance import Provenance
from leuko.pipelines.statistics import Statistics, decode

__all__ = [
    "Finished",
    "Job",
    "Work",
    "failed_by",
    "here",
    "kept",
    "outcome_of",
    "without_running",
]

log = logging.getLogger(__name__)

BUG = LeukoError.exit_code
Finished = tuple[int, Outcome]
"""The place of a case in its cohort, and what became of it."""


class Job(Protocol):
    """What is done with each case; a value that can be sent to other processes."""

    @property
    def out(self) -> Path:
        """The folder below which all is written."""

    def load(self, *, threads: int | None = None) -> Model:
        """The model, for at most `threads` processors (None: all of this process)."""

    def keep(self, case: Case, *, model: Model) -> Statistics | None:
        """The numbers of a case that was finished before and need not run again."""

    def run(self, case: Case, *, model: Model) -> Statistics:
        """Do the case; its files are in place when this returns."""

    def place(self, case: Case) -> Place:
        """Where its files are."""


class Work(Protocol):
    """How cases are worked through: here, in processes, on a cluster."""

    def __call__(self, cases: Sequence[Case], job: Job) -> Iterator[Finished]:
        """What became of each case, in the order in which they finish."""


def here(cases: Sequence[Case], job: Job, *, model: Model | None = None) -> Iterator[Finished]:
    """Case after case in this process, with one model."""
    used = model or job.load()
    used.engine  # noqa: B018 (what is wrong with the engine is wrong for every case)
    for number, case in enumerate(cases):
        yield number, outcome_of(case, job, model=used)


def outcome_of(case: Case, job: Job, *, model: Model) -> Outcome:
    """Do a case; what goes wrong with it is its outcome. Only an interruption goes through."""
    if case.problem is not None:
        return without_running(case)
    try:
        if (found := job.keep(case, model=model)) is not None:
            return Outcome(case, Status.KEPT, Numbers.of(found), job.place(case))
        return Outcome(case, Status.DONE, Numbers.of(job.run(case, model=model)), job.place(case))
    except Exception as error:
        return failed_by(error, case)


def without_running(case: Case) -> Outcome:
    """A case that cannot run: its problem is its outcome."""
    assert case.problem is not None
    why = case.problem
    return Outcome(case, Status.FAILED, None, None, why.what, why.hint, why.exit_code)


def failed_by(error: Exception, case: Case) -> Outcome:
    """A case that an error ended."""
    if isinstance(error, LeukoError):
        what, hint, code = error.what, error.hint, error.exit_code
    elif isinstance(error, MemoryError):
        what, hint = "There is not enough memory for this scan.", ""
        code = OutOfResources.exit_code
    else:
        log.warning("case %s failed", case.name, exc_info=error)
        what = f"Something went wrong inside leuko ({type(error).__name__})."
        hint = "Run this scan alone to see more, and report it."
        code = BUG
    return Outcome(case, Status.FAILED, None, None, what, hint, code)


def kept(place: Place, *, wanted: Provenance) -> Statistics | None:
    """The numbers of a finished case whose result a new run would only repeat, else None."""
    if not is_ours(place.record.parent, marker=place.record.name):
        return None
    try:
        found = decode(place.record.read_bytes())
    except (OSError, LeukoError):
        return None
    return found if found.provenance.same_result_as(wanted) else None
