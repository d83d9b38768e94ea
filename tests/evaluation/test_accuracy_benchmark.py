"""benchmarks/accuracy.py on a tiny data folder: tables, JSON and overlays come out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Picture

SHAPE = (24, 28, 6)
AFFINE = np.diag([-1.0, 1.0, 5.0, 1.0])


def save(path: Path, data: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data, AFFINE)
    image.set_sform(AFFINE, 1), image.set_qform(AFFINE, 1)
    nib.save(image, path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two cases of 'tabriz' with one peer, and a lesion-free head."""
    random = np.random.default_rng(0)
    lesions = np.zeros(SHAPE, np.uint8)
    lesions[5:9, 5:9, 2] = 1
    for case in ("1", "2"):
        folder = tmp_path / "wmh" / "tabriz" / case
        save(folder / "flair.nii.gz", random.uniform(50, 100, SHAPE).astype(np.float32))
        for name in ("lesions", "peers/lpa", "peers/wmh_synthseg", "peers/bianca_all"):
            save(folder / f"{name}.nii.gz", lesions)
        save(folder / "caps_and_rims.nii.gz", np.roll(lesions, 4, axis=0))
        save(folder / "peers" / "lga.nii.gz", np.zeros(SHAPE, np.uint8))
        save(folder / "peers" / "tabriz_unet_ab.nii.gz", lesions)
        save(folder / "peers" / "tabriz_unet_all.nii.gz", lesions)
        save(tmp_path / "masks" / "tabriz" / f"{case}.nii.gz", lesions)
    head = random.uniform(50, 100, SHAPE).astype(np.float32)
    save(tmp_path / "contrasts" / "thick_flair_young" / "flair.nii.gz", head)
    save(tmp_path / "masks" / "lesion-free" / "thick_flair_young" / "wmh.nii.gz", lesions)
    return tmp_path


def run(repository: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(repository / "benchmarks" / "accuracy.py")]
    return subprocess.run(
        [*program, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_masks_are_scored_beside_the_peers(repository: Path, data: Path) -> None:
    """Half of the union is found: Dice 2/3; all of the lesions; 0.08 ml are false in the head."""
    sets = "tabriz-union,tabriz-lesions,lesion-free"
    done = run(repository, "--masks", data / "masks", "--data", data, "--out", data, "--sets", sets)
    assert done.returncode == 0, done.stderr
    folder = data / "accuracy" / "masks"
    content = json.loads((folder / "scores.json").read_text())
    union, lesions = content["sets"]["tabriz-union"], content["sets"]["tabriz-lesions"]
    assert union["mean"]["masks"]["dice"]["mean"] == pytest.approx(2 / 3)
    assert lesions["mean"]["masks"]["dice"]["mean"] == 1.0
    assert lesions["mean"]["LST-LGA"]["dice"]["mean"] == 0.0
    assert lesions["mean"]["LST-LGA"]["h95"]["skipped"] == 2
    assert content["sets"]["lesion-free"]["cases"][0]["values"]["prediction_ml"] == 0.08
    assert "| LST-LPA" in done.stdout
    assert "0.667" in (folder / "scores.md").read_text()
    with Picture.open(folder / "tabriz-union_1.png") as picture:
        assert picture.width >= 640


def test_a_definition_chooses_among_the_sets(repository: Path, data: Path) -> None:
    done = run(
        repository, "--masks", data / "masks", "--data", data, "--out", data,
        "--sets", "tabriz", "--definition", "ms", "--no-overlays", "--no-peers",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads((data / "accuracy" / "masks" / "scores.json").read_text())
    assert list(content["sets"]) == ["tabriz-lesions"]
    assert list(content["sets"]["tabriz-lesions"]["mean"]) == ["masks"]
    assert not list((data / "accuracy" / "masks").glob("*.png"))


def test_an_unknown_set_is_a_usage_error_that_lists_them(repository: Path, data: Path) -> None:
    done = run(repository, "--masks", data / "masks", "--data", data, "--sets", "tabris")
    assert done.returncode == 2
    assert "tabriz-union" in done.stderr
