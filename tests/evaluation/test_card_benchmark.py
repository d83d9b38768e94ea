"""benchmarks/card.py: scores become the card's tables; the card holds what is known."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PLAN = """
models:
  - name: default
    run: runs/whole
    trained_on: [ljubljana]
    parts:
      - {run: runs/without, scores: a, sets: [ljubljana]}
      - {run: runs/whole, scores: b, sets: [lesion-free]}
  - name: accurate
    run: runs/wide
    trained_on: [ljubljana, tabriz]
    parts: [{run: runs/none, scores: c, sets: [ljubljana]}]
sets:
  ljubljana: {title: Ljubljana, truth: raters, scans: 1 mm, shares: nothing}
  lesion-free: {title: Healthy, truth: nothing, scans: 5 mm, shares: nothing}
"""
METRICS = ("dice", "h95", "avd", "lesion_recall", "lesion_f1", "lesion_f1_strict")


@pytest.fixture
def card(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("card")


def mean(**changes: float | None) -> dict[str, Any]:
    """Means of a method, Dice among `changes`, its interval a tenth to both sides."""
    values: Mapping[str, float | None] = dict.fromkeys(METRICS, 0.5) | changes
    record: dict[str, Any] = {
        name: {
            "mean": value,
            "interval_low": None if value is None else value - 0.1,
            "interval_high": None if value is None else value + 0.1,
        }
        for name, value in values.items()
    }
    return record | {"volume_bias_percent": {"value": -20.4, "low": -31.0, "high": 4.0, "of": 9.0}}


def scored(folder: Path, key: str, *, trained_on: tuple[str, ...] = (), ours: Any = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    small = {"value": 0.25, "of": 4.0, "low": None, "high": None}
    none = {"value": None, "of": 0.0, "low": None, "high": None}
    content = {
        "method": {"sha256": "0123456789abcdef"},
        "sets": {
            key: {
                "trained_on": trained_on,
                "mean": {"ours": ours or mean(dice=0.63), "LPA": mean(dice=0.13)},
                "sizes": {"ours": [{"recall": small, "precision": none}] * 5},
                "cases": [
                    {"method": "ours", "case": case, "values": {"prediction_ml": ml}}
                    for case, ml in (("one", 0.74), ("two", 1.26))
                ],
            }
        },
    }
    (folder / "scores.json").write_text(json.dumps(content))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "card.yaml").write_text(PLAN)
    scored(tmp_path / "scores" / "a", "ljubljana")
    scored(tmp_path / "scores" / "b", "lesion-free")
    return tmp_path


def arguments(place: Path, *more: object) -> list[str]:
    words = ["--plan", place / "card.yaml", "--scores", place / "scores", *more]
    return [str(word) for word in words]


def cells(text: str, start: str) -> list[list[str]]:
    """The rows of all tables that begin with a cell, split into their cells."""
    rows = [line[1:-1].split("|") for line in text.splitlines() if line.startswith("|")]
    split = [[cell.strip() for cell in row] for row in rows]
    return [row for row in split if row[0] == start]


def test_scores_become_rows_with_their_intervals_beside_the_peers(
    card: ModuleType, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert card.main(arguments(place, "--collect")) == 0
    told = capsys.readouterr().out
    ours, false = cells(told, "**leuko default**")
    assert ours[1] == ".630 (.53-.73)"
    assert ours[-1] == "-20 (-31..+4)"
    assert false[1:] == ["0.7", "1.3"]
    assert cells(told, "LPA")[0][1] == ".130 (.03-.23)"


def test_the_overview_says_which_weights_scored_a_set_and_who_was_trained_on_it(
    card: ModuleType, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card.main(arguments(place, "--collect"))
    told = capsys.readouterr().out
    assert cells(told, "Ljubljana")[0][1:] == ["2", "1 mm", "`without`", "yes", "nothing"]
    assert cells(told, "Healthy")[0][1:] == ["2", "5 mm", "`whole`", "no", "nothing"]
    assert "Not measured yet: accurate." in told


def test_shares_by_size_say_of_how_many_lesions_they_are(
    card: ModuleType, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card.main(arguments(place, "--collect"))
    _, found, true = cells(capsys.readouterr().out, "Ljubljana")
    assert found == ["Ljubljana", "default", *[".25 of 4"] * 5]
    assert true[2:] == ["none"] * 5


def test_a_metric_without_a_value_is_said_to_have_none(
    card: ModuleType, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(place / "scores" / "a", "ljubljana", ours=mean(h95=None))
    card.main(arguments(place, "--collect"))
    assert cells(capsys.readouterr().out, "**leuko default**")[0][2] == "n/a"


def test_the_card_is_made_again_without_scores(card: ModuleType, place: Path) -> None:
    page = place / "card.md"
    page.write_text("\nold\n".join(card.MODELS) + "\nold\n".join(card.RESULTS))
    card.main(arguments(place, "--collect", "--write", page))
    first = page.read_text()
    assert ".630" in first
    assert "old" not in first
    for scores in (place / "scores").rglob("scores.json"):
        scores.unlink()
    card.main(arguments(place, "--collect", "--write", page))
    assert page.read_text() == first


def test_a_set_that_its_run_was_trained_on_is_refused(card: ModuleType, place: Path) -> None:
    scored(place / "scores" / "a", "ljubljana", trained_on=("07",))
    with pytest.raises(SystemExit, match="a was trained on ljubljana"):
        card.main(arguments(place, "--collect"))


def test_the_packaged_run_is_no_test_of_its_training_sets_whatever_its_scores_say(
    card: ModuleType, place: Path
) -> None:
    plan = place / "card.yaml"
    plan.write_text(plan.read_text().replace("run: runs/without", "run: runs/whole"))
    with pytest.raises(SystemExit, match="runs/whole was trained on ljubljana"):
        card.main(arguments(place, "--collect"))


def test_the_packaged_models_stand_side_by_side_the_default_first(
    card: ModuleType, repository: Path, tmp_path: Path
) -> None:
    packaged = repository / "src" / "leuko" / "models" / "weights" / "default"
    for name, channels, planes in (("accurate", 4, True), ("default", 3, False)):
        folder = tmp_path / name
        shutil.copytree(packaged, folder)
        record = json.loads((folder / "card.json").read_text())
        record["options"]["in_channels"] = channels
        record["neighbours_mm"] = [3.0]
        record["views"] = {"flips": False, "planes": planes}
        (folder / "card.json").write_text(json.dumps(record))
    table = card.models_table(tmp_path)
    assert cells(table, "")[0] == ["", "`default`", "`accurate`"]
    assert cells(table, "averages over")[0][1:] == ["one view", "three planes"]
    _, plain, with_t1 = cells(table, "sees")[0]
    assert "T1" not in plain
    assert "T1" in with_t1


def test_the_model_card_shows_its_tables_as_they_are(card: ModuleType, repository: Path) -> None:
    plan, known = card.load(repository / "benchmarks" / "card.yaml")
    page = (repository / "MODEL_CARD.md").read_text()
    made = card.written(
        page, models=card.models_table(card.WEIGHTS), results=card.made(plan, known)
    )
    assert page == made, "run python benchmarks/card.py --write MODEL_CARD.md"
