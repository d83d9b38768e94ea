"""Two results of one head to what changed between them, with what is to be said about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import fsum

import numpy as np
import numpy.typing as npt

from leuko.anatomy.periventricular import lateral_ventricles
from leuko.change.classes import ChangeClass, Tracked
from leuko.change.compare import Comparison, change_map, compare_visits, completed_labels
from leuko.change.lesions import ChangedLesion
from leuko.change.visit import SIDES_APART, Visit
from leuko.errors import SafetyRefusal
from leuko.findings import Finding, Policy, Severity
from leuko.image.image import from_canonical, to_canonical
from leuko.pipelines.longitudinal_result import Change, Followed
from leuko.progress import Journal
from leuko.quantify.lesions import Lesion, LesionTable, measure_lesions
from leuko.registration.transforms import Affine

__all__ = ["change_between", "visit_of"]

UNLIKE_VOXELS = 1.5  # times: from there on the finer visit shows lesions that the other cannot
# Where fewer blocks of the one brain are found in the other it is another head, or the scans were
# laid wrongly: brains of two people reached at most .40, two scans of one person 1.0.
LEAST_AGREEMENT = 0.65


def visit_of(followed: Followed) -> Visit:
    """What a result brings to a comparison; the result must hold its probability."""
    result = followed.result
    assert result.probability is not None
    assert result.anatomy is not None
    return Visit.of(
        followed.image,
        lesions=result.lesions,
        probability=result.probability,
        anatomy=result.anatomy,
    )


def change_between(
    baseline: Followed,
    followup: Followed,
    *,
    visits: tuple[Visit, Visit],
    policy: Policy,
    journal: Journal,
) -> Change:
    """Register two visits and compare their lesions, as a step of the journal.

    Raises SafetyRefusal (exit 5) where the registration failed, as for two different heads, unless
    the policy is lenient.
    """
    first, second = visits
    with journal.step("compare", baseline=baseline.name, followup=followup.name) as noted:
        same = first.digest() == second.digest()
        comparison = compare_visits(first, second)
        noted.update(_about(comparison))
        about = [*_about_heads(comparison, baseline, followup, policy=policy)]
        about += _about_scans(comparison, baseline, followup, same=same)
        coded = change_map(comparison, first=first, second=second)
        tables = _tables(comparison, baseline, followup, visits=visits)
    grid = followup.image.grid
    written = followup.image.with_data(np.ascontiguousarray(from_canonical(coded, grid)))
    lesions = tuple(
        _lesion(number, row, comparison.space.transform, baseline, followup, tables=tables)
        for number, row in enumerate(comparison.rows, start=1)
    )
    change = Change(baseline, followup, written, lesions, comparison, tuple(about))
    more = (*_about_overlooked(change), *_about_volumes(change))
    return replace(change, findings=(*about, *more))


def _about(comparison: Comparison) -> dict[str, object]:
    space, pair = comparison.space, comparison.pair
    return {
        "agreement": space.quality.agreement,
        "angle_degrees": space.transform.angle_degrees,
        "grid": list(space.grid.shape),
        "border_mm": list(pair.border_mm),
        "lesions": len(comparison.rows),
    }


def _tables(
    comparison: Comparison, baseline: Followed, followup: Followed, *, visits: tuple[Visit, Visit]
) -> tuple[LesionTable, LesionTable]:
    """The lesions of both visits, those that a visit's own mask does not hold after the others."""
    labels = completed_labels(comparison, first=visits[0], second=visits[1])
    before, after = (
        (*followed.result.table, *_overlooked(found - len(followed.result.table), visit, followed))
        for followed, visit, found in zip((baseline, followup), visits, labels, strict=True)
    )
    return before, after


def _overlooked(labels: npt.NDArray[np.int32], visit: Visit, followed: Followed) -> LesionTable:
    """Lesions that are in no mask, as they are measured in one; labels above 0 are theirs."""
    if labels.max(initial=0) <= 0:
        return ()
    assert followed.result.anatomy is not None
    written = to_canonical(followed.result.anatomy.data, followed.image.grid).astype(np.uint8)
    return measure_lesions(
        np.maximum(labels, 0),
        grid=visit.grid,
        anatomy=visit.anatomy,
        ventricles=lateral_ventricles(visit.anatomy, spacing=visit.grid.spacing),
        sides=written // SIDES_APART,
    )


def _lesion(
    number: int,
    row: Tracked,
    transform: Affine,
    baseline: Followed,
    followup: Followed,
    *,
    tables: tuple[LesionTable, LesionTable],
) -> ChangedLesion:
    before = [tables[0][label - 1] for label in row.first]
    after = [tables[1][label - 1] for label in row.second]
    centre = _centre(after)
    if not after:
        centre = transform.apply_to_points(_centre(before))
    largest = max(after or before, key=lambda lesion: lesion.volume_mm3)
    x, y, z = np.asarray(centre).tolist()
    return ChangedLesion(
        number=number,
        kind=row.kind,
        baseline_labels=_own(row.first, baseline),
        followup_labels=_own(row.second, followup),
        baseline_mm3=row.first_mm3,
        followup_mm3=row.second_mm3,
        growth_mm3=row.growth_mm3,
        regression_mm3=row.regression_mm3,
        limit_mm3=row.limit_mm3,
        brightness_change=row.brighter,
        centre_mm=(x, y, z),
        side=largest.side.value,
        region=largest.region,
        baseline_mask_mm3=_in_mask(row.first, baseline),
        followup_mask_mm3=_in_mask(row.second, followup),
    )


def _own(labels: tuple[int, ...], visit: Followed) -> tuple[int, ...]:
    """Those that the visit's own mask holds."""
    return tuple(label for label in labels if label <= len(visit.result.table))


def _in_mask(labels: tuple[int, ...], followed: Followed) -> float:
    """What a visit's own mask holds of a lesion, mm3."""
    table = followed.result.table
    return fsum(table[label - 1].volume_mm3 for label in _own(labels, followed))


def _centre(lesions: Sequence[Lesion]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The centre of mass of several lesions (RAS mm); zeros of none."""
    if not lesions:
        return np.zeros(3)
    weights = [lesion.volume_mm3 for lesion in lesions]
    return np.asarray(np.average([lesion.centre_mm for lesion in lesions], axis=0, weights=weights))


def _about_heads(
    comparison: Comparison, baseline: Followed, followup: Followed, *, policy: Policy
) -> Iterator[Finding]:
    """Whether both visits can be of one head."""
    agreement = comparison.space.quality.agreement
    names = f"{baseline.spoken} and {followup.spoken}"
    for found in comparison.space.findings:
        said = found.what.split(": ", 1)[-1]
        if found.severity is Severity.REFUSAL or (agreement or 1.0) < LEAST_AGREEMENT:
            if policy is not Policy.LENIENT:
                raise SafetyRefusal(
                    f"The scans of {names} cannot be laid over each other: {said}",
                    hint="Are both visits of one person, and whole? To compare them all the same: "
                    "--lenient.",
                )
            yield Finding(
                "change.two_heads",
                Severity.WARNING,
                f"The scans of {names} cannot be laid over each other: {said}",
                "Nothing that is said about change can be relied on.",
            )
        else:
            yield Finding(
                "change.registration_doubtful",
                Severity.WARNING,
                f"How the scans of {names} lie to each other is doubtful: {said}",
                "Look at the pictures of both visits in the report.",
            )


def _about_scans(
    comparison: Comparison, baseline: Followed, followup: Followed, *, same: bool
) -> Iterator[Finding]:
    if same:
        yield Finding(
            "change.same_scan",
            Severity.WARNING,
            f"{baseline.spoken.capitalize()} and {followup.spoken} are one scan, voxel by voxel.",
            "Give two different visits.",
        )
    longest = [max(one.image.grid.spacing) for one in (baseline, followup)]
    if max(longest) > UNLIKE_VOXELS * min(longest):
        yield Finding(
            "change.unlike_voxels",
            Severity.WARNING,
            f"The voxels of {baseline.spoken} are up to {longest[0]:.1f} mm long, those of "
            f"{followup.spoken} up to {longest[1]:.1f} mm: lesions that only the finer scan can "
            "show may look new or gone.",
            "Small lesions of such a pair need a look at both scans.",
        )
    unseen = sum(row.kind is ChangeClass.NOT_SEEN for row in comparison.rows)
    if unseen:
        yield Finding(
            "change.not_seen",
            Severity.WARNING,
            f"{unseen} of the lesions lie where {baseline.spoken} or {followup.spoken} shows "
            "nothing; they are left out of the comparison.",
            "A field of view, or a brain extraction, cut them off.",
        )


def _about_overlooked(change: Change) -> Iterator[Finding]:
    """Lesions that the scans show and neither mask holds."""
    count = sum(not (one.baseline_labels or one.followup_labels) for one in change.lesions)
    if count:
        yield Finding(
            "change.overlooked",
            Severity.NOTE,
            f"In no mask, and told by the difference of both scans alone: {count} of the lesions "
            f"that came or went from {change.baseline.spoken} to {change.followup.spoken}. They "
            "count in growth and regression, not in the volumes of the visits.",
            "Look at their pictures: what comes and goes so may be something else than white "
            "matter hyperintensities.",
        )


def _about_volumes(change: Change) -> Iterator[Finding]:
    """Where the totals say something else than the lesions one by one."""
    apart = change.net_change_ml - change.lesion_change_ml
    if abs(apart) > change.smallest_net_change_ml:
        yield Finding(
            "change.volumes_disagree",
            Severity.NOTE,
            f"From {change.baseline.spoken} to {change.followup.spoken} the net change of the "
            f"masks is {_signed(change.net_change_ml)} ml, the lesion change "
            f"{_signed(change.lesion_change_ml)} ml: each mask has its own edge of brightness, "
            "lesions are compared where the scans differ.",
            "The lesion change is the more reliable number.",
        )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
