"""What may happen to a file: bytes flipped, cut, put in, repeated, replaced by extreme numbers."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

__all__ = ["mutate"]

HEADER = 1024  # bytes that are hit more often than the rest
EXTREMES = [0, 1, -1, 127, -128, 255, 32767, -32768, 65535, 2**31 - 1, -(2**31), 2**32 - 1, 2**40]
FLOATS = [0.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), float("-inf"), 1e5]
TEXTS = [
    b"../../x",
    b"/dev/zero",
    b"%d",
    b"999999999999",
    b"-1",
    b"nan",
    b"1e999",
    b"\n",
    b"\0",
    b":",
]


def mutate(content: bytes, draw: random.Random) -> tuple[str, bytes]:
    """The name of what was done, and the damaged content; the same for the same `draw`."""
    if draw.random() < 0.2 or not content:
        return "cut", content[: _place(content, draw)]
    damaged = bytearray(content)
    names = []
    for _ in range(draw.choice([1, 1, 1, 2, 3, 8])):
        action = draw.choice(ACTIONS)
        names.append(action.__name__.strip("_"))
        action(damaged, draw)
    return "+".join(names), bytes(damaged)


def _place(content: bytes | bytearray, draw: random.Random) -> int:
    """Half of the time within the header, at times at the very end."""
    if not content:
        return 0
    choice = draw.random()
    if choice < 0.5:
        return draw.randrange(min(len(content), HEADER))
    if choice < 0.6:
        return max(0, len(content) - 1 - draw.randrange(64))
    return draw.randrange(len(content))


def _flip(content: bytearray, draw: random.Random) -> None:
    if content:
        content[_place(content, draw)] ^= 1 << draw.randrange(8)


def _byte(content: bytearray, draw: random.Random) -> None:
    if content:
        content[_place(content, draw)] = draw.randrange(256)


def _number(content: bytearray, draw: random.Random) -> None:
    order, size = draw.choice("<>"), draw.choice([1, 2, 4, 8])
    value = draw.choice(EXTREMES) & ((1 << 8 * size) - 1)
    place = _place(content, draw) // size * size
    content[place : place + size] = value.to_bytes(size, "little" if order == "<" else "big")


def _float(content: bytearray, draw: random.Random) -> None:
    place = _place(content, draw) & ~3
    content[place : place + 4] = struct.pack(draw.choice("<>") + "f", draw.choice(FLOATS))


def _insert(content: bytearray, draw: random.Random) -> None:
    place = _place(content, draw)
    content[place:place] = draw.randbytes(draw.choice([1, 2, 4, 64]))


def _text(content: bytearray, draw: random.Random) -> None:
    place, text = _place(content, draw), draw.choice(TEXTS)
    content[place : place + (len(text) if draw.random() < 0.5 else 0)] = text


def _delete(content: bytearray, draw: random.Random) -> None:
    place = _place(content, draw)
    del content[place : place + draw.choice([1, 2, 4, 64, 512])]


def _zeros(content: bytearray, draw: random.Random) -> None:
    place = _place(content, draw)
    count = min(draw.choice([4, 32, 256]), len(content) - place)
    content[place : place + count] = bytes(count)


def _repeat(content: bytearray, draw: random.Random) -> None:
    start, place = _place(content, draw), _place(content, draw)
    content[place:place] = content[start : start + draw.choice([2, 16, 128])]


ACTIONS: list[Callable[[bytearray, random.Random], None]] = [
    _flip, _flip, _byte, _number, _number, _float, _insert, _text, _delete, _zeros, _repeat,
]  # fmt: skip
