"""Distances are Euclidean, in mm, exact, and the same whichever way they are computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from leuko.masks.distance import distance_in_box, nearest_distance
from leuko.masks.morphology import border, dilate, plane_holes

SHAPES = arrays.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=8)
MASKS = arrays.arrays(bool, SHAPES)
SPACINGS = st.tuples(*[st.sampled_from([0.5, 0.9375, 1.0, 2.0, 6.5])] * 3)


def test_distances_are_in_mm_not_in_voxels() -> None:
    target = np.zeros((5, 5, 5), dtype=bool)
    target[0, 0, 0] = True
    found = nearest_distance(
        np.array([[3, 4, 0], [0, 0, 2], [0, 0, 0]]), to=target, spacing=(1.0, 1.0, 6.5)
    )
    assert [5.0, 13.0, 0.0] == found.tolist()


def test_an_empty_target_is_infinitely_far() -> None:
    empty = np.zeros((3, 3, 3), dtype=bool)
    voxels = np.array([[1, 1, 1]])
    assert np.isinf(nearest_distance(voxels, to=empty, spacing=(1.0, 1.0, 1.0))).all()
    assert distance_in_box(empty, spacing=(1.0, 1.0, 1.0), margin_mm=2.0) is None


def test_no_voxels_have_no_distances() -> None:
    full = np.ones((3, 3, 3), dtype=bool)
    none = np.zeros((0, 3), dtype=np.int64)
    assert 0 == nearest_distance(none, to=full, spacing=(1.0, 1.0, 1.0)).size


@given(MASKS, SPACINGS, st.data())
@settings(deadline=None, max_examples=80)
def test_nearest_distance_is_that_of_the_distance_transform(
    target: np.ndarray, spacing: tuple[float, float, float], data: st.DataObject
) -> None:
    voxels = np.argwhere(data.draw(arrays.arrays(bool, target.shape)))
    limit = data.draw(st.sampled_from([np.inf, 0.0, 1.0, 2.0, 4.0]))
    found = nearest_distance(voxels, to=target, spacing=spacing, limit_mm=limit)
    if not target.any():
        assert np.isinf(found).all()
        return
    expected = ndimage.distance_transform_edt(~target, sampling=spacing)[tuple(voxels.T)]
    near = expected <= limit
    assert np.allclose(expected[near], found[near], atol=1e-9)
    assert np.isinf(found[~near]).all()


@given(MASKS, SPACINGS, st.sampled_from([0.0, 1.0, 2.0, 2.5]))
@settings(deadline=None, max_examples=60)
def test_the_box_holds_everything_within_the_margin(
    mask: np.ndarray, spacing: tuple[float, float, float], margin: float
) -> None:
    found = distance_in_box(mask, spacing=spacing, margin_mm=margin)
    if not mask.any():
        assert found is None
        return
    assert found is not None
    box, distance = found
    expected = ndimage.distance_transform_edt(~mask, sampling=spacing)
    assert np.allclose(expected[box], distance, atol=1e-4)
    outside = np.ones(mask.shape, dtype=bool)
    outside[box] = False
    assert (expected[outside] > margin).all()


@given(MASKS, SPACINGS, st.sampled_from([0.0, 0.9375, 1.0, 2.0, 3.3]))
@settings(deadline=None, max_examples=80)
def test_dilation_reaches_every_centre_within_the_radius(
    mask: np.ndarray, spacing: tuple[float, float, float], radius: float
) -> None:
    grown = dilate(mask, spacing=spacing, radius_mm=radius)
    if not mask.any():
        assert not grown.any()
        return
    distance = ndimage.distance_transform_edt(~mask, sampling=spacing)
    assert np.array_equal(distance <= radius + 1e-5, grown)


def test_dilation_may_stay_in_the_plane() -> None:
    mask = np.zeros((5, 5, 5), dtype=bool)
    mask[2, 2, 2] = True
    grown = dilate(mask, spacing=(1.0, 1.0, 1.0), radius_mm=(1.0, 1.0, 0.0))
    assert 5 == grown.sum()
    assert 5 == grown[:, :, 2].sum()


def test_dilation_leaves_its_input_alone() -> None:
    mask = np.zeros((3, 3, 3), dtype=bool)
    mask[1, 1, 1] = True
    grown = dilate(mask, spacing=(1.0, 1.0, 1.0), radius_mm=1.0)
    assert (7, 1) == (grown.sum(), mask.sum())


@given(MASKS)
@settings(deadline=None, max_examples=40)
def test_the_border_is_what_erosion_takes_away(mask: np.ndarray) -> None:
    assert np.array_equal(mask & ~ndimage.binary_erosion(mask), border(mask))


@pytest.mark.parametrize("normal", [0, 1, 2])
def test_a_ring_has_a_hole_in_its_own_plane_only(normal: int) -> None:
    mask = np.zeros((5, 5, 5), dtype=bool)
    ring = np.zeros((5, 5), dtype=bool)
    ring[1:4, 1:4] = True
    ring[2, 2] = False
    np.moveaxis(mask, normal, 2)[:, :, 2] = ring
    for axis in range(3):
        voxels, _ = plane_holes(mask, plane_normal=axis, max_voxels=10)
        assert ([[2, 2, 2]] if axis == normal else []) == voxels.tolist()


def test_holes_are_closed_by_corners_and_limited_in_size() -> None:
    mask = np.zeros((5, 6, 1), dtype=bool)
    mask[:, :, 0] = [
        [0, 1, 1, 0, 0, 0],
        [1, 0, 0, 1, 0, 0],  # a diamond whose sides touch by corners
        [1, 0, 0, 1, 1, 1],
        [0, 1, 1, 1, 0, 1],
        [0, 0, 0, 1, 1, 1],
    ]
    _, holes = plane_holes(mask, plane_normal=2, max_voxels=4)
    assert [1, 4] == sorted(np.unique(holes, return_counts=True)[1].tolist())
    voxels, _ = plane_holes(mask, plane_normal=2, max_voxels=3)
    assert [[3, 4, 0]] == voxels.tolist()
    assert 0 == plane_holes(mask, plane_normal=2, max_voxels=0)[0].size


def test_a_gap_at_the_edge_of_the_image_is_no_hole() -> None:
    mask = np.ones((3, 3, 1), dtype=bool)
    mask[0, 1, 0] = False
    assert 0 == plane_holes(mask, plane_normal=2, max_voxels=9)[0].size


@given(MASKS)
@settings(deadline=None, max_examples=40)
def test_holes_of_any_size_are_those_of_scipy(mask: np.ndarray) -> None:
    expected = np.stack(
        [ndimage.binary_fill_holes(mask[:, :, k]) for k in range(mask.shape[2])], axis=2
    )
    voxels, _ = plane_holes(mask, plane_normal=2, max_voxels=mask.size)
    assert np.array_equal(np.argwhere(expected & ~mask), voxels)


def test_a_radius_a_hair_below_whole_voxels_grows_what_it_reaches() -> None:
    mask = np.zeros((5, 5, 9), dtype=np.bool_)
    mask[2, 2, 4] = True
    grown = dilate(mask, spacing=(1.0, 1.0, 1.0), radius_mm=(0.4, 0.4, 2.0 - 1.2e-6))
    assert int(grown.sum()) in (3, 5)  # one or two voxels to each side, and no failure
