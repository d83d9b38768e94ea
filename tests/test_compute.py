from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from leuko import compute


@pytest.mark.parametrize(
    ("quota", "allowed"),
    [("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("max 100000", None)],
)
def test_a_containers_quota_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, allowed: int | None
) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(compute, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(compute.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert compute.thread_count() == (8 if allowed is None else allowed)


def test_without_a_container_the_processors_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "QUOTA", tmp_path / "absent")
    monkeypatch.setattr(compute.os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert compute.thread_count() == 3


FAULTS = """
import resource, sys
import numpy as np
from leuko.compute import keep_memory

if sys.argv[1] == "kept":
    keep_memory()
for turn in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(3 << 20, dtype=np.uint8) for _ in range(8)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the C library of Linux")
def test_memory_that_is_kept_is_not_asked_for_again() -> None:
    asked = {
        how: int(
            subprocess.run(
                [sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True
            ).stdout
        )
        for how in ("given_back", "kept")
    }
    assert asked["kept"] < asked["given_back"] / 10
