"""A run becomes a model folder that predicts as the run's network does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs leuko[train]")

import torch

from leuko.errors import LeukoError, ReadError, UsageError, WriteError
from leuko.inference.trained import load_trained, read_card
from leuko.networks import catalogue
from leuko.training.supervised import export
from leuko.training.supervised.export import export_run

OPTIONS = {"in_channels": 1, "classes": 2, "width": 4, "levels": 3}
CASE = {"dims": 2, "intensity": "zscore", "size": [32, 32]}


def write_run(
    run: Path, *, files: tuple[str, ...] = ("best.pt", "final.pt"), **changed: Any
) -> torch.nn.Module:
    """A run with random weights, as training leaves it; `changed` are parts of its recipe."""
    run.mkdir(parents=True, exist_ok=True)
    recipe = {
        "task": "segmentation",
        "name": "tiny",
        "case": CASE,
        "data": {"layout": "folders", "images": "data/flair", "masks": "data/masks"},
        **changed,
    }
    torch.manual_seed(len(files))
    options = {**OPTIONS, "dims": recipe["case"]["dims"]}
    network = catalogue.build("unet", **options)
    content = {
        "network": {"name": "unet", "options": options},
        "state_dict": network.state_dict(),
        "recipe": recipe,
        "classes": ["background", "lesion"],
        "values": [0, 255],
        "channels": 1,
        "scores": {"score": 0.5},
        "step": 7,
    }
    for name in files:
        torch.save(content, run / name)
    return network.eval()


def test_a_model_says_what_it_is(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    card = export_run(tmp_path / "run", out=tmp_path / "model")
    assert card == read_card(tmp_path / "model")
    assert ("tiny", "segmentation", 7, {255: "lesion"}) == (
        card.name,
        card.task,
        card.step,
        card.labels,
    )
    assert ("flair",) == card.channels
    assert {"network.xml", "network.bin", "weights.pt"} == set(card.files)
    assert card.network.stride == 4
    assert card.disagreement < 2e-2


@pytest.mark.parametrize("dims", [2, 3])
def test_a_model_answers_as_the_network_for_odd_sizes(tmp_path: Path, dims: int) -> None:
    network = write_run(tmp_path / "run", case={**CASE, "dims": dims, "size": [16] * dims})
    export_run(tmp_path / "run", out=tmp_path / "model")
    image = np.random.default_rng(3).normal(size=(2, 1, *(18, 13, 9)[:dims])).astype(np.float32)
    with torch.no_grad():
        wanted = torch.softmax(network(torch.from_numpy(image)), 1).numpy()
    assert np.allclose(wanted, load_trained(tmp_path / "model", precision="f32").run(image),
                       atol=0.01)  # fmt: skip


def test_the_weights_for_torch_are_those_of_the_run(tmp_path: Path) -> None:
    network = write_run(tmp_path / "run")
    export_run(tmp_path / "run", out=tmp_path / "model")
    held = torch.load(tmp_path / "model" / "weights.pt", weights_only=True)
    again = catalogue.build(held["network"]["name"], **held["network"]["options"])
    again.load_state_dict(held["state_dict"])
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    write_run(tmp_path / "run")
    card = export_run(tmp_path / "run", out=tmp_path / "model", onnx=True)
    assert "network.onnx" in card.files  # and was compared with the network on the way


def test_the_best_weights_are_taken_unless_the_final_ones_are_wanted(tmp_path: Path) -> None:
    write_run(tmp_path / "run", files=("final.pt",), name="final")
    assert export_run(tmp_path / "run", out=tmp_path / "model").name == "final"
    write_run(tmp_path / "run", files=("best.pt",), name="best")
    assert export_run(tmp_path / "run", out=tmp_path / "model").name == "best"
    assert export_run(tmp_path / "run", out=tmp_path / "model", which="final").name == "final"


def test_a_run_with_regions_makes_a_model_that_wants_them(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    items = [{"name": "a", "region": None}, {"name": "b", "region": "b.nii.gz"}]
    (tmp_path / "run" / "items.json").write_text(json.dumps(items))
    assert export_run(tmp_path / "run", out=tmp_path / "model").region


def test_a_graph_that_computes_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "run")
    monkeypatch.setattr(export, "MOST_DISAGREEMENT", 1e-9)
    with pytest.raises(LeukoError, match="does not compute what the network computes"):
        export_run(tmp_path / "run", out=tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_run_of_the_wmh_generator_is_pointed_elsewhere(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    torch.save({"network": {}, "state_dict": {}, "recipe": {"name": "wmh"}}, run / "final.pt")
    with pytest.raises(UsageError, match="of the WMH generator") as refused:
        export_run(run, out=tmp_path / "model")
    assert "recipes/package_weights.py" in refused.value.hint


def test_a_folder_that_is_no_run_and_one_that_is_not_finished_are_told_apart(
    tmp_path: Path,
) -> None:
    with pytest.raises(ReadError, match="is no training run"):
        export_run(tmp_path, out=tmp_path / "model")
    (tmp_path / "last.ckpt").touch()
    with pytest.raises(ReadError, match="is not finished"):
        export_run(tmp_path, out=tmp_path / "model")


def test_other_folders_are_not_written_into(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with pytest.raises(WriteError, match="something else than a model"):
        export_run(tmp_path / "run", out=tmp_path / "run")


def test_code_in_a_weights_file_is_not_run(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "harm",)

    (tmp_path / "run").mkdir()
    torch.save({"state_dict": Harm()}, tmp_path / "run" / "final.pt")
    with pytest.raises(ReadError, match="cannot be read as weights"):
        export_run(tmp_path / "run", out=tmp_path / "model")
    assert not (tmp_path / "harm").exists()
