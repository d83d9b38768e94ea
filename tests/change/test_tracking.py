"""Which lesions of two visits are one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.change.tracking import Group, track

ONE_MM = (1.0, 1.0, 1.0)


def labels(*boxes: tuple[int, slice]) -> np.ndarray:
    """A row of voxels along the first axis with these labels."""
    found = np.zeros((20, 3, 3), dtype=np.int32)
    for label, where in boxes:
        found[where, 1, 1] = label
    return found


def test_lesions_that_overlap_are_one() -> None:
    assert track(labels((1, slice(2, 6))), labels((1, slice(5, 9))), spacing=ONE_MM) == [
        Group((1,), (1,))
    ]


def test_lesions_next_to_each_other_are_one_and_two_millimetres_apart_are_two() -> None:
    first = labels((1, slice(2, 6)))
    assert track(first, labels((1, slice(6, 9))), spacing=ONE_MM) == [Group((1,), (1,))]
    apart = track(first, labels((1, slice(7, 9))), spacing=ONE_MM)
    assert sorted(apart, key=lambda group: group.second) == [Group((1,), ()), Group((), (1,))]


def test_two_lesions_become_one_and_one_becomes_two() -> None:
    two = labels((1, slice(2, 5)), (2, slice(8, 10)))
    one = labels((1, slice(2, 10)))
    assert track(two, one, spacing=ONE_MM) == [Group((1, 2), (1,))]
    assert track(one, two, spacing=ONE_MM) == [Group((1,), (1, 2))]


def test_lesions_of_one_visit_are_not_joined_by_lying_near() -> None:
    near = labels((1, slice(2, 5)), (2, slice(6, 9)))
    groups = track(near, labels(), spacing=ONE_MM)
    assert sorted(group.first for group in groups) == [(1,), (2,)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_exchanging_the_visits_exchanges_the_sides(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (
        np.where(rng.random((8, 8, 4)) < 0.08, rng.integers(1, 6, (8, 8, 4)), 0).astype(np.int32)
        for _ in range(2)
    )
    there = {(group.first, group.second) for group in track(first, second, spacing=ONE_MM)}
    back = {(group.second, group.first) for group in track(second, first, spacing=ONE_MM)}
    assert there == back
    assert sum(len(one) for one, _ in there) == len(np.unique(first[first > 0]))
