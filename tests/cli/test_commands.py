"""The commands as a user calls them: what they print, where, and how they end."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from brightness_network import make_head

from leuko import cli
from leuko.formats.read import read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image


@pytest.fixture
def quick(small_weights: Path) -> list[str]:
    return ["--no-report", "--weights", str(small_weights)]


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_one_scan_prints_its_numbers_and_where_they_are(
    tmp_path: Path, scan: Path, small_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["segment", str(scan), "-o", str(out), "--weights", str(small_weights)]) == 0
    shown = capsys.readouterr()
    assert "Lesions" in shown.out
    assert "Of white matter" in shown.out
    assert f"Report: {out / 'report.html'}" in shown.out
    assert "predict" not in shown.err  # no progress where stderr is no terminal
    assert "\r" not in shown.err
    assert (out / "report.html").is_file()


def test_json_prints_the_statistics_and_nothing_else(
    tmp_path: Path, scan: Path, quick: list[str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["segment", str(scan), "-o", str(out), "--json", *quick]) == 0
    shown = capfdbinary.readouterr()
    assert shown.out == (out / "stats.json").read_bytes()
    assert json.loads(shown.out)["lesion_count"] == 4
    assert shown.err == b""


def test_quiet_prints_nothing(
    tmp_path: Path, scan: Path, quick: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["segment", str(scan), "-o", str(tmp_path / "out"), "-q", *quick]) == 0
    assert capfd.readouterr() == ("", "")


def test_findings_are_shown_with_their_hints(
    tmp_path: Path, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    data = np.ascontiguousarray(make_head()[:, :, :20])
    write(Image(data, Grid.from_spacing(data.shape, (2.0, 2.0, 4.0))), tmp_path / "slab.nii.gz")
    assert (
        cli.main(["segment", str(tmp_path / "slab.nii.gz"), "-o", str(tmp_path / "o"), *quick]) == 0
    )
    shown = capsys.readouterr()
    assert "Warning: " in shown.err
    assert "part that was scanned" in shown.err


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda path: None, 3, "there is no file"),
        (lambda path: path.write_text("hello"), 3, "not an image"),
        (lambda path: path.write_bytes(b""), 3, "empty"),
        (lambda path: path.mkdir(), 2, "holds no scan"),
    ],
    ids=["missing", "text", "zero bytes", "empty folder"],
)
def test_bad_input_is_one_clear_message(
    make: object, code: int, words: str, tmp_path: Path, quick: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "scan.nii.gz"
    make(path)  # type: ignore[operator]
    assert cli.main(["segment", str(path), "-o", str(tmp_path / "out"), *quick]) == code
    shown = capsys.readouterr()
    assert words in " ".join(shown.err.lower().split())
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert not (tmp_path / "out").exists()


def test_a_mask_given_as_scan_is_4(
    tmp_path: Path, scan: Path, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    image = read_scan(scan)
    write(
        image.with_data((image.data > 800).astype(np.uint8)), tmp_path / "mask.nii.gz", labels=True
    )
    assert (
        cli.main(["segment", str(tmp_path / "mask.nii.gz"), "-o", str(tmp_path / "out"), *quick])
        == 4
    )
    shown = capsys.readouterr().err
    assert "mask" in shown
    assert "--lenient" in shown


def test_a_folder_of_something_else_is_6_and_force_writes_into_it(
    tmp_path: Path, scan: Path, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years")
    assert cli.main(["segment", str(scan), "-o", str(out), *quick]) == 6
    assert "--force" in capsys.readouterr().err
    assert names(out) == {"thesis.txt"}
    assert cli.main(["segment", str(scan), "-o", str(out), "--force", *quick]) == 0
    assert names(out) >= {"thesis.txt", "stats.json"}


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux")
def test_a_place_where_nobody_may_write_is_6(
    scan: Path, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["segment", str(scan), "-o", "/proc/self/out", *quick]) == 6
    shown = capsys.readouterr()
    assert "cannot be written" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_is_8_and_leaves_nothing(tmp_path: Path, small_weights: Path, jobs: str) -> None:
    """A cohort of thirty scans, interrupted in the middle, then run to its end."""
    data = make_head((40, 48, 30))
    folder = tmp_path / "scans"
    folder.mkdir()
    grid = Grid.from_spacing(data.shape, (3.0, 3.0, 5.0))
    write(Image(data, grid), folder / "s00.nii.gz")
    for number in range(1, 30):
        shutil.copy(folder / "s00.nii.gz", folder / f"s{number:02}.nii.gz")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "leuko", "segment", folder, "-o", out, "--no-report"]
    command += ["--weights", small_weights, "--jobs", jobs]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores Ctrl-C, and its children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    while not any(out.glob("s*/stats.json")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 8
    assert "Stopped" in said
    assert "Traceback" not in said
    finished = names(out)
    assert not [name for name in finished if name.startswith(".")]
    assert finished >= {"cohort.tsv", "cohort.html"}
    assert 1 <= len(finished) - 2 < 30
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    with (out / "cohort.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    assert len(rows) == 30
    assert sum(row["status"] == "kept" for row in rows) >= len(finished) - 3
    assert {row["volume_ml"] for row in rows} == {rows[0]["volume_ml"]}


def test_several_scans_make_a_cohort_and_the_worst_code_counts(
    tmp_path: Path, scan: Path, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(scan.read_bytes()[:500])
    out = tmp_path / "out"
    assert cli.main(["segment", str(scan), str(broken), "-o", str(out), *quick]) == 3
    shown = capsys.readouterr()
    assert "done" in shown.out
    assert "failed" in shown.out
    assert shown.err.startswith("broken: ")
    assert names(out) == {"cohort.tsv", "cohort.html", "scan"}
    assert cli.main(["segment", str(scan), str(broken), "-o", str(out), "--json", *quick]) == 3
    cases = json.loads(capsys.readouterr().out)["cases"]
    assert [case["status"] for case in cases] == ["kept", "failed"]
    assert cases[0]["statistics"]["lesion_count"] == 4
    assert cases[1]["reason"]


def test_a_cohort_does_not_run_into_a_folder_of_something_else(
    tmp_path: Path, scan: Path, quick: list[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years")
    call = ["segment", str(scan), str(scan.parent), "-o", str(out), *quick]
    assert cli.main(call) == 6
    assert names(out) == {"thesis.txt"}
    assert cli.main([*call, "--force"]) == 0
    assert names(out) == {"thesis.txt", "cohort.tsv", "cohort.html", "scan"}


def test_measure_takes_a_mask_and_refuses_another_grid(
    tmp_path: Path, scan: Path, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    image = read_scan(scan)
    mask = tmp_path / "mask.nii.gz"
    write(image.with_data((image.data > 800).astype(np.uint8)), mask)
    out = tmp_path / "out"
    assert cli.main(["measure", str(scan), str(mask), "-o", str(out), "--json", *quick]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["volume_voxels"] == int((image.data > 800).sum())
    other = Image(np.zeros((9, 9, 9), np.uint8), Grid.from_spacing((9, 9, 9), (1.0, 1.0, 1.0)))
    write(other, mask)
    assert cli.main(["measure", str(scan), str(mask), "-o", str(out), *quick]) == 5
    assert "grid" in capsys.readouterr().err
    assert (out / "stats.json").is_file()


def test_a_demonstration_prints_the_agreement(
    tmp_path: Path, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["demo", "-o", str(tmp_path / "out"), *quick, "--lenient"]) == 0
    shown = capsys.readouterr().out
    assert "Dice" in shown
    assert "Volume of the truth" in shown
    assert (tmp_path / "out" / "sample_truth.nii.gz").is_file()


@pytest.mark.parametrize("option", ["--model", "--weights"])
def test_an_unknown_model_is_2_and_leaves_nothing(
    tmp_path: Path, scan: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    call = ["segment", str(scan), "-o", str(tmp_path / "out"), option, "no_such_model"]
    assert cli.main(call) == 2
    assert "Choose from: default" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_wrong_weights_are_3(
    tmp_path: Path, scan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["segment", str(scan), "-o", str(tmp_path / "out"), "--weights", str(tmp_path)]
    assert cli.main(call) == 3
    assert "card.json" in capsys.readouterr().err
