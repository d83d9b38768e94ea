"""The CSA header that Siemens writes into private elements: names with lists of text values.

Two layouts exist. CSA2 begins with 'SV10'; CSA1 (before 2004) begins with the number of names and
states lengths with an offset, the number of values of its first name.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

__all__ = ["csa_numbers", "parse_csa"]

_TAG = struct.Struct("<64si4siii")
_ITEM = struct.Struct("<4i")
_MOST_TAGS = 1024


def parse_csa(raw: bytes, *, wanted: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Values of the `wanted` names; what cannot be followed ends the list."""
    modern = raw[:4] == b"SV10"
    position = 8 if modern else 0
    if len(raw) < position + 8:
        return {}
    count = struct.unpack_from("<I", raw, position)[0]
    if not 0 < count <= _MOST_TAGS:
        return {}
    position += 8
    found: dict[str, tuple[str, ...]] = {}
    offset: int | None = None
    for _ in range(count):
        if position < 0 or position + _TAG.size > len(raw) or len(found) == len(wanted):
            break
        name, _, _, _, items, _ = _TAG.unpack_from(raw, position)
        offset = items if offset is None else offset
        spans, position = _spans(raw, position + _TAG.size, items, modern=modern, offset=offset)
        if _text(name) in wanted:
            found[_text(name)] = tuple(_text(raw[start:end]) for start, end in spans)
    return found


def _spans(
    raw: bytes, position: int, items: int, *, modern: bool, offset: int
) -> tuple[list[tuple[int, int]], int]:
    """Where the values of one name lie, and where the next begins; -1: the layout is broken."""
    spans: list[tuple[int, int]] = []
    for _ in range(items):
        if position + _ITEM.size > len(raw):
            return spans, -1
        sizes = _ITEM.unpack_from(raw, position)
        position += _ITEM.size
        length = sizes[1] if modern else sizes[0] - offset
        if length < 0 or position + length > len(raw):
            return spans, -1 if modern else position
        if length:
            spans.append((position, position + length))
            position += (length + 3) // 4 * 4
    return spans, position


def csa_numbers(values: Mapping[str, tuple[str, ...]], name: str) -> tuple[float, ...]:
    """The numbers under `name`; empty where one of them is none."""
    try:
        numbers = tuple(float(value) for value in values.get(name, ()) if value)
    except ValueError:
        return ()
    return numbers if all(map(math.isfinite, numbers)) else ()


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()
