"""OUT is the old one or the new one, whole, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from leuko.errors import OutOfResources, UsageError, WriteError
from leuko.pipelines import outputs_in_place
from leuko.pipelines.our_files import is_ours
from leuko.pipelines.outputs import out_folder, write_whole, writing

ROOT_IGNORES_MODES = pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")


def write_result(folder: Path, number: int) -> None:
    """What a run writes, in small: two files that must belong together."""
    (folder / "wmh.nii.gz").write_text(f"mask {number}")
    content = {"provenance": {"program": "leuko"}, "number": number}
    (folder / "stats.json").write_text(json.dumps(content))


def finish(out: Path, number: int, *, force: bool = False) -> None:
    with out_folder(out, force=force) as folder:
        write_result(folder, number)


def fail(out: Path, error: BaseException) -> None:
    with out_folder(out) as folder:
        write_result(folder, 99)
        raise error


def number_in(out: Path) -> int:
    number = int(json.loads((out / "stats.json").read_text())["number"])
    assert (out / "wmh.nii.gz").read_text() == f"mask {number}"
    return number


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_new_out_appears_with_its_parents(tmp_path: Path) -> None:
    finish(tmp_path / "a" / "b" / "out", 1)
    assert number_in(tmp_path / "a" / "b" / "out") == 1
    assert names(tmp_path / "a" / "b") == ["out"]


def test_nothing_is_there_before_the_end(tmp_path: Path) -> None:
    with out_folder(tmp_path / "out") as folder:
        write_result(folder, 1)
        assert not (tmp_path / "out").exists()


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail(tmp_path / "a" / "b" / "out", RuntimeError())
    assert names(tmp_path) == []


def test_a_failure_leaves_the_out_that_was_there(tmp_path: Path) -> None:
    finish(tmp_path / "out", 1)
    with pytest.raises(KeyboardInterrupt):
        fail(tmp_path / "out", KeyboardInterrupt())
    assert number_in(tmp_path / "out") == 1
    assert names(tmp_path) == ["out"]


def test_an_out_of_ours_is_replaced_and_stale_files_go(tmp_path: Path) -> None:
    finish(tmp_path / "out", 1)
    (tmp_path / "out" / "probability.nii.gz").write_text("of the first run")
    finish(tmp_path / "out", 2)
    assert number_in(tmp_path / "out") == 2
    assert names(tmp_path / "out") == ["stats.json", "wmh.nii.gz"]
    assert names(tmp_path) == ["out"]


def test_what_the_user_put_there_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    finish(out, 1)
    (out / "corrected.nii.gz").write_text("an hour of work")
    (out / "notes" / "deep").mkdir(parents=True)
    (out / "notes" / "deep" / "text.txt").write_text("seen")
    (out / "link").symlink_to("corrected.nii.gz")
    finish(out, 2)
    assert number_in(out) == 2
    assert (out / "corrected.nii.gz").read_text() == "an hour of work"
    assert (out / "notes" / "deep" / "text.txt").read_text() == "seen"
    assert (out / "link").is_symlink()


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    finish(tmp_path / "out", 1)
    assert number_in(tmp_path / "out") == 1


def test_a_folder_of_something_else_needs_force_and_loses_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    (out / "report.pdf").write_text("another report")
    with pytest.raises(WriteError, match="something else") as refused:
        finish(out, 1)
    assert "--force" in refused.value.hint
    finish(out, 1, force=True)
    assert number_in(out) == 1
    assert (out / "thesis.txt").read_text() == "years of work"
    assert (out / "report.pdf").read_text() == "another report"
    assert names(out) == ["report.pdf", "stats.json", "thesis.txt", "wmh.nii.gz"]


def test_someone_elses_statistics_are_not_ours(tmp_path: Path) -> None:
    for content in ("", "[]", "{}", '{"provenance": "leuko"}', '{"provenance": {"program": "x"}}'):
        (tmp_path / "stats.json").write_text(content)
        assert not is_ours(tmp_path)


def test_a_file_in_the_way_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(WriteError, match="is a file"):
        finish(tmp_path / "out", 1, force=True)
    assert (tmp_path / "out").read_text() == "a file"


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    finish(tmp_path / "real", 1)
    (tmp_path / "out").symlink_to("real")
    finish(tmp_path / "out", 2)
    assert (tmp_path / "out").is_symlink()
    assert number_in(tmp_path / "real") == 2


def test_the_working_folder_stays_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that stands in OUT must not find itself in a folder that is gone."""
    out = tmp_path / "out"
    finish(out, 1)
    (out / "probability.nii.gz").write_text("of the first run")
    monkeypatch.chdir(out)
    before = out.stat().st_ino
    finish(out, 2)
    assert out.stat().st_ino == before
    assert number_in(out) == 2
    assert names(out) == ["stats.json", "wmh.nii.gz"]


def test_an_input_in_out_is_not_overwritten(tmp_path: Path) -> None:
    finish(tmp_path / "out", 1)
    given = tmp_path / "out" / "wmh.nii.gz"
    with (
        pytest.raises(UsageError, match="overwritten"),
        out_folder(tmp_path / "out", inputs=(given,)),
    ):
        pass
    assert number_in(tmp_path / "out") == 1


def test_without_the_exchange_call_two_moves_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs_in_place, "_exchange_call", lambda: None)
    finish(tmp_path / "out", 1)
    finish(tmp_path / "out", 2)
    assert number_in(tmp_path / "out") == 2
    assert names(tmp_path) == ["out"]


def test_an_out_left_between_two_moves_comes_back(tmp_path: Path) -> None:
    finish(tmp_path / "out", 1)
    (tmp_path / "out").rename(tmp_path / ".out.leuko-old-abc")
    with pytest.raises(RuntimeError):
        fail(tmp_path / "out", RuntimeError())
    assert number_in(tmp_path / "out") == 1
    assert names(tmp_path) == ["out"]


def test_a_name_with_wildcards_sweeps_only_its_own(tmp_path: Path) -> None:
    (tmp_path / ".abc.leuko-1").mkdir()
    finish(tmp_path / "a[b]*", 1)
    assert names(tmp_path) == [".abc.leuko-1", "a[b]*"]


def test_permissions_are_the_users_usual_ones(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        finish(tmp_path / "out", 1)
        write_whole(tmp_path / "table.tsv", b"x")
    finally:
        os.umask(mask)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "table.tsv").stat().st_mode & 0o777 == 0o644


def test_a_full_disk_and_a_refusal_have_their_own_errors() -> None:
    with pytest.raises(OutOfResources, match="disk is full"), writing("x"):
        raise OSError(28, "No space left on device")
    with pytest.raises(WriteError, match="Read-only"), writing("x"):
        raise OSError(30, "Read-only file system")


@ROOT_IGNORES_MODES
def test_a_folder_without_permission_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(WriteError):
        finish(tmp_path / "locked" / "out", 1)


def test_whoever_looks_finds_a_whole_out(tmp_path: Path) -> None:
    """One process replaces OUT again and again while this one reads it."""
    finish(tmp_path / "out", 0)
    writer = subprocess.Popen([sys.executable, "-c", REPLACING, str(tmp_path / "out"), "60"])
    seen = set()
    while writer.poll() is None:
        handle = os.open(tmp_path / "out", os.O_RDONLY)  # one folder, even if its name moves on
        try:
            stats = _read_at(handle, "stats.json")
            mask = _read_at(handle, "wmh.nii.gz")
        finally:
            os.close(handle)
        if stats is not None and mask is not None:  # None: this one has just been removed
            number = json.loads(stats)["number"]
            assert mask == f"mask {number}"
            seen.add(number)
    assert writer.returncode == 0
    assert number_in(tmp_path / "out") == 60
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08])
def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path, delay: float) -> None:
    """SIGKILL while OUT is replaced in a loop: it is whole, and the next run sweeps the rest."""
    finish(tmp_path / "out", 0)
    process = subprocess.Popen(
        [sys.executable, "-c", REPLACING, str(tmp_path / "out"), "100000"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"going\n"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    before = number_in(tmp_path / "out")
    finish(tmp_path / "out", before + 1)
    assert number_in(tmp_path / "out") == before + 1
    assert names(tmp_path) == ["out"]


def test_the_folder_of_a_living_run_is_not_swept(tmp_path: Path) -> None:
    with out_folder(tmp_path / "out") as first:
        write_result(first, 1)
        finish(tmp_path / "out", 2)
        assert first.is_dir()
    assert number_in(tmp_path / "out") == 1


def _read_at(folder: int, name: str) -> str | None:
    try:
        handle = os.open(name, os.O_RDONLY, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(handle) as file:
        return file.read()


REPLACING = textwrap.dedent(
    """
    import json, sys
    from pathlib import Path
    from leuko.pipelines.outputs import out_folder
    print("going", flush=True)
    for number in range(1, int(sys.argv[2]) + 1):
        with out_folder(sys.argv[1]) as folder:
            (folder / "wmh.nii.gz").write_text(f"mask {number}")
            content = {"provenance": {"program": "leuko"}, "number": number}
            (folder / "stats.json").write_text(json.dumps(content))
    """
)
