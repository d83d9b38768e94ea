"""`leuko evaluate` and its pipeline on files and folders."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner, Result

from leuko.cli.evaluate import evaluate as command
from leuko.errors import GridMismatch, LeukoError, ReadError, UsageError
from leuko.evaluation.pair import REAL_RULE
from leuko.evaluation.registry import METRICS
from leuko.formats.read import read_scan
from leuko.pipelines.evaluate import evaluate, evaluate_paths
from leuko.pipelines.pairing import pair_paths

TRUTH = np.zeros((12, 10, 6), np.uint8)
TRUTH[2:6, 2:6, 2:4] = 1
HALF = TRUTH.copy()
HALF[4:] = 0


def save(path: Path, data: np.ndarray, *, shift: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-1.0, 1.0, 3.0, 1.0])
    affine[0, 3] = 10 + shift
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, 1), image.set_qform(affine, 1)
    nib.save(image, path)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_two_files_become_a_table_with_every_metric_and_the_rule(tmp_path: Path) -> None:
    done = run(save(tmp_path / "truth.nii.gz", TRUTH), save(tmp_path / "mask.nii", HALF))
    assert done.exit_code == 0, done.output
    for name in METRICS:
        assert name in done.stdout
    assert "0.667" in done.stdout
    assert "label >= 1" in done.stdout


def test_json_holds_numbers_and_null(tmp_path: Path) -> None:
    """The prediction is empty: Dice 0, distance without a value."""
    truth = save(tmp_path / "truth.nii.gz", TRUTH)
    empty = save(tmp_path / "empty.nii.gz", np.zeros_like(TRUTH))
    out = tmp_path / "scores.json"
    printed = run(truth, empty, "--json", "-o", out).stdout
    assert printed == out.read_text()
    content = json.loads(printed)
    (case,) = content["cases"]
    assert case["metrics"]["dice"] == 0.0
    assert case["metrics"]["h95"] is None
    assert case["metrics"]["avd"] == 100.0
    assert content["summary"]["h95"]["skipped"] == 1
    assert content["definitions"]["h95"]["unit"] == "mm"
    assert content["mean"]["h95"] is None


def test_a_probability_map_is_cut_at_one_half(tmp_path: Path) -> None:
    truth = save(tmp_path / "truth.nii.gz", TRUTH)
    values = save(tmp_path / "p.nii.gz", (0.9 * TRUTH + 0.1).astype(np.float32))
    scored = evaluate(read_scan(truth), read_scan(values), metrics=["dice"])
    assert (scored.rule, dict(scored.values)) == (REAL_RULE, {"dice": 1.0})


def test_folders_are_paired_by_name_or_by_case(tmp_path: Path) -> None:
    """a: same name; b: our output folder with its other files; c, d: without a partner."""
    for case in "abc":
        save(tmp_path / "truth" / f"{case}.nii.gz", TRUTH)
    save(tmp_path / "out" / "a.nii", HALF)
    for name in ("wmh", "lesions", "anatomy"):
        save(tmp_path / "out" / "b" / f"{name}.nii.gz", TRUTH)
    save(tmp_path / "out" / "d.nii.gz", TRUTH)
    (tmp_path / "out" / "notes.txt").write_text("not an image")
    done = evaluate_paths(tmp_path / "truth", tmp_path / "out")
    assert [(case.case, case.values["dice"]) for case in done.cases] == [
        ("a", pytest.approx(2 / 3)),
        ("b", 1.0),
    ]
    assert done.summary["dice"].mean == pytest.approx(5 / 6)
    assert (done.only_reference, done.only_prediction) == (("c",), ("d",))


def test_case_folders_with_the_same_names_are_paired(tmp_path: Path) -> None:
    for side in ("truth", "out"):
        save(tmp_path / side / "sub-1" / "mask.nii.gz", TRUTH)
        save(tmp_path / side / "sub-2" / "mask.nii.gz", TRUTH)
    save(tmp_path / "truth" / "sub-3" / "manual.nii.gz", TRUTH)
    save(tmp_path / "out" / "sub-3" / "wmh.nii.gz", TRUTH)
    pairing = pair_paths(tmp_path / "truth", tmp_path / "out")
    assert [pair.case for pair in pairing.pairs] == ["sub-1/mask", "sub-2/mask", "sub-3"]
    assert not pairing.only_reference
    assert not pairing.only_prediction


def test_one_bad_case_does_not_stop_the_rest_and_decides_the_exit_code(tmp_path: Path) -> None:
    for case in "ab":
        save(tmp_path / "truth" / f"{case}.nii.gz", TRUTH)
    save(tmp_path / "out" / "a.nii.gz", TRUTH, shift=2.0)
    save(tmp_path / "out" / "b.nii.gz", TRUTH)
    done = run(tmp_path / "truth", tmp_path / "out", "--json")
    assert done.exit_code == GridMismatch.exit_code
    content = json.loads(done.stdout)
    assert [case["id"] for case in content["cases"]] == ["b"]
    assert content["failed"][0]["case"] == "a"
    assert "2 mm apart" in content["failed"][0]["what"]
    assert "a: not scored." in done.stderr


def test_a_table_of_many_cases_has_their_mean(tmp_path: Path) -> None:
    for case in "ab":
        save(tmp_path / "truth" / f"{case}.nii.gz", TRUTH)
    save(tmp_path / "out" / "a.nii.gz", TRUTH)
    save(tmp_path / "out" / "b.nii.gz", HALF)
    out = tmp_path / "scores.tsv"
    done = run(tmp_path / "truth", tmp_path / "out", "-o", out)
    assert done.exit_code == 0, done.output
    assert "mean" in done.stdout
    assert "0.833" in done.stdout
    header, *rows = [line.split("\t") for line in out.read_text().splitlines()]
    assert header == ["case", *METRICS]
    assert [row[0] for row in rows] == ["a", "b"]
    assert "n/a" in rows[0]


@pytest.mark.parametrize(
    ("reference", "prediction", "error"),
    [
        ("truth.nii.gz", "missing.nii.gz", ReadError),
        ("truth.nii.gz", "folder", UsageError),
        ("truth.nii.gz", "shifted.nii.gz", GridMismatch),
        ("folder", "other", UsageError),
    ],
)
def test_what_cannot_be_scored_says_so(
    tmp_path: Path, reference: str, prediction: str, error: type[LeukoError]
) -> None:
    save(tmp_path / "truth.nii.gz", TRUTH)
    save(tmp_path / "shifted.nii.gz", TRUTH, shift=0.5)
    save(tmp_path / "folder" / "a.nii.gz", TRUTH)
    save(tmp_path / "other" / "b.nii.gz", TRUTH)
    with pytest.raises(error) as caught:
        evaluate_paths(tmp_path / reference, tmp_path / prediction)
    assert caught.value.hint
    assert str(tmp_path) not in caught.value.what


def test_an_unknown_ending_is_refused_before_the_work(tmp_path: Path) -> None:
    done = run(tmp_path / "a.nii", tmp_path / "b.nii", "-o", tmp_path / "scores.xlsx")
    assert isinstance(done.exception, UsageError)
    assert ".xlsx" in done.exception.what


def test_quiet_says_nothing_but_what_is_odd(tmp_path: Path) -> None:
    truth = save(tmp_path / "truth.nii.gz", TRUTH)
    assert run(truth, truth, "--quiet").output == ""
    labels = save(tmp_path / "labels.nii.gz", TRUTH * np.uint8(7))
    assert "only 1 counts as lesion" in run(labels, truth, "--quiet").stderr
