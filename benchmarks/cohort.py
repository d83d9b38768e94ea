"""How fast a cohort is against its network alone, and whether its memory stays flat.

    python benchmarks/cohort.py speed SCAN [SCAN ...] --copies 24 --jobs 1 --jobs 2
    python benchmarks/cohort.py memory SCAN --cases 1000

`speed` segments copies of the scans in turn, a process a number of jobs, and compares scans per
second with the network's own limit: the same network on the same scans, all processors, nothing
else. It compares processor seconds, too: they say what can be reached where all processors are
kept busy, and do not mind what else the machine does. `memory` segments small versions of SCAN of
different sizes, one after the other in one process, and prints its resident memory on the way.
JSON in benchmarks/out/cohort_*.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np

from leuko.compute import thread_count
from leuko.formats.read import read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.inference.predict import predict
from leuko.pipelines.cases import find_cases
from leuko.pipelines.cohort import Outcome
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import load_model
from leuko.pipelines.observe import prepared_for
from leuko.pipelines.segment_cohort import segment_cohort

OUT = Path(__file__).parent / "out"
MARKS = (20, 50, 100, 200, 500, 1000, 2000, 5000)  # cases after which memory is noted
SIZES = 7
PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "memory", "one"))
    parser.add_argument("scans", type=Path, nargs="+", metavar="SCAN")
    parser.add_argument("--copies", type=int, default=24)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--jobs", type=int, action="append")
    parser.add_argument("--report", action="store_true", help="with report pages")
    parser.add_argument("--out", type=Path, help="of 'one', which the other calls")
    given = parser.parse_args(arguments)
    if given.what == "one":
        _one(given.scans[0], out=given.out, jobs=given.jobs[0], report=given.report)
        return
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        if given.what == "speed":
            found: object = speed(
                given.scans, home=Path(home), copies=given.copies, jobs=given.jobs or [1, 2],
                report=given.report,
            )  # fmt: skip
        else:
            found = memory(given.scans[0], home=Path(home), cases=given.cases)
    (OUT / f"cohort_{given.what}.json").write_text(json.dumps(found, indent=2) + "\n")


def speed(
    scans: Sequence[Path], *, home: Path, copies: int, jobs: Sequence[int], report: bool
) -> list[dict[str, float]]:
    """Scans per second for each number of jobs, beside the network's own limit before and after."""
    folder = home / "scans"
    folder.mkdir()
    for number in range(copies):
        shutil.copy(scans[number % len(scans)], folder / f"s{number:03}.nii.gz")
    rows = []
    limit = network_limit(scans)
    for count in jobs:
        out = home / f"jobs{count}"
        call: list[str | Path] = [sys.executable, __file__, "one", folder]
        call += ["--out", out, "--jobs", str(count)]
        began = time.perf_counter()
        done = subprocess.run(
            [*call, *(["--report"] if report else [])], check=True, capture_output=True, text=True
        )
        whole = time.perf_counter() - began
        after = network_limit(scans)
        row = _row(json.loads(done.stdout), count, copies, whole, limit.between(after))
        limit = after
        rows.append(row)
        _say(row)
    return rows


@dataclass(frozen=True, slots=True)
class Limit:
    """Seconds of a scan in the network alone, on all processors, and processor seconds."""

    wall_s: float
    cpu_s: float

    def between(self, other: Limit) -> Limit:
        """The mean of two: the machine may have changed meanwhile."""
        return Limit((self.wall_s + other.wall_s) / 2, (self.cpu_s + other.cpu_s) / 2)


def network_limit(scans: Sequence[Path]) -> Limit:
    """The network alone: the mean of the scans, of each the median of several times."""
    model = load_model(SegmentConfig())
    repeats = max(3, 9 // len(scans))
    wall, cpu = [], []
    for scan in scans:
        image = read_scan(scan)
        data = np.ascontiguousarray(to_canonical(image.data, image.grid))
        prepared = prepared_for(model.card, data, spacing=image.grid.canonical().spacing)
        predict(prepared, engine=model.engine)
        took = []
        for _ in range(repeats):
            began = time.perf_counter(), time.process_time()
            predict(prepared, engine=model.engine)
            took.append((time.perf_counter() - began[0], time.process_time() - began[1]))
        wall.append(median(one[0] for one in took))
        cpu.append(median(one[1] for one in took))
    return Limit(mean(wall), mean(cpu))


def _row(
    ends: list[tuple[float, float]], jobs: int, copies: int, whole: float, limit: Limit
) -> dict[str, float]:
    """What a run says; `ends` holds wall and processor seconds when each case had ended."""
    first, last, counted = ends[jobs - 1], ends[-1], len(ends) - jobs
    steady, cpu = counted / (last[0] - first[0]), (last[1] - first[1]) / counted
    return {
        "jobs": jobs, "processors": thread_count(), "scans": copies, "seconds": whole,
        "scans_per_s": copies / whole, "steady_scans_per_s": steady,
        "network_limit_scans_per_s": 1 / limit.wall_s, "share_of_limit": steady * limit.wall_s,
        "processor_s_per_scan": cpu, "network_processor_s_per_scan": limit.cpu_s,
        "network_share_of_processor_time": limit.cpu_s / cpu,
    }  # fmt: skip


def _say(row: dict[str, float]) -> None:
    print(
        f"jobs {row['jobs']}: {row['scans']} scans in {row['seconds']:.1f} s, "
        f"{row['scans_per_s']:.2f} scans/s"
    )
    print(
        f"  once begun {row['steady_scans_per_s']:.2f} scans/s; "
        f"the network alone {row['network_limit_scans_per_s']:.2f}: {row['share_of_limit']:.0%}"
    )
    print(
        f"  processor seconds a scan {row['processor_s_per_scan']:.2f}; "
        f"the network alone {row['network_processor_s_per_scan']:.2f}: "
        f"{row['network_share_of_processor_time']:.0%}",
        flush=True,
    )


def memory(scan: Path, *, home: Path, cases: int) -> list[dict[str, float]]:
    """Resident memory in MiB after so many cases, in one process."""
    image = read_scan(scan)
    scans = home / "scans"
    scans.mkdir()
    for number, small in zip(range(SIZES), _small(image), strict=False):
        write(small, scans / f"size{number}.nii.gz")
    for number in range(SIZES, cases):
        (scans / f"s{number:05}.nii.gz").write_bytes(
            (scans / f"size{number % SIZES}.nii.gz").read_bytes()
        )
    rows: list[dict[str, float]] = []
    done = 0

    def watch(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        shutil.rmtree(home / "out" / outcome.case.name, ignore_errors=True)
        if done in MARKS or done == cases:
            rows.append({"cases": done, "resident_mib": _resident()})
            print(f"{done:5} cases: {rows[-1]['resident_mib']:.0f} MiB", flush=True)

    segment_cohort(
        find_cases([scans]), out=home / "out", config=SegmentConfig(report=False, policy="lenient"),
        watch=watch,
    )  # fmt: skip
    return rows


def _small(image: Image) -> Iterator[Image]:
    """Every second voxel in plane, with more and more of the border cut off."""
    plane = sorted(np.argsort(image.grid.spacing)[:2])
    for cut in range(SIZES):
        places = [slice(None)] * 3
        for axis in plane:
            places[axis] = slice(2 * cut, image.grid.shape[axis] - 2 * cut, 2)
        data = np.ascontiguousarray(image.data[tuple(places)])
        x, y, z = (edge * (1 + (axis in plane)) for axis, edge in enumerate(image.grid.spacing))
        yield Image(data, Grid.from_spacing(data.shape, (x, y, z)))


def _one(scans: Path, *, out: Path, jobs: int, report: bool) -> None:
    """Segment a folder; when each case had ended, in wall and processor seconds, as JSON."""
    ends: list[tuple[float, float]] = []
    segment_cohort(
        find_cases([scans]), out=out, config=SegmentConfig(report=report), jobs=jobs,
        watch=lambda outcome: ends.append((time.perf_counter(), _processor_s())),  # noqa: ARG005
    )  # fmt: skip
    print(json.dumps(ends))


def _processor_s() -> float:
    """Processor seconds so far of this process and of its children that run."""
    total = time.process_time()
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


if __name__ == "__main__":
    main()
