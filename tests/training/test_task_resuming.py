"""A state goes on with its own recipe and its own data, and with nothing else."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from small_task import recipe_content, write_data  # noqa: E402

from leuko import cli  # noqa: E402
from leuko.errors import OutOfResources, UnusableInput, UsageError, WriteError  # noqa: E402
from leuko.formats.read import read  # noqa: E402
from leuko.formats.write import write  # noqa: E402
from leuko.training.recipe import parse_yaml  # noqa: E402
from leuko.training.supervised.recipe import load_task, parse_task  # noqa: E402
from leuko.training.supervised.run import train_task  # noqa: E402
from leuko.training.watching import Checkpoints  # noqa: E402


def silent(_: str) -> None: ...


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A folder with data and a run of two steps."""
    folder = tmp_path_factory.mktemp("small")
    write_data(folder)
    train_task(parse_task(recipe_content(folder, steps=2)), out=folder / "runs", tell=silent)
    return folder


@pytest.fixture
def place(finished, tmp_path) -> Path:
    """A copy of them that a test may spoil."""
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def run(place: Path, content: dict, **options) -> tuple[int, list[str]]:
    lines: list[str] = []
    outcome = train_task(parse_task(content), out=place / "runs", tell=lines.append, **options)
    return outcome.step, lines


@pytest.mark.parametrize(
    ("part", "field", "value", "said"),
    [
        ("case", "size", [16, 16], r"case\.size was \[32, 32\] and is \[16, 16\]"),
        ("optimisation", "lr", 0.5, r"optimisation\.lr was 0\.01 and is 0\.5"),
        ("split", "seed", 9, r"split\.seed was 1 and is 9"),
        ("data", "subject", "", r"data\.subject was \(s\\d\) and is not set"),
    ],
)
def test_another_recipe_does_not_go_on_and_what_differs_is_said(place, part, field, value, said):
    content = recipe_content(place, steps=4)
    content[part][field] = value
    kept = (place / "runs" / "small" / "recipe.json").read_bytes()
    with pytest.raises(UsageError, match=said) as refused:
        run(place, content)
    assert "--fresh" in refused.value.hint
    assert kept == (place / "runs" / "small" / "recipe.json").read_bytes()


def test_other_masks_of_the_same_names_are_noticed(place):
    for path in (place / "masks").iterdir():
        mask = read(path)
        write(mask.with_data(np.roll(mask.data, 1, axis=0)), path)
    with pytest.raises(UsageError, match="other images or masks of the same names"):
        run(place, recipe_content(place, steps=4))


def test_an_item_that_was_added_is_noticed(place):
    for folder in ("images", "masks"):
        shutil.copy(place / folder / "s0_v0.nii.gz", place / folder / "s0_v2.nii.gz")
    with pytest.raises(UsageError, match="split otherwise"):
        run(place, recipe_content(place, steps=4))


def test_the_same_data_elsewhere_and_other_intervals_go_on(place, tmp_path):
    (place / "images").rename(tmp_path / "moved")
    content = recipe_content(place, steps=4)
    content["data"]["images"] = str(tmp_path / "moved")
    content["validation"] = {"every_steps": 1}
    assert 4 == run(place, content)[0]


def test_a_finished_run_goes_on_when_it_is_given_more_steps(place):
    step, lines = run(place, recipe_content(place, steps=2))
    assert 2 == step
    assert any("finished, at step 2" in line for line in lines)
    step, lines = run(place, recipe_content(place, steps=5))
    assert 5 == step
    assert any("Resuming at step 2" in line for line in lines)
    assert 5 == torch.load(place / "runs" / "small" / "final.pt", weights_only=True)["step"]


def test_a_state_beyond_the_steps_asked_for_is_finished_there(place):
    (place / "runs" / "small" / "final.pt").unlink()  # as after a kill
    assert 2 == run(place, recipe_content(place, steps=1))[0]


def test_without_a_state_the_weights_of_another_recipe_are_not_taken_for_the_result(place):
    (place / "runs" / "small" / "last.ckpt").unlink()
    content = recipe_content(place, steps=2)
    content["case"]["size"] = [16, 16]
    with pytest.raises(UsageError, match="another recipe"):
        run(place, content)
    (place / "runs" / "small" / "final.pt").unlink()
    content["split"]["valid"] = 0
    run(place, content)
    assert not (place / "runs" / "small" / "best.pt").exists()


def test_to_start_over_leaves_nothing_of_the_run_before(place):
    content = recipe_content(place, steps=1)
    content["case"]["size"] = [16, 16]
    content["split"]["valid"] = 0
    assert 1 == run(place, content, fresh=True)[0]
    assert not (place / "runs" / "small" / "best.pt").exists()
    assert 1 == len(list((place / "runs" / "small" / "tensorboard").glob("events*")))


def test_beta_is_of_the_items_that_are_trained_on_alone(place):
    split = json.loads((place / "runs" / "small" / "split.json").read_text())
    before = torch.load(place / "runs" / "small" / "final.pt", weights_only=True)["beta"]
    for name in split["valid"]:
        path = place / "masks" / f"{name}.nii.gz"
        mask = read(path)
        write(mask.with_data(np.ones_like(mask.data)), path)
    run(place, recipe_content(place, steps=1), fresh=True)
    after = torch.load(place / "runs" / "small" / "final.pt", weights_only=True)["beta"]
    assert before == after


def test_a_folder_that_cannot_be_written_is_told(place):
    (place / "file").write_text("")
    with pytest.raises(WriteError, match="cannot be written"):
        train_task(parse_task(recipe_content(place)), out=place / "file", tell=silent)


def test_a_full_disk_is_told(place, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Checkpoints, "_save", full)
    with pytest.raises(OutOfResources, match="disk is full"):
        run(place, recipe_content(place, steps=3))


def test_a_batch_beyond_any_memory_is_refused_before_it_is_made(place):
    content = recipe_content(place)
    content["name"] = "large"
    content["case"]["size"] = [2_000_000, 2_000_000]
    with pytest.raises(OutOfResources, match="does not fit into memory"):
        run(place, content)


def test_all_that_is_wrong_with_items_is_told_at_once(place):
    for name in ("s0_v0", "s1_v0", "s2_v0", "s3_v0", "s4_v0", "s5_v0"):
        path = place / "masks" / f"{name}.nii.gz"
        mask = read(path)
        write(mask.with_data(mask.data.astype(np.float32) / 2), path)
    with pytest.raises(UnusableInput, match=r"Item s1_v0: .*Not usable either: s2_v0, s3_v0"):
        run(place, recipe_content(place), fresh=True)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("network", {"name": "resnet"}, "is for classification"),
        ("network", {"name": "unet", "wide": 3}, "no option 'wide'"),
        ("loss", {"name": "nice"}, "no loss 'nice'"),
    ],
)
def test_what_no_network_or_loss_takes_is_refused_before_images_are_read(
    place, monkeypatch, field, value, said
):
    monkeypatch.setattr("leuko.training.supervised.run.read_layout", None)
    with pytest.raises(UsageError, match=said):
        run(place, recipe_content(place) | {field: value})


@pytest.mark.parametrize("devices", ["many", -1, 0])
def test_no_number_of_cards_is_refused(place, devices):
    with pytest.raises(UsageError, match="no number of graphics cards"):
        run(place, recipe_content(place), devices=devices)


def test_a_wrong_choice_in_a_recipe_is_answered_with_the_choices(place):
    content = recipe_content(place)
    content["optimisation"]["optimiser"] = "adamm"
    with pytest.raises(UsageError, match=r"optimisation\.optimiser: .*'adamm'") as refused:
        parse_task(content)
    assert "adamw, adam, sgd" in refused.value.hint
    with pytest.raises(UsageError, match="there is no field sizes in case") as refused:
        parse_task(recipe_content(place) | {"case": {"sizes": 3}})
    assert "spacing" in refused.value.hint


def test_masks_with_very_many_values_are_hardly_masks(tmp_path, capsys):
    write_data(tmp_path, pictures=True)
    given = ["--images", str(tmp_path / "masks"), "--masks", str(tmp_path / "images")]
    given += ["--subject", r"(s\d)", "-o", str(tmp_path / "runs")]
    assert 2 == cli.main(["train", *given])
    assert "are these masks" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_mask_that_jpeg_has_blurred_is_refused(tmp_path):
    write_data(tmp_path, pictures=True, value=255)
    for path in (tmp_path / "masks").iterdir():
        Picture.open(path).save(path.with_suffix(".jpg"))
        path.unlink()
    with pytest.raises(UnusableInput, match="saved as JPEG"):
        run(tmp_path, recipe_content(tmp_path))


def test_the_kept_recipe_says_what_was_done(tmp_path):
    write_data(tmp_path, pictures=True, value=255)
    given = ["--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    given += ["--subject", r"(s\d)", "-o", str(tmp_path / "runs"), "--name", "mine"]
    small = ["--set", "network.width=4", "--set", "network.levels=3", "--set", "steps=1"]
    assert 0 == cli.main(["train", *given, *small])
    assert 1 == load_task(tmp_path / "runs" / "mine" / "recipe.yaml").optimisation.steps


@pytest.mark.parametrize("kept", [0, 8])
def test_images_of_one_value_are_told_and_refused_where_all_are(place, kept):
    for path in sorted((place / "images").iterdir())[kept:]:
        image = read(path)
        write(image.with_data(np.full_like(image.data, 7)), path)
    content = recipe_content(place, steps=1)
    content["split"] = {"valid": 0, "test": 0}
    if kept:
        _, lines = run(place, content, fresh=True)
        (said,) = [line for line in lines if line.startswith("Warning")]
        assert said.startswith("Warning: 4 of 12 images hold one value alone: s")
    else:
        with pytest.raises(UnusableInput, match="one value alone"):
            run(place, content, fresh=True)


def test_a_mistake_in_yaml_is_placed_and_no_path_beside_it_is_told():
    with pytest.raises(UsageError, match="line 2, column") as refused:
        parse_yaml("task: segmentation\ndata: {images: ${DATA}/images, masks: /home/anna}")
    assert "anna" not in refused.value.what
    assert "quotes" in refused.value.hint


def test_predicting_pictures_does_not_warn_that_they_are_no_scans(tmp_path, capsys):
    write_data(tmp_path, pictures=True, value=255)
    train_task(parse_task(recipe_content(tmp_path, steps=1)), out=tmp_path, tell=silent)
    given = ["predict", str(tmp_path / "small"), "-o", str(tmp_path / "out")]
    assert 0 == cli.main(given)
    assert "Warning" not in capsys.readouterr().err
    with Picture.open(next((tmp_path / "out").glob("*.png"))) as mask:
        assert {0, 255} >= set(np.unique(np.asarray(mask)).tolist())
