"""What lies at one place twice: two images (echo, flip angle, ...), or two volumes of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable

from leuko.dicom.frame import Frame

__all__ = ["by_dimension"]

Key = Callable[[Frame], Hashable]

# What makes two frames of one place two images, and not two volumes of one.
_DIMENSIONS: tuple[Key, ...] = (
    lambda frame: round(frame.echo_time or 0.0, 2),
    lambda frame: frame.echo,
    lambda frame: round(frame.flip_angle or 0.0, 1),
    lambda frame: round(frame.inversion_time or 0.0, 1),
    lambda frame: frame.image_type,
    lambda frame: frame.contrast,
    lambda frame: frame.coil,
)


def by_dimension(frames: list[Frame]) -> list[list[Frame]]:
    """Split by echo, flip angle, inversion time, contrast and coil where places repeat."""
    if any(frame.position is None or frame.orientation is None for frame in frames):
        return [frames]
    groups = _by_slab(frames)
    if len({_dimensions_of(frame) for frame in frames}) == 1:
        return groups
    for dimension in _DIMENSIONS:
        groups = [part for group in groups for part in _split(group, dimension)]
    return groups


def _dimensions_of(frame: Frame) -> Hashable:
    """All of `_DIMENSIONS` at once, unrounded: mostly one value for all frames."""
    return (frame.echo_time, frame.echo, frame.flip_angle, frame.inversion_time,
            frame.image_type, frame.contrast, frame.coil)  # fmt: skip


def _split(frames: list[Frame], dimension: Key) -> list[list[Frame]]:
    """Frames by a value, unless the value only changes from place to place."""
    if len({dimension(frame) for frame in frames}) == 1:
        return [frames]
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[dimension(frame)].append(frame)
    places = [_places(group) for group in groups.values()]
    repeated = sum(map(len, places)) > len(set().union(*places))
    return list(groups.values()) if repeated else [frames]


def _by_slab(frames: list[Frame]) -> list[list[Frame]]:
    """Frames by Stack ID (multi-frame objects) where the stacks lie in different places."""
    groups: dict[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[frame.stack_id].append(frame)
    if len(groups) == 1:
        return [frames]
    places = [_places(group) for group in groups.values()]
    apart = sum(map(len, places)) == len(set().union(*places))
    return list(groups.values()) if apart else [frames]


def _places(frames: Iterable[Frame]) -> set[Hashable]:
    return {
        tuple(round(value, 2) for value in frame.position) for frame in frames if frame.position
    }
