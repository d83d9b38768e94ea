"""The one stack a user means: by key, number, UID or description; never a guess among several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from leuko.dicom.kinds import is_anatomy
from leuko.dicom.study import Stack, Study
from leuko.errors import ReadError, SafetyRefusal, UsageError
from leuko.findings import Finding, Severity

__all__ = ["listed", "matching", "no_image", "one_stack"]

_NO_SCANS = ("localizer", "secondary capture", "colour")
_LIST = "leuko dicom list shows every series."


def one_stack(study: Study, *, series: str = "") -> tuple[Stack, tuple[Finding, ...]]:
    """The stack that `series` names, or the only usable one.

    Raises ReadError where there is no image, SafetyRefusal where the only ones are unusable,
    UsageError where several remain.
    """
    if not study.stacks:
        raise no_image(study)
    if series:
        return _only(matching(study, series), f"'{series}'"), ()
    usable = study.usable
    if not usable:
        worst = study.stacks[0]
        more = f" ({len(study.stacks)} series cannot be read.)" if len(study.stacks) > 1 else ""
        raise SafetyRefusal(
            f"Series {worst.key} cannot be read: {worst.usable}{more}", hint=worst.hint
        )
    if len(usable) == 1:
        return usable[0], _left_out(study, usable[0])
    scans = [stack for stack in usable if stack.kind not in _NO_SCANS]
    if len(scans) == 1:
        return scans[0], _left_out(study, scans[0])
    raise _several(usable, study.name or "The folder")


def matching(study: Study, series: str) -> list[Stack]:
    """Stacks by exact key, else series number, else UID, else a part of the description."""
    wanted = series.strip()
    tests = (
        lambda stack: stack.key == wanted,
        lambda stack: wanted.isdigit() and stack.series_number == int(wanted),
        lambda stack: stack.series_uid == wanted,
        lambda stack: stack.description.casefold() == wanted.casefold(),
        lambda stack: wanted.casefold() in stack.description.casefold(),
    )
    for test in tests:
        found = [stack for stack in study.stacks if test(stack)]
        if found:
            return found
    raise UsageError(
        f"No series matches '{wanted}'. There are: {listed(study.stacks)}.", hint=_LIST
    )


def _only(stacks: Sequence[Stack], wanted: str) -> Stack:
    usable = [stack for stack in stacks if not stack.usable] or list(stacks)
    if len(usable) == 1:
        return usable[0]
    raise UsageError(
        f"{len(usable)} series match {wanted}: {listed(usable)}.",
        hint=f"Name one with --series KEY. {_LIST}",
    )


def listed(stacks: Sequence[Stack]) -> str:
    """Keys with descriptions, for a message."""
    shown = [f"{stack.key} ({stack.description or stack.kind})" for stack in stacks[:12]]
    return ", ".join(shown) + (f" and {len(stacks) - 12} more" if len(stacks) > 12 else "")


def _several(stacks: Sequence[Stack], name: str) -> UsageError:
    return UsageError(
        f"{name} holds {len(stacks)} series: {listed(stacks)}.",
        hint=f"Name one with --series KEY. {_LIST}",
    )


def _left_out(study: Study, chosen: Stack) -> tuple[Finding, ...]:
    others = [stack for stack in study.stacks if stack is not chosen]
    if not others:
        return ()
    reasons = "; ".join(f"{stack.key}: {stack.usable or stack.kind}" for stack in others[:4])
    lost = any(stack.usable and is_anatomy(stack.kind) for stack in others)
    return (
        Finding(
            "dicom.others",
            Severity.WARNING if lost else Severity.NOTE,
            f"Series {chosen.key} was read; {len(others)} more cannot be ({reasons})."
            if lost
            else f"Series {chosen.key} was read; {len(others)} more "
            f"{'are' if len(others) > 1 else 'is'} no scan ({reasons}).",
            _LIST,
        ),
    )


def no_image(study: Study) -> ReadError:
    """The error for a study without images: what its files are instead."""
    name = study.name or "The folder"
    if not study.skipped:
        return ReadError(f"{name} holds no files.", hint="Give the folder of a DICOM series.")
    if len(study.skipped) == 1:
        return ReadError(
            f"{study.skipped[0].name} is {study.skipped[0].reason}: no image.",
            hint="Give the folder or file of an image series.",
        )
    counts = Counter(skipped.reason for skipped in study.skipped)
    text = ", ".join(f"{count} {reason}" for reason, count in counts.most_common(4))
    return ReadError(
        f"{name} holds no DICOM image ({len(study.skipped)} files: {text}).",
        hint="Give the folder of an image series.",
    )
