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


def test_means_come_with_intervals_sizes_and_the_bias_of_volumes(
    repository: Path, data: Path
) -> None:
    """Half of each union is found (0.08 of 0.16 ml, in one lesion of 160 mm3): bias -50 %."""
    done = run(
        repository, "--masks", data / "masks", "--data", data, "--out", data,
        "--sets", "tabriz-union", "--no-overlays", "--no-peers",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads((data / "accuracy" / "masks" / "scores.json").read_text())
    union = content["sets"]["tabriz-union"]
    mean = union["mean"]["masks"]
    assert mean["volume_bias_percent"]["value"] == pytest.approx(-50)
    assert mean["case_bias_percent"]["value"] == pytest.approx(-50)
    assert mean["dice"]["interval_low"] == pytest.approx(2 / 3)
    by_size = {one["from_mm3"]: one for one in union["sizes"]["masks"]}
    assert list(by_size) == [0, 15, 50, 200, 1000]
    assert by_size[50]["recall"]["of"] == 2
    assert by_size[50]["recall"]["value"] == 1.0
    assert by_size[50]["precision"]["of"] == 2
    assert by_size[0]["recall"]["value"] is None
    assert "drawn over 2 scans" in done.stdout
    assert max(map(len, done.stdout.split("\n## ")[1].splitlines()[1:])) <= 120


def test_brief_prints_a_line_a_set_and_writes_nothing(repository: Path, data: Path) -> None:
    done = run(
        repository, "--masks", data / "masks", "--data", data, "--out", data,
        "--sets", "tabriz-union,lesion-free", "--brief",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    union, healthy = done.stdout.splitlines()
    assert union.split()[:3] == ["tabriz-union", "Dice", "0.667"]
    assert union.endswith("bias  -50 %")
    assert healthy.split() == ["lesion-free", "false:", "thick_flair_young", "0.08", "ml"]
    assert not (data / "accuracy").exists()


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
