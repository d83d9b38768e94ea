"""A cohort in several processes of this machine, each with a model of its own.

Each process is a pool of one: when it dies, it is known which case it had.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from types import FrameType

from leuko.compute import keep_memory, thread_count
from leuko.errors import OutOfResources
from leuko.pipelines.case import Case
from leuko.pipelines.cohort_table import Outcome, Status
from leuko.pipelines.cohort_work import Finished, Job, outcome_of, without_running
from leuko.pipelines.model import Model

__all__ = ["InProcesses", "processes_that_fit"]

TRIES = 2
MODEL_BYTES = 1 << 30  # what a process needs for a scan of 1 mm, with room to spare
LOADED: dict[str, Model] = {}  # of a worker: the model that it has loaded, for its one job
BUSY = threading.Event()  # of a worker: it is doing a case


@dataclass(frozen=True, slots=True)
class InProcesses:
    """Work through cases in `count` processes, which share the processors among them.

    A process that dies (killed, out of memory) takes no more than its own try of one case with it:
    the case is tried once more in a new one, then it has failed. The results are the same, bit by
    bit, for any count. Raises what is wrong for every case: weights, engine.
    """

    count: int

    def __call__(self, cases: Sequence[Case], job: Job) -> Iterator[Finished]:
        """What became of each case, as they finish."""
        runnable = [number for number, case in enumerate(cases) if case.problem is None]
        count = max(1, min(self.count, len(runnable)))
        threads = max(1, thread_count() // count)
        slots = [_Slot(job, threads) for _ in range(min(count, len(runnable)))]
        try:
            for number, case in enumerate(cases):
                if case.problem is not None:
                    yield number, without_running(case)
            yield from _shared(cases, iter(runnable), slots)
        finally:
            for slot in slots:
                slot.interrupt()
            for slot in slots:
                slot.close()


def processes_that_fit() -> int:
    """As many as there are processors, and as the memory that is free now holds."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError, IndexError):
        free = MODEL_BYTES
    return max(1, min(thread_count(), free // MODEL_BYTES))


def _shared(
    cases: Sequence[Case], left: Iterator[int], slots: Sequence[_Slot]
) -> Iterator[Finished]:
    """Give each process the next case as soon as it is free."""
    for slot in slots:
        slot.start()
    for slot in slots:
        slot.ready()
    running: dict[Future[Outcome], tuple[_Slot, int, int]] = {}

    def give(slot: _Slot, number: int, attempt: int) -> None:
        running[slot.submit(cases[number])] = (slot, number, attempt)

    for slot, number in zip(slots, left, strict=False):
        give(slot, number, 1)
    while running:
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            slot, number, attempt = running.pop(done)
            try:
                outcome = done.result()
            except BrokenProcessPool:
                slot.start()
                if attempt < TRIES:
                    give(slot, number, attempt + 1)
                    continue
                outcome = _died(cases[number])
            yield number, outcome
            if (following := next(left, None)) is not None:
                give(slot, following, 1)


def _died(case: Case) -> Outcome:
    return Outcome(
        case,
        Status.FAILED,
        reason=f"The process that worked on this scan was ended from outside, {TRIES} times.",
        hint="Often there is too little memory: use fewer --jobs, or run this scan alone.",
        exit_code=OutOfResources.exit_code,
    )


@dataclass(slots=True)
class _Slot:
    """A process that does one case at a time, and is replaced when it dies."""

    job: Job
    threads: int
    _pool: ProcessPoolExecutor | None = None
    _first: Future[int] | None = None

    def start(self) -> None:
        """Begin a new process, which loads its model at once."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_begin)
        self._first = self._pool.submit(_load, self.job, self.threads)

    def ready(self) -> None:
        """Wait until the model is loaded; raises what went wrong with it."""
        assert self._first is not None
        try:
            self._first.result()
        except BrokenProcessPool as error:
            raise OutOfResources(
                "A process for --jobs was ended from outside while it loaded the model.",
                hint="Use fewer --jobs: each needs about 1 GB of memory.",
            ) from error

    def submit(self, case: Case) -> Future[Outcome]:
        """Give the process a case; a new process where this one has died meanwhile."""
        assert self._pool is not None
        try:
            return self._pool.submit(_work, self.job, case)
        except BrokenProcessPool:
            self.start()
            return self._pool.submit(_work, self.job, case)

    def interrupt(self) -> None:
        """Tell the process to take back what it is doing, and to end."""
        if self._first is not None and self._first.done():
            with suppress(Exception):
                os.kill(self._first.result(), signal.SIGTERM)

    def close(self) -> None:
        """Wait until the process has ended."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


# ---------------------------------------------------------------- in the other process


def _begin() -> None:
    """Leave Ctrl-C to the parent, end tidily when it says so, and at once when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    keep_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _stop(_signum: int, _frame: FrameType | None) -> None:
    if BUSY.is_set():
        raise KeyboardInterrupt
    os._exit(0)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _load(job: Job, threads: int) -> int:
    LOADED["model"] = job.load(threads=threads)
    LOADED["model"].engine  # noqa: B018 (what is wrong with it is raised now)
    return os.getpid()


def _work(job: Job, case: Case) -> Outcome:
    BUSY.set()
    try:
        return outcome_of(case, job, model=LOADED["model"])
    finally:
        BUSY.clear()
