"""`leuko diagnose` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leuko import cli

TABLE = "name\tscore\ttruth\na\t0.9\tyes\nb\t0.8\tyes\nc\t0.7\tno\nd\t0.2\tno\n"


@pytest.fixture
def scores(tmp_path: Path) -> str:
    (tmp_path / "scores.tsv").write_text(TABLE)
    return str(tmp_path / "scores.tsv")


def test_it_prints_a_table_and_writes_files(
    tmp_path: Path, scores: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = [
        part for name in ("d.html", "d.json", "d.tsv") for part in ("-o", str(tmp_path / name))
    ]
    assert cli.main(["diagnose", scores, "--prior", "0.1", *outputs]) == 0
    shown = capsys.readouterr().out
    assert "4 cases, 2 with the condition" in shown
    assert "AUC 1" in shown
    assert "odds 0.222, 18.2 %" in shown
    assert json.loads((tmp_path / "d.json").read_text())["points"][0]["name"] == "0.5"
    assert (tmp_path / "d.html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "d.tsv").read_text().startswith("threshold\tmetric\tvalue")


def test_json_on_standard_output_is_json_alone(
    scores: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["diagnose", scores, "--threshold", "youden", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["points"][0]["optimistic"] is True
    assert "optimistic" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none.tsv"], 3, "cannot be read"),
        (["SCORES", "-o", "d.pdf"], 2, "no ending"),
        (["SCORES", "-o", "SCORES"], 2, "is an input"),
        (["SCORES", "--prior", "1.5"], 2, "not in the range"),
        (["SCORES", "--threshold", "best"], 2, "neither a number nor the word youden"),
        (["SCORES", "--score", "volume"], 2, "no column 'volume'"),
    ],
)
def test_wrong_usage_gives_one_clear_message(
    scores: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    given = [scores if part == "SCORES" else part for part in arguments]
    assert cli.main(["diagnose", *given]) == code
    assert said in capsys.readouterr().err
