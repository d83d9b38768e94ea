"""Which series of a study is the FLAIR, and which the T1: chosen with reasons, or refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leuko.dicom.evidence import (
    CERTAIN,
    LIKELY,
    Evidence,
    flair_evidence,
    has_contrast,
    t1_evidence,
    unfit,
)
from leuko.dicom.geometry import plane_of
from leuko.dicom.image import load
from leuko.dicom.kinds import is_anatomy
from leuko.dicom.select import listed, matching
from leuko.dicom.study import Stack, Study
from leuko.errors import LeukoError, ReadError, SafetyRefusal, UnusableInput, UsageError
from leuko.image.image import Image

__all__ = ["Choice", "Reason", "choose", "described"]

Score = Callable[[Image], float]
_NAME_ONE = "Name it with --series KEY; leuko dicom list shows every series and why."
_CLEAR = 0.1  # by how much the voxels of one scan must look more like a FLAIR than another's


@dataclass(frozen=True, slots=True)
class Reason:
    """What was decided about a stack: `role` is 'flair', 't1' or empty."""

    key: str
    description: str
    role: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The FLAIR, the T1 if there is one, and a reason for every stack of the study."""

    flair: Stack
    t1: Stack | None
    reasons: tuple[Reason, ...]


def choose(
    study: Study, *, series: str = "", t1_series: str = "", score: Score | None = None
) -> Choice:
    """Choose FLAIR and T1; `series` and `t1_series` name them instead.

    `score` says how much an image looks like a FLAIR (higher is more); it decides only where
    headers do not. Raises ReadError (no image), UsageError (several fit equally, or several
    patients), UnusableInput (no FLAIR), SafetyRefusal (a FLAIR that cannot be read).
    """
    if not study.stacks:
        raise ReadError(f"{study.name} holds no DICOM image.", hint="Give the folder of a study.")
    unfits = {stack.key: unfit(stack) for stack in study.stacks}
    fit = [stack for stack in study.stacks if not unfits[stack.key]]
    flairs = {stack.key: flair_evidence(stack) for stack in fit}
    if series:
        flair, why = _named(study, series), "named by the user"
    else:
        flair, why = _flair(study, fit, flairs, unfits, score)
    t1, t1_why = _t1(study, fit, flair, t1_series)
    reasons = []
    for stack in study.stacks:
        role, text = "", unfits[stack.key] or _not_chosen(stack, flairs[stack.key])
        if stack is flair:
            role, text = "flair", why
        elif stack is t1:
            role, text = "t1", t1_why
        reasons.append(Reason(stack.key, stack.description, role, text))
    return Choice(flair, t1, tuple(reasons))


def described(stack: Stack) -> Reason:
    """What is known of a stack, where nothing was chosen."""
    why = unfit(stack) or _not_chosen(stack, flair_evidence(stack))
    return Reason(stack.key, stack.description, "", why)


def _named(study: Study, series: str) -> Stack:
    found = matching(study, series)
    if len(found) > 1:
        raise UsageError(f"{len(found)} series match '{series}': {listed(found)}.", hint=_NAME_ONE)
    return found[0]


def _flair(
    study: Study,
    fit: Sequence[Stack],
    flairs: dict[str, Evidence],
    unfits: dict[str, str],
    score: Score | None,
) -> tuple[Stack, str]:
    """The FLAIR and why it is one."""
    best = max((flairs[stack.key].points for stack in fit), default=-1.0)
    for level in (CERTAIN, LIKELY):
        found = [stack for stack in fit if flairs[stack.key].points >= level]
        if found:
            chosen, more = _preferred(found, score)
            return chosen, flairs[chosen.key].text + more
    _require_no_broken_flair(study)
    open_ = [stack for stack in fit if flairs[stack.key].points >= 0]
    if score is not None and open_:
        chosen, more = _by_voxels(open_, score)
        return chosen, more
    if len(open_) == 1 and best >= 0:
        return open_[0], "the only scan that covers a head and is not ruled out by its header"
    if open_:
        raise UsageError(
            f"No series says that it is a FLAIR; {len(open_)} could be: {listed(open_)}.",
            hint=_NAME_ONE,
        )
    facts = [
        f"{stack.key} ({stack.description or stack.kind}): "
        f"{unfits[stack.key] or flairs[stack.key].text}"
        for stack in study.stacks[:6]
    ]
    text = "; ".join(facts).rstrip(".")
    raise UnusableInput(f"There is no FLAIR among the series. {text}.", hint=_NAME_ONE)


def _require_no_broken_flair(study: Study) -> None:
    """Where the FLAIR itself cannot be read, no other scan takes its place."""
    for stack in study.stacks:
        if stack.usable and is_anatomy(stack.kind) and flair_evidence(stack).points >= LIKELY:
            raise SafetyRefusal(
                f"Series {stack.key} ({stack.description or stack.kind}) is the FLAIR, but cannot "
                f"be read: {stack.usable}",
                hint=stack.hint,
            )


def _preferred(stacks: Sequence[Stack], score: Score | None) -> tuple[Stack, str]:
    """One of several that are all FLAIRs: whole, thin, isotropic, without contrast agent."""
    _require_one_patient(stacks)
    if len(stacks) == 1:
        return stacks[0], ""
    ranked = sorted(stacks, key=_worth, reverse=True)
    first, second = ranked[0], ranked[1]
    if _worth(first) > _worth(second):
        others = ", ".join(stack.key for stack in ranked[1:])
        return first, f"; preferred to {others}, which also fit: {_better(first, second)}"
    equal = [stack for stack in ranked if _worth(stack) == _worth(first)]
    if score is not None:
        return _by_voxels(equal, score)
    raise UsageError(
        f"{len(equal)} series are FLAIRs of the same kind: {listed(equal)}.", hint=_NAME_ONE
    )


def _worth(stack: Stack) -> tuple[object, ...]:
    """What makes one of two scans of a contrast the better one, the weightiest first."""
    spacing = stack.spacing or (1.0, 1.0, 1.0)
    extent = spacing[2] * stack.layout.slices
    types = stack.first.image_type
    return (
        extent >= 90,
        stack.kind == "magnitude",
        not has_contrast(stack),
        "EP" not in stack.first.scanning,
        -round(max(spacing) / min(spacing), 1),
        -round(spacing[0] * spacing[1] * spacing[2], 2),
        round(extent / 10),
        stack.first.orientation is not None and plane_of(stack.first.orientation) == "ax",
        "ND" not in types,  # distortion was corrected
        "NORM" in types,
    )


def _better(first: Stack, second: Stack) -> str:
    names = (
        "it covers the whole head", "it is the original", "it is without contrast agent",
        "it is no echo-planar scan", "its voxels are more even", "its voxels are smaller",
        "it covers more", "it is axial",
        "its distortion is corrected", "its brightness is evened out",
    )  # fmt: skip
    pairs = zip(names, _worth(first), _worth(second), strict=True)
    return next(name for name, one, other in pairs if one != other)


def _by_voxels(stacks: Sequence[Stack], score: Score) -> tuple[Stack, str]:
    """The stack whose voxels look most like a FLAIR, if it stands out."""
    _require_one_patient(stacks)
    scores: list[tuple[float, int]] = []
    for place, stack in enumerate(stacks):
        try:
            scores.append((float(score(load(stack))), place))
        except LeukoError:
            continue
    scores.sort(reverse=True)
    if scores and (len(scores) == 1 or scores[0][0] - scores[1][0] >= _CLEAR):
        return stacks[scores[0][1]], "its voxels look most like a FLAIR"
    raise UsageError(f"{len(stacks)} series could be the FLAIR: {listed(stacks)}.", hint=_NAME_ONE)


def _require_one_patient(stacks: Sequence[Stack]) -> None:
    """Scans of two people, or of two visits, are never chosen between."""
    patients = {stack.instance.patient for stack in stacks}
    visits = {stack.instance.study_uid for stack in stacks}
    if len(patients) > 1 or len(visits) > 1:
        what = f"{len(patients)} patients" if len(patients) > 1 else f"{len(visits)} studies"
        raise UsageError(
            f"The FLAIRs are of {what}: {listed(stacks)}.",
            hint="Give one study at a time, or name the series with --series KEY.",
        )


def _t1(study: Study, fit: Sequence[Stack], flair: Stack, series: str) -> tuple[Stack | None, str]:
    """The T1 of the same person and visit; none where nothing is clearly one."""
    if series:
        return _named(study, series), "named by the user"
    found = []
    for stack in fit:
        same = (
            stack.instance.patient == flair.instance.patient
            and stack.instance.study_uid == flair.instance.study_uid
        )
        evidence = t1_evidence(stack)
        if stack is not flair and same and evidence.points >= LIKELY:
            shared = stack.instance.frame_of_reference == flair.instance.frame_of_reference
            found.append((evidence.points, shared, _worth(stack), stack, evidence.text))
    if not found:
        return None, ""
    best = max(found, key=lambda entry: (entry[0] >= CERTAIN, entry[2][2], entry[1], entry[2]))
    return best[3], best[4]


def _not_chosen(stack: Stack, evidence: Evidence) -> str:
    text = evidence.text
    if evidence.points >= LIKELY:
        return f"fits too ({text})"
    t1 = t1_evidence(stack)
    if t1.points >= LIKELY:
        return f"a T1 ({t1.text})"
    return t1.text if t1.points > evidence.points else text
