"""The collector of cycles, where a process ends soon: its searches cost much and free little.

A run on one scan leaves some thousand small objects that only a search would free, and no array
among them; searching takes a tenth of its time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["no_collection"]


@contextmanager
def no_collection() -> Iterator[None]:
    """No search for cycles in the block; the process is to end soon after it, within seconds."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.freeze()  # and thawed it counts as old: else all that was made is searched at once
            gc.enable()
            gc.unfreeze()
