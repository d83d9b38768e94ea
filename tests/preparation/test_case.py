"""Images as network input, and answers back on the image's own grid."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
import pytest

from leuko.errors import GridMismatch, UnusableInput
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.preparation.case import CasePlan, prepare_case, restore

RANDOM = np.random.default_rng(5)
DATA = RANDOM.normal(100, 20, (5, 6, 7)).astype(np.float32)
GRID = Grid.from_spacing((5, 6, 7), (1.0, 2.0, 3.0))
PLAIN = CasePlan(dims=3, size=(4, 4, 4), intensity="none")


@pytest.mark.parametrize(
    ("axis", "order", "spacing"),
    [
        ("axial", (2, 1, 0), (3.0, 2.0, 1.0)),
        ("coronal", (1, 2, 0), (2.0, 3.0, 1.0)),
        ("sagittal", (0, 2, 1), (1.0, 3.0, 2.0)),
    ],
)
def test_slices_lie_along_the_anatomical_axis(axis, order, spacing):
    plan = CasePlan(axis=axis, size=(4, 4), intensity="none")
    case = prepare_case([Image(DATA, GRID)], plan=plan)
    np.testing.assert_array_equal(DATA.transpose(order), case.image[0])
    assert spacing == case.spacing


def test_flipped_and_permuted_files_give_the_same_case_and_get_their_own_axes_back():
    expected = prepare_case([Image(DATA, GRID)], plan=PLAIN)
    for axes in itertools.permutations(range(3)):
        data = DATA.transpose(axes)[::-1]
        affine = GRID.affine[:, [*axes, 3]].copy()
        affine[:3, 3] += affine[:3, 0] * (data.shape[0] - 1)
        affine[:3, 0] *= -1
        case = prepare_case([Image(data, Grid(data.shape, affine))], plan=PLAIN)
        np.testing.assert_array_equal(expected.image, case.image)
        np.testing.assert_array_equal(data, restore(case.image, case=case)[0])


def test_a_picture_keeps_rows_and_columns():
    data = RANDOM.normal(size=(8, 5, 1)).astype(np.float32)
    grid = Grid((8, 5, 1), np.eye(4), oriented=False, sized=False)
    case = prepare_case([Image(data, grid)], plan=CasePlan(size=(4, 4), intensity="none"))
    assert (1, 1, 5, 8) == case.image.shape
    np.testing.assert_array_equal(data[:, :, 0].T, case.image[0, 0])
    np.testing.assert_array_equal(data, restore(case.image, case=case)[0])


def test_another_spacing_is_undone_on_the_native_grid():
    label = np.zeros((20, 20, 10), np.uint8)
    label[4:16, 4:16, 3:7] = 2
    grid = Grid.from_spacing((20, 20, 10), (1.0, 1.0, 2.0))
    plan = msgspec.structs.replace(PLAIN, spacing=(2.0, 2.0, 2.0))
    image = Image(label.astype(np.float32), grid)
    case = prepare_case([image], plan=plan, label=Image(label, grid))
    assert (10, 10, 10) == case.label.shape
    assert {0, 2} == set(np.unique(case.label))
    back = restore(case.image, case=case)[0]
    assert label.shape == back.shape
    assert abs(back - label).max() < 1.0
    np.testing.assert_array_equal(label[7:13, 7:13, 4:6], back[7:13, 7:13, 4:6])


def test_a_mirrored_second_channel_is_brought_onto_the_first_in_world_space():
    affine = GRID.affine.copy()
    affine[0] = [-1, 0, 0, 4]
    second = Image(DATA[::-1], Grid(DATA.shape, affine))
    case = prepare_case([Image(DATA, GRID), second], plan=PLAIN)
    np.testing.assert_allclose(case.image[0], case.image[1])


@pytest.mark.parametrize("how", ["zscore", "unit", "percentile"])
def test_intensities_are_measured_in_the_region(how):
    region = np.zeros(DATA.shape, np.uint8)
    region[1:4, 1:5, 2:6] = 1
    plan = msgspec.structs.replace(PLAIN, intensity=how)
    case = prepare_case([Image(DATA, GRID)], plan=plan, region=Image(region, GRID))
    inside = case.image[0][case.region]
    if how == "zscore":
        assert abs(inside.mean()) < 1e-5
        assert 1.0 == pytest.approx(inside.std(), abs=1e-5)
    else:
        assert (0.0, 1.0) == (case.image.min(), case.image.max())
        assert (0.0, 1.0) == (inside.min(), inside.max())


def test_air_of_zeros_does_not_count_for_the_mean():
    data = DATA.copy()
    data[:3] = 0
    plan = msgspec.structs.replace(PLAIN, intensity="zscore")
    case = prepare_case([Image(data, GRID)], plan=plan)
    assert abs(case.image[0][..., 3:].mean()) < 1e-5


def test_a_window_in_hu_becomes_zero_to_one():
    data = np.array([-1000, -100, 50, 200, 900], np.float32).reshape(5, 1, 1).repeat(2, 2)
    plan = msgspec.structs.replace(PLAIN, intensity="window", window=(-100.0, 200.0))
    case = prepare_case([Image(data, Grid.from_spacing((5, 1, 2), (1, 1, 1)))], plan=plan)
    np.testing.assert_allclose([0, 0, 0.5, 1, 1], case.image[0, 0, 0])


def test_a_mask_stored_in_another_order_of_axes_is_laid_on_its_image():
    label = np.zeros(DATA.shape, np.uint8)
    label[1, 2, 5] = 1
    affine = GRID.affine[:, [2, 1, 0, 3]].copy()
    affine[:3, 3] += affine[:3, 0] * 6
    affine[:3, 0] *= -1
    turned = Image(label.transpose(2, 1, 0)[::-1], Grid((7, 6, 5), affine))
    case = prepare_case([Image(DATA, GRID)], plan=PLAIN, label=turned)
    np.testing.assert_array_equal(label.transpose(2, 1, 0), case.label)


def test_what_does_not_fit_is_refused():
    other = Grid.from_spacing((5, 6, 6), (1.0, 2.0, 3.0))
    with pytest.raises(GridMismatch):
        prepare_case(
            [Image(DATA, GRID)], plan=PLAIN, label=Image(np.zeros((5, 6, 6), np.uint8), other)
        )
    halves = Image(np.full(DATA.shape, 0.5, np.float32), GRID)
    with pytest.raises(UnusableInput, match="whole numbers"):
        prepare_case([Image(DATA, GRID)], plan=PLAIN, label=halves)
    negative = Image(np.full(DATA.shape, -1, np.int16), GRID)
    with pytest.raises(UnusableInput, match="from -1"):
        prepare_case([Image(DATA, GRID)], plan=PLAIN, label=negative)
    with pytest.raises(UnusableInput, match="empty"):
        prepare_case(
            [Image(DATA, GRID)], plan=PLAIN, region=Image(np.zeros(DATA.shape, np.uint8), GRID)
        )
    series = Image(np.zeros((*DATA.shape, 2), np.float32), GRID)
    with pytest.raises(UnusableInput, match="2 volumes"):
        prepare_case([series], plan=PLAIN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dims": 3, "size": (4, 4)},
        {"dims": 3, "size": (4, 4, 4), "neighbours": 1},
        {"intensity": "window"},
        {"window": (1.0, 0.0), "intensity": "window"},
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, CasePlan)
