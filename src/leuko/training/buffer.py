"""A shuffle buffer: slices come in from the generator, batches go out at random."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Batch", "Flow", "ShuffleBuffer"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Images (B, C, H, W) float16 and possible classes (B, H, W) int16."""

    image: npt.NDArray[np.float16]
    allowed: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Flow:
    """How slices flowed so far: made, drawn, and the seconds `draw` had to wait for them."""

    made: int
    drawn: int
    waited_s: float


class ShuffleBuffer:
    """Holds up to `capacity` slices; each is drawn at most `reuse` times.

    A new slice takes the place of the one drawn most often; while no slice has been drawn since
    it came, `put` waits, so that none is wasted. One thread may put while another draws.
    """

    def __init__(
        self,
        *,
        capacity: int,
        shape: tuple[int, int],
        reuse: int,
        warm: int,
        seed: int,
        channels: int = 3,
    ) -> None:
        self._images = np.zeros((capacity, channels, *shape), dtype=np.float16)
        self._allowed = np.zeros((capacity, *shape), dtype=np.int16)
        self._uses = np.zeros(capacity, dtype=np.int64)
        self._reuse = reuse
        self._warm = min(warm, capacity)
        self._random = np.random.default_rng(seed)
        self._change = threading.Condition()
        self._made = 0
        self._drawn = 0
        self._waited = 0.0
        self._broken: BaseException | None = None
        self._closed = False

    def put(self, image: npt.NDArray[np.float16], allowed: npt.NDArray[np.int16]) -> bool:
        """Add a slice, waiting for a place; False once the buffer is closed."""
        with self._change:
            while True:
                if self._closed:
                    return False
                if self._made < len(self._uses):
                    place = self._made
                    break
                place = int(np.argmax(self._uses))
                if self._uses[place] > 0:
                    break
                self._change.wait()
            self._images[place] = image
            self._allowed[place] = allowed
            self._uses[place] = 0
            self._made += 1
            self._change.notify_all()
            return True

    def draw(self, count: int) -> Batch:
        """`count` different slices at random, waiting until there are enough.

        Raises what the producer raised (`fail`).
        """
        with self._change:
            start = time.perf_counter()
            needed = max(count, self._warm)
            while True:
                if self._broken is not None:
                    raise self._broken
                filled = min(self._made, len(self._uses))
                fresh = np.flatnonzero(self._uses[:filled] < self._reuse)
                # The warm buffer matters at the start only: later slices wear out and come again.
                if len(fresh) >= count and (filled >= needed):
                    break
                self._change.wait()
            self._waited += time.perf_counter() - start
            chosen = self._random.choice(fresh, size=count, replace=False)
            self._uses[chosen] += 1
            self._drawn += count
            batch = Batch(self._images[chosen], self._allowed[chosen])
            self._change.notify_all()
            return batch

    def take(self, count: int) -> bool:
        """Whether `count` slices could be drawn right now."""
        with self._change:
            filled = min(self._made, len(self._uses))
            ready = int(np.count_nonzero(self._uses[:filled] < self._reuse))
            return ready >= count and filled >= max(count, self._warm)

    def fail(self, error: BaseException) -> None:
        """Make `draw` raise `error`: no more slices will come."""
        with self._change:
            self._broken = error
            self._change.notify_all()

    def close(self) -> None:
        """Release a waiting producer."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    @property
    def flow(self) -> Flow:
        """Counts and waiting time so far."""
        with self._change:
            return Flow(self._made, self._drawn, self._waited)
