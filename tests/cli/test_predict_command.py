"""`leuko predict` and `leuko export` as a user calls them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import leuko
from leuko import cli
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.preparation.case import CasePlan
from level_model import write_model

SHAPE = (20, 24, 5)
PLAN = CasePlan(intensity="none", size=(32, 32))


def block(at: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """0, and 1 in a block of 4 x 5 x depth voxels."""
    data = np.zeros(shape, dtype=np.uint8)
    data[at : at + 4, 3:8] = 1
    return data


def put(path: Path, data: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, second, third = data.shape
    leuko.write(Image(data, Grid.from_spacing((first, second, third), (1.0, 1.0, 2.0))), path)
    return path


def picture(path: Path, data: np.ndarray) -> Path:
    """A grey picture of columns and rows."""
    from PIL import Image as Pillow

    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(np.ascontiguousarray(data.T)).save(path)
    return path


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def predicted(path: Path) -> np.ndarray:
    return np.asarray(leuko.read(path).data)


@pytest.fixture
def model(tmp_path: Path) -> str:
    write_model(tmp_path / "model", plan=PLAN)
    return str(tmp_path / "model")


def test_one_image_gives_the_file_that_is_named(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image = put(tmp_path / "scan.nii.gz", block(2))
    out = tmp_path / "mask.nrrd"
    assert cli.main(["predict", model, str(image), "-o", str(out)]) == 0
    assert np.array_equal(block(2), predicted(out))
    shown = capsys.readouterr().out
    assert "mask.nrrd: bright 0.200 ml (200.0 mm3)" in shown
    assert "1 image, 5 slices in" in shown
    assert "slices/s" in shown


def test_one_image_and_a_folder_give_out_nii_gz(tmp_path: Path, model: str) -> None:
    image = put(tmp_path / "scan.nii.gz", block(2))
    out = tmp_path / "out"
    arguments = ["predict", model, str(image), "-o", str(out), "--probabilities", "-q"]
    assert cli.main(arguments) == 0
    assert {
        "out.nii.gz",
        "probabilities/out.nii.gz",
        "labels.tsv",
        "volumes.tsv",
        "predict.json",
    } == files(out)
    assert np.allclose(block(2), predicted(out / "probabilities" / "out.nii.gz"), atol=1e-3)
    assert "1\tbright\t" in (out / "labels.tsv").read_text()


def test_a_folder_gives_masks_of_the_same_names_that_evaluate_pairs(
    tmp_path: Path, model: str
) -> None:
    for index, name in enumerate(("a", "b", "site2/c")):
        put(tmp_path / "images" / f"{name}.nii.gz", block(2 * index))
        put(tmp_path / "masks" / f"{name}.nrrd", block(2 * index))
    put(tmp_path / "images" / "a_mask.nii.gz", block(1))
    out = tmp_path / "out"
    assert cli.main(["predict", model, str(tmp_path / "images"), "-o", str(out), "-q"]) == 0
    masks = {name for name in files(out) if name.endswith(".nii.gz")}
    assert {"a.nii.gz", "b.nii.gz", "site2/c.nii.gz"} == masks
    with (out / "volumes.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [("a", "200.000"), ("b", "200.000"), ("site2/c", "200.000")] == [
        (row["name"], row["mm3"]) for row in rows
    ]
    scores = tmp_path / "scores.json"
    arguments = ["evaluate", str(tmp_path / "masks"), str(out), "-o", str(scores), "-q"]
    assert cli.main(arguments) == 0
    cases = json.loads(scores.read_text())["cases"]
    assert [1.0, 1.0, 1.0] == [case["metrics"]["dice"] for case in cases]


def test_pictures_give_pictures_of_the_same_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(tmp_path / "model", plan=PLAN, values=(0, 255))
    shape = (33, 21)
    picture(tmp_path / "in" / "slice_1.png", block(2, shape))
    picture(tmp_path / "in" / "slice_2.png", block(5, shape))
    out = tmp_path / "out"
    arguments = ["predict", str(tmp_path / "model"), str(tmp_path / "in"), "-o", str(out)]
    assert cli.main(arguments) == 0
    from PIL import Image as Pillow

    with Pillow.open(out / "slice_2.png") as found:
        assert np.array_equal(255 * block(5, shape).T, np.asarray(found))
    assert "slice_1.png: bright 20 pixels" in capsys.readouterr().out


def test_images_of_one_name_are_told_apart_by_their_folders(tmp_path: Path, model: str) -> None:
    paths = [str(put(tmp_path / f"sub-{k}" / "flair.nii.gz", block(k))) for k in (1, 2)]
    assert cli.main(["predict", model, *paths, "-o", str(tmp_path / "out"), "-q"]) == 0
    assert {"sub-1_flair.nii.gz", "sub-2_flair.nii.gz"} < files(tmp_path / "out")


def test_further_channels_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(tmp_path / "model")
    write_model(tmp_path / "model", plan=PLAN, channels=("flair", "T1w"))
    for name, at in (("a", 1), ("b", 5)):
        put(tmp_path / "flair" / f"{name}.nii.gz", block(at))
        put(tmp_path / "t1" / f"{name}_T1w.nii.gz", block(at))
    flair, t1, out = tmp_path / "flair", tmp_path / "t1", tmp_path / "out"
    one = ["predict", model, str(flair / "a.nii.gz"), "-o", str(tmp_path / "a.nii.gz")]
    assert cli.main(one) == 2
    assert "needs 2 images of each example (flair, T1w); T1w not given" in capsys.readouterr().err
    assert cli.main([*one, "--channel", "t2=x.nii.gz"]) == 2
    assert "no further channel t2" in capsys.readouterr().err
    assert cli.main([*one, "--channel", "t1"]) == 2
    assert "is not NAME=PATH" in capsys.readouterr().err
    assert cli.main([*one, "--t1", str(t1 / "a_T1w.nii.gz")]) == 0
    assert np.array_equal(block(1), predicted(tmp_path / "a.nii.gz"))
    many = ["predict", model, str(flair), "-o", str(out), "--channel", f"T1w={t1}", "-q"]
    assert cli.main(many) == 0
    assert np.array_equal(block(5), predicted(out / "b.nii.gz"))


def test_regions_come_from_a_folder(tmp_path: Path) -> None:
    write_model(tmp_path / "model", plan=PLAN, region=True)
    put(tmp_path / "in" / "a.nii.gz", np.ones(SHAPE, dtype=np.uint8))
    put(tmp_path / "brains" / "a.nii.gz", block(3))
    out = tmp_path / "out"
    arguments = ["predict", str(tmp_path / "model"), str(tmp_path / "in"), "-o", str(out), "-q"]
    assert cli.main(arguments) == 2
    assert cli.main([*arguments, "--region", str(tmp_path / "brains")]) == 0
    assert np.array_equal(block(3), predicted(out / "a.nii.gz"))


def test_one_bad_image_stops_no_other(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "in" / "good.nii.gz", block(1))
    (tmp_path / "in" / "bad.nii.gz").write_bytes(b"nothing")
    out = tmp_path / "out"
    assert cli.main(["predict", model, str(tmp_path / "in"), "-o", str(out)]) == 3
    assert (out / "good.nii.gz").is_file()
    assert "bad: bad.nii.gz" in capsys.readouterr().err
    items = json.loads((out / "predict.json").read_text())["items"]
    assert [("bad", 3), ("good", 0)] == [(item["name"], item["exit_code"]) for item in items]


def test_nothing_is_replaced_unless_forced_and_an_input_never(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image = put(tmp_path / "scan.nii.gz", block(2))
    out = tmp_path / "out.nii.gz"
    arguments = ["predict", model, str(image), "-o", str(out), "-q"]
    assert cli.main(arguments) == 0
    assert cli.main(arguments) == 6
    assert "is there already" in capsys.readouterr().err
    assert cli.main([*arguments, "--force"]) == 0
    assert cli.main(["predict", model, str(image), "-o", str(image), "--force"]) == 2
    assert "is an input" in capsys.readouterr().err
    assert np.array_equal(block(2), predicted(image))


def test_json_says_what_was_made(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image = put(tmp_path / "scan.nii.gz", block(2))
    out = tmp_path / "out.nii.gz"
    assert cli.main(["predict", model, str(image), "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert ["background", "bright"] == told["classes"]
    assert {"bright": 200.0} == told["items"][0]["volumes"]
    assert ["levels"] == [model["name"] for model in told["provenance"]["models"]]


def test_a_classifier_writes_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classes = ("absent", "present")
    write_model(tmp_path / "model", plan=PLAN, task="classification", classes=classes)
    put(tmp_path / "in" / "a.nii.gz", np.zeros((32, 32, 2), dtype=np.uint8))
    put(tmp_path / "in" / "b.nii.gz", np.ones((32, 32, 2), dtype=np.uint8))
    out = tmp_path / "out.tsv"
    base = ["predict", str(tmp_path / "model"), str(tmp_path / "in"), "-o"]
    assert cli.main([*base, str(tmp_path / "out")]) == 0
    assert "b: present (absent 0.000, present 1.000)" in capsys.readouterr().out
    with (tmp_path / "out" / "classes.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [("a", "absent"), ("b", "present")] == [(row["name"], row["class"]) for row in rows]
    one = ["predict", str(tmp_path / "model"), str(tmp_path / "in" / "b.nii.gz"), "-o", str(out)]
    assert cli.main(one) == 0
    assert "b\tpresent\t0.000000\t1.000000" in out.read_text()


def test_a_dicom_folder_is_one_image(tmp_path: Path, shared_data: Path) -> None:
    write_model(tmp_path / "model", plan=CasePlan(intensity="none", size=(512, 512)))
    model = str(tmp_path / "model")
    study = shared_data / "tasks" / "ct" / "abdomen_dicom"
    out = tmp_path / "out.nii.gz"
    assert cli.main(["predict", model, str(study), "-o", str(out), "-q"]) == 0
    scan = leuko.read(study)
    assert np.array_equal(scan.data > 0.5, predicted(out))
    assert scan.grid == leuko.read(out).grid


@pytest.mark.parametrize(
    ("inputs", "code", "said"),
    [
        (["nowhere.nii.gz"], 3, "There is no nowhere.nii.gz"),
        (["."], 3, "holds no image to predict"),
        ([], 2, "Give an image"),
    ],
)
def test_what_is_missing_is_told(
    tmp_path: Path,
    model: str,
    inputs: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert cli.main(["predict", model, *inputs, "-o", "out"]) == code
    assert said in capsys.readouterr().err


def test_predicting_needs_no_torch(tmp_path: Path, model: str) -> None:
    image = put(tmp_path / "scan.nii.gz", block(2))
    arguments = ["predict", model, str(image), "-o", str(tmp_path / "out.nii.gz")]
    script = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from leuko import cli\n"
        f"sys.exit(cli.main({arguments!r}))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert np.array_equal(block(2), predicted(tmp_path / "out.nii.gz"))


class TestRuns:
    """A run that training left, with a tiny random network."""

    @pytest.fixture
    def run(self, tmp_path: Path) -> Path:
        pytest.importorskip("torch", reason="needs leuko[train]")
        import torch

        from leuko.networks import catalogue

        run = tmp_path / "runs" / "tiny"
        run.mkdir(parents=True)
        options = {"dims": 2, "in_channels": 1, "classes": 2, "width": 4, "levels": 3}
        content: dict[str, Any] = {
            "network": {"name": "unet", "options": options},
            "state_dict": catalogue.build("unet", **options).state_dict(),
            "recipe": {
                "task": "segmentation",
                "name": "tiny",
                "case": {"dims": 2, "size": [32, 32]},
            },
            "classes": ["background", "lesion"],
            "channels": 1,
        }
        torch.save(content, run / "best.pt")
        items = []
        for name in ("one", "two"):
            image = put(tmp_path / "images" / f"{name}.nii.gz", block(2))
            label = put(tmp_path / "masks" / f"{name}_truth.nii.gz", block(2))
            items.append(
                {"name": name, "subject": name, "images": [str(image)], "label": str(label),
                 "region": None, "site": "", "category": ""}
            )  # fmt: skip
        (run / "items.json").write_text(json.dumps(items))
        (run / "recipe.json").write_text("{}")
        split = {"train": ["one"], "valid": [], "test": ["two"]}
        (run / "split.json").write_text(json.dumps(split))
        return run

    def test_export_writes_a_model_that_predict_takes(
        self, tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        model, out = tmp_path / "exported", tmp_path / "out.nii.gz"
        assert cli.main(["export", str(run), "-o", str(model)]) == 0
        assert "tiny: unet" in capsys.readouterr().out
        image = tmp_path / "images" / "one.nii.gz"
        assert cli.main(["predict", str(model), str(image), "-o", str(out), "-q"]) == 0
        assert SHAPE == predicted(out).shape

    def test_a_run_predicts_its_test_images_under_their_masks_names(
        self, tmp_path: Path, run: Path
    ) -> None:
        out = tmp_path / "out"
        assert cli.main(["predict", str(run), "-o", str(out), "-q"]) == 0
        assert {"two_truth.nii.gz", "labels.tsv", "volumes.tsv", "predict.json"} == files(out)
        arguments = ["evaluate", str(tmp_path / "masks"), str(out), "-o",
                     str(tmp_path / "scores.json"), "-q"]  # fmt: skip
        assert cli.main(arguments) == 0

    def test_a_cross_validation_predicts_the_test_images_of_all_folds(
        self, tmp_path: Path, run: Path
    ) -> None:
        folds = tmp_path / "folds"
        for index, name in enumerate(("one", "two")):
            fold = folds / f"fold-{index}"
            shutil.copytree(run, fold)
            split = {"train": [], "valid": [], "test": [name]}
            (fold / "split.json").write_text(json.dumps(split))
        out = tmp_path / "out"
        assert cli.main(["predict", str(folds), "-o", str(out), "-q"]) == 0
        assert {"one_truth.nii.gz", "two_truth.nii.gz"} < files(out)
        told = json.loads((out / "predict.json").read_text())
        assert ["one_truth", "two_truth"] == [item["name"] for item in told["items"]]
        with (out / "volumes.tsv").open() as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        assert [("one_truth", "fold-0"), ("two_truth", "fold-1")] == [
            (row["name"], row["fold"]) for row in rows
        ]
        image = str(tmp_path / "images" / "one.nii.gz")
        assert cli.main(["predict", str(folds), image, "-o", str(out)]) == 2

    def test_a_run_is_exported_again_only_after_more_training(
        self, tmp_path: Path, run: Path
    ) -> None:
        card = run / "model" / "model.json"
        image = str(tmp_path / "images" / "one.nii.gz")
        times = []
        for name in ("a", "b", "c"):
            arguments = ["predict", str(run), image, "-o", str(tmp_path / f"{name}.nii.gz"), "-q"]
            assert cli.main(arguments) == 0
            times.append(card.stat().st_mtime_ns)
            if name == "b":
                later = card.stat().st_mtime + 10
                os.utime(run / "best.pt", (later, later))
        assert times[0] == times[1] != times[2]

    def test_a_run_without_test_images_says_what_to_do(
        self, run: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["predict", str(run), "-o", "out", "--part", "valid"]) == 2
        said = capsys.readouterr().err
        assert "no valid examples" in said
        assert "Give the images" in said
