"""Short names for stacks, stable for a study: '3', '3-e1', '801-e2-phase'."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from leuko.dicom.frame import Frame
from leuko.dicom.geometry import plane_of
from leuko.dicom.study import Layout, Stack
from leuko.findings import Finding

__all__ = ["Draft", "with_keys"]


class Draft(NamedTuple):
    """A stack that has no key yet."""

    frames: tuple[Frame, ...]
    layout: Layout
    kind: str
    usable: str
    hint: str
    findings: tuple[Finding, ...]


def with_keys(drafts: Sequence[Draft]) -> tuple[Stack, ...]:
    """Stacks ordered by series number, time and what they show; keys differ."""
    by_number: dict[str, list[Draft]] = defaultdict(list)
    for draft in sorted(drafts, key=_order):
        number = draft.frames[0].instance.series_number
        by_number[str(number) if number > 0 else "s"].append(draft)
    stacks = []
    for series, group in by_number.items():
        names = [f"{series}{''.join(f'-{mark}' for mark in marks)}" for marks in _marks(group)]
        counts: Counter[str] = Counter(names)
        seen: Counter[str] = Counter()
        for name, draft in zip(names, group, strict=True):
            seen[name] += 1
            key = name if counts[name] == 1 else f"{name}-{_letters(seen[name])}"
            stacks.append(Stack(key, *draft))
    return tuple(stacks)


def _order(draft: Draft) -> tuple[object, ...]:
    first = draft.frames[0]
    instance = first.instance
    return (
        instance.series_number, instance.series_time, instance.study_uid, instance.series_uid,
        first.echo_time or 0.0, first.component, first.image_type,
        plane_of(first.orientation) if first.orientation else "",
        min(frame.number for frame in draft.frames), first.position or (),
    )  # fmt: skip


def _marks(group: Sequence[Draft]) -> list[list[str]]:
    """For each draft of one series number, in what it differs from the others."""
    firsts = [draft.frames[0] for draft in group]
    echoes = sorted({frame.echo_time for frame in firsts if frame.echo_time})
    parts: tuple[Callable[[Frame], str], ...] = (
        lambda frame: f"e{echoes.index(frame.echo_time) + 1}" if frame.echo_time else "",
        lambda frame: plane_of(frame.orientation) if frame.orientation else "picture",
        lambda frame: frame.component,
        lambda frame: _word(frame.image_type[:2]),
        lambda frame: _word(frame.image_type[2:]),
        lambda frame: f"{frame.columns}x{frame.rows}",
        lambda frame: f"fa{frame.flip_angle or 0:g}",
        lambda frame: f"ti{frame.inversion_time or 0:g}",
        lambda frame: "contrast" if frame.contrast else "plain",
    )
    marks: list[list[str]] = [[] for _ in group]
    for part in parts:
        values = [part(frame) for frame in firsts]
        # A part earns its place where it tells apart what the parts before it do not.
        before = len({tuple(mark) for mark in marks})
        after = len({(*mark, value) for mark, value in zip(marks, values, strict=True)})
        if after > before:
            for mark, value in zip(marks, values, strict=True):
                if value and value != "magnitude":
                    mark.append(value)
    if len(group) > 1:  # a bare number names the series, not one of its stacks
        for mark, frame in zip(marks, firsts, strict=True):
            if not mark:
                mark.append(frame.component)
    return marks


def _word(parts: Sequence[str]) -> str:
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def _letters(count: int) -> str:
    return chr(ord("a") + count - 1) if count <= 26 else str(count)
