"""The same slice twice: found by position and pixels, dropped, and said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from leuko.dicom.elements import UNDEFINED
from leuko.dicom.frame import Frame
from leuko.findings import Finding, Severity

__all__ = ["without_duplicates"]


def without_duplicates(
    slices: Sequence[Sequence[Frame]],
) -> tuple[list[list[Frame]], tuple[Finding, ...]]:
    """`slices` without frames whose pixels another frame of the same place holds already.

    Only frames are compared that headers give no reason to tell apart, or that are one too many.
    """
    fewest = min(len(frames) for frames in slices)
    kept: list[list[Frame]] = []
    dropped = 0
    for frames in slices:
        if len(frames) > 1 and (len(frames) > fewest or _alike(frames)):
            unique = _unique(frames, every=len(frames) > fewest)
            dropped += len(frames) - len(unique)
            kept.append(unique)
        else:
            kept.append(list(frames))
    if not dropped:
        return kept, ()
    return kept, (
        Finding(
            "dicom.duplicates",
            Severity.NOTE,
            f"{dropped} duplicate slice{'s were' if dropped > 1 else ' was'} left out: "
            "the same pixels at the same place.",
        ),
    )


def _signature(frame: Frame) -> tuple[object, ...]:
    return (frame.number, frame.time, frame.temporal, frame.trigger, frame.acquisition,
            frame.b_value, frame.direction, frame.nth, frame.tile)  # fmt: skip


def _alike(frames: Sequence[Frame]) -> bool:
    return len({_signature(frame) for frame in frames}) < len(frames)


def _unique(frames: Sequence[Frame], *, every: bool) -> list[Frame]:
    seen: set[object] = set()
    unique = []
    for frame in frames:
        mark: object = _digest(frame)
        if not every:
            mark = (mark, _signature(frame))
        if mark is None or mark not in seen:
            unique.append(frame)
        seen.add(mark)
    return unique


def _digest(frame: Frame) -> object:
    """What the pixels of a single-frame file hash to; other frames are their own."""
    instance = frame.instance
    if instance.frames > 1 or frame.tile >= 0:
        return id(instance), frame.nth, frame.tile
    _, start, length = instance.pixels
    try:
        with open(instance.path, "rb") as file:  # noqa: PTH123
            file.seek(start)
            pixels = file.read(-1 if length == UNDEFINED else length)
    except OSError:
        return id(instance)
    scale = (frame.slope, frame.inter)
    return hashlib.blake2b(pixels, digest_size=16).digest(), instance.syntax, scale
