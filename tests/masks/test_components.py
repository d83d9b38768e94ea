"""Labels are largest first; equal sizes are in canonical voxel order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from leuko.masks.box import bounding_box, grow_box, voxel_indices
from leuko.masks.components import connected_components, count_components, select

MASKS = arrays.arrays(bool, arrays.array_shapes(min_dims=3, max_dims=3, max_side=7))


def test_the_largest_component_is_label_one() -> None:
    mask = np.zeros((6, 6, 6), dtype=bool)
    mask[0, 0, 0] = True
    mask[3:5, 3:5, 3:5] = True
    found = connected_components(mask)
    assert 2 == found.count
    assert [8, 1] == found.sizes.tolist()
    assert 1 == found.labels[3, 3, 3]
    assert 2 == found.labels[0, 0, 0]


def test_equal_sizes_are_ordered_by_their_first_voxel() -> None:
    mask = np.zeros((5, 5, 5), dtype=bool)
    for voxel in ((4, 0, 0), (0, 4, 4), (0, 0, 4), (2, 2, 2)):
        mask[voxel] = True
    labels = connected_components(mask).labels
    assert [1, 2, 3, 4] == [labels[v] for v in ((0, 0, 4), (0, 4, 4), (2, 2, 2), (4, 0, 0))]


def test_corners_connect_by_26_and_not_by_6() -> None:
    mask = np.zeros((3, 3, 3), dtype=bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[2, 1, 1] = True
    assert 1 == count_components(mask)
    assert 2 == count_components(mask, connectivity=6)
    assert 2 == connected_components(mask, connectivity=6).count


def test_an_empty_mask_has_no_component() -> None:
    found = connected_components(np.zeros((3, 4, 5), dtype=bool))
    assert (0, 0) == (found.count, found.sizes.size)
    assert (3, 4, 5) == found.labels.shape
    assert not found.labels.any()
    assert 0 == count_components(np.zeros((3, 4, 5), dtype=bool))


@given(MASKS)
@settings(deadline=None, max_examples=60)
def test_components_are_those_of_scipy_sorted(mask: np.ndarray) -> None:
    found = connected_components(mask)
    expected, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    assert count == found.count
    assert np.array_equal(mask, found.labels > 0)
    keys = []
    for label in range(1, count + 1):
        own = expected[found.labels == label]
        assert 1 == np.unique(own).size  # one component of ours is one of scipy's
        keys.append((-int(own.size), int(np.flatnonzero(found.labels == label)[0])))
    assert sorted(keys) == keys
    assert found.sizes.tolist() == [-size for size, _ in keys]


@given(MASKS)
@settings(deadline=None, max_examples=40)
def test_labels_do_not_depend_on_the_layout_in_memory(mask: np.ndarray) -> None:
    fortran = np.asfortranarray(mask)
    flipped = np.ascontiguousarray(mask[::-1, :, ::-1])[::-1, :, ::-1]
    labels = connected_components(mask).labels
    assert np.array_equal(labels, connected_components(fortran).labels)
    assert np.array_equal(labels, connected_components(flipped).labels)


def test_select_keeps_the_chosen_components() -> None:
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[0, 0, :3] = True
    mask[3, 3, 3] = True
    found = connected_components(mask)
    assert 3 == select(found, keep=np.array([True, False])).sum()
    assert 1 == select(found, keep=np.array([False, True])).sum()


@given(MASKS)
@settings(deadline=None, max_examples=40)
def test_the_bounding_box_is_the_smallest_that_holds_the_mask(mask: np.ndarray) -> None:
    box = bounding_box(mask)
    if not mask.any():
        assert box is None
        return
    assert box is not None
    expected = [(int(i.min()), int(i.max()) + 1) for i in np.nonzero(mask)]
    assert expected == [(part.start, part.stop) for part in box]


def test_a_box_grows_within_the_array() -> None:
    box = (slice(1, 3), slice(0, 2), slice(4, 5))
    grown = grow_box(box, by=(2, 1, 0), shape=(4, 9, 5))
    assert (slice(0, 4), slice(0, 3), slice(4, 5)) == grown


@given(MASKS)
@settings(deadline=None, max_examples=40)
def test_voxel_indices_are_those_of_argwhere(mask: np.ndarray) -> None:
    assert np.array_equal(np.argwhere(mask), voxel_indices(mask))
    assert np.array_equal(np.argwhere(mask), voxel_indices(np.asfortranarray(mask)))


@pytest.mark.parametrize("connectivity", [6, 26])
def test_one_full_array_is_one_component(connectivity: int) -> None:
    mask = np.ones((3, 3, 3), dtype=bool)
    assert 1 == connected_components(mask, connectivity=connectivity).count
