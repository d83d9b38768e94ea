"""The class of each lesion: new, enlarging, stable, shrinking, disappeared, merged or split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.change.repeatability import Repeatability
from leuko.change.seen import Pair, Seen
from leuko.change.tracking import Group, track
from leuko.masks.components import connected_components, select
from leuko.masks.morphology import dilate

__all__ = ["ChangeClass", "Evidence", "Tracked", "classify", "collect_evidence", "numbered"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

# A voxel has changed where it became brighter by half of what sets lesions apart, and where the
# network's probability rose with it.
BRIGHTER = 0.35
LIKELIER = 0.2
MOSTLY = 0.5  # share of a part
UNSEEN = 0.5  # share of a lesion that the other visit does not show: nothing can be said of it
HARDLY_ANY = 0.1  # of a lesion at the one visit: what came is new, what went has disappeared
PART_MM3, PART_SHARE = 10.0, 0.05  # a lesion that counts where lesions merge or split


class ChangeClass(StrEnum):
    """What became of a lesion; NOT_SEEN lies where one visit shows nothing."""

    NEW = "new"
    ENLARGING = "enlarging"
    STABLE = "stable"
    SHRINKING = "shrinking"
    DISAPPEARED = "disappeared"
    MERGED = "merged"
    SPLIT = "split"
    NOT_SEEN = "not_seen"


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Where the second visit has more (grown) or less (gone) than the first, beyond the borders."""

    grown: Flags
    gone: Flags


@dataclass(frozen=True, slots=True)
class Tracked:
    """A lesion over two visits; volumes on the half-way grid.

    first, second: its labels at each visit.
    first_mm3, second_mm3: what either visit's segmentation holds and the scan does not contradict;
        they differ by growth less regression.
    growth_mm3, regression_mm3: voxels that changed beyond the borders' uncertainty.
    brighter: mean change of its brightness, 1 = what sets lesions apart from white matter.
    limit_mm3: the change that repeated scans show without any change.
    """

    kind: ChangeClass
    first: tuple[int, ...]
    second: tuple[int, ...]
    first_mm3: float
    second_mm3: float
    growth_mm3: float
    regression_mm3: float
    brighter: float
    limit_mm3: float


def collect_evidence(pair: Pair) -> Evidence:
    """Voxels of one mask that lie beyond the border of the other and did change.

    Of a connected part beyond the border that changed mostly all voxels count.
    """
    spacing = pair.grid.spacing

    def beyond(own: Seen, other: Seen, sign: float) -> Flags:
        outside = (
            own.mask & other.known & ~dilate(other.mask, spacing=spacing, radius_mm=pair.border_mm)
        )
        where = np.nonzero(outside)
        rise = np.float32(sign) * pair.brighter[where]
        odds = own.probability[where] - other.probability[where]
        changed = np.zeros_like(outside)
        changed[where] = own.added[where] | ((rise >= BRIGHTER) & (odds >= LIKELIER))
        parts = connected_components(outside)
        mostly = np.bincount(parts.labels[changed], minlength=parts.count + 1)[1:] >= (
            MOSTLY * parts.sizes
        )
        return changed | select(parts, keep=mostly)

    return Evidence(
        grown=beyond(pair.second, pair.first, 1.0), gone=beyond(pair.first, pair.second, -1.0)
    )


def classify(
    pair: Pair, evidence: Evidence, *, repeatability: Repeatability
) -> tuple[Tracked, ...]:
    """A row for each lesion of either visit, the largest first.

    New: nothing of the first visit within 1.5 mm, and what is there became brighter and likelier
    to be lesion; where both scans look alike it is stable, whatever the threshold made of it.
    What one visit overlooked (`overlooked`) is new by the difference of the scans alone. New as
    well: less than a tenth of it was there before. Disappeared: the same with the visits
    exchanged. Enlarging and shrinking: growth less regression beyond `repeatability`. Merged:
    enlarging out of several lesions of the first visit into fewer; split: shrinking into more;
    lesions below 10 mm3 or a twentieth of the whole do not count there.
    """
    groups = track(pair.first.labels, pair.second.labels, spacing=pair.grid.spacing)
    counts = _Counts.of(groups, pair, evidence)
    rows = [
        _row(number, group, counts, repeatability) for number, group in enumerate(groups, start=1)
    ]
    rows.sort(key=_order)
    return tuple(rows)


def _order(row: Tracked) -> tuple[float, ...]:
    """The largest first; the same for the visits in either order."""
    sizes = sorted((row.first_mm3, row.second_mm3), reverse=True)
    labels = sorted((row.first, row.second))
    return (-sizes[0], -sizes[1], *(float(label) for part in labels for label in part))


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Voxels and means of each group, index 0 for what belongs to none; volumes in mm3."""

    whole: Floats  # of both visits together
    grown: Floats
    gone: Floats
    first_parts: Floats  # lesions of the first visit that are no specks
    second_parts: Floats
    unknown: Floats  # share of its voxels that one visit does not show
    brighter: Floats  # mean over all its voxels
    likelier: Floats
    overlooked: Floats  # what the segmentations do not hold

    @classmethod
    def of(cls, groups: Sequence[Group], pair: Pair, evidence: Evidence) -> _Counts:
        one = numbered(pair.first.labels, [group.first for group in groups])
        other = numbered(pair.second.labels, [group.second for group in groups])
        where = np.nonzero((one > 0) | (other > 0))
        own = np.where(other[where] > 0, other[where], one[where])
        volume = float(np.prod(pair.grid.spacing))

        def total(values: npt.NDArray[Any], of: npt.NDArray[np.int32] = own) -> Floats:
            weights = values.astype(np.float64)
            return np.bincount(of, weights=weights, minlength=len(groups) + 1).astype(np.float64)

        voxels = np.maximum(total(np.ones(own.size)), 1)
        whole = volume * total(np.ones(own.size))
        odds = pair.second.probability[where] - pair.first.probability[where]
        added = pair.first.added[where] | pair.second.added[where]
        unknown = ~(pair.first.known[where] & pair.second.known[where])
        return cls(
            whole=whole,
            grown=volume * total(evidence.grown[where], other[where]),
            gone=volume * total(evidence.gone[where], one[where]),
            first_parts=_parts(pair.first.labels, one, whole, volume),
            second_parts=_parts(pair.second.labels, other, whole, volume),
            unknown=total(unknown) / voxels,
            brighter=total(pair.brighter[where]) / voxels,
            likelier=total(odds) / voxels,
            overlooked=volume * total(added),
        )


def numbered(
    labels: npt.NDArray[np.int32], groups: Sequence[tuple[int, ...]]
) -> npt.NDArray[np.int32]:
    """The number of the group, from 1, in place of each label."""
    table = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int32)
    for number, members in enumerate(groups, start=1):
        table[list(members)] = number
    return np.asarray(table[labels])


def _parts(
    labels: npt.NDArray[np.int32], groups: npt.NDArray[np.int32], whole: Floats, volume: float
) -> Floats:
    """How many lesions of one visit each group has, specks not counted."""
    inside = labels > 0
    sizes = volume * np.bincount(labels[inside])
    group = np.zeros(sizes.size, dtype=np.int64)
    group[labels[inside]] = groups[inside]
    counted = sizes >= np.maximum(PART_MM3, PART_SHARE * whole[group])
    return np.bincount(group[counted], minlength=whole.size).astype(np.float64)


def _row(number: int, group: Group, counts: _Counts, repeatability: Repeatability) -> Tracked:
    whole, grown = float(counts.whole[number]), float(counts.grown[number])
    gone, brighter = float(counts.gone[number]), float(counts.brighter[number])
    if not (group.first and group.second):
        sign = 1.0 if group.second else -1.0
        changed = sign * brighter >= BRIGHTER and sign * counts.likelier[number] >= LIKELIER
        if counts.overlooked[number]:  # what is unlikely in the one scan stands in their difference
            changed |= grown + gone >= MOSTLY * whole
        grown = whole if changed and group.second else 0.0
        gone = whole if changed and group.first else 0.0
    kind = ChangeClass.NOT_SEEN
    limit = repeatability.lesion_limit_mm3(whole - (grown + gone) / 2)
    if counts.unknown[number] > UNSEEN:
        grown = gone = 0.0
    else:
        parts = counts.second_parts[number] - counts.first_parts[number]
        kind = _kind(whole - grown, whole - gone, limit, parts=float(parts))
        if kind is ChangeClass.NEW:  # the little that was there is noise at its edge
            grown, gone = whole, 0.0
        elif kind is ChangeClass.DISAPPEARED:
            grown, gone = 0.0, whole
    return Tracked(
        kind, group.first, group.second, whole - grown, whole - gone, grown, gone, brighter, limit
    )


def _kind(first: float, second: float, limit: float, *, parts: float) -> ChangeClass:
    """The class of volumes (mm3); `parts` is how many more lesions it has at the second visit."""
    if second - first > limit:
        if first < HARDLY_ANY * second:
            return ChangeClass.NEW
        return ChangeClass.MERGED if parts < 0 else ChangeClass.ENLARGING
    if first - second > limit:
        if second < HARDLY_ANY * first:
            return ChangeClass.DISAPPEARED
        return ChangeClass.SPLIT if parts > 0 else ChangeClass.SHRINKING
    return ChangeClass.STABLE
