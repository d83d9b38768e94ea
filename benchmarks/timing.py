"""Time and memory of the main job, whole process, beside the yardstick, in one run.

`make bench` runs this. For a 1 mm volume and a thick-slice volume it calls `leuko segment` as a
user would, each time in a fresh process: once to warm the disk cache, then five times, of which
the median counts. Wall time is from before the start of Python to after its end; peak memory is
the kernel's own count for that process. The yardstick (yardstick.py) runs the field's tutorial
network over the same volumes. Prints a table and writes benchmarks/out/timing.json.

This process stays small on purpose: a child's peak memory can't be told to be lower than that of
the process which started it, so nothing heavy is imported here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from leuko import __version__
from leuko.compute import has_fast_bf16, thread_count

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
MEMORY_GOAL_MB = 800.0
YARDSTICK_GOAL = 1 / 12  # of the yardstick's loop, whole process with report, at 1 mm
LONGEST_S = 120  # no run takes that long; one that hangs must not hold the benchmark
BUSY = 0.5  # load average before anything was started
SLOW_1MM_GOAL = 8.0  # s, where the processor has no bfloat16 arithmetic


@dataclass(frozen=True, slots=True)
class Case:
    """A volume to time, its goals in seconds, and its goal as a share of the yardstick's loop."""

    name: str
    volume: Path
    goal: float
    goal_without_report: float
    yardstick_goal: float | None


@dataclass(frozen=True, slots=True)
class Timing:
    """Whole-process figures: medians of the repeats; steps from the run of median wall time."""

    wall_s: float
    fastest_s: float
    slowest_s: float
    cpu_s: float
    peak_mb: float
    steps: dict[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """One process: wall time, processor time, peak memory, and its steps' seconds."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    steps: dict[str, float]


def run_once(volume: Path, out: Path, *options: str) -> Run:
    """Call `leuko segment` in a fresh process; it must succeed."""
    command = [sys.executable, "-m", "leuko", "segment", str(volume), "-o", str(out), "--force",
               "--quiet", *options]  # fmt: skip
    with tempfile.TemporaryFile() as complaints:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints)
        watchdog = threading.Timer(LONGEST_S, process.kill)
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            text = complaints.read().decode(errors="replace").strip()
            if wall >= LONGEST_S:
                text = f"stopped: it did not end within {LONGEST_S} s. {text}"
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    steps = json.loads((out / "stats.json").read_text(encoding="utf-8")).get("steps", [])
    return Run(
        wall_s=wall,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss * 1024 / 1e6,
        steps={step["name"]: float(step["seconds"]) for step in steps},
    )


def measure(volume: Path, folder: Path, *options: str, repeats: int) -> Timing:
    """One warm-up, then the median of `repeats` runs."""
    run_once(volume, folder / "out", *options)
    runs = sorted(
        (run_once(volume, folder / "out", *options) for _ in range(repeats)),
        key=lambda run: run.wall_s,
    )
    return Timing(
        wall_s=statistics.median(run.wall_s for run in runs),
        fastest_s=runs[0].wall_s,
        slowest_s=runs[-1].wall_s,
        cpu_s=statistics.median(run.cpu_s for run in runs),
        peak_mb=statistics.median(run.peak_mb for run in runs),
        steps=runs[len(runs) // 2].steps,
    )


def yardstick(volume: Path) -> dict[str, object] | str:
    """The tutorial network's loop over the same volume, or why it could not run."""
    done = subprocess.run(
        [sys.executable, HERE / "yardstick.py", volume], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed"
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def make_volumes(folder: Path) -> list[Case]:
    """Volumes of both kinds from the packaged sample, and two real scans where they are at hand."""
    subprocess.run([sys.executable, HERE / "volumes.py", folder], check=True)
    fine = (3.0 if has_fast_bf16() else SLOW_1MM_GOAL, 2.0, YARDSTICK_GOAL)
    thick = (1.5, 0.8, None)
    cases = [
        Case("sample resampled to 182x218x182, 1 mm", folder / "sample_1mm.nii.gz", *fine),
        Case("sample resampled to 256x256x20", folder / "sample_thick.nii.gz", *thick),
        Case("ljubljana/19, 182x218x182, 1 mm", SHARED / "wmh/ljubljana/19/flair.nii.gz", *fine),
        Case("tabriz/104252, 256x256x20", SHARED / "wmh/tabriz/104252/flair.nii.gz", *thick),
    ]
    return [case for case in cases if case.volume.is_file()]


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    model = platform.processor() or platform.machine()
    if (cpuinfo := Path("/proc/cpuinfo")).is_file():
        lines = cpuinfo.read_text(encoding="ascii", errors="replace").splitlines()
        model = next((s.partition(":")[2].strip() for s in lines if "model name" in s), model)
    return {
        "processor": model,
        "threads": thread_count(),
        "fast_bf16": has_fast_bf16(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "leuko": __version__,
    }


def verdict(value: float, goal: float) -> str:
    """A goal beside what was reached."""
    return f"goal {goal:g}: {'met' if value <= goal else 'missed'}"


def print_case(case: Case, timings: dict[str, Timing], loop: dict[str, object] | str) -> None:
    """The table of one volume."""
    print(f"\n{case.name}")
    goals = {"with report": case.goal, "without report": case.goal_without_report}
    for label, timing in timings.items():
        print(
            f"  {label:15} {timing.wall_s:6.2f} s ({timing.fastest_s:.2f}-{timing.slowest_s:.2f}; "
            f"{verdict(timing.wall_s, goals[label])})   processor {timing.cpu_s:6.2f} s   "
            f"peak {timing.peak_mb:4.0f} MB ({verdict(timing.peak_mb, MEMORY_GOAL_MB)})"
        )
    whole = timings["with report"]
    steps = dict(whole.steps)
    steps["start, end and between"] = whole.wall_s - sum(steps.values())
    print("  steps of the run with report")
    for name, seconds in steps.items():
        print(f"    {name:24} {seconds:6.2f} s  {100 * seconds / whole.wall_s:5.1f} %")
    if isinstance(loop, str):
        print(f"  yardstick not run: {loop}")
        return
    seconds = float(str(loop["loop_seconds"]))
    share = whole.wall_s / seconds
    goal = case.yardstick_goal
    judged = (
        "" if goal is None else f" (goal 1/{1 / goal:g}: {'met' if share <= goal else 'missed'})"
    )
    print(
        f"  yardstick loop  {seconds:6.2f} s ({loop['slices']} slices): "
        f"whole process with report is 1/{1 / share:.1f} of it{judged}"
    )


def main() -> int:
    """Run every case and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median counts")
    parser.add_argument("--no-yardstick", action="store_true", help="only leuko's own figures")
    parser.add_argument("--only", default="", metavar="TEXT", help="only volumes named like this")
    parser.add_argument("--json", type=Path, default=HERE / "out" / "timing.json")
    options = parser.parse_args()
    about = machine()
    print("  ".join(f"{key} {value}" for key, value in about.items()))
    if os.getloadavg()[0] > BUSY:
        print("The machine is busy with something else: these times say little.")
    results = []
    with tempfile.TemporaryDirectory(prefix="leuko-bench-") as name:
        folder = Path(name)
        for case in make_volumes(folder):
            if options.only not in case.name:
                continue
            timings = {
                "with report": measure(case.volume, folder, repeats=options.repeats),
                "without report": measure(
                    case.volume, folder, "--no-report", repeats=options.repeats
                ),
            }
            loop = "--no-yardstick" if options.no_yardstick else yardstick(case.volume)
            print_case(case, timings, loop)
            results.append({
                "case": case.name,
                "goal_s": {"with report": case.goal, "without report": case.goal_without_report},
                **{label: asdict(timing) for label, timing in timings.items()},
                "yardstick": loop,
            })  # fmt: skip
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": about, "cases": results}, indent=2) + "\n")
    print(f"\nwritten: {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
