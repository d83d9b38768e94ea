"""The shuffle buffer: every slice is used, none too often, and heads are mixed."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
import pytest

from leuko.errors import LeukoError
from leuko.training.buffer import ShuffleBuffer


def make(capacity: int, *, reuse: int, warm: int = 1) -> ShuffleBuffer:
    return ShuffleBuffer(capacity=capacity, shape=(2, 2), reuse=reuse, warm=warm, seed=3)


def put(buffer: ShuffleBuffer, number: int) -> None:
    buffer.put(np.full((3, 2, 2), number, np.float16), np.full((2, 2), number, np.int16))


def test_image_and_truth_stay_together() -> None:
    buffer = make(8, reuse=1)
    for number in range(8):
        put(buffer, number)
    batch = buffer.draw(8)
    assert sorted(batch.allowed[:, 0, 0]) == list(range(8))
    assert (batch.image[:, 0, 0, 0] == batch.allowed[:, 0, 0]).all()


def test_no_slice_is_drawn_more_often_than_allowed_and_none_is_lost() -> None:
    buffer = make(16, reuse=3)
    seen: Counter[int] = Counter()

    def produce() -> None:
        for number in range(200):
            put(buffer, number)

    thread = threading.Thread(target=produce)
    thread.start()
    while thread.is_alive() or buffer.take(4):
        if buffer.take(4):
            seen.update(int(n) for n in buffer.draw(4).allowed[:, 0, 0])
    thread.join()
    assert max(seen.values()) <= 3
    # At most the last ones, still in the buffer, may not have been drawn.
    assert len(seen) >= 200 - 16


def test_drawing_waits_until_the_buffer_is_warm_and_counts_the_wait() -> None:
    buffer = make(8, reuse=1, warm=6)
    for number in range(5):
        put(buffer, number)
    assert not buffer.take(2)
    later = threading.Timer(0.1, put, (buffer, 5))
    later.start()
    buffer.draw(2)
    assert buffer.flow.waited_s >= 0.05
    assert (buffer.flow.made, buffer.flow.drawn) == (6, 2)


def test_a_failed_producer_is_an_error_where_batches_are_drawn() -> None:
    buffer = make(4, reuse=1)
    buffer.fail(LeukoError("no heads"))
    with pytest.raises(LeukoError, match="no heads"):
        buffer.draw(1)


def test_closing_releases_a_waiting_producer() -> None:
    buffer = make(1, reuse=1)
    put(buffer, 0)
    threading.Timer(0.05, buffer.close).start()
    assert not buffer.put(np.zeros((3, 2, 2), np.float16), np.zeros((2, 2), np.int16))
