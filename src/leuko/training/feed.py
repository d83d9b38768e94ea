"""Generating processes that keep the shuffle buffer full while the network trains."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import queue
import signal
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from leuko.errors import LeukoError
from leuko.training.buffer import Flow, ShuffleBuffer
from leuko.training.sources import SourcePlan, stream

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

__all__ = ["Feed", "FeedDataset"]

QUEUE_SLICES = 32
POLL_S = 0.5
WORKER_NICENESS = 8


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a worker died of, as text (an exception may not pickle)."""

    what: str
    details: str


class Feed:
    """Slices from `workers` processes (0: from this one), shuffled into batches.

    Use as a context manager. Seeds differ by worker and by `start_step`, so that a resumed run
    sees new heads instead of the first ones again.
    """

    def __init__(self, plan: SourcePlan, *, seed: int, start_step: int, batch: int) -> None:
        data = plan.data
        self._plan = plan
        self._seed = (seed, start_step)
        self._batch = batch
        self._buffer = ShuffleBuffer(
            capacity=max(data.buffer, batch),
            shape=(data.crop[0], data.crop[1]),
            reuse=data.reuse,
            warm=data.warm,
            seed=_mixed(seed, start_step, 0),
            channels=data.channels,
        )
        self._processes: list[BaseProcess] = []
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._local: Iterator[Any] | None = None

    def __enter__(self) -> Feed:
        if not self._plan.data.workers:
            self._local = stream(self._plan, seed=_mixed(*self._seed, 1))
            return self
        # spawn: a forked child of a process with torch threads may hang.
        context = multiprocessing.get_context("spawn")
        for worker in range(self._plan.data.workers):
            slices: Any = context.Queue(maxsize=QUEUE_SLICES)
            process = context.Process(
                target=_produce,
                args=(self._plan, _mixed(*self._seed, 1 + worker), slices),
                daemon=True,
                name=f"leuko-generator-{worker}",
            )
            process.start()
            thread = threading.Thread(target=self._drain, args=(slices, process), daemon=True)
            thread.start()
            self._processes.append(process)
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._buffer.close()
        for process in self._processes:
            process.terminate()
            process.join(timeout=5.0)
        for thread in self._threads:
            thread.join(timeout=2.0 * POLL_S)

    @property
    def flow(self) -> Flow:
        """Slices made and drawn, and the seconds training waited."""
        return self._buffer.flow

    def batches(self) -> Iterator[dict[str, Tensor]]:
        """Batches without end: 'image' (B, C, H, W) float32, 'allowed' (B, H, W) int16."""
        while True:
            while self._local is not None and not self._buffer.take(self._batch):
                item = next(self._local)
                self._buffer.put(item.image, item.allowed)
            drawn = self._buffer.draw(self._batch)
            yield {
                "image": torch.from_numpy(drawn.image).float(),
                "allowed": torch.from_numpy(drawn.allowed),
            }

    def _drain(self, slices: Any, process: BaseProcess) -> None:
        """Move slices from a worker's queue into the buffer until told to stop."""
        while not self._stop.is_set():
            try:
                item = slices.get(timeout=POLL_S)
            except queue.Empty:
                if process.is_alive():
                    continue
                self._buffer.fail(
                    LeukoError(
                        f"The generating process ended (exit code {process.exitcode}).",
                        hint="Too little memory is a frequent cause: lower data.buffer.",
                    )
                )
                return
            if isinstance(item, _Failure):
                self._buffer.fail(
                    LeukoError(f"The generator failed: {item.what}", hint=item.details)
                )
                return
            if not self._buffer.put(*item):
                return


class FeedDataset(IterableDataset[dict[str, Tensor]]):
    """A feed's batches as a data set for a DataLoader without workers of its own."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return self._feed.batches()


def _mixed(*parts: int) -> int:
    """One seed from several numbers."""
    import numpy as np

    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _end_with_parent() -> None:
    """End this process when its parent has gone, even by a kill: it would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _produce(plan: SourcePlan, seed: int, slices: Any) -> None:
    """The worker process: slices into the queue, without end, on one thread."""
    # Ctrl-C reaches every process of a terminal; the training process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # A full buffer is refreshed without end: that must not take the processor from the network.
    if hasattr(os, "nice"):
        os.nice(WORKER_NICENESS)
    torch.set_num_threads(1)
    try:
        for item in stream(plan, seed=seed):
            slices.put((item.image, item.allowed))
    except Exception as error:
        slices.put(_Failure(f"{type(error).__name__}: {error}", traceback.format_exc()))
