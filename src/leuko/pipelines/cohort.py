"""Many scans in one call: every case worked through, a table and a page of all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from leuko.errors import WriteError
from leuko.pipelines.case import Case
from leuko.pipelines.cohort_table import Outcome, Status, as_json, table
from leuko.pipelines.cohort_work import Job, Work, here
from leuko.pipelines.outputs import write_whole, writing

__all__ = [
    "COHORT_TABLE",
    "Outcome",
    "Status",
    "as_json",
    "cohort",
    "cohort_exit_code",
    "require_cohort_folder",
    "worked",
]

COHORT_TABLE = "cohort.tsv"
REST = 50  # times as long as writing the table took it is left alone, so that it costs 2 % at most


def cohort(
    cases: Sequence[Case],
    *,
    out: Path,
    job: Job,
    work: Work = here,
    page: bool = True,
    watch: Callable[[Outcome], None] = lambda outcome: None,  # noqa: ARG005
) -> tuple[Outcome, ...]:
    """Work through the cases; OUT/cohort.tsv has a row for each, in their order.

    The table is written while the work goes on (not after every case where there are thousands),
    at its end and when it is interrupted; with `page` OUT/cohort.html, too. What goes wrong with a
    case stands in its row and does not stop the rest; only an interruption does. Raises WriteError
    (exit 6) or OutOfResources (exit 7) where the table itself cannot be written, and what `work`
    raises because it would be wrong for every case.
    """
    with writing(out.name):
        out.mkdir(parents=True, exist_ok=True)
    if not (out / COHORT_TABLE).exists():
        write_whole(out / COHORT_TABLE, table(()))  # from now on the folder is ours
    due = 0.0

    def keep(found: Mapping[int, Outcome]) -> None:
        nonlocal due
        if time.monotonic() >= due:
            began = time.monotonic()
            write_whole(out / COHORT_TABLE, table(_in_order(found)))
            due = time.monotonic() + REST * (time.monotonic() - began)

    def finish(outcomes: Sequence[Outcome]) -> None:
        write_whole(out / COHORT_TABLE, table(outcomes))
        if page and outcomes:
            from leuko.pipelines.cohort_page import write_page

            write_page(outcomes, out=out, asked=len(cases))

    return worked(cases, job=job, work=work, watch=watch, meanwhile=keep, at_end=finish)


def worked(
    cases: Sequence[Case],
    *,
    job: Job,
    work: Work,
    watch: Callable[[Outcome], None] = lambda outcome: None,  # noqa: ARG005
    meanwhile: Callable[[Mapping[int, Outcome]], None] = lambda found: None,  # noqa: ARG005
    at_end: Callable[[Sequence[Outcome]], None] = lambda outcomes: None,  # noqa: ARG005
) -> tuple[Outcome, ...]:
    """Work through the cases; what became of them, in their order.

    `meanwhile` is given the outcomes so far, by the places of their cases, after each one; `at_end`
    all of them, or those that there are when the work is interrupted.
    """
    found: dict[int, Outcome] = {}
    try:
        for number, outcome in work(cases, job):
            found[number] = outcome
            watch(outcome)
            meanwhile(found)
    finally:
        at_end(_in_order(found))
    return _in_order(found)


def cohort_exit_code(outcomes: Iterable[Outcome]) -> int:
    """0 when every case is finished, else the highest exit code among those that failed."""
    return max((outcome.exit_code for outcome in outcomes), default=0)


def require_cohort_folder(out: Path, *, force: bool) -> None:
    """Refuse (WriteError, exit 6) an `out` that holds something else than a cohort of ours."""
    if out.exists() and not out.is_dir():
        raise WriteError(
            f"{out.name} is a file; the results need a folder of their own.",
            hint="Choose another name with --out.",
        )
    if force or not out.exists() or (out / COHORT_TABLE).is_file() or not any(out.iterdir()):
        return
    raise WriteError(
        f"The folder {out.name} is there already and holds something else.",
        hint="Choose another folder with --out, or --force to add a folder for each scan to it.",
    )


def _in_order(found: Mapping[int, Outcome]) -> tuple[Outcome, ...]:
    return tuple(found[number] for number in sorted(found))
