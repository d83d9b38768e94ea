"""Which lesions of two visits are the same: groups of a graph of what lies together."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NEAR_MM", "Group", "track"]

Labels = npt.NDArray[np.int32]

NEAR_MM = 1.5  # lesions of two visits that are no further apart are one lesion


@dataclass(frozen=True, slots=True)
class Group:
    """Lesions that are one, by their labels at each visit; one side is empty where it has none."""

    first: tuple[int, ...]
    second: tuple[int, ...]


def track(first: Labels, second: Labels, *, spacing: tuple[float, float, float]) -> list[Group]:
    """Group the lesions of two visits on one grid.

    A lesion of one visit and a lesion of the other belong together where voxels of both coincide
    or have their centres within 1.5 mm; groups are what hangs together so. Lesions of one visit
    are never joined by lying near each other. Exchanging the visits exchanges the sides.

    Args:
        first: lesions of the first visit, 0 outside.
        second: lesions of the second visit, on the same voxels.
        spacing: mm between voxels along each axis.
    """
    pairs = _touching(first, second, spacing)
    nodes = [(0, int(n)) for n in np.unique(first[first > 0])]
    nodes += [(1, int(n)) for n in np.unique(second[second > 0])]
    root = {node: node for node in nodes}

    def find(node: tuple[int, int]) -> tuple[int, int]:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for one, other in pairs:
        root[find((0, one))] = find((1, other))
    members: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for node in nodes:
        members.setdefault(find(node), []).append(node)
    return [
        Group(
            tuple(sorted(label for side, label in group if side == 0)),
            tuple(sorted(label for side, label in group if side == 1)),
        )
        for group in members.values()
    ]


def _touching(
    first: Labels, second: Labels, spacing: tuple[float, float, float]
) -> list[tuple[int, int]]:
    """Pairs of labels whose voxels lie within reach of each other."""
    places = np.argwhere(second > 0)
    own = second[tuple(places.T)]
    reach = [int(NEAR_MM / step) for step in spacing]
    found: set[tuple[int, int]] = set()
    for shift in itertools.product(*(range(-n, n + 1) for n in reach)):
        if np.linalg.norm(np.multiply(shift, spacing)) > NEAR_MM:
            continue
        moved = places + shift
        inside = ((moved >= 0) & (moved < first.shape)).all(axis=1)
        other = first[tuple(moved[inside].T)]
        both = np.stack([other, own[inside]], axis=1)[other > 0]
        found.update((int(a), int(b)) for a, b in np.unique(both, axis=0))
    return sorted(found)
