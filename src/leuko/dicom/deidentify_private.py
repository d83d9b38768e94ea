"""Private attributes that are known to be safe (option Retain Safe Private, PS3.15 E.3.10).

Facts of Table E.3.10-1 of the 2026d edition, so far as they concern CT, MR and PET images and hold
numbers or codes, and a few more that a reader of diffusion, mosaic and scaled images needs. The
CSA header of Siemens is not among them: what is safe in it is written anew (deidentify_csa).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

__all__ = ["SAFE_PRIVATE", "is_harmless"]

_PHILIPS = (
    *range(0x01, 0x05), *range(0x06, 0x0D), *range(0x0E, 0x20), *range(0x21, 0x26), 0x2D, 0x32,
    0x33, 0x35, 0x36, 0x5F, 0x60, 0x7B, *range(0x81, 0x8C), 0xD0, 0xD1, 0xF1, 0xF2,
)  # fmt: skip

_TABLE: dict[tuple[int, str], tuple[int, ...]] = {
    (0x7053, "Philips PET Private Group"): (0x00, 0x09),
    (0x00E1, "ELSCINT1"): (0x21, 0x50),
    (0x01E1, "ELSCINT1"): (0x26,),
    (0x01F1, "ELSCINT1"): (0x01, 0x07, 0x26, 0x27),
    (0x0019, "GEMS_ACQU_01"): (0x23, 0x24, 0x27, 0x9E),
    (0x0025, "GEMS_SERS_01"): (0x07,),
    (0x0043, "GEMS_PARM_01"): (0x27, 0x39, 0x6F),
    (0x0045, "GEMS_HELIOS_01"): (0x01, 0x02),
    (0x2001, "Philips Imaging DD 001"): _PHILIPS,
    (0x2005, "Philips MR Imaging DD 001"): (0x0D, 0x0E),
    (0x0019, "SIEMENS MR HEADER"): (0x0C, 0x0D, 0x0E, 0x27),
}

# Not in the standard's table: numbers that the readers of these makers' images need.
_OURS: dict[tuple[int, str], tuple[int, ...]] = {
    (0x0019, "GEMS_ACQU_01"): (0xBB, 0xBC, 0xBD),  # direction of the diffusion gradient
    (0x2005, "Philips MR Imaging DD 001"): (0xB0, 0xB1, 0xB2),  # the same
    (0x0019, "SIEMENS MR HEADER"): (0x0A, 0x0B, 0x29),  # images in a mosaic, slice duration, times
    (0x0065, "Image Private Header"): (0x09, 0x37, 0x50, 0x51),  # b, gradient; the UIH grid's tiles
}


def _merged() -> Iterator[tuple[tuple[int, str], frozenset[int]]]:
    for key in {*_TABLE, *_OURS}:
        yield key, frozenset((*_TABLE.get(key, ()), *_OURS.get(key, ())))


SAFE_PRIVATE = MappingProxyType(dict(_merged()))
"""(group, private creator) -> the elements (their last two digits) that are safe."""

_SHAPES = {
    **dict.fromkeys(("DS", "IS"), re.compile(rb"[0-9eE+\-., \\\0]*")),
    **dict.fromkeys(("CS", "SH", "LO"), re.compile(rb"[A-Za-z0-9_*:.+\- \\\0]{0,64}")),
}
_BINARY = frozenset({"FL", "FD", "SS", "US", "SL", "UL", "SV", "UV", "AT", "OF", "OD", "SQ"})


def is_harmless(vr: str, raw: bytes) -> bool:
    """Whether a safe private value looks like what it is said to be: numbers, or a short code.

    Where nobody knows the representation (UN), only digits or a single number's bytes pass.
    """
    if vr in _BINARY:
        return not _is_text(raw)
    if vr in _SHAPES:
        return _SHAPES[vr].fullmatch(raw) is not None
    return (len(raw) <= 8 and not _is_text(raw)) or (
        len(raw) <= 64 and _SHAPES["DS"].fullmatch(raw) is not None
    )


def _is_text(raw: bytes) -> bool:
    """Whether the bytes of what should be numbers can be read as a word."""
    word = raw.strip(b" \0")
    return (
        len(word) >= 3
        and word.isascii()
        and word.decode().isprintable()
        and not (_SHAPES["DS"].fullmatch(word))
    )
