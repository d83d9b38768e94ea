"""Evaluating, comparing, exploring, cutting and predicting need nothing of the train extra."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "src" / "leuko" / "models" / "sample"
BLOCKED = ("torch", "lightning", "sklearn", "matplotlib", "tensorboard", "transformers", "onnx")
CALL = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)

sys.meta_path.insert(0, Absent())
from leuko.cli import main
sys.exit(main(sys.argv[1:]))
"""


def leuko(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CALL.format(blocked=BLOCKED), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name in ("one", "two"):
        (tmp_path / "images" / f"{name}.nii.gz").symlink_to(SAMPLE / "flair.nii.gz")
        (tmp_path / "masks" / f"{name}.nii.gz").symlink_to(SAMPLE / "truth.nii.gz")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "masks", "masks", "-o", "scores.json", "-o", "scores.html"),
        ("compare", "masks", "a=masks", "b=masks", "-o", "compare.html"),
        ("eda", "--images", "images", "--masks", "masks", "-o", "eda.html"),
        (
            "patches",
            "images/one.nii.gz",
            "-o",
            "patches",
            "--size",
            "96x96x8",
            "--stride",
            "96x96x8",
        ),
        ("networks",),
        ("networks", "unet", "--json"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_command_works(folders, arguments, monkeypatch):
    monkeypatch.chdir(folders)
    done = leuko(*arguments)
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("command", ["train", "export"])
def test_what_needs_torch_says_which_extra_brings_it(folders, command, monkeypatch):
    monkeypatch.chdir(folders)
    run = folders / "run"
    run.mkdir()
    (run / "recipe.json").write_text("{}")
    (run / "final.pt").write_bytes(b"")
    given = {
        "train": ("train", "--images", "images", "--masks", "masks"),
        "export": ("export", run, "-o", "model"),
    }
    done = leuko(*given[command])
    assert 9 == done.returncode, done.stderr
    assert "leuko[train]" in done.stderr
