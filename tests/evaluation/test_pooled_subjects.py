"""Slices of one subject counted as one case: `--subject` of evaluate and compare."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from leuko.cli.compare import compare as compare_command
from leuko.cli.evaluate import evaluate as command
from leuko.errors import UnusableInput, UsageError
from leuko.evaluation.pair import Pair, pair_masks
from leuko.evaluation.pooled import LENGTHS, pool
from leuko.evaluation.registry import METRICS
from leuko.evaluation.scores import scores
from leuko.image.grid import Grid
from leuko.pipelines.compare import compare
from leuko.pipelines.evaluate import evaluate_paths

GRID = Grid.from_spacing((16, 12, 1), (1.0, 1.0, 3.0))
PATTERN = "(.+)_[0-9]+"


def slices(seed: int, *, empty: str = "") -> Pair:
    random = np.random.default_rng(seed)
    first, second = (random.random((2, *GRID.shape)) > 0.8).astype(bool)
    return pair_masks(first & (empty != "first"), second & (empty != "second"), grid=GRID)


def save(path: Path, columns: int, *, rows: int = 4, value: int = 255) -> None:
    """A picture of 20 x 10 with a block of `rows` x `columns` in the corner."""
    data = np.zeros((10, 20), np.uint8)
    data[:rows, :columns] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(data).save(path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Subject a: 8 of 12 true pixels found on one slice, an empty slice; b: 4 of 4, 4 too many."""
    for name, truth, found in (("a_1", 3, 2), ("a_2", 0, 0), ("b_1", 1, 2), ("b_10", 0, 0)):
        save(tmp_path / "truth" / f"{name}.png", truth)
        save(tmp_path / "good" / f"{name}.png", truth)
        save(tmp_path / "out" / f"{name}.png", found, value=1)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(
        command, [str(argument) for argument in arguments], help_option_names=["-h", "--help"]
    )


@pytest.mark.parametrize("name", [name for name in METRICS if name not in LENGTHS])
def test_a_subject_of_one_image_has_the_scores_of_the_image(name: str) -> None:
    pair = slices(3)
    expected = scores(pair, names=[name])
    assert expected == pytest.approx(scores(pool([pair]), names=[name]), nan_ok=True)


def test_voxels_and_lesions_are_summed_before_any_quotient() -> None:
    parts = [slices(1), slices(2), slices(3, empty="first"), slices(4, empty="second")]
    common, truth, found = (
        sum(getattr(part, f"{name}_voxels") for part in parts)
        for name in ("common", "reference", "prediction")
    )
    hit = sum(int(part.reference_lesions.touched().sum()) for part in parts)
    lesions = sum(part.reference_lesions.count for part in parts)
    expected = {
        "dice": 2 * common / (truth + found),
        "avd": 100 * abs(found - truth) / truth,
        "accuracy": 1 - (truth + found - 2 * common) / (4 * 16 * 12),
        "lesion_recall": hit / lesions,
    }
    assert expected == pytest.approx(scores(pool(parts), names=expected))


def test_an_outline_on_a_slice_where_the_other_mask_is_empty_is_out_of_tolerance() -> None:
    same, lost = np.zeros(GRID.shape, bool), np.zeros(GRID.shape, bool)
    same[2:4, 2:4] = True  # an outline of 4, in both masks
    lost[2:4, 2:5] = True  # an outline of 6, in the reference alone
    parts = [pair_masks(same, same, grid=GRID), pair_masks(lost, ~lost & lost, grid=GRID)]
    assert scores(pool(parts), names=["nsd", "boundary_recall", "boundary_precision"]) == {
        "nsd": pytest.approx(8 / 14),
        "boundary_recall": pytest.approx(4 / 10),
        "boundary_precision": 1.0,
    }


def test_voxels_of_different_sizes_are_not_summed() -> None:
    other = Grid.from_spacing((16, 12, 1), (2.0, 2.0, 3.0))
    mask = np.ones(GRID.shape, bool)
    pairs = [pair_masks(mask, mask, grid=grid) for grid in (GRID, other)]
    with pytest.raises(UnusableInput, match="1 x 1 x 3 and 2 x 2 x 3"):
        pool(pairs)


def test_slices_of_a_patient_are_one_case_and_an_empty_slice_adds_nothing(pictures: Path) -> None:
    done = evaluate_paths(pictures / "truth", pictures / "out", subject=PATTERN)
    assert {case.case: case.values["dice"] for case in done.cases} == {
        "a": 2 * 8 / (12 + 8),
        "b": 2 * 4 / (4 + 8),
    }
    assert {case.case: dict(case.pieces) for case in done.cases} == {
        "a": {"a_1": 4, "a_2": 0},
        "b": {"b_1": 4, "b_10": 0},
    }
    assert not set(LENGTHS) & set(done.summary)


def test_labels_of_all_slices_are_counted_together(tmp_path: Path) -> None:
    """Label 1 is on the first slice, label 2 on the second, which the prediction lacks."""
    for name, truth, found in (("a_1", 1, 1), ("a_2", 2, 0)):
        save(tmp_path / "truth" / f"{name}.png", 2, value=truth)
        save(tmp_path / "out" / f"{name}.png", 2, value=found)
    (case,) = evaluate_paths(
        tmp_path / "truth", tmp_path / "out", labels=True, subject=PATTERN
    ).cases
    assert {label: values["dice"] for label, values in case.labels.items()} == {1: 1.0, 2: 0.0}
    assert case.values["dice"] == 0.5
    assert case.values["accuracy"] == pytest.approx(1 - 8 / 400)
    assert case.values["mean_iou"] == pytest.approx((384 / 392 + 1 + 0) / 3)


def test_files_name_the_images_of_a_subject_and_the_page_shows_one(pictures: Path) -> None:
    out = pictures / "scores"
    arguments = ["truth", "out"], [f"{out}.json", f"{out}.html"]
    done = run(*(pictures / name for name in arguments[0]), "--subject", PATTERN, "-q",
               "-o", arguments[1][0], "-o", arguments[1][1])  # fmt: skip
    assert done.exit_code == 0, done.output
    content = json.loads(Path(f"{out}.json").read_text())
    assert [case["images"] for case in content["cases"]] == [["a_1", "a_2"], ["b_1", "b_10"]]
    text = Path(f"{out}.html").read_text()
    assert "shown: a_1" in text
    assert "2 subjects" in text


def test_a_slice_without_prediction_is_said(pictures: Path) -> None:
    (pictures / "out" / "a_2.png").unlink()
    done = run(pictures / "truth", pictures / "out", "--subject", PATTERN)
    assert "1 image of this subject has no partner and does not count: a_2" in done.stderr


def test_many_names_without_partner_are_counted_not_listed(pictures: Path) -> None:
    for number in range(5):
        save(pictures / "truth" / f"c_{number}.png", 1)
    done = run(pictures / "truth", pictures / "out", "-q")
    assert "Only in REF, not scored: c_0, c_1, c_2 and 2 more" in done.stderr


@pytest.mark.parametrize(
    ("pattern", "said"), [("(", "no regular expression"), ("x_([0-9]+)", "finds no subject in a_1")]
)
def test_a_pattern_that_does_not_fit_is_refused(pictures: Path, pattern: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        evaluate_paths(pictures / "truth", pictures / "out", subject=pattern)


def test_a_distance_over_several_images_is_refused(pictures: Path) -> None:
    with pytest.raises(UsageError, match="hausdorff is a distance"):
        evaluate_paths(pictures / "truth", pictures / "out", metrics=["hausdorff"], subject=PATTERN)


def test_methods_are_compared_by_subject_without_distances(pictures: Path) -> None:
    found = compare(
        pictures / "truth", {"x": pictures / "out", "y": pictures / "good"}, subject=PATTERN
    )
    assert found.cases == ("a", "b")
    assert found.metrics == ("dice", "avd", "lesion_recall", "lesion_f1")
    assert found.values("x", "dice") == [0.8, pytest.approx(2 / 3)]
    assert found.ranking.order == ("y", "x")


def test_a_subject_of_whom_one_method_lacks_a_slice_is_left_out(pictures: Path) -> None:
    (pictures / "out" / "a_2.png").unlink()
    found = compare(
        pictures / "truth", {"x": pictures / "out", "y": pictures / "good"}, subject=PATTERN
    )
    assert found.cases == ("b",)
    assert found.left_out == {"x": ("a",)}


def test_the_page_of_a_comparison_shows_the_slice_that_differs(pictures: Path) -> None:
    out = pictures / "compare.html"
    arguments = [pictures / "truth", f"x={pictures / 'out'}", f"y={pictures / 'good'}",
                 "--subject", PATTERN, "-o", out]  # fmt: skip
    done = CliRunner().invoke(
        compare_command,
        [str(argument) for argument in arguments],
        help_option_names=["-h", "--help"],
    )
    assert done.exit_code == 0, done.output
    assert "shown: a_1" in out.read_text()


def test_empty_slices_that_count_as_cases_are_said(pictures: Path) -> None:
    done = run(pictures / "truth", pictures / "out")
    assert "In 2 of 4 cases both masks are empty, which is Dice 1." in done.stderr
    pooled = run(pictures / "truth", pictures / "out", "--subject", PATTERN)
    assert "both masks are empty" not in pooled.stderr
