"""Diffusion weighting: the standard's elements, else those of each vendor, found by their block."""

from __future__ import annotations

import math

from leuko.dicom.elements import Elements
from leuko.dicom.frame import Vector

__all__ = ["vector_of", "weighting"]

# Block's name -> (group, element of the b-value, its representation, elements of the direction,
# their representation).
_VENDORS: tuple[tuple[str, int, int, bytes, tuple[tuple[str, int, int], ...], bytes], ...] = (
    ("SIEMENS MR HEADER", 0x0019, 0x0C, b"IS", (("SIEMENS MR HEADER", 0x0019, 0x0E),), b"FD"),
    ("GEMS_PARM_01", 0x0043, 0x39, b"IS",
     (("GEMS_ACQU_01", 0x0019, 0xBB), ("GEMS_ACQU_01", 0x0019, 0xBC),
      ("GEMS_ACQU_01", 0x0019, 0xBD)), b"DS"),
    ("Philips Imaging DD 001", 0x2001, 0x03, b"FL",
     (("Philips MR Imaging DD 001", 0x2005, 0xB0), ("Philips MR Imaging DD 001", 0x2005, 0xB1),
      ("Philips MR Imaging DD 001", 0x2005, 0xB2)), b"FL"),
    ("Image Private Header", 0x0065, 0x09, b"FD", (("Image Private Header", 0x0065, 0x37),), b"FD"),
)  # fmt: skip
_GE_OFFSET = 100_000  # GE adds multiples of 10^5 or 10^9 to some b-values
_ROUND = 4


def weighting(data: Elements) -> tuple[float | None, Vector | None]:
    """b-value in s/mm2 and direction (patient, LPS), None where nothing is said."""
    b_value = data.number(0x00189087)
    direction = vector_of(data.numbers(0x00189089))
    if b_value is not None:
        return b_value, direction
    for creator, group, element, vr, parts, part_vr in _VENDORS:
        tag = data.private(group, creator, element)
        if not tag:
            continue
        b_value = data.number(tag, kind=vr)
        if b_value is None or b_value < 0:
            continue
        if creator.startswith("GEMS"):
            b_value %= _GE_OFFSET
        values: list[float] = []
        for block, part_group, part in parts:
            values += data.numbers(data.private(part_group, block, part), kind=part_vr)
        return b_value, vector_of(tuple(values))
    return None, None


def vector_of(values: tuple[float, ...]) -> Vector | None:
    """The first three of `values` as a direction, rounded; None where they are not there."""
    if len(values) < 3 or not all(map(math.isfinite, values[:3])):
        return None
    x, y, z = (round(value, _ROUND) + 0.0 for value in values[:3])
    return x, y, z
