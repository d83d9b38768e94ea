"""Pictures: one voxel along the slice axis, and often no size of a pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from leuko.evaluation.multiclass import label_scores
from leuko.evaluation.pair import Pair, pair_images, pair_masks
from leuko.evaluation.registry import METRICS, title_of, unit_of
from leuko.evaluation.scores import scores
from leuko.image.grid import Grid
from leuko.image.image import Image

PIXELS = np.diag([1.0, 1.0, 1.0, 1.0])


def picture(rows: np.ndarray, *, sized: bool = False, spacing: float = 1.0) -> Image:
    affine = np.diag([spacing, spacing, 1.0, 1.0])
    grid = Grid((*rows.shape, 1), affine, oriented=False, sized=sized)
    return Image(rows[:, :, None], grid)


def squares() -> tuple[np.ndarray, np.ndarray]:
    """A 5x5 square, and one moved by two pixels."""
    reference, prediction = np.zeros((12, 12), np.uint8), np.zeros((12, 12), np.uint8)
    reference[2:7, 2:7] = 1
    prediction[4:9, 2:7] = 1
    return reference, prediction


def test_the_surface_of_a_picture_is_its_outline() -> None:
    """16 of 25 pixels; a solid square against its rim differs nowhere in its outline."""
    solid, rim = np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)
    solid[2:7, 2:7] = rim[2:7, 2:7] = 1
    rim[4, 4] = 0
    values = scores(pair_images(picture(solid), picture(rim)), names=["assd", "hausdorff"])
    # The hole's four neighbours are outline of the rim only; each is a pixel from the outer one.
    assert values["hausdorff"] == 1.0
    assert values["assd"] == pytest.approx(4 / (16 + 20))


def test_a_square_moved_by_two_pixels_by_hand() -> None:
    """15 of 25 pixels agree. Of either outline 6 pixels lie on the other one."""
    values = scores(pair_images(*(picture(rows) for rows in squares())))
    assert values["dice"] == pytest.approx(0.6)
    assert values["iou"] == pytest.approx(15 / 35)
    assert values["hausdorff"] == 2.0
    assert values["nsd"] == 1.0  # two pixels
    assert values["accuracy"] == pytest.approx(124 / 144)
    assert values["panoptic_quality"] == 0.0  # IoU below 1/2
    assert values["lesion_recall"] == 1.0


@pytest.mark.parametrize("seed", range(10))
def test_distances_of_pictures_equal_a_distance_transform_in_two_dimensions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = [ndimage.gaussian_filter(rng.normal(size=(30, 24)), 2) > 0.03 for _ in range(2)]
    outlines = [mask & ~ndimage.binary_erosion(mask) for mask in masks]
    fields = [ndimage.distance_transform_edt(~outline) for outline in outlines]
    there, back = fields[1][outlines[0]], fields[0][outlines[1]]
    values = scores(pair_images(*(picture(mask) for mask in masks)))
    assert values["hausdorff"] == pytest.approx(max(there.max(), back.max()))
    assert values["assd"] == pytest.approx(np.concatenate([there, back]).mean())
    assert values["boundary_recall"] == pytest.approx((there <= 1).mean())
    assert values["boundary_precision"] == pytest.approx((back <= 1).mean())


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_slice_axis_may_be_any_axis_of_the_file(axis: int) -> None:
    """H95 alone is tied to the third axis."""
    made = []
    for where in (2, axis):
        masks = [np.expand_dims(rows > 0, where) for rows in squares()]
        spacing = tuple(np.insert([0.5, 0.5], where, 4.0))
        made.append(scores(pair_masks(*masks, grid=Grid.from_spacing(masks[0].shape, spacing))))
    for name in set(METRICS) - {"h95"}:
        assert made[0][name] == pytest.approx(made[1][name], nan_ok=True), name
    assert made[1]["hausdorff"] == 1.0


def test_a_slice_with_a_size_has_millimetres_and_millilitres() -> None:
    values = scores(pair_images(*(picture(r, sized=True, spacing=0.5) for r in squares())))
    assert values["hausdorff"] == 1.0
    assert values["reference_ml"] == pytest.approx(25 * 0.25 / 1000)


def test_without_a_size_there_are_pixels_and_no_millilitres() -> None:
    values = scores(pair_images(*(picture(rows) for rows in squares())))
    for name in ("reference_ml", "prediction_ml", "volume_difference_ml"):
        assert math.isnan(values[name])
    assert values["avd"] == 0.0
    assert (values["recall_small"], values["recall_medium"]) == (
        pytest.approx(math.nan, nan_ok=True),
        1,
    )
    assert (unit_of("h95"), unit_of("h95", sized=False)) == ("mm", "pixels")
    assert (unit_of("avd", sized=False), unit_of("dice", sized=False)) == ("%", "")
    assert title_of("recall_small", sized=False) == "recall, v < 10 pixels"
    assert title_of("nsd", sized=False) == "surface Dice at 2 pixels"
    for name in METRICS:
        assert "mm" not in title_of(name, sized=False) + unit_of(name, sized=False)
        assert title_of(name) == METRICS[name].title


@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 1, 1), (1, 6, 1), (6, 6, 1)])
def test_every_metric_of_one_pixel_against_itself_and_against_nothing(
    shape: tuple[int, int, int],
) -> None:
    full, empty = np.zeros(shape, bool), np.zeros(shape, bool)
    full[0, 0, 0] = True
    grid = Grid(shape, PIXELS, oriented=False, sized=False)

    def pair(reference: np.ndarray, prediction: np.ndarray) -> Pair:
        return pair_masks(reference, prediction, grid=grid)

    same, missed = scores(pair(full, full)), scores(pair(full, empty))
    assert (same["dice"], same["hausdorff"], same["assd"], same["nsd"]) == (1.0, 0.0, 0.0, 1.0)
    assert (same["boundary_f1"], same["panoptic_quality"], same["h95"]) == (1.0, 1.0, 0.0)
    assert (missed["dice"], missed["lesion_recall"], missed["avd"]) == (0.0, 0.0, 100.0)
    assert math.isnan(missed["hausdorff"])
    assert missed["boundary_f1"] == 0.0


def test_labels_of_a_picture_score_in_every_metric() -> None:
    reference, prediction = squares()
    reference[10:12, 10:12] = prediction[10:12, 9:11] = 2
    made = label_scores(picture(reference), picture(prediction))
    assert made["1"]["dice"] == pytest.approx(0.6)
    assert made["2"]["dice"] == 0.5
    assert made["2"]["hd95_surface"] == 1.0
