"""The collector of cycles rests while one scan is worked on, and at the end of the process."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from leuko.cli.cycles import no_collection

ENDS = """
import gc
from leuko.cli import main
main(["--version"])
gc.callbacks.append(lambda phase, _: phase == "stop" and print(len(gc.get_objects())))
gc.collect()
"""


def fail_unsearched() -> None:
    with no_collection():
        assert not gc.isenabled()
        raise ValueError("inside")


def test_the_collector_works_again_after_a_failure() -> None:
    assert gc.isenabled()
    with pytest.raises(ValueError, match="inside"):
        fail_unsearched()
    assert gc.isenabled()


def test_what_was_made_unsearched_is_not_searched_at_once() -> None:
    searches: list[str] = []
    with no_collection():
        kept: list[list[int]] = [[number] for number in range(100_000)]
    gc.callbacks.append(lambda phase, _: searches.append(phase))
    more: list[list[int]] = [[number] for number in range(100)]
    gc.callbacks.pop()
    assert searches == []
    assert len(kept) + len(more) == 100_100


def test_a_command_ends_without_a_search_among_all_it_made() -> None:
    done = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, check=True)
    _, searched, *at_the_end = (line for line in done.stdout.splitlines())
    assert int(searched) > 1000
    assert at_the_end
    assert all(int(count) < 1000 for count in at_the_end)
