"""benchmarks/ladder.py: scores and runs become rows; the page holds what the ladder knows."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

RUNGS = """
rungs:
  - name: one
    changed: a change
    parts:
      - {run: runs/a, scores: a, sets: [ljubljana, lesion-free]}
      - {run: runs/b, scores: b, sets: [tabriz-union]}
    note: a remark
goals: {ljubljana: ".64"}
"""


@pytest.fixture
def ladder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("ladder")


def scored(folder: Path, key: str, *, trained_on: tuple[str, ...] = (), **cases: float) -> None:
    """scores.json of a set; a case's number is its Dice, and its false ml."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scores.json"
    content = json.loads(path.read_text()) if path.is_file() else {"sets": {}}
    means = {"lesion_f1_strict": 0.5, "lesion_recall": 0.25, "avd": 12.0}
    means["dice"] = sum(cases.values()) / len(cases)
    content["sets"][key] = {
        "trained_on": trained_on,
        "mean": {"ours": {name: {"mean": mean} for name, mean in means.items()}},
        "cases": [
            {"method": "ours", "case": case[1:], "values": {"dice": value, "prediction_ml": value}}
            for case, value in cases.items()
        ],
    }
    path.write_text(json.dumps(content))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "ladder.yaml").write_text(RUNGS)
    scored(tmp_path / "scores" / "a", "ljubljana", _07=0.5, _19=0.75)
    scored(tmp_path / "scores" / "a", "lesion-free", _young=1.25)
    scored(tmp_path / "scores" / "b", "tabriz-union", _1=0.625)
    return tmp_path


def arguments(place: Path, *more: object) -> list[str]:
    fixed = ["--rungs", place / "ladder.yaml", "--scores", place / "scores", "--runs",
             place / "runs"]  # fmt: skip
    return [str(word) for word in (*fixed, *more)]


def test_scores_are_collected_and_written_between_the_markers(
    ladder: ModuleType, place: Path
) -> None:
    pytest.importorskip("torch")
    page = place / "model.md"
    page.write_text(f"Before.\n\n{ladder.BEGIN}\nold\n{ladder.END}\n\nAfter.\n")
    assert ladder.main(arguments(place, "--collect", "--write", page)) == 0
    text = page.read_text()
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert "old" not in text
    assert ".625 / .50 / .25 / 12 (19: .750)" in text
    assert "| **one**: a change" in text
    assert "a remark." in text
    assert "1.2" in text


def test_the_page_is_made_again_without_scores_and_runs(ladder: ModuleType, place: Path) -> None:
    pytest.importorskip("torch")
    page = place / "model.md"
    page.write_text(f"{ladder.BEGIN}\n{ladder.END}\n")
    ladder.main(arguments(place, "--collect", "--write", page))
    first = page.read_text()
    (place / "scores").rename(place / "gone")
    ladder.main(arguments(place, "--write", page))
    assert page.read_text() == first
    ladder.main(arguments(place, "--collect", "--write", page))
    assert page.read_text() == first


def test_a_set_that_was_trained_on_is_refused(ladder: ModuleType, place: Path) -> None:
    scored(place / "scores" / "b", "tabriz-union", trained_on=("1",), _1=0.9)
    with pytest.raises(SystemExit, match="trained on tabriz-union"):
        ladder.main(arguments(place, "--collect"))


def test_the_page_of_the_model_shows_the_ladder_as_it_is(
    ladder: ModuleType, repository: Path
) -> None:
    import msgspec
    import yaml

    rungs = msgspec.convert(
        yaml.safe_load((repository / "benchmarks" / "ladder.yaml").read_text()), ladder.Ladder
    )
    known = msgspec.json.decode(
        (repository / "benchmarks" / "ladder.json").read_bytes(), type=dict[str, ladder.Known]
    )
    page = (repository / "docs" / "model.md").read_text()
    made = ladder.replaced(page, ladder.text(rungs, known))
    assert page == made, "run python benchmarks/ladder.py --write docs/model.md"
