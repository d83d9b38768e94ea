"""Folders of trained models: loaded as they were written, refused where they were changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leuko.errors import ReadError
from leuko.inference.trained import CARD, GRAPH, fitted, load_trained, read_card
from leuko.preparation.case import CasePlan
from level_model import change_card, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(tmp_path / "model")
    return tmp_path / "model"


def test_a_model_answers_as_it_was_made(model: Path) -> None:
    trained = load_trained(model, precision="f32")
    found = trained.run(np.array([0.0, 1.0], dtype=np.float32).reshape(2, 1, 1, 1))
    assert np.round(found[:, :, 0, 0], 3).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_card_survives_being_written(model: Path) -> None:
    card = write_model(model, plan=CasePlan(dims=3, size=(8, 8, 8)), values=(0, 255))
    assert card == read_card(model)
    assert {255: "bright"} == card.labels


def test_a_model_takes_any_size_although_its_graph_takes_multiples(model: Path) -> None:
    change_card(model, network={"name": "n", "options": {}, "parameters": 0, "stride": 16})
    image = np.random.default_rng(1).random((2, 1, 17, 5), dtype=np.float32)
    assert (2, 2, 17, 5) == load_trained(model).run(image).shape


def test_an_odd_size_is_continued_by_its_edge() -> None:
    def run(batch: np.ndarray) -> np.ndarray:
        seen.append(batch[0, 0])
        return batch

    seen: list[np.ndarray] = []
    image = np.array([[1, 2, 3]], dtype=np.float32)[None, None]
    answer = fitted(run, image, stride=2, least=4)
    assert [[1, 2, 3, 3]] * 4 == seen[0].tolist()
    assert np.array_equal(image, answer)


@pytest.mark.parametrize("name", [GRAPH, "network.bin"])
def test_a_changed_file_is_refused(model: Path, name: str) -> None:
    (model / name).write_bytes((model / name).read_bytes() + b" ")
    with pytest.raises(ReadError, match=f"{name} has SHA-256 .* it was changed"):
        load_trained(model)


def test_a_missing_file_is_named(model: Path) -> None:
    (model / "network.bin").unlink()
    with pytest.raises(ReadError, match=r"incomplete: network\.bin cannot be read"):
        load_trained(model)


def test_a_model_of_a_newer_leuko_is_told_as_such(model: Path) -> None:
    change_card(model, format=2, something_new=True)
    with pytest.raises(ReadError, match="written by a newer leuko") as refused:
        load_trained(model)
    assert "Update leuko" in refused.value.hint


@pytest.mark.parametrize(
    "fields", [{"plan": {"dims": 4}}, {"classes": ["one"]}, {"values": [0, 1, 2]}, {"more": 1}]
)
def test_a_card_that_makes_no_sense_is_refused(model: Path, fields: dict[str, object]) -> None:
    change_card(model, **fields)
    with pytest.raises(ReadError, match="is no card of a model"):
        load_trained(model)


def test_a_card_that_is_no_json_is_refused(model: Path) -> None:
    (model / CARD).write_bytes(b"\xff{")
    with pytest.raises(ReadError, match="is no card of a model"):
        load_trained(model)


@pytest.mark.parametrize(
    ("held", "hint"),
    [("recipe.json", "leuko export"), ("card.json", "leuko segment --model"), ("x", "Give the")],
)
def test_another_folder_is_told_apart(tmp_path: Path, held: str, hint: str) -> None:
    (tmp_path / held).touch()
    with pytest.raises(ReadError, match="is no trained model") as refused:
        load_trained(tmp_path)
    assert hint in refused.value.hint
