"""Baselines on files, in Python and on the command line."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from blobs import SHAPE, dice, drawn, items_in
from PIL import Image as Picture

from leuko import cli
from leuko.datasets.items import Item
from leuko.formats.read import read_mask
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.baseline import predict_baseline, run_baselines


def mask_at(path: Path) -> np.ndarray:
    return read_mask(path).data != 0


def test_masks_of_all_subjects_agree_with_the_truth(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    items = items_in(tmp_path, 3)
    folds = run_baselines(items, methods=["threshold", "tree"], out=tmp_path / "out")
    for method in ("threshold", "tree"):
        for number, item in enumerate(items):
            found = mask_at(tmp_path / "out" / method / f"{item.name}.nii.gz")
            assert dice(found, drawn(number)[1]) > 0.8
    assert len(folds) == 6
    assert all(not set(fold.test) & set(fold.train) for fold in folds)
    record = json.loads((tmp_path / "out" / "baselines.json").read_text())
    assert record["region"] == "foreground"


@pytest.mark.parametrize("method", ["threshold", "tree"])
def test_the_truth_of_a_subject_does_not_touch_its_own_mask(tmp_path: Path, method: str) -> None:
    pytest.importorskip("sklearn")
    items = items_in(tmp_path, 3)
    run_baselines(items, methods=[method], out=tmp_path / "a")
    truth = read_mask(items[0].label or "")
    other = np.zeros(SHAPE, np.uint8)
    other[14:18, 14:18, 4] = 1
    write(truth.with_data(other), tmp_path / "other.nii.gz")
    changed = (replace(items[0], label=tmp_path / "other.nii.gz"), *items[1:])
    run_baselines(changed, methods=[method], out=tmp_path / "b")
    name = f"{method}/s0.nii.gz"
    assert (mask_at(tmp_path / "a" / name) == mask_at(tmp_path / "b" / name)).all()


def test_two_visits_of_a_person_are_left_out_together(tmp_path: Path) -> None:
    items = items_in(tmp_path, 4)
    items = (replace(items[0], subject="twice"), replace(items[1], subject="twice"), *items[2:])
    folds = run_baselines(items, methods=["threshold"], out=tmp_path / "out")
    assert sorted(fold.test for fold in folds) == [("s0", "s1"), ("s2",), ("s3",)]


def test_a_flipped_file_gives_the_flipped_mask(tmp_path: Path) -> None:
    image, _ = drawn(0)
    grid = Grid.from_spacing(SHAPE, (2.0, 2.0, 5.0))
    affine = grid.affine.copy()
    affine[0] = [-2.0, 0, 0, 2.0 * (SHAPE[0] - 1)]
    write(Image(image, grid), tmp_path / "plain.nii.gz")
    write(Image(image[::-1].copy(), Grid(SHAPE, affine)), tmp_path / "flipped.nii.gz")
    items = [Item(name, name, (tmp_path / f"{name}.nii.gz",)) for name in ("plain", "flipped")]
    plain, flipped = predict_baseline(items, "threshold", out=tmp_path / "out")
    assert mask_at(plain).any()
    assert (mask_at(plain)[::-1] == mask_at(flipped)).all()


def test_another_channel_comes_from_its_own_grid(tmp_path: Path) -> None:
    image, _ = drawn(0)
    write(Image(image, Grid.from_spacing(SHAPE, (2.0, 2.0, 5.0))), tmp_path / "a.nii.gz")
    affine = np.diag([4.0, 4.0, 5.0, 1.0])
    affine[:2, 3] = 1.0
    coarse = image.reshape(16, 2, 15, 2, 8).mean(axis=(1, 3), dtype=np.float32)
    write(Image(coarse, Grid(coarse.shape, affine)), tmp_path / "b.nii.gz")
    item = Item("a", "a", (tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"))
    (path,) = predict_baseline([item], "threshold", out=tmp_path / "out")
    assert read_mask(path).grid.shape == SHAPE


def test_pictures_are_learnt_from_and_get_pictures_as_masks(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    random = np.random.default_rng(0)
    for number in range(3):
        lesion = np.zeros((40, 50), bool)
        lesion[8 + 4 * number : 16 + 4 * number, 20:30] = True
        shown = 60 + 100 * lesion + random.normal(0, 5, (40, 50))
        for folder, data in (("images", shown), ("masks", 255 * lesion)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Picture.fromarray(data.astype(np.uint8)).save(tmp_path / folder / f"p{number}.png")
    done = cli.main(["baseline", "run", "forest", "--region", "all", "--subject", "(p.)", "-q",
                     "--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks"),
                     "-o", str(tmp_path / "out")])  # fmt: skip
    assert done == 0
    found = np.asarray(Picture.open(tmp_path / "out" / "forest" / "p1.png"))
    lesion = np.zeros((40, 50), bool)
    lesion[12:20, 20:30] = True
    assert dice(found > 0, lesion) > 0.85


def test_a_blank_slice_of_a_data_set_gets_an_empty_mask(tmp_path: Path) -> None:
    Picture.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "blank.png")
    item = Item("blank", "blank", (tmp_path / "blank.png",))
    (path,) = predict_baseline([item], "threshold", out=tmp_path / "out")
    assert not np.asarray(Picture.open(path)).any()


def test_a_baseline_is_fitted_kept_and_used_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    items_in(tmp_path, 3)
    data = ["--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    model, out = tmp_path / "forest.npz", tmp_path / "out"
    assert cli.main(["baseline", "fit", "forest", *data, "-o", str(model)]) == 0
    assert "Mean Dice on the 3 training images: 1.00" in capsys.readouterr().out
    assert (
        cli.main(["baseline", "predict", str(model), str(tmp_path / "images"), "-o", str(out)]) == 0
    )
    assert "3 masks" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["s0.nii.gz", "s1.nii.gz", "s2.nii.gz"]


def test_nothing_is_replaced_without_force(tmp_path: Path) -> None:
    items_in(tmp_path, 1)
    given = ["baseline", "predict", "threshold", str(tmp_path / "images" / "s0.nii.gz"), "-q"]
    assert cli.main([*given, "-o", str(tmp_path / "out")]) == 0
    assert cli.main([*given, "-o", str(tmp_path / "out")]) == 6
    assert cli.main([*given, "-o", str(tmp_path / "out"), "--force"]) == 0
    assert cli.main([*given, "-o", str(tmp_path / "images"), "--force"]) == 2  # the input itself


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (["predict", "forest", "IMAGE", "-o", "OUT"], 2, "has to learn before"),
        (["predict", "thresold", "IMAGE", "-o", "OUT"], 2, "no baseline 'thresold'"),
        (["predict", "missing.npz", "IMAGE", "-o", "OUT"], 3, "missing.npz cannot be read"),
        (["fit", "tree", "-o", "OUT/a.npz"], 2, "--images and --masks, or --list"),
        (["fit", "tree", "--images", "IMAGES", "-o", "OUT/a.npz"], 2, "--images and --masks"),
        (["fit", "threshold", "--images", "IMAGES", "--masks", "MASKS", "-o", "OUT/a.txt"], 2,
         "does not end in .npz"),
        (["run", "threshold", "--images", "IMAGES", "--masks", "MASKS", "--folds", "1",
          "-o", "OUT"], 2, "neither a number from 2"),
        (["run", "threshold", "--images", "IMAGES", "--masks", "MASKS", "--folds", "9",
          "-o", "OUT"], 2, "9 folds cannot be made of 2 subjects"),
        (["run", "threshold", "--images", "IMAGES", "--masks", "MASKS", "--region", "brain",
          "-o", "OUT"], 4, "No brain"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(
    given: list[str], code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items_in(tmp_path, 2)
    places = {"IMAGES": "images", "MASKS": "masks", "OUT": "out", "IMAGE": "images/s0.nii.gz"}
    named = [str(tmp_path / places[word]) if word in places else word for word in given]
    named = [word.replace("OUT", str(tmp_path / "out")) for word in named]
    assert cli.main(["baseline", *named]) == code
    assert told in capsys.readouterr().err


def test_without_scikit_learn_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    items_in(tmp_path, 1)
    monkeypatch.setitem(sys.modules, "sklearn.exceptions", None)
    given = ["baseline", "predict", "gmm", str(tmp_path / "images"), "-o", str(tmp_path / "out")]
    assert cli.main(given) == 9
    assert "leuko[train]" in capsys.readouterr().err


def test_a_threshold_finds_most_of_real_lesions(shared_data: Path, tmp_path: Path) -> None:
    case = shared_data / "wmh" / "tabriz" / "105755"
    item = Item("case", "case", (case / "flair.nii.gz",))
    (path,) = predict_baseline([item], "threshold", out=tmp_path)
    truth = mask_at(case / "lesions.nii.gz") | mask_at(case / "caps_and_rims.nii.gz")
    assert dice(mask_at(path), truth) > 0.55
