"""`leuko dicom list`: the images of a study, what each is, and which would be taken."""

from __future__ import annotations

import json

import pytest

from leuko import cli


def run(*arguments: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_study_in_an_archive_is_listed_with_reasons(shared_data, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    path = shared_data / "dicom/study/brain_tumor_progression_PGBM-003/in.zip"
    code, out, _ = run("dicom", "list", path, capsys=capsys)
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.split()}
    assert "FLAIR: TI 2600, TE 90 ms" in lines["36468"]
    assert "T1: TR 500, TE 9.5 ms" in lines["26401"]
    assert "280x320x22" in out


@pytest.mark.parametrize(("width", "mm"), [(80, True), (60, False)])
def test_a_narrow_terminal_shows_whole_words(shared_data, capsys, monkeypatch, width, mm):
    monkeypatch.setenv("COLUMNS", str(width))
    path = shared_data / "dicom/study/brain_tumor_progression_PGBM-003/in.zip"
    _, out, _ = run("dicom", "list", path, capsys=capsys)
    for word in ("description", "FLAIR_reg", "magnitude", "280x320x22", "36468"):
        assert word in out
    assert ("0.69x0.69x6.5" in out) == mm
    assert max(map(len, out.splitlines())) <= width


def test_json_says_the_same_and_nothing_else(shared_data, capsys):
    path = shared_data / "dicom/study/brain_tumor_progression_PGBM-003/in.zip"
    code, out, _ = run("dicom", "list", path, "--json", capsys=capsys)
    assert code == 0
    rows = json.loads(out)["series"]
    assert {"flair": "36468", "t1": "26401"} == {r["role"]: r["key"] for r in rows if r["role"]}
    flair = next(row for row in rows if row["role"] == "flair")
    assert flair["size"] == [280, 320, 22]
    assert flair["inversion_time_ms"] == 2600
    assert "patient" not in out.lower()


def test_images_that_cannot_be_read_keep_their_reason(shared_data, capsys):
    path = shared_data / "dicom/failing/missing_slice_derived.zip"
    code, out, _ = run("dicom", "list", path, "--json", capsys=capsys)
    assert code == 0
    listed = json.loads(out)
    assert "missing" in listed["series"][0]["refused"]
    assert "no FLAIR" in listed["undecided"]


def test_a_folder_without_images_is_exit_3(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("nothing to see here")
    code, out, err = run("dicom", "list", tmp_path, capsys=capsys)
    assert code == 3
    assert not out
    assert "not DICOM" in err
    assert str(tmp_path) not in err
    assert run("dicom", "list", tmp_path / "none", capsys=capsys)[0] == 3
