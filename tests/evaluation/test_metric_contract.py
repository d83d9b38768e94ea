"""What every entry of the metrics' registry keeps to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from leuko.evaluation.pair import Pair, pair_masks
from leuko.evaluation.registry import CHALLENGE, METRICS
from leuko.evaluation.scores import metric_function, scores
from leuko.image.grid import Grid

SHAPE = (6, 5, 4)
IN_PLANE = "h95"  # tied to the file's slice axis by definition


def pair(reference: np.ndarray, prediction: np.ndarray, grid: Grid | None = None) -> Pair:
    return pair_masks(
        reference, prediction, grid=grid or Grid.from_spacing(reference.shape, (0.9, 1.1, 3.0))
    )


# Time limits would only measure how busy the machine is.
unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
mask_pairs = st.tuples(arrays.arrays(bool, SHAPE), arrays.arrays(bool, SHAPE))


@pytest.mark.parametrize("name", METRICS)
def test_an_entry_names_a_function_and_says_what_it_means(name: str) -> None:
    metric = METRICS[name]
    function = metric_function(name)
    assert metric.name == name == function.__name__
    assert metric.title
    assert function.__doc__


def test_the_challenge_has_its_five_metrics() -> None:
    assert CHALLENGE == ("dice", "h95", "avd", "lesion_recall", "lesion_f1")
    assert set(CHALLENGE) <= set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_empty_masks_score_as_the_registry_says(name: str) -> None:
    """Both empty, only the reference empty, only the prediction empty."""
    empty, full = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    full[1:3, 1:3, 1] = True
    cases = (pair(empty, empty), pair(empty, full), pair(full, empty))
    for expected, case in zip(METRICS[name].empty, cases, strict=True):
        actual = metric_function(name)(case)
        assert isinstance(actual, float)
        if expected is not None:
            assert expected == pytest.approx(actual, nan_ok=True)


@unhurried
@given(mask_pairs)
def test_values_are_numbers_in_their_range(masks: tuple[np.ndarray, np.ndarray]) -> None:
    for name, value in scores(pair(*masks)).items():
        metric = METRICS[name]
        if math.isnan(value):
            continue
        assert math.isfinite(value), name
        if metric.better == "higher" and name != "lesion_f1":  # its precision can exceed 1
            lowest = -1 if name == "kappa" else 0
            assert lowest - 1e-12 <= value <= 1 + 1e-12, name
        elif metric.better != "zero":
            assert value >= 0, name


@unhurried
@given(arrays.arrays(bool, SHAPE))
def test_a_mask_agrees_perfectly_with_itself(mask: np.ndarray) -> None:
    for name, value in scores(pair(mask, mask)).items():
        better = METRICS[name].better
        if better == "higher" and not math.isnan(value):
            assert value == pytest.approx(1.0), name
        elif better in ("lower", "zero"):
            assert value == 0.0, name


@unhurried
@given(mask_pairs)
def test_symmetric_metrics_do_not_mind_who_is_the_reference(
    masks: tuple[np.ndarray, np.ndarray],
) -> None:
    """And what is not symmetric turns into its mirror image."""
    there, back = scores(pair(*masks)), scores(pair(*reversed(masks)))
    mirrored = {
        "precision": "sensitivity",
        "lesion_precision": "lesion_recall",
        "boundary_precision": "boundary_recall",
        "reference_ml": "prediction_ml",
        "reference_lesions": "predicted_lesions",
        **{f"precision_{size}": f"recall_{size}" for size in ("small", "medium", "large")},
    }
    same = ("dice", "iou", "accuracy", "volume_similarity", "h95", "hausdorff", "hd95_surface",
            "assd", "nsd", "boundary_f1", "lesion_f1_strict", "mean_iou", "mean_iou_foreground",
            "mean_dice", "mean_dice_foreground", "kappa", "panoptic_quality",
            "segmentation_quality", "recognition_quality")  # fmt: skip
    for name, other in [*((n, n) for n in same), *mirrored.items()]:
        assert there[name] == pytest.approx(back[other], nan_ok=True), name
    assert there["volume_difference_ml"] == pytest.approx(-back["volume_difference_ml"])


@unhurried
@given(
    mask_pairs,
    st.permutations([0, 1, 2]),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_turning_the_file_with_its_affine_changes_no_metric_but_the_in_plane_one(
    masks: tuple[np.ndarray, np.ndarray], axes: list[int], flips: tuple[bool, bool, bool]
) -> None:
    affine = np.diag([0.9, 1.1, 3.0, 1.0])
    affine[:3, 3] = [-20, 30, 5]
    turned_affine = affine.copy()
    turned_affine[:3, :3] = affine[:3, axes]
    shape = tuple(SHAPE[axis] for axis in axes)
    for axis, flip in enumerate(flips):
        if flip:
            turned_affine[:3, 3] += turned_affine[:3, axis] * (shape[axis] - 1)
            turned_affine[:3, axis] *= -1
    turn = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    turned = [mask.transpose(axes)[turn] for mask in masks]
    plain = scores(pair(*masks, Grid(SHAPE, affine)))
    again = scores(pair(*turned, Grid(shape, turned_affine)))
    if axes[2] != 2:
        plain.pop(IN_PLANE), again.pop(IN_PLANE)
    assert again == pytest.approx(plain, nan_ok=True, abs=1e-9)


@unhurried
@given(mask_pairs, st.integers(1, 5))
def test_empty_space_around_the_masks_changes_only_what_counts_it(
    masks: tuple[np.ndarray, np.ndarray], width: int
) -> None:
    """The box that masks are cut to is invisible, except to what counts background.

    H95 may change: a mask at the border of the field of view has no boundary there.
    """
    of_background = {"accuracy", "specificity", "kappa", "mean_accuracy", "mean_iou", "mean_dice",
                     "frequency_weighted_iou"}  # fmt: skip
    plain = scores(pair(*masks))
    padded = scores(pair(*(np.pad(mask, width) for mask in masks)))
    for name in set(METRICS) - of_background - {IN_PLANE}:
        assert plain[name] == pytest.approx(padded[name], nan_ok=True), name
