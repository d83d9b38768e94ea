"""A cohort on a Dask cluster: this module only maps its cases to the workers.

Dask itself starts, stops and replaces workers, and runs the case of a worker that died on another
one. Workers need the same version of leuko, and inputs and OUT under the same paths.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leuko.errors import MissingExtra, OutOfResources, ReadError, UsageError, WriteError
from leuko.pipelines.case import Case
from leuko.pipelines.cohort_table import Outcome, Status
from leuko.pipelines.cohort_work import Finished, Job, failed_by, outcome_of, without_running
from leuko.pipelines.model import Model
from leuko.pipelines.provenance import program_version

__all__ = ["OnCluster"]

PATIENCE = 20.0  # s until a scheduler must have answered
LOADED: list[tuple[Job, Model]] = []  # of a worker: the job that it last did, with its model
ONE_AT_A_TIME = threading.Lock()  # of a worker: a model works on one scan, with all its threads


@dataclass(frozen=True, slots=True)
class OnCluster:
    """Work through cases on the workers of the scheduler at `address` (tcp://host:8786).

    Raises MissingExtra (exit 9) without Dask, UsageError (exit 2) where no scheduler answers there
    or its workers run another version of leuko. Interrupted, it takes back what was not begun.
    """

    address: str

    def __call__(self, cases: Sequence[Case], job: Job) -> Iterator[Finished]:
        """What became of each case, as they finish."""
        distributed = _distributed()
        with _client(distributed, self.address) as client:
            _require_same_version(client)
            runnable = []
            for number, case in enumerate(cases):
                if case.problem is None:
                    runnable.append(number)
                else:
                    yield number, without_running(case)
            given = [cases[number] for number in runnable]
            futures = client.map(_on_worker, [job] * len(given), given, pure=False)
            waiting = {future.key: n for future, n in zip(futures, runnable, strict=True)}
            try:
                for future in distributed.as_completed(futures, loop=client.loop):
                    number = waiting.pop(future.key)
                    yield number, _outcome(future, cases[number], distributed)
                    future.release()  # the scheduler need not remember it
            finally:
                client.cancel([future for future in futures if future.key in waiting])


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtra.needed(
            "--scheduler", extra="cluster", modules=["distributed"]
        ) from error
    return distributed


def _client(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(
            f"No Dask scheduler answers at {address}.",
            hint="Start one with `dask scheduler`, and give the address that it prints.",
        ) from error


def _require_same_version(client: Any) -> None:
    """Another version would give other results, and its outcomes could not be understood."""
    ours = program_version()
    told = client.run(_version_there)
    if not told:
        raise UsageError(
            "The Dask scheduler has no workers.",
            hint="Start some: dask worker ADDRESS --nthreads 1.",
        )
    others = sorted({version for version in told.values() if version != ours})
    if others:
        raise UsageError(
            f"Workers of the cluster run leuko {', '.join(others)}, and this call {ours}.",
            hint="Install the same version on every machine.",
        )


def _outcome(future: Any, case: Case, distributed: Any) -> Outcome:
    try:
        outcome: Outcome = future.result()
    except distributed.KilledWorker:
        return Outcome(
            case,
            Status.FAILED,
            reason="Every worker that took this scan was ended from outside.",
            hint="Often there is too little memory: start workers with more, or fewer of them.",
            exit_code=OutOfResources.exit_code,
        )
    except Exception as error:
        return failed_by(error, case)
    return outcome


# ---------------------------------------------------------------- on a worker


def _version_there() -> str:
    return program_version()


def _on_worker(job: Job, case: Case) -> Outcome:
    """Do a case with the worker's own model, which it loads once for a job."""
    from distributed import get_worker

    try:
        _require_shared(job, case)
        with ONE_AT_A_TIME:
            if not LOADED or LOADED[0][0] != job:
                LOADED[:] = [(job, job.load(threads=get_worker().state.nthreads))]
            return outcome_of(case, job, model=LOADED[0][1])
    except Exception as error:
        return failed_by(error, case)


def _require_shared(job: Job, case: Case) -> None:
    if not case.path.exists():
        raise ReadError(
            f"A worker of the cluster does not see {case.path.name}.",
            hint="Inputs must lie in a folder that all workers see under the same path.",
        )
    if not Path(job.out).is_dir():
        raise WriteError(
            "A worker of the cluster does not see the folder for the results.",
            hint="OUT must lie in a folder that all workers see under the same path.",
        )
