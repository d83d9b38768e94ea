"""From probabilities to a clean mask; every step says what it did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from leuko.masks.components import connected_components
from leuko.models.classes import Tissue
from leuko.postprocess.cleanup import (
    confine,
    fill_holes,
    keep_main_brain,
    remove_doubtful,
    remove_small,
)
from leuko.postprocess.effect import Effect, effect_of
from leuko.postprocess.threshold import (
    calibrated,
    definition_probability,
    over_threshold,
    with_log_odds,
)

ONE_MM = (1.0, 1.0, 1.0)
MASKS = arrays.arrays(bool, st.just((6, 7, 4)))


def brain(shape: tuple[int, int, int] = (20, 20, 12)) -> np.ndarray:
    """White matter in a shell of cortex, with fluid and background around."""
    anatomy = np.zeros(shape, dtype=np.uint8)
    for depth, tissue in ((1, Tissue.CSF), (2, Tissue.CORTEX), (5, Tissue.WHITE_MATTER)):
        anatomy[depth:-depth, depth:-depth, 1:-1] = tissue
    return anatomy


def test_vascular_counts_caps_and_rims_and_ms_does_not() -> None:
    lesion = np.array([[[0.3, 0.6, 0.9]]], dtype=np.float32)
    cap_rim = np.array([[[0.3, 0.0, 0.2]]], dtype=np.float32)
    vascular = definition_probability(lesion, cap_rim, definition="vascular")
    assert [[[0.6, 0.6, 1.0]]] == pytest.approx(vascular)
    assert np.array_equal(lesion, definition_probability(lesion, cap_rim, definition="ms"))
    with pytest.raises(ValueError, match="both"):
        definition_probability(lesion, cap_rim, definition="both")


def test_the_threshold_itself_is_inside() -> None:
    probability = np.array([[[0.49, 0.5, 0.51]]], dtype=np.float32)
    assert [[[False, True, True]]] == over_threshold(probability, threshold=0.5).tolist()


def test_a_temperature_divides_the_log_odds() -> None:
    probability = np.array([[[0.0, 1e-6, 0.2, 0.5, 0.9, 1.0]]], dtype=np.float32)
    cooler = calibrated(probability, temperature=2.0)
    # Odds of 1:4 become 1:2, of 9:1 3:1.
    assert [[[0.0, 1e-3, 1 / 3, 0.5, 0.75, 1.0]]] == pytest.approx(cooler, rel=1e-3)
    assert calibrated(probability, temperature=1.0) is probability
    assert probability == pytest.approx(calibrated(cooler, temperature=0.5), rel=1e-3)


def test_log_odds_are_stretched_and_moved() -> None:
    probability = np.array([0.0, 0.1, 0.5, 0.9, 1.0], dtype=np.float32)
    moved = with_log_odds(probability, slope=0.5, offset=np.log(3.0))
    # odds 1/9, 1, 9: their roots 1/3, 1, 3, and three times that
    assert moved == pytest.approx([0.0, 0.5, 0.75, 0.9, 1.0])
    assert np.float32 == moved.dtype
    assert (np.diff(moved) > 0).all()


def test_a_lesion_that_is_faint_throughout_goes_and_faint_parts_stay() -> None:
    probability = np.zeros((9, 9, 3), dtype=np.float32)
    probability[1:4, 1:4, :] = 0.4  # touches the sure voxel only at a corner
    probability[4, 4, 1] = 0.8
    probability[7, :, 1] = 0.79
    mask = probability > 0
    kept, effect = remove_doubtful(mask, probability=probability, min_peak=0.8)
    assert 28 == kept.sum()
    assert not kept[7].any()
    assert Effect(37, 0, 9, lesions_removed=1) == effect


def test_sureness_outside_the_mask_saves_no_lesion() -> None:
    probability = np.full((5, 5, 1), 0.4, dtype=np.float32)
    probability[2, 2] = 0.9  # too dark to be in the mask, for instance
    assert not remove_doubtful(probability < 0.5, probability=probability, min_peak=0.8)[0].any()


@given(MASKS, arrays.arrays(np.float32, (6, 7, 4), elements=st.sampled_from([0.3, 0.6, 0.9])))
@settings(deadline=None, max_examples=40)
def test_lesions_are_sure_somewhere_or_gone(mask: np.ndarray, probability: np.ndarray) -> None:
    kept, effect = remove_doubtful(mask, probability=probability, min_peak=0.6)
    before = connected_components(mask)
    peaks = [probability[before.labels == n].max() for n in range(1, before.count + 1)]
    sure = [n + 1 for n, peak in enumerate(peaks) if peak >= np.float32(0.6)]
    assert np.array_equal(np.isin(before.labels, sure), kept)
    assert before.count - len(sure) == effect.lesions_removed


def test_the_limit_for_small_lesions_is_inside() -> None:
    mask = np.zeros((12, 12, 1), dtype=bool)
    mask[0, :10] = mask[4, :9] = mask[8, :11] = True
    kept, effect = remove_small(mask, voxel_mm3=0.3, min_mm3=3.0)
    assert Effect(30, 0, 9, lesions_removed=1) == effect
    assert 21 == kept.sum() == effect.voxels_after
    assert {"voxels_removed": 9, "lesions_removed": 1, "voxels": 21} == effect.as_details()


def test_a_voxel_of_a_rounded_header_does_not_wobble_at_the_limit() -> None:
    mask = np.ones((1, 1, 3), dtype=bool)
    assert remove_small(mask, voxel_mm3=0.1 + 0.2, min_mm3=0.9)[0].all()  # 0.30000000000000004
    assert remove_small(mask, voxel_mm3=1 - 1e-9, min_mm3=3.0)[0].all()


@given(MASKS, st.sampled_from([0.0, 1.0, 3.0, 10.0]))
@settings(deadline=None, max_examples=40)
def test_what_is_kept_is_whole_and_large_enough(mask: np.ndarray, limit: float) -> None:
    kept, effect = remove_small(mask, voxel_mm3=1.0, min_mm3=limit)
    before, after = connected_components(mask), connected_components(kept)
    assert before.sizes[before.sizes >= limit].tolist() == after.sizes.tolist()
    assert before.count - after.count == effect.lesions_removed


def test_lesions_may_reach_two_millimetres_into_cortex() -> None:
    anatomy = brain()
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[1:9, 10, 6] = True  # from fluid through cortex (2, 3, 4) into white matter (from 5)
    kept, effect = confine(mask, anatomy=anatomy, spacing=ONE_MM, margin_mm=2.0)
    assert [3, 4, 5, 6, 7, 8] == np.flatnonzero(kept[:, 10, 6]).tolist()
    assert (2, 0) == (effect.voxels_removed, effect.lesions_removed)
    assert 4 == confine(mask, anatomy=anatomy, spacing=ONE_MM, margin_mm=0.0)[0].sum()


def test_the_margin_is_in_millimetres_not_in_voxels() -> None:
    anatomy = brain()
    mask = anatomy > 0
    thick = confine(mask, anatomy=anatomy, spacing=(1.0, 1.0, 6.5), margin_mm=2.0)[0]
    coarse = confine(mask, anatomy=anatomy, spacing=(2.5, 2.5, 2.5), margin_mm=2.0)[0]
    white = anatomy == Tissue.WHITE_MATTER
    assert np.array_equal(white, coarse)
    assert thick.sum() > white.sum()
    assert np.array_equal(white.any(axis=(0, 1)), thick.any(axis=(0, 1)))


def test_deep_grey_brainstem_and_cerebellum_bear_lesions_unless_left_out() -> None:
    anatomy = np.full((9, 3, 3), Tissue.CSF, dtype=np.uint8)
    anatomy[0], anatomy[4], anatomy[8] = Tissue.DEEP_GREY, Tissue.BRAINSTEM, Tissue.CEREBELLUM
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[[0, 2, 4, 8], 1, 1] = True
    kept, effect = confine(mask, anatomy=anatomy, spacing=ONE_MM, margin_mm=1.0)
    assert [0, 4, 8] == np.flatnonzero(kept[:, 1, 1]).tolist()
    assert 1 == effect.lesions_removed
    alone, _ = confine(
        mask, anatomy=anatomy, spacing=ONE_MM, margin_mm=1.0, tissues=(Tissue.BRAINSTEM,)
    )
    assert [4] == np.flatnonzero(alone[:, 1, 1]).tolist()


def test_without_any_host_tissue_nothing_is_kept() -> None:
    mask = np.ones((3, 3, 3), dtype=bool)
    kept, effect = confine(mask, anatomy=np.zeros(mask.shape, np.uint8), spacing=ONE_MM)
    assert not kept.any()
    assert (27, 1) == (effect.voxels_removed, effect.lesions_removed)


def test_lesions_in_the_neck_are_removed() -> None:
    anatomy = np.zeros((30, 20, 20), dtype=np.uint8)
    anatomy[10:28, 2:18, 2:18] = Tissue.WHITE_MATTER
    anatomy[0:4, 5:9, 5:9] = Tissue.WHITE_MATTER  # what the network took for brain
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[1:3, 6:8, 6:8] = True
    mask[15:18, 8:10, 8:10] = True
    mask[8:10, 12, 12] = True  # at the surface of the brain: touches it
    kept, effect = keep_main_brain(mask, anatomy=anatomy)
    assert (8, 1) == (effect.voxels_removed, effect.lesions_removed)
    assert kept[8:10, 12, 12].all()
    assert not kept[:5].any()


def test_a_scan_cut_low_has_more_than_one_main_part() -> None:
    anatomy = np.zeros((30, 10, 4), dtype=np.uint8)
    anatomy[2:12] = anatomy[18:28] = Tissue.WHITE_MATTER  # two temporal lobes
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[5, 5, 2] = mask[20, 5, 2] = True
    assert 2 == keep_main_brain(mask, anatomy=anatomy)[0].sum()


def test_without_brain_the_main_part_is_not_asked() -> None:
    mask = np.ones((2, 2, 2), dtype=bool)
    assert keep_main_brain(mask, anatomy=np.zeros((2, 2, 2), np.uint8))[0].all()


def ring() -> tuple[np.ndarray, np.ndarray]:
    """A lesion of 5 x 5 voxels around a hole of 3 x 3, and an image where it is bright."""
    mask = np.zeros((9, 9, 1), dtype=bool)
    mask[2:7, 2:7] = True
    mask[3:6, 3:6] = False
    return mask, np.where(mask, 200.0, 100.0).astype(np.float32)


def test_a_hole_of_the_largest_size_is_filled_and_counted() -> None:
    mask, image = ring()
    filled, effect = fill_holes(
        mask, voxel_mm3=10 / 9, slice_axis=2, max_mm3=10.0, image=image, darkest=100.0
    )
    assert 25 == filled.sum()
    assert {"voxels_added": 9, "holes_filled": 1, "voxels": 25} == effect.as_details()
    same, effect = fill_holes(mask, voxel_mm3=1.12, slice_axis=2, max_mm3=10.0)
    assert np.array_equal(mask, same)
    assert not effect.changed


def test_a_lacune_stays_open() -> None:
    mask, image = ring()
    image[4, 4, 0] = 99.9
    filled, effect = fill_holes(mask, voxel_mm3=1.0, slice_axis=2, image=image, darkest=100.0)
    assert (8, 1) == (effect.voxels_added, effect.holes_filled)
    assert not filled[4, 4, 0]
    image[3:6, 3:6] = 40.0
    filled, effect = fill_holes(mask, voxel_mm3=1.0, slice_axis=2, image=image, darkest=100.0)
    assert (0, 0) == (effect.voxels_added, effect.holes_filled)
    assert np.array_equal(mask, filled)


def test_holes_are_of_slices_not_of_the_volume() -> None:
    mask = np.ones((5, 5, 5), dtype=bool)
    mask[2, 2, :] = False  # a tunnel: open in space, closed in every slice across it
    assert 5 == fill_holes(mask, voxel_mm3=1.0, slice_axis=2)[1].holes_filled
    assert 0 == fill_holes(mask, voxel_mm3=1.0, slice_axis=0)[1].holes_filled


def test_an_empty_mask_goes_through_every_step() -> None:
    anatomy = brain()
    empty = np.zeros(anatomy.shape, dtype=bool)
    for kept, effect in (
        confine(empty, anatomy=anatomy, spacing=ONE_MM),
        keep_main_brain(empty, anatomy=anatomy),
        remove_doubtful(empty, probability=empty.astype(np.float32), min_peak=0.5),
        remove_small(empty, voxel_mm3=1.0),
        fill_holes(empty, voxel_mm3=1.0, slice_axis=2),
    ):
        assert not kept.any()
        assert Effect(0, 0, 0) == effect
        assert {"voxels": 0} == effect.as_details()


def test_steps_leave_their_input_alone() -> None:
    anatomy = brain()
    mask = anatomy == Tissue.CSF
    mask[8:12, 8:12, 5] = True
    before = mask.copy()
    confine(mask, anatomy=anatomy, spacing=ONE_MM)
    keep_main_brain(mask, anatomy=anatomy)
    remove_doubtful(mask, probability=mask.astype(np.float32), min_peak=2.0)
    remove_small(mask, voxel_mm3=1.0, min_mm3=1000.0)
    fill_holes(mask, voxel_mm3=1.0, slice_axis=2)
    assert np.array_equal(before, mask)


@given(MASKS, MASKS)
@settings(deadline=None, max_examples=40)
def test_an_effect_counts_what_came_and_went(before: np.ndarray, after: np.ndarray) -> None:
    effect = effect_of(before, after)
    assert int((after & ~before).sum()) == effect.voxels_added
    assert int((before & ~after).sum()) == effect.voxels_removed
    assert int(after.sum()) == effect.voxels_after
    lesions = connected_components(before)
    gone = sum(not after[lesions.labels == n].any() for n in range(1, lesions.count + 1))
    assert gone == effect.lesions_removed


@given(st.data())
@settings(deadline=None, max_examples=25)
def test_steps_do_not_depend_on_the_layout_in_memory(data: st.DataObject) -> None:
    mask = data.draw(MASKS)
    anatomy = data.draw(arrays.arrays(np.uint8, mask.shape, elements=st.integers(0, 7)))
    turned, turned_anatomy = (
        np.ascontiguousarray(a.transpose(2, 0, 1)[::-1])[::-1].transpose(1, 2, 0)
        for a in (mask, anatomy)
    )
    for step in (
        lambda m, a: confine(m, anatomy=a, spacing=(1.0, 1.0, 2.0)),
        lambda m, a: keep_main_brain(m, anatomy=a),
        lambda m, a: remove_doubtful(m, probability=a.astype(np.float32), min_peak=7.0),
        lambda m, a: remove_small(m, voxel_mm3=1.0),
        lambda m, a: fill_holes(m, voxel_mm3=1.0, slice_axis=2),
    ):
        kept, effect = step(mask, anatomy)
        again, effect_again = step(turned, turned_anatomy)
        assert np.array_equal(kept, again)
        assert effect == effect_again
