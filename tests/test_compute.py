from __future__ import annotations

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
