"""Label maps, class by class and on the mean; counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.evaluation.multiclass import label_scores, multiclass_scores
from leuko.evaluation.pair import pair_masks
from leuko.evaluation.panoptic import instance_scores
from leuko.evaluation.registry import METRICS
from leuko.evaluation.scores import scores
from leuko.image.grid import Grid
from leuko.image.image import Image

# Ten voxels in a row; agreement 4 of background, 2 of class 1, 1 of class 2.
TRUTH = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]
FOUND = [0, 0, 0, 0, 1, 1, 1, 2, 2, 0]


def row(values: list[float], dtype: type[np.generic] = np.uint8) -> Image:
    data = np.array(values, dtype=dtype).reshape(-1, 1, 1)
    return Image(data, Grid.from_spacing((len(values), 1, 1), (1.0, 1.0, 1.0)))


def test_every_class_and_every_mean_by_hand() -> None:
    """IoU 4/6, 2/4, 1/3; Dice 8/10, 4/6, 2/4; found 4/5, 2/3, 1/2; chance (25+9+4)/100."""
    made = multiclass_scores(row(TRUTH), row(FOUND))
    assert [one.name for one in made.classes] == ["background", "1", "2"]
    assert [one.iou for one in made.classes] == pytest.approx([4 / 6, 1 / 2, 1 / 3])
    assert [one.dice for one in made.classes] == pytest.approx([0.8, 2 / 3, 0.5])
    assert [one.accuracy for one in made.classes] == pytest.approx([0.8, 2 / 3, 0.5])
    assert [one.precision for one in made.classes] == pytest.approx([0.8, 2 / 3, 0.5])
    assert [one.reference_voxels for one in made.classes] == [5, 3, 2]
    assert made.mean_iou == pytest.approx(0.5)
    assert made.mean_iou_foreground == pytest.approx(5 / 12)
    assert made.mean_dice == pytest.approx((0.8 + 2 / 3 + 0.5) / 3)
    assert made.mean_dice_foreground == pytest.approx(7 / 12)
    assert made.mean_accuracy == pytest.approx((0.8 + 2 / 3 + 0.5) / 3)
    assert made.accuracy == pytest.approx(0.7)
    assert made.frequency_weighted_iou == pytest.approx((5 * 4 / 6 + 3 / 2 + 2 / 3) / 10)
    assert made.kappa == pytest.approx((0.7 - 0.38) / 0.62)
    assert made.skipped == ()


def test_scikit_learn_agrees_on_random_label_maps() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    truth, found = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    found[:200] = truth[:200]
    made = multiclass_scores(row(truth.tolist()), row(found.tolist()))
    assert made.kappa == pytest.approx(metrics.cohen_kappa_score(truth, found))
    assert made.mean_iou == pytest.approx(metrics.jaccard_score(truth, found, average="macro"))
    assert made.mean_dice == pytest.approx(metrics.f1_score(truth, found, average="macro"))
    assert made.mean_accuracy == pytest.approx(metrics.balanced_accuracy_score(truth, found))
    weighted = metrics.jaccard_score(truth, found, average="weighted")
    assert made.frequency_weighted_iou == pytest.approx(weighted)


def test_a_class_in_neither_map_is_skipped_and_named_and_one_in_one_map_counts_as_wrong() -> None:
    names = {1: "head", 2: "body", 7: "tail"}
    made = multiclass_scores(row([0, 1, 1, 0]), row([0, 1, 2, 0]), classes=names)
    assert [one.name for one in made.classes] == ["background", "head", "body", "tail"]
    assert made.skipped == ("tail",)
    assert made.mean_iou_foreground == pytest.approx((0.5 + 0) / 2)
    body = made.classes[2]
    assert (body.dice, body.precision) == (0.0, 0.0)
    assert math.isnan(body.accuracy)
    assert made.mean_accuracy == pytest.approx((1.0 + 0.5) / 2)


def test_a_label_without_a_name_is_wrong_but_no_class() -> None:
    made = multiclass_scores(row([0, 1, 1, 3]), row([0, 1, 3, 3]), classes={1: "lesion"})
    assert [one.name for one in made.classes] == ["background", "lesion"]
    assert made.classes[1].iou == 0.5
    assert made.accuracy == 0.75


def test_two_empty_maps_agree_on_background_and_have_no_foreground() -> None:
    made = multiclass_scores(row([0, 0]), row([0, 0]))
    assert (made.mean_iou, made.accuracy) == (1.0, 1.0)
    assert math.isnan(made.mean_iou_foreground)
    assert math.isnan(made.kappa)


def label_maps() -> tuple[Image, Image]:
    """Blocks of labels 1, 2 and 300 in a volume, moved by a voxel; anisotropic spacing."""
    grid = Grid.from_spacing((12, 14, 9), (0.7, 1.1, 3.0))
    truth = np.zeros(grid.shape, np.int16)
    truth[1:5, 1:6, 1:4], truth[6:11, 2:7, 2:8], truth[3:4, 9:12, 5] = 1, 2, 300
    return Image(truth, grid), Image(np.roll(truth, 1, axis=0), grid)


def test_a_label_scores_as_its_masks_do_in_every_metric() -> None:
    reference, prediction = label_maps()
    made = label_scores(reference, prediction)
    assert list(made) == ["1", "2", "300"]
    for label in (1, 2, 300):
        masks = [image.data == label for image in (reference, prediction)]
        expected = scores(pair_masks(*masks, grid=reference.grid))
        assert made[str(label)] == pytest.approx(expected, nan_ok=True)
        assert list(made[str(label)]) == list(METRICS)


def test_a_named_label_that_neither_map_holds_has_no_values() -> None:
    reference, prediction = label_maps()
    names = {0: "background", 2: "body", 3: "tail"}
    made = label_scores(reference, prediction, classes=names, metrics=["dice", "h95"])
    assert list(made) == ["body", "tail"]
    assert made["body"]["dice"] == pytest.approx(0.8)
    assert all(math.isnan(value) for value in made["tail"].values())


def test_a_label_that_only_one_map_holds_scores_as_an_empty_mask_does() -> None:
    made = label_scores(row([0, 1, 1]), row([0, 0, 2]), metrics=["dice", "avd", "h95"])
    assert made["1"] == pytest.approx({"dice": 0.0, "avd": 100.0, "h95": math.nan}, nan_ok=True)
    assert made["2"] == pytest.approx({"dice": 0.0, "avd": math.nan, "h95": math.nan}, nan_ok=True)


def test_whole_real_numbers_and_huge_labels_are_labels() -> None:
    """A scaled file gives real numbers; FreeSurfer's largest labels exceed 16 bits."""
    assert label_scores(row([0, 2, 2], np.float32), row([0, 2, 0]), metrics=["iou"]) == {
        "2": {"iou": 0.5}
    }
    maps = row([0, 70001, 5], np.int32), row([0, 70001, 0], np.int32)
    assert label_scores(*maps, metrics=["iou"]) == {"5": {"iou": 0.0}, "70001": {"iou": 1.0}}
    assert multiclass_scores(*maps).mean_iou == pytest.approx((0.5 + 0 + 1) / 3)


@pytest.mark.parametrize(
    ("values", "dtype", "said"),
    [([0, 0.5], np.float32, "fractions"), ([0, -1], np.int16, "-1"), ([0, 1j], complex, "complex")],
)
def test_what_is_no_label_map_is_refused(
    values: list[float], dtype: type[np.generic], said: str
) -> None:
    with pytest.raises(UnusableInput, match=said):
        label_scores(row(values, dtype), row([0, 1]))


def test_other_grids_names_that_repeat_and_unknown_metrics_are_refused() -> None:
    with pytest.raises(GridMismatch):
        multiclass_scores(row([0, 1]), row([0, 1, 1]))
    with pytest.raises(UsageError, match="one name"):
        multiclass_scores(row([0, 1]), row([0, 1]), classes={1: "a", 2: "a"})
    with pytest.raises(UsageError, match="jaccard"):
        label_scores(row([0, 1]), row([0, 1]), metrics=["jaccard"])


def test_panoptic_quality_by_hand() -> None:
    """Instances of 4, 2 and 2 voxels; found 3 of the first, half of the second, one is false.

    IoU 3/4 matches, 1/2 does not: SQ 3/4, RQ 2/6, PQ 1/4.
    """
    truth = [1, 1, 1, 1, 0, 2, 2, 0, 3, 3]
    found = [9, 9, 9, 0, 0, 4, 0, 7, 0, 0]
    made = instance_scores(row(truth), row(found))
    assert (made.matched, made.false_positive, made.false_negative) == (1, 2, 2)
    assert made.sq == pytest.approx(0.75)
    assert made.rq == pytest.approx(2 / 6)
    assert made.pq == pytest.approx(0.25)


def test_touching_instances_are_told_apart_by_their_numbers_and_lesions_are_components() -> None:
    made = instance_scores(row([1, 1, 2, 2]), row([5, 5, 3, 3]))
    assert (made.pq, made.matched) == (1.0, 2)
    one = pair_masks(row([1, 1, 2, 2]).data > 0, row([5, 5, 3, 0]).data > 0, grid=row([0] * 4).grid)
    values = scores(one, names=["panoptic_quality", "segmentation_quality", "recognition_quality"])
    assert list(values.values()) == pytest.approx([0.75, 0.75, 1.0])


def test_without_instances_panoptic_quality_is_one_and_with_some_on_one_side_zero() -> None:
    assert instance_scores(row([0, 0]), row([0, 0])).pq == 1.0
    missed = instance_scores(row([0, 1]), row([0, 0]))
    assert (missed.pq, missed.rq, missed.false_negative) == (0.0, 0.0, 1)
    assert math.isnan(missed.sq)
