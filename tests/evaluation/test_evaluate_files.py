"""`leuko evaluate` and its pipeline on files and folders."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from leuko.cli.evaluate import evaluate as command
from leuko.errors import GridMismatch, LeukoError, ReadError, UnusableInput, UsageError
from leuko.evaluation.pair import REAL_RULE
from leuko.evaluation.registry import METRICS
from leuko.formats.read import read_scan
from leuko.pipelines.evaluate import evaluate, evaluate_paths
from leuko.pipelines.evaluate_sites import read_sites
from leuko.pipelines.pairing import pair_paths, partners

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
    return CliRunner().invoke(
        command, [str(argument) for argument in arguments], help_option_names=["-h", "--help"]
    )


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


def test_the_form_of_scores_json_is_that_of_challenges(tmp_path: Path) -> None:
    for case in "ab":
        save(tmp_path / "truth" / f"{case}.nii.gz", TRUTH)
        save(tmp_path / "out" / f"{case}.nii.gz", TRUTH if case == "a" else HALF)
    out = tmp_path / "scores.json"
    run(tmp_path / "truth", tmp_path / "out", "-o", out, "--quiet")
    content = json.loads(out.read_text())
    assert list(content)[:2] == ["cases", "mean"]
    assert [list(case)[:2] for case in content["cases"]] == [["id", "metrics"]] * 2
    assert {"dice", "h95", "avd", "lesion_recall", "lesion_f1", "iou"} <= set(
        content["cases"][0]["metrics"]
    )
    assert content["mean"]["dice"] == pytest.approx((1 + 2 / 3) / 2)
    assert set(content["definitions"]) == set(METRICS)
    assert all(entry["definition"] for entry in content["definitions"].values())


def test_only_the_labels_that_are_named_count(tmp_path: Path) -> None:
    labels = TRUTH + np.uint8(3) * np.roll(TRUTH, 5, axis=0)
    truth, mask = save(tmp_path / "t.nii.gz", labels), save(tmp_path / "m.nii.gz", labels)
    done = run(truth, mask, "--labels", "--names", "3=back", "--json")
    content = json.loads(done.stdout)
    assert {"3"} == set(content["labels"])
    assert {"3"} == set(content["cases"][0]["labels"])


def test_labels_are_scored_one_by_one_and_averaged(tmp_path: Path) -> None:
    """Label 1 is right, of label 3 one half; volumes have no mean over labels."""
    labels = TRUTH + np.uint8(3) * np.roll(TRUTH, 5, axis=0)
    found = TRUTH + np.uint8(3) * np.roll(HALF, 5, axis=0)
    truth, mask = save(tmp_path / "t.nii.gz", labels), save(tmp_path / "m.nii.gz", found)
    done = run(truth, mask, "--labels", "--names", "1=front,3=back", "--json")
    content = json.loads(done.stdout)
    (case,) = content["cases"]
    assert {name: values["dice"] for name, values in case["labels"].items()} == {
        "1": 1.0,
        "3": pytest.approx(2 / 3),
    }
    assert case["metrics"]["dice"] == pytest.approx(5 / 6)
    assert "reference_ml" not in case["metrics"]
    assert case["labels"]["3"]["reference_ml"] == pytest.approx(32 * 3 / 1000)
    assert {value: entry["name"] for value, entry in content["labels"].items()} == {
        "1": "front",
        "3": "back",
    }
    assert [item["label"] for item in content["volumes"]] == []  # one case has no agreement


def test_labels_in_a_reference_of_lesions_point_to_the_option(tmp_path: Path) -> None:
    truth = save(tmp_path / "t.nii.gz", TRUTH * np.uint8(3))
    assert "--labels" in run(truth, truth, "--quiet").stderr


def test_fractions_are_no_label_map(tmp_path: Path) -> None:
    values = save(tmp_path / "p.nii.gz", (0.4 * TRUTH).astype(np.float32))
    done = run(values, values, "--labels")
    assert isinstance(done.exception, UnusableInput)


def test_sites_have_means_and_unseen_ones_a_clear_drop(tmp_path: Path) -> None:
    for case, mask in (("a", TRUTH), ("b", HALF)):
        save(tmp_path / "truth" / f"{case}.nii.gz", TRUTH)
        save(tmp_path / "out" / f"{case}.nii.gz", mask)
    sites = tmp_path / "sites.tsv"
    sites.write_text("case\tsite\tseen\na\tBern\tyes\nb\tTabriz\tno\n")
    done = run(tmp_path / "truth", tmp_path / "out", "--sites", sites, "--json")
    content = json.loads(done.stdout)
    assert {site: entry["mean"]["dice"] for site, entry in content["sites"].items()} == {
        "Bern": 1.0,
        "Tabriz": pytest.approx(2 / 3),
    }
    dice = content["seen_and_unseen"]["metrics"]["dice"]
    assert (dice["clear"], dice["change"]) == (True, pytest.approx(-1 / 3))
    assert [case["site"] for case in content["cases"]] == ["Bern", "Tabriz"]


@pytest.mark.parametrize("table", ["name\tplace\na\tBern\n", "case\tsite\tseen\na\tBern\tmaybe\n"])
def test_a_table_of_sites_that_says_nothing_is_refused(tmp_path: Path, table: str) -> None:
    path = tmp_path / "sites.tsv"
    path.write_text(table)
    with pytest.raises(UsageError, match=r"sites\.tsv"):
        read_sites(path)


def test_pictures_count_255_as_lesion_and_lengths_in_pixels(tmp_path: Path) -> None:
    picture = np.zeros((20, 30), np.uint8)
    picture[4:10, 5:15] = 255
    for side, shift in (("truth", 0), ("out", 2)):
        (tmp_path / side).mkdir()
        moved = Image.fromarray(np.roll(picture, shift, axis=1))
        moved.save(tmp_path / side / "slice.png")
    done = run(tmp_path / "truth", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    metrics = content["cases"][0]["metrics"]
    assert metrics["dice"] == pytest.approx(0.8)
    assert (metrics["hausdorff"], content["definitions"]["hausdorff"]["unit"]) == (2.0, "pixels")
    assert metrics["reference_ml"] is None


def test_a_pattern_pairs_by_what_its_star_stands_for(tmp_path: Path) -> None:
    for case in ("07", "19"):
        save(tmp_path / case / "truth.nii.gz", TRUTH)
        save(tmp_path / case / "others" / "mask.nii.gz", HALF)
    save(tmp_path / "26" / "truth.nii.gz", TRUTH)
    pairing = pair_paths(tmp_path / "*" / "truth.nii.gz", tmp_path / "*" / "others" / "mask.nii.gz")
    assert [pair.case for pair in pairing.pairs] == ["07", "19"]
    assert pairing.pairs[0].prediction == tmp_path / "07" / "others" / "mask.nii.gz"
    assert pairing.only_reference == ("26",)


def test_images_are_found_by_name_by_folder_and_by_a_longer_name(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b/flair.nii.gz", "c_flair.nii.gz", "cd.nii.gz"):
        save(tmp_path / "images" / name, TRUTH)
    found = partners(["a", "b/mask", "c", "x"], images=tmp_path / "images")
    assert {case: path.name for case, path in found.items()} == {
        "a": "a.nii.gz",
        "b/mask": "flair.nii.gz",
        "c": "c_flair.nii.gz",
    }


@pytest.mark.parametrize(
    ("reference", "prediction", "rule"),
    [
        (1, 255, "values 0 and 255: 255 is lesion"),
        (255, 1, "integer values: label >= 1; 255 in the reference is lesion"),
        (255, 255, "values 0 and 255: 255 is lesion; 255 in the reference is lesion"),
    ],
)
def test_masks_of_0_and_255_count_and_the_rule_says_so(
    tmp_path: Path, reference: int, prediction: int, rule: str
) -> None:
    files = (
        save(tmp_path / "truth.nii", TRUTH * reference),
        save(tmp_path / "m.nii", HALF * prediction),
    )
    (case,) = evaluate_paths(*files, metrics=["dice"]).cases
    assert (case.rule, case.values["dice"]) == (rule, pytest.approx(2 / 3))


def test_another_order_of_axes_is_named_in_the_refusal(tmp_path: Path) -> None:
    truth = save(tmp_path / "truth.nii.gz", TRUTH)
    nib.save(nib.as_closest_canonical(nib.load(truth)), tmp_path / "ras.nii.gz")
    said = r"The reference \S+ and the prediction \S+ lie .*11 mm apart, as their axes run to LAS"
    with pytest.raises(GridMismatch, match=said):
        evaluate_paths(truth, tmp_path / "ras.nii.gz")
