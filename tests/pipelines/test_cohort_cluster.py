"""A cohort on a real Dask cluster: a scheduler and workers in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from brightness_network import make_head, write_weights
from cohort_jobs import Named

from leuko.errors import MissingExtra, UsageError
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.cases import Case, find_cases
from leuko.pipelines.cohort import Status, cohort
from leuko.pipelines.cohort_cluster import OnCluster
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.segment_cohort import segment_cohort

WORKERS = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with four workers; a case that kills two has failed."""
    pytest.importorskip("distributed", reason="the extra leuko[cluster] is not installed")
    home = tmp_path_factory.mktemp("cluster")
    told = home / "scheduler.json"
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parent),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        "DASK_TEMPORARY_DIRECTORY": str(home),
        "OMP_NUM_THREADS": "1",
    }

    def start(what: str, *options: str) -> subprocess.Popen[bytes]:
        call = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *options]
        with (home / "log.txt").open("ab") as log:
            return subprocess.Popen(call, env=environment, cwd=home, stdout=log, stderr=log)

    running = [start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file",
                     str(told))]  # fmt: skip
    try:
        worker = ("--scheduler-file", str(told), "--nthreads", "1", "--no-nanny")
        running += [start("worker", *worker) for _ in range(WORKERS)]
        address = _address(told)
        _wait_for_workers(address)
        yield address
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


def _address(told: Path) -> str:
    ended = time.monotonic() + 120
    while time.monotonic() < ended:
        try:
            return str(json.loads(told.read_text())["address"])
        except (OSError, ValueError, KeyError):
            time.sleep(0.1)
    raise TimeoutError("no scheduler")


def _wait_for_workers(address: str) -> None:
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(WORKERS, timeout=120)


def test_workers_of_a_cluster_write_the_same_masks(tmp_path: Path, cluster: str) -> None:
    weights = write_weights(tmp_path / "weights")
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(3):
        data = make_head((40, 48, 30)) * (1 + number)
        write(Image(data, Grid.from_spacing(data.shape, (3.0, 3.0, 5.0))), scans / f"s{number}.nii")
    (scans / "broken.nii").write_bytes(b"no image")
    config = SegmentConfig(report=False)
    cases = find_cases([scans])
    there = segment_cohort(
        cases, out=tmp_path / "there", config=config, weights=weights, scheduler=cluster
    )
    here = segment_cohort(cases, out=tmp_path / "here", config=config, weights=weights)
    assert [outcome.status.value for outcome in there] == ["failed", "done", "done", "done"]
    assert there[0].exit_code == here[0].exit_code == 3
    for name in ("s0", "s1", "s2"):
        mask = (tmp_path / "there" / name / "wmh.nii.gz").read_bytes()
        assert mask == (tmp_path / "here" / name / "wmh.nii.gz").read_bytes()
    again = segment_cohort(
        cases, out=tmp_path / "there", config=config, weights=weights, scheduler=cluster
    )
    assert [outcome.status for outcome in again[1:]] == [Status.KEPT] * 3


def test_the_case_of_a_worker_that_died_is_done_by_another(tmp_path: Path, cluster: str) -> None:
    scan = tmp_path / "scan.nii"
    scan.touch()
    cases = [Case(name, scan) for name in ("a", "die_once", "b", "fail", "c", "d")]
    outcomes = cohort(cases, out=tmp_path, job=Named(tmp_path), work=OnCluster(cluster))
    assert [outcome.case.name for outcome in outcomes] == [case.name for case in cases]
    assert [o.case.name for o in outcomes if o.status is Status.FAILED] == ["fail"]
    assert (tmp_path / "die_once" / "stats.json").is_file()
    lost = Case("lost", tmp_path / "not there.nii")
    killer = [Case("die", scan), lost, Case("e", scan)]
    outcomes = cohort(killer, out=tmp_path, job=Named(tmp_path), work=OnCluster(cluster))
    assert [outcome.exit_code for outcome in outcomes] == [7, 3, 0]
    assert "ended from outside" in outcomes[0].reason
    assert "does not see" in outcomes[1].reason


def test_no_scheduler_and_no_dask_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    pytest.importorskip("distributed", reason="the extra leuko[cluster] is not installed")
    monkeypatch.setattr("leuko.pipelines.cohort_cluster.PATIENCE", 0.5)
    given = [Case("a", tmp_path)]
    with pytest.raises(UsageError, match="No Dask scheduler answers"):
        cohort(given, out=tmp_path, job=Named(tmp_path), work=OnCluster("tcp://127.0.0.1:9"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match="distributed") as raised:
        cohort(given, out=tmp_path, job=Named(tmp_path), work=OnCluster("tcp://127.0.0.1:9"))
    assert "leuko[cluster]" in raised.value.hint
