"""Training on images with truth: resumed exactly, refused clearly, kept whole."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from small_task import recipe_content, write_data  # noqa: E402

from leuko.errors import SafetyRefusal, UnusableInput, UsageError  # noqa: E402
from leuko.training.supervised.recipe import parse_task  # noqa: E402
from leuko.training.supervised.run import train_task  # noqa: E402


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


def weights(path: Path) -> dict:
    return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> Path:
    """A run that was never stopped."""
    out = tmp_path_factory.mktemp("runs")
    train_task(parse_task(recipe_content(data)), out=out, tell=lambda _: None)
    return out / "small"


def test_a_run_leaves_all_that_is_needed_to_use_and_to_judge_it(whole):
    names = {path.name for path in whole.iterdir()}
    assert {
        "best.pt", "curves.png", "final.pt", "items.json", "last.ckpt", "metrics.csv",
        "recipe.json", "split.json", "tensorboard",
    } <= names  # fmt: skip
    split = json.loads((whole / "split.json").read_text())
    subjects = [{name[:2] for name in split[part]} for part in ("train", "valid", "test")]
    assert 6 == len(subjects[0]) + len(subjects[1]) + len(subjects[2])
    assert 6 == len(subjects[0] | subjects[1] | subjects[2])
    with (whole / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert ["5", "10", "12"] == [row["step"] for row in rows if row["valid_score"]]
    kept = torch.load(whole / "final.pt", weights_only=True)
    assert ["background", "foreground"] == kept["classes"]
    assert 12 == kept["step"]


def test_killed_at_any_moment_and_resumed_it_ends_with_the_same_weights(data, whole, tmp_path):
    """Kill -9 at three moments, each in another step; the state is saved at every step."""
    command = [
        sys.executable, str(Path(__file__).with_name("small_task.py")), str(data), str(tmp_path),
        "12", "0",
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for mark in ("step 3 ", "step 7 "):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(mark):
                os.kill(process.pid, signal.SIGKILL)
                break
        process.wait()
        process.stdout.close()
        assert not (tmp_path / "small" / "final.pt").exists()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "Resuming at step" in done.stdout
    for name in ("final.pt", "best.pt"):
        expected, found = weights(whole / name), weights(tmp_path / "small" / name)
        assert expected.keys() == found.keys()
        for key, tensor in expected.items():
            assert torch.equal(tensor, found[key]), key


def test_a_finished_run_is_not_trained_again(data, whole):
    before = (whole / "final.pt").stat().st_mtime_ns
    outcome = train_task(parse_task(recipe_content(data)), out=whole.parent, tell=lambda _: None)
    assert 12 == outcome.step
    assert before == (whole / "final.pt").stat().st_mtime_ns


def test_another_network_does_not_go_on_from_a_state(data, whole):
    content = recipe_content(data)
    content["network"] |= {"width": 6}
    with pytest.raises(UsageError, match=r"network\.width was 4 and is 6"):
        train_task(parse_task(content), out=whole.parent, tell=lambda _: None)


def test_masks_of_one_value_are_one_class_and_it_is_remembered(tmp_path):
    write_data(tmp_path, pictures=True, value=255)
    content = recipe_content(tmp_path, steps=2)
    train_task(parse_task(content), out=tmp_path / "runs", tell=lambda _: None)
    kept = torch.load(tmp_path / "runs" / "small" / "final.pt", weights_only=True)
    assert [0, 255] == kept["values"]


def test_early_stopping_ends_a_run_that_no_longer_improves(data, tmp_path):
    content = recipe_content(data, steps=400)
    content["optimisation"]["lr"] = 1e-12
    content["validation"] = {"every_steps": 1, "patience": 3}
    lines: list[str] = []
    outcome = train_task(parse_task(content), out=tmp_path, tell=lines.append)
    assert outcome.step < 40
    assert any("stopping early" in line for line in lines)


def test_labels_with_gaps_and_without_names_are_refused(tmp_path):
    write_data(tmp_path, value=4)
    from leuko.formats.read import read
    from leuko.formats.write import write

    path = tmp_path / "masks" / "s0_v0.nii.gz"
    for name in ("s0_v0", "s1_v0", "s2_v0", "s3_v0", "s4_v0", "s5_v0"):
        path = tmp_path / "masks" / f"{name}.nii.gz"
        image = read(path)
        labels = image.data.copy()
        labels[0, 0, 0] = 1
        write(image.with_data(labels), path)
    with pytest.raises(UsageError, match=r"labels 0, 1, 4, not 0, 1 \.\.\. 2") as refused:
        train_task(parse_task(recipe_content(tmp_path)), out=tmp_path, tell=lambda _: None)
    assert "data.classes" in refused.value.hint


def test_empty_masks_are_refused(tmp_path):
    write_data(tmp_path, value=0)
    with pytest.raises(UnusableInput, match="empty"):
        train_task(parse_task(recipe_content(tmp_path)), out=tmp_path, tell=lambda _: None)


def test_a_split_file_that_divides_a_subject_is_refused(data, tmp_path):
    (tmp_path / "split.json").write_text('{"train": ["s0_v0"], "test": ["s0_v1"]}')
    content = recipe_content(data)
    content["split"] = {"kind": "file", "file": str(tmp_path / "split.json")}
    with pytest.raises(SafetyRefusal):
        train_task(parse_task(content), out=tmp_path, tell=lambda _: None)


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("nmae", "x", "nmae"),
        ("name", "../x", "folder's name"),
        ("network", {"width": 4}, "network has no name"),
        ("case", {"dims": 3, "size": [8, 8]}, "size needs 3"),
        ("optimisation", {"precision": "f8"}, "precision"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(data, field, value, match):
    with pytest.raises(UsageError, match=match):
        parse_task(recipe_content(data) | {field: value})
