"""Training of classifiers on whole images: present or absent, or the folder's name."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_task import recipe_content, write_data

from leuko import cli
from leuko.errors import UsageError

torch = pytest.importorskip("torch")


def empty_first_visits(folder: Path) -> None:
    """Every first visit loses its disc, in the image and in the mask."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(5)
    for mask in (folder / "masks").glob("*_v0.png"):
        Image.fromarray(np.zeros((36, 30), np.uint8)).save(mask)
        noise = random.normal(60, 12, (36, 30)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noise).save(folder / "images" / mask.name)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classification")
    write_data(folder, pictures=True)
    empty_first_visits(folder)
    return folder


def content(data: Path, *, steps: int = 30) -> dict[str, Any]:
    recipe = recipe_content(data, steps=steps)
    recipe["data"]["category"] = "mask"
    return recipe | {
        "task": "classification",
        "name": "there",
        # Without a border of zeros: 36 x 30 lies in 64 x 32 in training as in prediction.
        "case": {"dims": 2, "size": [64, 32]},
        "split": {"kind": "folds", "folds": 2, "valid": 0.3, "seed": 1},
        "network": {"name": "resnet", "width": 4},
        "loss": {"name": "cross-entropy"},
        "augmentation": {"scale": 0.0, "blur": 0.0},
        "validation": {"every_steps": 10},
    }


@pytest.fixture(scope="module")
def folds(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation by the command, and its recipe."""
    import yaml

    out = tmp_path_factory.mktemp("runs")
    (out / "there.yaml").write_text(yaml.safe_dump(content(data)))
    assert cli.main(["train", str(out / "there.yaml"), "--folds", "-o", str(out)]) == 0
    return out / "there"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_a_run_knows_its_classes_and_chooses_weights_by_entropy(folds: Path) -> None:
    held = torch.load(folds / "fold-0" / "best.pt", weights_only=True)
    assert ["absent", "present"] == held["classes"]
    assert held["network"]["options"]["classes"] == 2
    assert {"score", "accuracy", "balanced_accuracy"} == set(held["scores"])
    assert held["scores"]["score"] < 0
    assert (folds / "fold-0" / "curves.png").stat().st_size > 1000


def test_all_folds_share_one_table_with_truth_subject_and_fold(folds: Path, data: Path) -> None:
    out = folds / "test"
    assert cli.main(["predict", str(folds), "-o", str(out), "-q"]) == 0
    found = rows(out / "classes.tsv")
    assert ["name", "subject", "fold", "truth", "class", "absent", "present"] == list(found[0])
    assert sorted(path.stem for path in (data / "images").iterdir()) == sorted(
        row["name"] for row in found
    )
    for row in found:
        assert row["truth"] == ("absent" if row["name"].endswith("v0") else "present")
        assert row["subject"] == row["name"][:2]
        split = json.loads((folds / row["fold"] / "split.json").read_text())
        assert row["name"] in split["test"]
    told = json.loads((out / "predict.json").read_text())
    assert {"fold-0", "fold-1"} == {item["fold"] for item in told["items"]}


def test_validation_items_choose_the_threshold_of_their_fold(folds: Path) -> None:
    test, valid = folds / "test2", folds / "valid"
    assert cli.main(["predict", str(folds), "-o", str(test), "-q"]) == 0
    assert cli.main(["predict", str(folds), "-o", str(valid), "--part", "valid", "-q"]) == 0
    out = folds / "diagnosis.json"
    arguments = ["diagnose", str(test / "classes.tsv"), "--choose-on",
                 str(valid / "classes.tsv"), "-o", str(out), "-q"]  # fmt: skip
    assert cli.main(arguments) == 0
    told = json.loads(out.read_text())
    assert (told["cases"], told["positives"], told["subjects"]) == (12, 6, 6)
    assert told["points"][0]["rule"] == "chosen on other cases"
    assert {"fold-0", "fold-1"} == set(told["points"][0]["thresholds"])
    assert told["auc"]["value"] > 0.9  # a disc twice as bright as what surrounds it


def test_the_same_command_goes_on_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    from leuko.training.supervised.recipe import parse_task
    from leuko.training.supervised.run import train_task

    recipe = parse_task(content(data, steps=4) | {"name": "straight"})
    straight = train_task(recipe, out=tmp_path).folder
    shorter = content(data, steps=4) | {"name": "halved"}
    shorter["checkpoint"] = {"every_s": 0.0, "report_s": 0.0}

    class Halted(Exception):
        pass

    def halt(line: str) -> None:
        if line.startswith("step 2 of"):
            raise Halted

    with pytest.raises(Halted):
        train_task(parse_task(shorter), out=tmp_path, tell=halt)
    halved = train_task(parse_task(shorter), out=tmp_path).folder
    first, second = (torch.load(f / "final.pt", weights_only=True) for f in (straight, halved))
    assert first["step"] == second["step"] == 4
    for name, tensor in first["state_dict"].items():
        assert torch.equal(tensor, second["state_dict"][name]), name


def test_folders_can_be_the_classes(data: Path, tmp_path: Path) -> None:
    from leuko.training.supervised.recipe import parse_task
    from leuko.training.supervised.run import train_task

    for image in (data / "images").iterdir():
        kind = tmp_path / "images" / ("healthy" if "v0" in image.name else "ill")
        kind.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, kind / image.name)
    recipe = content(data, steps=2)
    recipe["data"] = {"layout": "folders", "images": str(tmp_path / "images"),
                      "subject": r"(s\d)", "category": "folder"}  # fmt: skip
    outcome = train_task(parse_task(recipe), out=tmp_path / "runs")
    held = torch.load(outcome.folder / "final.pt", weights_only=True)
    assert ["healthy", "ill"] == held["classes"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"network": {"name": "unet", "width": 4}},
            "for segmentation, the recipe's task is classification",
        ),
        ({"loss": {"name": "dice-ce"}}, "is for segmentation, not for classes"),
        ({"task": "segmentation"}, "for classification, the recipe's task is segmentation"),
    ],
)
def test_a_network_or_loss_for_the_other_task_is_refused(
    data: Path, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    from leuko.training.supervised.recipe import parse_task
    from leuko.training.supervised.run import train_task

    with pytest.raises(UsageError, match=said):
        train_task(parse_task(content(data, steps=2) | change), out=tmp_path)


def test_one_class_only_says_what_is_missing(data: Path, tmp_path: Path) -> None:
    from leuko.training.supervised.recipe import parse_task
    from leuko.training.supervised.run import train_task

    only = tmp_path / "data"
    shutil.copytree(data, only)
    for path in only.rglob("*_v0.png"):
        path.unlink()
    with pytest.raises(UsageError, match="at least two"):
        train_task(parse_task(content(only, steps=2)), out=tmp_path)
