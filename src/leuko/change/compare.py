"""Two visits compared: every lesion, totals, and the map of change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
import numpy.typing as npt

from leuko.change.classes import (
    ChangeClass,
    Evidence,
    Tracked,
    classify,
    collect_evidence,
    numbered,
)
from leuko.change.half_way import HalfWay, meet
from leuko.change.overlooked import with_overlooked
from leuko.change.repeatability import Repeatability, repeatability_of
from leuko.change.seen import Pair, Seen, look, moved_labels
from leuko.change.visit import Visit
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.apply import apply_to_mask
from leuko.registration.transforms import Affine

__all__ = ["CODES", "Comparison", "change_map", "compare_visits", "completed_labels", "lesions_at"]

# Values of change.nii.gz. Merging is a way to enlarge, splitting one to shrink.
CODES = {
    ChangeClass.STABLE: 1,
    ChangeClass.NEW: 2,
    ChangeClass.ENLARGING: 3,
    ChangeClass.MERGED: 3,
    ChangeClass.SHRINKING: 4,
    ChangeClass.SPLIT: 4,
    ChangeClass.DISAPPEARED: 5,
    ChangeClass.NOT_SEEN: 0,
}
MM3_PER_ML = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What changed from the first visit to the second.

    growth_ml, regression_ml: of the lesions whose growth (regression) is beyond repetition.
    """

    space: HalfWay
    pair: Pair
    evidence: Evidence
    rows: tuple[Tracked, ...]
    repeatability: Repeatability

    @property
    def growth_ml(self) -> float:
        """New lesions and what lesions gained, where that is beyond repetition."""
        return _beyond([(row.growth_mm3, row.limit_mm3) for row in self.rows])

    @property
    def regression_ml(self) -> float:
        """Lesions that disappeared and what lesions lost, where that is beyond repetition."""
        return _beyond([(row.regression_mm3, row.limit_mm3) for row in self.rows])

    def count(self, kind: ChangeClass) -> int:
        """How many lesions are of a class."""
        return sum(row.kind is kind for row in self.rows)


def compare_visits(first: Visit, second: Visit, *, space: HalfWay | None = None) -> Comparison:
    """Compare two visits of one head; exchanging them exchanges everything that is said.

    `space` saves registering again. Raises what `meet` raises.
    """
    between = space or meet(first, second)
    counts = int(first.labels.max(initial=0)), int(second.labels.max(initial=0))
    pair = with_overlooked(look(first, second, space=between), counts=counts)
    evidence = collect_evidence(pair)
    repeatability = repeatability_of(first.grid.spacing, second.grid.spacing)
    rows = classify(pair, evidence, repeatability=repeatability)
    return Comparison(between, pair, evidence, rows, repeatability)


def completed_labels(
    comparison: Comparison, *, first: Visit, second: Visit
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The lesions of each visit on its own canonical voxels, with what it overlooked.

    Numbers above those of a visit's own lesions are of lesions that its segmentation does not hold.
    """
    space, pair = comparison.space, comparison.pair
    return (
        _completed(first, pair.first, to=space.to_first, grid=space.grid),
        _completed(second, pair.second, to=space.to_second, grid=space.grid),
    )


def change_map(comparison: Comparison, *, first: Visit, second: Visit) -> npt.NDArray[np.uint8]:
    """Every lesion with the code of its class (`CODES`), canonical axes of the second visit.

    The second visit's lesions are shown as they are; of those that shrank or are gone also what
    the first visit's segmentation held, by nearest voxel. 0 where one visit shows nothing.
    """
    rows = comparison.rows
    before, after = completed_labels(comparison, first=first, second=second)
    shown = _coded(after, [(row.second, CODES[row.kind]) for row in rows])
    gone = _coded(
        before,
        [
            (row.first, CODES[row.kind])
            for row in rows
            if not row.second or row.kind in (ChangeClass.SHRINKING, ChangeClass.SPLIT)
        ],
    )
    along = apply_to_mask(
        Image(gone, first.grid),
        transform=comparison.space.transform.inverse(),
        onto=second.grid,
    ).data
    return np.where(after > 0, shown, along).astype(np.uint8)


def _completed(visit: Visit, seen: Seen, *, to: Affine, grid: Grid) -> npt.NDArray[np.int32]:
    """A visit's lesions with what was added half-way; every number that was added has a voxel."""
    if not seen.added.any():
        return visit.labels
    added = np.where(seen.added, seen.labels, 0)
    moved = moved_labels(added, grid, transform=to.inverse(), onto=visit.grid)
    labels = np.where(visit.labels > 0, visit.labels, moved)
    for number in range(int(visit.labels.max(initial=0)) + 1, int(added.max()) + 1):
        if not (labels == number).any():
            labels[moved == number] = number
    return labels


def lesions_at(
    comparison: Comparison,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The lesions of the first and of the second visit on the half-way grid, by row from 1.

    A voxel of either segmentation belongs to both visits unless it changed: the two differ by
    growth and regression alone, as the volumes of the rows do.
    """
    rows, pair = comparison.rows, comparison.pair
    one = numbered(pair.first.labels, [row.first for row in rows])
    other = numbered(pair.second.labels, [row.second for row in rows])
    both = np.where(other > 0, other, one)
    came = np.zeros(len(rows) + 1, dtype=np.bool_)
    went = came.copy()
    for number, row in enumerate(rows, start=1):
        came[number] = row.kind is ChangeClass.NEW or not (row.first or row.first_mm3)
        went[number] = row.kind is ChangeClass.DISAPPEARED or not (row.second or row.second_mm3)
    first = np.where(came[both] | (comparison.evidence.grown & (other > 0)), 0, both)
    second = np.where(went[both] | (comparison.evidence.gone & (one > 0)), 0, both)
    return first.astype(np.int32), second.astype(np.int32)


def _coded(
    labels: npt.NDArray[np.int32], codes: Sequence[tuple[tuple[int, ...], int]]
) -> npt.NDArray[np.uint8]:
    table = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.uint8)
    for members, code in codes:
        table[list(members)] = code
    return np.asarray(table[labels])


def _beyond(parts: Sequence[tuple[float, float]]) -> float:
    return fsum(volume for volume, limit in parts if volume > limit) / MM3_PER_ML
