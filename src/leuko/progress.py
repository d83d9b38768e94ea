"""Progress of a run as named, timed steps; who watches decides how it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

__all__ = ["Journal", "Step", "Watcher", "silent"]


@dataclass(frozen=True, slots=True)
class Step:
    """A finished step: its name, its parameters and effects, and how long it took."""

    name: str
    seconds: float
    details: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


class Watcher(Protocol):
    """Called when a step begins (seconds is None) and when it has ended."""

    def __call__(self, name: str, seconds: float | None) -> None:
        """Hear of step `name`: it begins, or it took `seconds`."""


def silent(name: str, seconds: float | None) -> None:
    """Watch nothing."""


class Journal:
    """Collects the steps of one run in order and tells a watcher about them."""

    def __init__(
        self, watcher: Watcher = silent, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._watcher = watcher
        self._clock = clock
        self._steps: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that have ended, in order."""
        return tuple(self._steps)

    @contextmanager
    def step(self, name: str, **details: object) -> Iterator[dict[str, object]]:
        """Time the block as step `name`; what the block adds to the yielded dict is recorded."""
        recorded = dict(details)
        self._watcher(name, None)
        start = self._clock()
        yield recorded
        seconds = self._clock() - start
        self._steps.append(Step(name, seconds, MappingProxyType(recorded)))
        self._watcher(name, seconds)
