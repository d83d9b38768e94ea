"""What becomes of a lesion, on grids that were drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.change.classes import ChangeClass, Tracked, classify, collect_evidence
from leuko.change.repeatability import Repeatability, Resolution
from leuko.change.seen import Pair, Seen
from leuko.image.grid import Grid
from leuko.masks.components import connected_components

SHAPE = (40, 40, 24)
GRID = Grid.from_spacing(SHAPE, (1.0, 1.0, 1.0))
LIMITS = Repeatability(Resolution.THIN, percent=3.0, lesion_mm3=10.0, lesion_share=0.05)
Box = tuple[slice, slice, slice]


def box(x: slice, y: slice = slice(10, 16), z: slice = slice(8, 14)) -> Box:
    return (x, y, z)


OLD = box(slice(4, 10))  # 216 mm3


def seen(*boxes: Box, faint: tuple[Box, ...] = (), blind: Box | None = None) -> Seen:
    """A visit with bright lesions that are in its mask, and `faint` ones that are not."""
    mask = np.zeros(SHAPE, dtype=np.bool_)
    bright = np.zeros(SHAPE, dtype=np.float32)
    probability = np.zeros(SHAPE, dtype=np.float32)
    for where in (*boxes, *faint):
        bright[where] = 1.0
        probability[where] = 0.45
    for where in boxes:
        mask[where] = True
        probability[where] = 0.9
    known = np.ones(SHAPE, dtype=np.bool_)
    if blind is not None:
        known[blind] = False
    labels = connected_components(mask).labels
    white, none = np.ones(SHAPE, dtype=np.bool_), np.zeros(SHAPE, dtype=np.bool_)
    return Seen(labels, probability, bright, known, (0.5, 0.5, 0.5), 100.0, 0.5, white, none)


def rows(first: Seen, second: Seen) -> tuple[Tracked, ...]:
    pair = Pair(first, second, second.brightness - first.brightness, GRID)
    return classify(pair, collect_evidence(pair), repeatability=LIMITS)


def kinds(first: Seen, second: Seen) -> list[ChangeClass]:
    return [row.kind for row in rows(first, second)]


def test_what_is_in_both_is_stable_with_no_change() -> None:
    (row,) = rows(seen(OLD), seen(OLD))
    assert row.kind is ChangeClass.STABLE
    assert (row.first_mm3, row.second_mm3, row.growth_mm3, row.regression_mm3) == (216, 216, 0, 0)


def test_what_came_is_new_with_its_whole_volume() -> None:
    (row,) = rows(seen(), seen(OLD))
    assert row.kind is ChangeClass.NEW
    assert (row.first_mm3, row.second_mm3, row.growth_mm3, row.brighter) == (0, 216, 216, 1)


def test_what_only_the_threshold_left_out_is_stable() -> None:
    """As bright at both visits: the mask of one does not have it, but the scan has."""
    (row,) = rows(seen(faint=(OLD,)), seen(OLD))
    assert row.kind is ChangeClass.STABLE
    assert (row.first_mm3, row.second_mm3) == (216, 216)


def test_new_lesions_below_the_limit_are_not_called() -> None:
    speck = box(slice(4, 6), slice(10, 12), slice(8, 10))  # 8 mm3
    assert kinds(seen(), seen(speck)) == [ChangeClass.STABLE]


def test_growth_counts_beyond_half_a_voxel_of_the_border() -> None:
    (row,) = rows(seen(OLD), seen(box(slice(4, 14))))
    assert row.kind is ChangeClass.ENLARGING
    assert row.growth_mm3 == 4 * 36  # half a voxel reaches no neighbour's centre
    assert (row.first_mm3, row.second_mm3) == (216, 360)
    assert row.limit_mm3 == pytest.approx(10 + 0.05 * 288)


def test_a_growth_within_the_limit_is_stable() -> None:
    wide = box(slice(4, 30))
    assert kinds(seen(wide), seen(box(slice(4, 31)))) == [ChangeClass.STABLE]


def test_two_that_grow_together_have_merged_and_back_they_split() -> None:
    two = seen(box(slice(4, 10)), box(slice(16, 22)))
    one = seen(box(slice(4, 22)))
    assert kinds(two, one) == [ChangeClass.MERGED]
    assert kinds(one, two) == [ChangeClass.SPLIT]


def test_specks_do_not_merge() -> None:
    speck = box(slice(12, 13), slice(12, 13), slice(10, 11))
    assert kinds(seen(OLD, speck), seen(box(slice(4, 16)))) == [ChangeClass.ENLARGING]


def test_a_lesion_of_which_hardly_any_was_there_is_new() -> None:
    speck = box(slice(12, 13), slice(12, 13), slice(10, 11))
    (row,) = rows(seen(speck), seen(box(slice(4, 16))))
    assert row.kind is ChangeClass.NEW
    assert (row.first_mm3, row.growth_mm3) == (0, row.second_mm3)


def test_where_one_visit_shows_nothing_nothing_is_said() -> None:
    (row,) = rows(seen(blind=OLD), seen(OLD))
    assert row.kind is ChangeClass.NOT_SEEN
    assert row.growth_mm3 == 0


def test_no_lesion_is_no_row() -> None:
    assert rows(seen(), seen()) == ()


OPPOSITE = {
    ChangeClass.NEW: ChangeClass.DISAPPEARED,
    ChangeClass.ENLARGING: ChangeClass.SHRINKING,
    ChangeClass.MERGED: ChangeClass.SPLIT,
}
OPPOSITE |= {other: one for one, other in OPPOSITE.items()}


@pytest.mark.parametrize("seed", range(6))
def test_exchanging_the_visits_exchanges_everything(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def drawn() -> Box:
        corner, size = rng.integers(0, (26, 26, 12)), rng.integers(2, 12, 3)
        x, y, z = (slice(int(a), int(a + b)) for a, b in zip(corner, size, strict=True))
        return x, y, z

    shared = [drawn() for _ in range(2)]
    first = seen(*shared, drawn(), faint=(drawn(),))
    second = seen(*shared, drawn(), drawn())
    there, back = rows(first, second), rows(second, first)
    assert len(there) == len(back)
    for one, other in zip(there, back, strict=True):
        assert OPPOSITE.get(one.kind, one.kind) is other.kind
        assert (one.first, one.second) == (other.second, other.first)
        assert (one.first_mm3, one.second_mm3) == (other.second_mm3, other.first_mm3)
        assert (one.growth_mm3, one.regression_mm3) == (other.regression_mm3, other.growth_mm3)
        assert one.brighter == -other.brighter
    for row in there:
        assert row.second_mm3 - row.first_mm3 == row.growth_mm3 - row.regression_mm3
