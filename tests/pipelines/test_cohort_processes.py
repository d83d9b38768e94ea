"""A cohort in several processes: the same results, and no process that dies takes it along."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from brightness_network import make_head, write_weights
from cohort_jobs import Named, Weightless

from leuko.errors import ReadError, UsageError
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.cases import Case, find_cases
from leuko.pipelines.cohort import Status, cohort
from leuko.pipelines.cohort_processes import InProcesses, processes_that_fit
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.segment_cohort import segment_cohort, work_for


def cases(*names: str) -> tuple[Case, ...]:
    return tuple(Case(name, Path("/scans") / f"{name}.nii.gz") for name in names)


def heads(folder: Path, count: int) -> Path:
    """Small heads of different brightness."""
    folder.mkdir()
    for number in range(count):
        data = make_head((40, 48, 30)) * (1 + number)
        grid = Grid.from_spacing(data.shape, (3.0, 3.0, 5.0))
        write(Image(data, grid), folder / f"s{number}.nii.gz")
    return folder


def test_any_number_of_processes_gives_the_same_files(tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "weights")
    found = find_cases([heads(tmp_path / "scans", 3)])
    told = {}
    for jobs in (1, 2):
        out = tmp_path / f"jobs{jobs}"
        config = SegmentConfig(report=False, probability=True)
        done = segment_cohort(found, out=out, config=config, weights=weights, jobs=jobs)
        assert [outcome.status for outcome in done] == [Status.DONE] * 3
        assert [outcome.case.name for outcome in done] == ["s0", "s1", "s2"]
        told[jobs] = [outcome.numbers.values for outcome in done if outcome.numbers]
        assert told[jobs][0][0] != 0
    assert told[1] == told[2]
    for name in ("wmh.nii.gz", "lesions.nii.gz", "anatomy.nii.gz", "probability.nii.gz"):
        for scan in ("s0", "s1", "s2"):
            first = (tmp_path / "jobs1" / scan / name).read_bytes()
            assert (tmp_path / "jobs2" / scan / name).read_bytes() == first


def test_a_process_that_dies_loses_no_case_but_the_one_that_kills_it_twice(tmp_path: Path) -> None:
    given = cases("a", "die_once", "b", "die", "fail", "c")
    outcomes = cohort(given, out=tmp_path, job=Named(tmp_path), work=InProcesses(2))
    assert [outcome.case.name for outcome in outcomes] == [case.name for case in given]
    assert {o.case.name: o.exit_code for o in outcomes if o.status is Status.FAILED} == {
        "die": 7,
        "fail": 3,
    }
    assert "ended from outside" in outcomes[3].reason
    assert sorted(path.parent.name for path in tmp_path.glob("[a-z]*/stats.json")) == [
        "a", "b", "c", "die_once"
    ]  # fmt: skip


def test_what_is_wrong_for_every_case_is_raised_once(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="weights are missing"):
        cohort(cases("a", "b"), out=tmp_path, job=Weightless(tmp_path), work=InProcesses(2))


def test_jobs_and_a_cluster_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="Either --jobs"):
        work_for(jobs=2, scheduler="tcp://127.0.0.1:8786")
    assert processes_that_fit() >= 1


def test_an_interruption_takes_back_what_was_half_done(tmp_path: Path) -> None:
    script = (
        "import signal, sys; sys.path.insert(0, sys.argv[2])\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background
        "from pathlib import Path\n"
        "from cohort_jobs import Named\n"
        "from leuko.pipelines.cases import Case\n"
        "from leuko.pipelines.cohort import cohort\n"
        "from leuko.pipelines.cohort_processes import InProcesses\n"
        "if __name__ == '__main__':\n"
        "    out = Path(sys.argv[1])\n"
        "    work = [Case('a', out), Case('slow', out)]\n"
        "    try:\n"
        "        cohort(work, out=out, job=Named(out), work=InProcesses(1))\n"
        "    except KeyboardInterrupt:\n"
        "        sys.exit(8)\n"
    )
    program, out = tmp_path / "program.py", tmp_path / "out"
    program.write_text(script)
    out.mkdir()
    running = subprocess.Popen([sys.executable, program, out, Path(__file__).parent])
    while not (out / ".began").exists():
        time.sleep(0.05)
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=50) == 8  # and not after the 60 s that the case would take
    (out / ".began").unlink()
    assert {entry.name for entry in out.iterdir()} == {"a", "cohort.html", "cohort.tsv"}


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux")
def test_processes_end_when_the_command_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from cohort_jobs import Named\n"
        "from leuko.pipelines.cases import Case\n"
        "from leuko.pipelines.cohort_processes import InProcesses\n"
        "if __name__ == '__main__':\n"
        "    out = Path(sys.argv[1])\n"
        "    list(InProcesses(1)([Case('slow', out)], Named(out)))\n"
    )
    program = tmp_path / "program.py"
    program.write_text(script)
    call = [sys.executable, program, tmp_path, Path(__file__).parent]
    parent = subprocess.Popen(call)
    while not (tmp_path / ".began").exists():
        time.sleep(0.05)
        assert parent.poll() is None
    assert _holding(tmp_path)
    parent.kill()
    parent.wait()

    ended = time.monotonic() + 20
    while _holding(tmp_path) and time.monotonic() < ended:
        time.sleep(0.05)
    assert not _holding(tmp_path)


def _holding(folder: Path) -> list[str]:
    """The processes that have a file or folder below `folder` open: the lock of what they build."""
    found = []
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if handle.readlink().is_relative_to(folder):
                found.append(handle.parts[2])
        except OSError:
            continue
    return found
