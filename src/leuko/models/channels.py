"""The channels of a network's input: a slice amid its neighbours, and perhaps its T1."""

from __future__ import annotations

import math
from collections.abc import Sequence

from leuko.errors import UsageError

__all__ = [
    "input_channels",
    "known_channels",
    "neighbour_distances",
    "neighbour_offsets",
    "neighbour_pairs",
    "with_t1",
]


def input_channels(pairs: int, *, t1: bool) -> int:
    """How many channels a slice with `pairs` of neighbours has, and one more with its T1."""
    return 2 * pairs + 1 + int(t1)


def with_t1(channels: int) -> bool:
    """Whether the last of so many channels is the T1: neighbours come in pairs."""
    return channels % 2 == 0


def neighbour_pairs(channels: int) -> int:
    """How many pairs of neighbours are among so many channels."""
    return (channels - 1 - int(with_t1(channels))) // 2


def known_channels(channels: int, *, fewer: int) -> tuple[int, ...]:
    """Where the channels of a network with `fewer` lie among `channels`: the outermost pairs.

    The T1 is left out where only one of the two has it: the place is then that of neither.
    UsageError where the network with `fewer` knows more neighbours than there are.
    """
    pairs, wanted = neighbour_pairs(channels), neighbour_pairs(fewer)
    if wanted > pairs:
        raise UsageError(
            f"A network of {fewer} channels sees {2 * wanted} neighbours of a slice, and there "
            f"are {2 * pairs}.",
            hint="Give data.neighbours_mm as many distances as those weights were trained with.",
        )
    below = range(wanted)
    above = range(2 * pairs + 1 - wanted, 2 * pairs + 1)
    t1 = (channels - 1,) if with_t1(channels) and with_t1(fewer) else ()
    return (*below, pairs, *above, *t1)


def neighbour_distances(slice_mm: float, *, neighbours_mm: Sequence[float]) -> tuple[int, ...]:
    """The slices nearest to each of rising `neighbours_mm`: at least one away, all different."""
    distances: list[int] = []
    for millimetres in neighbours_mm:
        least = distances[-1] + 1 if distances else 1
        distances.append(max(least, math.floor(millimetres / slice_mm + 0.5)))
    return tuple(distances)


def neighbour_offsets(distances: Sequence[int]) -> tuple[int, ...]:
    """Where the slices stand that a network sees: rising, the slice itself (0) in the middle."""
    return (*(-distance for distance in reversed(distances)), 0, *distances)
