"""Metrics on masks small enough to count by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.evaluation.boundary import boundary_f1, nsd
from leuko.evaluation.lesionwise import by_size, lesion_precision, lesion_recall
from leuko.evaluation.pair import INTEGER_RULE, REAL_RULE, Pair, pair_images, pair_masks
from leuko.evaluation.scores import scores
from leuko.findings import Severity
from leuko.image.grid import Grid
from leuko.image.image import Image


def masks(shape: tuple[int, int, int] = (10, 10, 6)) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(shape, bool), np.zeros(shape, bool)


def pair(reference: np.ndarray, prediction: np.ndarray, spacing=(1.0, 1.0, 1.0)) -> Pair:
    return pair_masks(reference, prediction, grid=Grid.from_spacing(reference.shape, spacing))


def test_overlap_of_a_row_of_four_shifted_by_one() -> None:
    """3 of 4 voxels agree: Dice 6/8, IoU 3/5, 600 voxels of which 2 differ."""
    reference, prediction = masks()
    reference[2:6, 2, 2] = True
    prediction[3:7, 2, 2] = True
    values = scores(pair(reference, prediction, (1.0, 2.0, 5.0)))
    assert values["dice"] == 0.75
    assert values["iou"] == pytest.approx(0.6)
    assert values["precision"] == 0.75
    assert values["sensitivity"] == 0.75
    assert values["specificity"] == pytest.approx(595 / 596)
    assert values["accuracy"] == pytest.approx(598 / 600)
    assert values["volume_similarity"] == 1.0
    assert values["reference_ml"] == pytest.approx(0.04)
    assert values["volume_difference_ml"] == 0.0
    assert values["avd"] == 0.0
    assert values["hausdorff"] == 1.0


def test_means_over_background_and_lesion_of_the_same_row() -> None:
    """Counts 595 1 / 1 3: IoU 595/597 and 3/5, Dice 595/596 and 3/4, chance (596^2 + 4^2)/600^2."""
    reference, prediction = masks()
    reference[2:6, 2, 2] = True
    prediction[3:7, 2, 2] = True
    values = scores(pair(reference, prediction))
    assert values["mean_iou"] == pytest.approx((595 / 597 + 3 / 5) / 2)
    assert values["mean_iou_foreground"] == pytest.approx(3 / 5)
    assert values["mean_dice"] == pytest.approx((595 / 596 + 3 / 4) / 2)
    assert values["mean_dice_foreground"] == 0.75
    assert values["mean_accuracy"] == pytest.approx((595 / 596 + 3 / 4) / 2)
    assert values["frequency_weighted_iou"] == pytest.approx(
        596 / 600 * 595 / 597 + 4 / 600 * 3 / 5
    )
    chance = (596**2 + 4**2) / 600**2
    assert values["kappa"] == pytest.approx((598 / 600 - chance) / (1 - chance))


def test_chance_agreement_is_a_kappa_of_zero_and_opposites_are_below() -> None:
    """Half of the slices against every second slice; then against the other half."""
    reference, prediction = masks((4, 4, 4))
    reference[:2] = True
    prediction[::2] = True
    assert scores(pair(reference, prediction), names=["kappa"])["kappa"] == pytest.approx(0.0)
    assert scores(pair(reference, ~reference), names=["kappa"])["kappa"] == pytest.approx(-1.0)


def test_panoptic_quality_of_lesions_by_hand() -> None:
    """Lesions of 4, 1 and 2 voxels; found are 3 of the first, 1 and 1 more; one is false.

    IoU 3/4 and 1/2 of which the first alone matches, the last is missed: SQ 3/4, RQ 2/6.
    """
    reference, prediction = masks()
    reference[0:4, 0, 0] = reference[0, 5, 3] = reference[5:7, 5, 5] = True
    prediction[0:3, 0, 0] = prediction[0:2, 5, 3] = prediction[9, 9, 0] = True
    values = scores(pair(reference, prediction))
    assert values["segmentation_quality"] == pytest.approx(3 / 4)
    assert values["recognition_quality"] == pytest.approx(2 / 6)
    assert values["panoptic_quality"] == pytest.approx(1 / 4)
    assert values["lesion_recall"] == pytest.approx(2 / 3)


ONE_VOXEL = {
    "dice": 0.0, "iou": 0.0, "precision": 0.0, "sensitivity": 0.0, "volume_similarity": 1.0,
    "mean_iou": 598 / 600 / 2, "mean_iou_foreground": 0.0, "mean_accuracy": 598 / 599 / 2,
    "avd": 0.0, "lesion_recall": 0.0, "lesion_f1": 0.0, "panoptic_quality": 0.0,
    "h95": 5.0, "hausdorff": 5.0, "hd95_surface": 5.0, "assd": 5.0, "nsd": 0.0,
    "boundary_f1": 0.0, "reference_ml": 0.0045, "kappa": -1 / 599,
}  # fmt: skip


def test_one_voxel_against_another_with_anisotropic_spacing() -> None:
    """Spacing 1, 1.5, 3 mm; 4 voxels in x and 2 in y, and one in z: 5 mm, then sqrt(34)."""
    reference, prediction = masks()
    reference[1, 1, 1] = prediction[5, 3, 1] = True
    values = scores(pair(reference, prediction, (1.0, 1.5, 3.0)))
    for name, expected in ONE_VOXEL.items():
        assert expected == pytest.approx(values[name]), name
    assert math.isnan(values["segmentation_quality"])
    prediction[5, 3, 1], prediction[5, 3, 2] = False, True
    values = scores(pair(reference, prediction, (1.0, 1.5, 3.0)))
    assert values["h95"] == values["assd"] == pytest.approx(math.sqrt(34))


def test_boundary_shares_with_anisotropic_spacing() -> None:
    """A row of four along 1 mm, found with one voxel more along it and one 3 mm above.

    All of the reference is found; within a voxel in plane (1 mm) are 5 of the 6 predicted.
    """
    reference, prediction = masks()
    reference[2:6, 2, 2] = True
    prediction[2:7, 2, 2] = prediction[2, 2, 3] = True
    values = scores(pair(reference, prediction, (1.0, 1.0, 3.0)))
    assert values["boundary_recall"] == 1.0
    assert values["boundary_precision"] == pytest.approx(5 / 6)
    assert values["boundary_f1"] == pytest.approx(10 / 11)
    assert values["hausdorff"] == 3.0
    assert values["assd"] == pytest.approx((1 + 3) / 10)


def test_volume_difference_has_a_sign_and_avd_has_none() -> None:
    reference, prediction = masks()
    reference[0:4, 0, 0] = True
    prediction[0, 0, 0] = True
    values = scores(pair(reference, prediction, (10.0, 10.0, 10.0)))
    assert values["volume_difference_ml"] == pytest.approx(-3.0)
    assert values["avd"] == pytest.approx(75.0)


def test_challenge_precision_can_exceed_one_and_the_strict_one_cannot() -> None:
    """One predicted lesion joins three true ones; a second one is false.

    Recall 3/4. Challenge precision 3/2: F1 = 2*1.5*.75/2.25 = 1. Strict 1/2: F1 = .6.
    """
    reference, prediction = masks()
    for x in (1, 3, 5):
        reference[x, 1, 1] = True
    reference[9, 9, 5] = True
    prediction[1:6, 1, 1] = True
    prediction[1, 8, 4] = True
    values = scores(pair(reference, prediction))
    assert values["lesion_recall"] == 0.75
    assert values["lesion_f1"] == pytest.approx(1.0)
    assert values["lesion_precision"] == 0.5
    assert values["lesion_f1_strict"] == pytest.approx(0.6)
    assert values["reference_lesions"] == 4
    assert values["predicted_lesions"] == 2


def test_lesions_that_meet_at_a_corner_are_one() -> None:
    reference, prediction = masks()
    reference[1, 1, 1] = reference[2, 2, 2] = True
    prediction[2, 2, 2] = True
    assert lesion_recall(pair(reference, prediction)) == 1.0
    assert pair(reference, prediction).reference_lesions.count == 1


def test_size_classes_include_their_lower_bound() -> None:
    """Lesions of 9, 10, 99 and 100 voxels of 1 mm3: small, medium, medium, large."""
    reference, prediction = masks((20, 20, 20))
    reference[0:9, 0, 0] = True
    reference[0:10, 0, 4] = True
    reference[0:10, 0:10, 8] = True
    reference[0, 0, 8] = False
    reference[0:10, 0:10, 12] = True
    prediction[5, 0, 0] = prediction[0:10, 0:10, 12] = True
    prediction[15, 15, 15] = True
    small, medium, large = by_size(pair(reference, prediction))
    assert [row.from_mm3 for row in (small, medium, large)] == [0, 10, 100]
    assert (small.reference, small.found, small.predicted, small.true) == (1, 1, 2, 1)
    assert (medium.reference, medium.found, medium.predicted, medium.true) == (2, 0, 0, 0)
    assert (large.reference, large.found, large.predicted, large.true) == (1, 1, 1, 1)
    values = scores(pair(reference, prediction))
    assert (values["recall_small"], values["recall_medium"], values["recall_large"]) == (1, 0, 1)
    assert values["precision_small"] == 0.5
    assert math.isnan(values["precision_medium"])


def test_size_is_in_mm3_and_not_spoiled_by_rounding_of_the_header() -> None:
    """Ten voxels of 0.1 x 1 x 10 mm are 10 mm3: medium."""
    reference, prediction = masks()
    reference[0:10, 0, 0] = True
    _, medium, _ = by_size(pair(reference, prediction, (0.1, 1.0, 10.0)))
    assert medium.reference == 1


def test_size_classes_can_be_chosen() -> None:
    """Lesions of 14 and 15 voxels of 1 mm3, the first found: below 15 mm3, and from 15 on."""
    reference, prediction = masks((20, 20, 20))
    reference[0:14, 0, 0] = reference[0:15, 0, 4] = True
    prediction[0, 0, 0] = True
    below, above, largest = by_size(pair(reference, prediction), limits_mm3=(15, 1000))
    assert [row.from_mm3 for row in (below, above, largest)] == [0, 15, 1000]
    assert (below.reference, below.found, below.predicted) == (1, 1, 1)
    assert (above.reference, above.found, largest.reference) == (1, 0, 0)


def test_min_overlap_asks_for_a_share_of_the_lesion_itself() -> None:
    """One of four voxels is shared: touched, a quarter, not half; the prediction is inside."""
    reference, prediction = masks()
    reference[0:4, 0, 0] = True
    prediction[0, 0, 0] = True
    made = pair(reference, prediction)
    assert lesion_recall(made) == 1.0
    assert lesion_recall(made, min_overlap=0.25) == 1.0
    assert lesion_recall(made, min_overlap=0.5) == 0.0
    assert lesion_precision(made, min_overlap=0.5) == 1.0
    assert by_size(made, min_overlap=0.5)[0].recall == 0.0


def test_h95_leaves_out_the_inner_voxels_of_each_slice_only() -> None:
    """A 5x5 plate in one slice against its centre: 16 outline voxels, 8 at 2 mm in a row or more.

    Distances of the 16: 2 (x4), sqrt(5) (x8), sqrt(8) (x4); the other way 2. In 3D the plate has
    no inner voxels at all, so its centre would be surface and hausdorff's way back 0.
    """
    reference, prediction = masks()
    reference[2:7, 2:7, 3] = True
    prediction[4, 4, 3] = True
    values = scores(pair(reference, prediction))
    distances = [2.0] * 4 + [math.sqrt(5)] * 8 + [math.sqrt(8)] * 4
    assert values["h95"] == pytest.approx(np.percentile(distances, 95))
    assert values["hausdorff"] == pytest.approx(math.sqrt(8))


def test_h95_does_not_count_the_border_of_the_field_of_view_as_boundary() -> None:
    """Lesion fills half of the field of view: its outline is the plane x = 4 alone."""
    reference, prediction = masks()
    reference[:5] = True
    prediction[:3] = True
    values = scores(pair(reference, prediction))
    assert values["h95"] == 2.0


def test_the_third_axis_of_the_file_is_the_slice_axis_of_h95() -> None:
    """A plate against its rim: equal outlines in plane; across the slices all of it is outline."""
    reference, prediction = masks((9, 9, 9))
    reference[2:7, 2:7, 3] = True
    prediction[2:7, 2:7, 3] = True
    prediction[3:6, 3:6, 3] = False
    turned = pair(reference.transpose(2, 0, 1), prediction.transpose(2, 0, 1))
    assert scores(pair(reference, prediction), names=["h95"])["h95"] == 0.0
    assert scores(turned, names=["h95"])["h95"] == 1.0


def test_a_mask_that_fills_the_field_of_view_has_no_outline() -> None:
    full, part = np.ones((4, 4, 4), bool), np.zeros((4, 4, 4), bool)
    part[0, 0, 0] = True
    assert scores(pair(full, full), names=["h95"])["h95"] == 0.0
    assert math.isnan(scores(pair(full, part), names=["h95"])["h95"])
    assert math.isnan(scores(pair(part & ~full, full), names=["h95"])["h95"])


def test_surface_scores_within_a_tolerance() -> None:
    """Two parallel plates 2 mm apart: outside of a tolerance of 1 mm, inside of 2 mm."""
    reference, prediction = masks()
    reference[2:5, 2:5, 1] = True
    prediction[2:5, 2:5, 3] = True
    made = pair(reference, prediction)
    values = scores(made)
    assert values["assd"] == 2.0
    assert values["hd95_surface"] == 2.0
    assert nsd(made, tolerance_mm=1.9) == 0.0
    assert values["nsd"] == 1.0
    assert values["boundary_f1"] == 0.0
    assert boundary_f1(made, tolerance_mm=2.0) == 1.0


def test_no_overlap_scores_zero_and_keeps_its_distances() -> None:
    reference, prediction = masks()
    reference[0, 0, 0] = True
    prediction[3, 4, 0] = True
    values = scores(pair(reference, prediction))
    for name in ("dice", "iou", "lesion_f1", "lesion_f1_strict", "lesion_recall"):
        assert values[name] == 0.0
    assert values["h95"] == 5.0
    assert values["avd"] == 0.0


def test_other_pathology_is_removed_from_the_prediction() -> None:
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    truth = np.zeros(grid.shape, np.uint8)
    truth[0, 0, 0], truth[2, 2, 2] = 1, 2
    found = np.zeros(grid.shape, np.uint8)
    found[0, 0, 0] = found[2, 2, 2] = 1
    made = pair_images(Image(truth, grid), Image(found, grid))
    assert scores(made, names=["dice"]) == {"dice": 1.0}
    alone = scores(pair(truth == 1, truth == 1))
    assert scores(made) == pytest.approx(alone, nan_ok=True)
    assert [finding.code for finding in made.findings] == ["evaluation.other_pathology"]
    assert "1 predicted voxels" in made.findings[0].what


def test_the_rule_for_the_prediction_follows_its_type_and_is_said() -> None:
    """A probability map is cut at 0.5; saved as integers every voxel but the ones is gone."""
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    truth = Image(np.ones(grid.shape, np.uint8), grid)
    values = np.full(grid.shape, 0.7, np.float32)
    real = pair_images(truth, Image(values, grid))
    whole = pair_images(truth, Image(values.astype(np.uint8), grid))
    boolean = pair_images(truth, Image(values > 0.5, grid))
    assert (real.rule, real.prediction_voxels) == (REAL_RULE, 64)
    assert (whole.rule, whole.prediction_voxels) == (INTEGER_RULE, 0)
    assert (boolean.rule, boolean.prediction_voxels) == (INTEGER_RULE, 64)


def test_labels_above_one_count_whole_in_an_integer_prediction() -> None:
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    labels = np.arange(64).reshape(grid.shape).astype(np.int32)
    made = pair_images(Image(labels > 0, grid), Image(labels, grid))
    assert scores(made, names=["dice"])["dice"] == 1.0
    assert [finding.code for finding in made.findings] == ["evaluation.prediction_labels"]


def test_a_reference_that_numbers_its_lesions_and_a_huge_prediction_are_warned_of() -> None:
    """Only label 1 of a reference is lesion, and values above 1000 are none of a prediction."""
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    truth = np.zeros(grid.shape, np.int16)
    truth[0, 0] = [1, 3, 4, 5]
    found = (truth > 0).astype(np.int16) * 1001
    made = pair_images(Image(truth, grid), Image(found, grid))
    assert [(finding.code, finding.severity) for finding in made.findings] == [
        ("evaluation.reference_labels", Severity.WARNING),
        ("evaluation.prediction_limit", Severity.WARNING),
    ]
    assert (made.reference_voxels, made.prediction_voxels) == (1, 0)


@pytest.mark.parametrize("shift", [0.0015, 0.8])
def test_a_shifted_grid_is_refused_with_the_distance(shift: float) -> None:
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    affine = grid.affine.copy()
    affine[0, 3] += shift
    other = Grid(grid.shape, affine)
    mask = np.ones(grid.shape, np.uint8)
    with pytest.raises(GridMismatch, match=f"{shift:.3g}"):
        pair_images(Image(mask, grid), Image(mask, other))


def test_another_shape_is_refused_with_both_shapes() -> None:
    grid = Grid.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    other = Grid.from_spacing((4, 4, 5), (1.0, 1.0, 1.0))
    with pytest.raises(GridMismatch, match=r"\(4, 4, 4\).*\(4, 4, 5\)"):
        pair_images(
            Image(np.ones(grid.shape, np.uint8), grid), Image(np.ones(other.shape, np.uint8), other)
        )


def test_rounding_of_a_header_is_no_mismatch() -> None:
    grid = Grid.from_spacing((256, 256, 20), (0.8984, 0.8984, 8.0))
    other = Grid.from_spacing((256, 256, 20), (0.8984, 0.89839995, 8.0))
    mask = np.ones(grid.shape, np.uint8)
    assert scores(pair_images(Image(mask, grid), Image(mask, other)), names=["dice"])["dice"] == 1


def test_complex_values_are_refused_and_an_unknown_metric_too() -> None:
    grid = Grid.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    mask = Image(np.ones(grid.shape, np.uint8), grid)
    with pytest.raises(UnusableInput, match="complex64"):
        pair_images(mask, Image(np.ones(grid.shape, np.complex64), grid))
    with pytest.raises(UsageError, match="jaccard"):
        scores(pair_images(mask, mask), names=["jaccard"])
