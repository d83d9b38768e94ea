"""`leuko train` from the command line: a run end to end, and refusals with their exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra (torch)")
pytest.importorskip("lightning", reason="needs the train extra (lightning)")

TINY = """
name: tiny
network: {width: 2, levels: 2}
data: {labelmaps: ["${DATA}/labelmaps/head_07.nii.gz"], crop: [64, 64], buffer: 8, warm: 2}
optimisation: {steps: 2, batch: 2}
validation: {slices: 0}
"""


def leuko(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leuko", "train", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_a_recipe_becomes_weights(tmp_path: Path, shared_data: Path) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(TINY)
    done = leuko(recipe, "--data", shared_data, "--out", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert "Done at step 2" in done.stdout
    assert (tmp_path / "runs" / "tiny" / "final.pt").is_file()


def test_an_unknown_field_is_a_usage_error_that_names_it(tmp_path: Path) -> None:
    recipe = tmp_path / "odd.yaml"
    recipe.write_text(TINY + "colour: red\n")
    done = leuko(recipe, "--data", tmp_path)
    assert done.returncode == 2
    assert "colour" in done.stderr
    assert "Traceback" not in done.stderr
