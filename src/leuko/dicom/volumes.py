"""Which frames belong to which volume of a 4D stack, and in which order volumes follow."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from leuko.dicom.frame import Frame
from leuko.dicom.geometry import Unusable
from leuko.findings import Finding, Severity

__all__ = ["seconds_between", "volumes_of"]

_DAY = 86400.0
Slices = Sequence[Sequence[Frame]]
Key = Callable[[Frame], Hashable]


def _b_value(frame: Frame) -> float:
    return -1.0 if frame.b_value is None else round(frame.b_value, 1)


def _weighting(frame: Frame) -> Hashable:
    return _b_value(frame), frame.direction or ()


# What may tell volumes apart, the most telling first.
_MARKS: tuple[Key, ...] = (
    lambda frame: frame.temporal,
    _weighting,
    lambda frame: (frame.temporal, _weighting(frame)),
    lambda frame: frame.label,
    lambda frame: (frame.temporal, frame.label),
    lambda frame: frame.trigger,
    lambda frame: frame.dims,
    lambda frame: (_weighting(frame), frame.acquisition),
    lambda frame: (_weighting(frame), frame.time),
    lambda frame: (_weighting(frame), frame.acquisition, frame.trigger),
    lambda frame: frame.instance.path,  # a volume per file
)


def volumes_of(slices: Slices) -> tuple[list[list[Frame]], tuple[Finding, ...]]:
    """Volumes, each with one frame per slice, sorted by time, b-value, acquisition, number.

    `slices` holds the frames of every position. Raises Unusable where positions have different
    numbers of frames, or where nothing tells frames of one position apart.
    """
    _require_equal_counts(slices)
    if len(slices[0]) == 1:
        return [[frames[0] for frames in slices]], ()
    for mark in _MARKS:
        volumes = _by_mark(slices, mark)
        if volumes is not None:
            return _sorted(volumes), ()
    return _by_rank(slices)


def _require_equal_counts(slices: Slices) -> None:
    counts = [len(frames) for frames in slices]
    most = max(counts)
    short = sum(count < most for count in counts)
    if not short:
        return
    usual = int(np.median(counts))
    extra = sum(count > usual for count in counts)
    if 0 < extra < short:
        raise Unusable(
            f"{extra} of its {len(counts)} slice positions hold more than one image "
            f"({most} instead of {usual}), which differ.",
            hint="Two series seem to share one number; export them again, one by one.",
            code="incomplete",
        )
    raise Unusable(
        f"It is incomplete: {short} of its {len(counts)} slice positions have fewer than {most} "
        f"images ({sum(counts)} images of {most * len(counts)}).",
        hint="Files are missing; export the whole series again.",
        code="incomplete",
    )


def _by_mark(slices: Slices, mark: Key) -> list[list[Frame]] | None:
    """Volumes by the value of `mark`, if each value stands exactly once at every position."""
    volumes: dict[Hashable, list[Frame]] = {}
    for depth, frames in enumerate(slices):
        for frame in frames:
            volume = volumes.setdefault(mark(frame), [])
            if len(volume) != depth:
                return None
            volume.append(frame)
    complete = len(volumes) > 1 and all(len(volume) == len(slices) for volume in volumes.values())
    return list(volumes.values()) if complete else None


def _by_rank(slices: Slices) -> tuple[list[list[Frame]], tuple[Finding, ...]]:
    """Volumes by the order of frames at each position: by what was measured, then by number."""
    ranked = [sorted(frames, key=_rank) for frames in slices]
    if any(
        _rank(one) == _rank(other) for frames in ranked for one, other in itertools.pairwise(frames)
    ):
        raise Unusable(
            "Several images lie at one position, and nothing in their headers tells them apart.",
            hint="Export the series again as the scanner wrote it.",
        )
    volumes = [list(volume) for volume in zip(*ranked, strict=True)]
    for volume in volumes:
        if len({_weighting(frame) for frame in volume}) > 1:
            raise Unusable(
                "Its images cannot be sorted into volumes: their b-values do not agree.",
                hint="Files seem to be missing; export the whole series again.",
                code="incomplete",
            )
    note = Finding(
        "dicom.volumes_by_number",
        Severity.NOTE,
        "Only times and numbers of the images tell its volumes apart.",
    )
    return volumes, (note,)


def _rank(frame: Frame) -> tuple[float, ...]:
    return (
        frame.temporal,
        _b_value(frame),
        frame.time or 0.0,
        frame.trigger or 0.0,
        frame.acquisition,
        frame.number,
        frame.nth,
    )


def _sorted(volumes: list[list[Frame]]) -> list[list[Frame]]:
    weighted = len({_b_value(volume[0]) for volume in volumes}) > 1
    starts = [_start(volume) for volume in volumes]
    midnight = max(starts) < _DAY and max(starts) - min(starts) > _DAY / 2  # times without a day
    return sorted(
        volumes, key=lambda volume: _volume_rank(volume, weighted=weighted, midnight=midnight)
    )


def _start(volume: Sequence[Frame]) -> float:
    return min(frame.time or 0.0 for frame in volume)


def _volume_rank(volume: list[Frame], *, weighted: bool, midnight: bool) -> tuple[Any, ...]:
    """What volumes are sorted by; past `midnight` small times are those of the next day."""
    start = _start(volume)
    triggers = {frame.trigger for frame in volume}
    trigger = triggers.pop() if len(triggers) == 1 and not weighted else None
    return (
        min(frame.temporal for frame in volume),
        trigger or 0.0,
        _b_value(volume[0]),
        start + _DAY if midnight and start < _DAY / 2 else start,
        min(frame.acquisition for frame in volume),
        min(frame.dims for frame in volume),
        min(frame.number for frame in volume),
        min(frame.nth for frame in volume),
    )


def seconds_between(volumes: Sequence[Sequence[Frame]]) -> float | None:
    """Time between volumes in s: the repetition time of EPI, else their own times where even."""
    if len(volumes) < 2:
        return None
    first = volumes[0][0]
    repeated = (first.repetition_time or 0.0) / 1000.0
    if repeated and "EP" in first.scanning:
        return repeated
    for marks, unit in (
        ([volume[0].trigger for volume in volumes], 1000.0),
        ([volume[0].time for volume in volumes], 1.0),
    ):
        times = [mark for mark in marks if mark is not None]
        steps = np.diff(times) / unit
        rising = len(times) == len(volumes) and steps.min() > 0
        if rising and np.ptp(steps) <= 0.02 * steps.mean():
            return round(float(steps.mean()), 6)
    return None
