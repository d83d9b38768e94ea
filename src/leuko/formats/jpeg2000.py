"""JPEG 2000: grey values at their own depth and sign, which Pillow would scale to 16 bits.

Source: ISO/IEC 15444-1, Annex A (codestream markers) and Annex I (JP2 boxes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Codestream", "grey_values", "parse"]

_SOC_SIZ = b"\xff\x4f\xff\x51"
_SIZ = struct.Struct(">2xH8L H")  # from Lsiz: capabilities, sizes and offsets, components
_COD, _SOT, _EOC = 0xFF52, 0xFF90, b"\xff\xd9"
_REVERSIBLE = 1


@dataclass(frozen=True, slots=True)
class Codestream:
    """What the main header says: size in pixels, components, bits and sign of the first."""

    width: int
    height: int
    components: int
    bits: int
    signed: bool
    lossy: bool
    palette: bool
    complete: bool


def parse(content: bytes) -> Codestream:
    """The main header of a JP2 file or raw codestream; ValueError or struct.error where broken."""
    start, palette = (0, False) if content[:4] == _SOC_SIZ else _in_boxes(content)
    if content[start : start + 4] != _SOC_SIZ:
        raise ValueError("no codestream")
    _, right, lower, left, upper, *_, components = _SIZ.unpack_from(content, start + 4)
    depth = content[start + 42]
    return Codestream(
        right - left,
        lower - upper,
        components,
        (depth & 0x7F) + 1,
        bool(depth & 0x80),
        _is_lossy(content, start + 4),
        palette,
        content.rstrip(b"\0").endswith(_EOC) or _EOC in content[-4096:],
    )


def grey_values(content: bytes) -> npt.NDArray[np.generic]:
    """The values of a picture of one component, shape (rows, columns), as the file holds them."""
    from openjpeg.utils import decode

    values: npt.NDArray[Any] = decode(content)
    return values


def _in_boxes(content: bytes) -> tuple[int, bool]:
    """Where the codestream of a JP2 file begins, and whether the file has a palette."""
    place, palette = 0, False
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">L4s", content, place)
        head = 8
        if length == 1:
            length = struct.unpack_from(">Q", content, place + 8)[0]
            head = 16
        if kind == b"jp2c":
            return place + head, palette
        if kind == b"jp2h":
            palette = b"pclr" in content[place : place + min(length, 1 << 16)]
        if length < head:
            break
        place += length
    raise ValueError("no codestream")


def _is_lossy(content: bytes, place: int) -> bool:
    """Whether the main header (from its first length on) names the irreversible transform."""
    while place + 4 <= len(content):
        place += struct.unpack_from(">H", content, place)[0]
        marker = struct.unpack_from(">H", content, place)[0]
        if marker == _SOT or marker < 0xFF00:
            break
        place += 2
        if marker == _COD:
            return content[place + 11] != _REVERSIBLE
    return True
