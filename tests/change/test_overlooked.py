"""What a visit's own segmentation overlooked, on grids that were drawn by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leuko.change.classes import ChangeClass, classify, collect_evidence
from leuko.change.overlooked import with_overlooked
from leuko.change.repeatability import Repeatability, Resolution
from leuko.change.seen import Pair, Seen
from leuko.image.grid import Grid
from leuko.masks.components import connected_components

SHAPE = (40, 40, 24)
GRID = Grid.from_spacing(SHAPE, (1.0, 1.0, 1.0))
LIMITS = Repeatability(Resolution.THIN, percent=3.0, lesion_mm3=10.0, lesion_share=0.05)
OLD = (slice(4, 10), slice(10, 16), slice(8, 14))
CAME = (slice(20, 25), slice(10, 15), slice(8, 12))  # 100 mm3


def seen(*masked: tuple[slice, slice, slice], came: float = 0.0, likely: float = 0.0) -> Seen:
    """A visit with lesions in its mask, and with CAME, which is in none."""
    mask = np.zeros(SHAPE, dtype=np.bool_)
    bright = np.zeros(SHAPE, dtype=np.float32)
    probability = np.zeros(SHAPE, dtype=np.float32)
    for where in masked:
        mask[where], bright[where], probability[where] = True, 1.0, 0.9
    bright[CAME] = np.maximum(bright[CAME], came)
    probability[CAME] = np.maximum(probability[CAME], likely)
    labels = connected_components(mask).labels
    all_of_it = np.ones(SHAPE, dtype=np.bool_)
    half = (0.5, 0.5, 0.5)
    return Seen(labels, probability, bright, all_of_it, half, 100.0, 0.5, all_of_it, ~all_of_it)


def completed(first: Seen, second: Seen) -> Pair:
    pair = Pair(first, second, second.brightness - first.brightness, GRID)
    counts = int(first.labels.max()), int(second.labels.max())
    return with_overlooked(pair, counts=counts)


def kinds(pair: Pair) -> list[ChangeClass]:
    rows = classify(pair, collect_evidence(pair), repeatability=LIMITS)
    return [row.kind for row in rows]


def test_what_came_and_is_in_no_mask_is_a_new_lesion_and_backwards_one_that_is_gone() -> None:
    plain, changed = seen(OLD), seen(OLD, came=1.0)
    there, back = completed(plain, changed), completed(changed, plain)
    assert (there.second.labels[CAME] == 2).all()
    assert there.second.added.sum() == there.second.mask.sum() - plain.mask.sum() == 100
    assert not there.first.added.any()
    assert kinds(there) == [ChangeClass.STABLE, ChangeClass.NEW]
    assert (back.first.labels == there.second.labels).all()
    assert kinds(back) == [ChangeClass.STABLE, ChangeClass.DISAPPEARED]


@pytest.mark.parametrize(
    ("came", "likely", "added"),
    [(0.6, 0.0, 0), (0.65, 0.4, 0), (0.65, 0.6, 100), (0.75, 0.0, 100)],
)
def test_the_difference_alone_has_to_be_larger_than_with_the_network(
    came: float, likely: float, added: int
) -> None:
    pair = completed(seen(OLD), seen(OLD, came=came, likely=likely))
    assert pair.second.added.sum() == added


def test_nothing_comes_beside_white_matter_nor_where_a_lesion_was_likely() -> None:
    plain, changed = seen(OLD), seen(OLD, came=1.0)
    grey = plain.white_matter.copy()
    grey[CAME[0], CAME[1], 10:] = False  # half of it; the other half is its border
    assert not completed(replace(plain, white_matter=grey), changed).second.added.any()
    assert not completed(seen(OLD, likely=0.2), changed).second.added.any()
    assert not completed(plain, replace(changed, known=changed.brightness < 1)).second.added.any()


def test_noise_raises_what_counts() -> None:
    plain, changed = seen(OLD), seen(OLD, came=1.0)
    noise = np.random.default_rng(1).normal(0, 0.3, SHAPE).astype(np.float32)
    noisy = replace(changed, brightness=changed.brightness + noise)
    assert not completed(plain, noisy).second.added.any()


def test_a_lesion_whose_mask_holds_little_of_what_came_gets_the_rest() -> None:
    little = (slice(20, 21), CAME[1], CAME[2])
    pair = completed(seen(OLD), seen(OLD, little, came=1.0))
    assert pair.second.labels.max() == 2
    assert (pair.second.labels[CAME] == 2).all()
    assert kinds(pair) == [ChangeClass.STABLE, ChangeClass.NEW]


def test_where_the_mask_holds_much_of_what_came_its_edge_stays() -> None:
    half = (slice(20, 22), CAME[1], CAME[2])
    assert not completed(seen(OLD), seen(OLD, half, came=1.0)).second.added.any()
