"""`leuko convert` as a user meets it: a line for each file, losses in words, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from leuko.cli import main
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    data = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    path = tmp_path / "scan.nii.gz"
    write(Image(data, Grid.from_spacing((4, 5, 6), (1.0, 1.0, 2.5))), path)
    return path


def test_a_file_is_one_line(scan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(scan), str(scan.with_name("o.mha"))]) == 0
    said = capsys.readouterr()
    assert said.out == "o.mha: 4 x 5 x 6, 1 x 1 x 2.5 mm, RAS\n"
    assert "Descriptions and other fields of the old header were not copied" in said.err


def test_what_is_lost_is_said_in_words(scan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(scan), str(scan.with_name("o.hdr")), "--to", "analyze"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("o.hdr, o.img: ")
    assert "Warning: Where and how the image lies in the body is lost" in said.err


def test_every_option_reaches_the_conversion(scan: Path) -> None:
    target = scan.with_name("o.nii")
    options = ["--reorient", "LPS", "--dtype", "float32", "--nifti-version", "2", "--like"]
    assert main(["convert", str(scan), str(target), *options, str(scan), "-q"]) == 0
    image = read(target)
    assert image.grid.orientation.code == "LPS"
    assert image.data.dtype == np.float32
    assert image.source is not None
    assert image.source.format == "nifti2"


def test_json_says_what_was_written(scan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = scan.with_name("o.nrrd")
    assert main(["convert", str(scan), str(target), "--json"]) == 0
    said = capsys.readouterr()
    (item,) = json.loads(said.out)
    assert item["files"] == ["o.nrrd"]
    assert item["shape"] == [4, 5, 6]
    assert item["spacing_mm"] == [1.0, 1.0, 2.5]
    assert item["findings"][0]["code"] == "convert.header_left"
    assert said.err == ""


def test_a_folder_with_a_broken_file_ends_with_its_exit_code(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.nii.gz").write_bytes(scan.read_bytes())
    (folder / "bad.nii.gz").write_bytes(scan.read_bytes()[:-30])
    assert main(["convert", str(folder), str(tmp_path / "out"), "--to", "nrrd"]) == 3
    said = capsys.readouterr()
    assert said.out == "good.nrrd: 4 x 5 x 6, 1 x 1 x 2.5 mm, RAS\n"
    assert "bad.nii.gz: bad.nii.gz is truncated" in said.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["{scan}", "{folder}/scan.nii.gz", "--force"], 2),
        (["{scan}", "{folder}/o.xyz"], 2),
        (["{folder}/gone.nii", "{folder}/o.nii"], 3),
        (["{scan}", "{folder}/there.nii"], 6),
        (["{scan}", "{folder}/o.nii", "--volume", "4"], 2),
        (["{scan}", "{folder}/gone/o.nii"], 6),
    ],
)
def test_mistakes_have_exit_codes_and_a_hint(
    scan: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    scan.with_name("there.nii").write_text("mine")
    filled = [word.format(scan=scan, folder=scan.parent) for word in arguments]
    assert main(["convert", *filled]) == code
    said = capsys.readouterr()
    assert "Hint:" in said.err
    assert "Traceback" not in said.err
    assert scan.with_name("there.nii").read_text() == "mine"
