"""How the surface runs through a cell of eight voxel centres, for all 256 ways to fill them.

A corner has number x + 2 y + 4 z. An edge along axis `a` has number 4 a + p + 2 q, where p and q
are its offsets along the axes after `a` in cyclic order. On a face whose diagonal corners are
inside, the two stay apart: voxels that share no face are not joined.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["EDGES", "edge_ends", "sheets"]

EDGES = 12


def edge_ends(edge: int) -> tuple[int, int]:
    """The two corners of an edge."""
    axis, place = divmod(edge, 4)
    start = (place & 1) << ((axis + 1) % 3) | (place >> 1) << ((axis + 2) % 3)
    return start, start | 1 << axis


@cache
def sheets() -> npt.NDArray[np.int8]:
    """(256, 12): which sheet of the surface crosses an edge, counted from 0; -1 for none.

    A cell has up to four sheets that do not touch within it.
    """
    table = np.full((256, EDGES), -1, dtype=np.int8)
    for case in range(256):
        table[case] = _sheets_of([bool(case >> corner & 1) for corner in range(8)])
    return table


def _sheets_of(inside: list[bool]) -> list[int]:
    ends = {edge: edge_ends(edge) for edge in range(EDGES)}
    crossed = [edge for edge, (one, other) in ends.items() if inside[one] != inside[other]]
    group = {edge: edge for edge in crossed}

    def join(one: int, other: int) -> None:
        old, new = group[one], group[other]
        for edge, named in group.items():
            if named == old:
                group[edge] = new

    for face in _faces():
        on_face = [edge for edge in crossed if face.issuperset(ends[edge])]
        if len(on_face) == 2:
            join(*on_face)
        elif len(on_face) == 4:
            for corner in face:
                if inside[corner]:
                    join(*(edge for edge in on_face if corner in ends[edge]))
    numbers = {name: number for number, name in enumerate(sorted(set(group.values())))}
    return [numbers[group[edge]] if edge in group else -1 for edge in range(EDGES)]


def _faces() -> list[set[int]]:
    return [
        {corner for corner in range(8) if (corner >> axis & 1) == side}
        for axis in range(3)
        for side in (0, 1)
    ]
