"""The elements of a DICOM data set, found in one pass and decoded when asked for (PS3.5 7).

A scan reads some fifty of the hundreds of elements of each file. This walk only notes where each
value lies, and never fails on one that nobody asked for.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from leuko.dicom.charsets import decoded

__all__ = ["PIXELS", "Elements", "Malformed", "NeedsMore"]

PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)  # float, double float, integer pixel data
UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_BINARY = {b"US": "H", b"SS": "h", b"UL": "I", b"SL": "i", b"FL": "f", b"FD": "d",
           b"OW": "H", b"OF": "f", b"OD": "d", b"SV": "q", b"UV": "Q", b"OL": "I"}  # fmt: skip
_DEPTH = 24  # nested deeper than any object of the standard: hostile
_MOST_ELEMENTS = 200_000

# (explicit, little-endian) -> readers of an element's first 8 bytes and of a 32-bit length, order.
_LAYOUTS = {
    (explicit, order == "<"): (
        struct.Struct(order + ("HH2sH" if explicit else "HHI")).unpack_from,
        struct.Struct(order + "I").unpack_from,
        order,
    )
    for explicit in (False, True)
    for order in "<>"
}

# Value representations of what we ask for, where the file does not give them (implicit, UN).
_KNOWN = {
    **dict.fromkeys(
        (0x00280002, 0x00280006, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102,
         0x00280103, 0x00280106, 0x00281101, 0x00281102, 0x00281103, 0x00189174, 0x00209156),
        b"US"),
    **dict.fromkeys(
        (0x00189073, 0x00189079, 0x00189082, 0x00189087, 0x00189089, 0x00409210, 0x00409224,
         0x00409225, 0x00209074, 0x00209153, 0x0020930D, 0x00189184, 0x00091027), b"FD"),
    **dict.fromkeys((0x00209056, 0x00209057, 0x00209128, 0x00209157, 0x00209151), b"UL"),
}  # fmt: skip


class Malformed(Exception):
    """The bytes do not follow the encoding."""


class NeedsMore(Exception):
    """The header reaches behind the bytes that were read."""


class Elements:
    """One data set: of a file (up to its pixels), or an item of a sequence.

    `places` are tag -> (value representation or b'', first byte, length; UNDEFINED for fragments).
    Values that are missing, empty or ill-formed come back as the empty value of their kind.
    """

    __slots__ = (
        "_blocks",
        "buffer",
        "encodings",
        "end",
        "explicit",
        "little",
        "places",
        "start",
        "whole",
    )

    places: dict[int, tuple[bytes, int, int]]

    def __init__(
        self,
        buffer: bytes,
        start: int,
        end: int,
        *,
        explicit: bool,
        little: bool,
        whole: bool = True,
        encodings: tuple[str, ...] = (),
    ) -> None:
        self.buffer = buffer
        self.start = start
        self.end = end
        self.explicit = explicit
        self.little = little
        self.whole = whole
        self.encodings = encodings
        self._blocks: dict[tuple[int, str], list[int]] | None = None

    def __getattr__(self, name: str) -> dict[int, tuple[bytes, int, int]]:
        # Called for the slot `places` alone, before its first use; later reads cost nothing.
        if name != "places":
            raise AttributeError(name)
        found: dict[int, tuple[bytes, int, int]] = {}
        _walk(self, self.start, self.end, found=found, depth=0)
        self.places = found
        return found

    def __contains__(self, tag: int) -> bool:
        return tag in self.places

    def raw(self, tag: int) -> bytes:
        """The bytes of a value."""
        place = self.places.get(tag)
        if place is None or place[2] == UNDEFINED:
            return b""
        return self.buffer[place[1] : place[1] + place[2]]

    def text(self, tag: int) -> str:
        """A value as text: all of it, padding removed."""
        value = self.raw(tag)
        if not value:
            return ""
        if value.isascii() and b"\x1b" not in value:
            return value.decode("ascii").strip(" \0\n\r\t")
        return decoded(value, self.encodings).strip(" \0\n\r\t")

    def texts(self, tag: int) -> tuple[str, ...]:
        """The parts of a text value, separated by backslashes."""
        text = self.text(tag)
        return tuple(part.strip(" \0") for part in text.split("\\")) if text else ()

    def numbers(self, tag: int, *, kind: bytes = b"") -> tuple[float, ...]:
        """The numbers of a value, written or binary; those that are none become NaN."""
        place = self.places.get(tag)
        if place is None or not place[2] or place[2] == UNDEFINED:
            return ()
        vr = place[0]
        if vr in (b"", b"UN", b"OB"):
            vr = kind or _KNOWN.get(tag, b"DS")
        code = _BINARY.get(vr)
        value = self.buffer[place[1] : place[1] + place[2]]
        if code:
            count = len(value) // struct.calcsize(code)
            order = "<" if self.little else ">"
            return struct.unpack_from(f"{order}{count}{code}", value)
        return tuple(_number(part) for part in value.split(b"\\"))

    def number(self, tag: int, *, kind: bytes = b"") -> float | None:
        """The first number of a value, if it is finite."""
        values = self.numbers(tag, kind=kind)
        return values[0] if values and math.isfinite(values[0]) else None

    def whole_number(self, tag: int, default: int = 0) -> int:
        """The first number of a value as an integer."""
        value = self.number(tag)
        return default if value is None else int(value)

    def items(self, tag: int) -> list[Elements]:
        """The items of a sequence, each walked when it is asked for something."""
        place = self.places.get(tag)
        if place is None or not place[2] or place[2] == UNDEFINED:
            return []
        explicit = self.explicit and place[0] != b"UN"
        little = self.little or place[0] == b"UN"
        start, end = place[1], place[1] + place[2]
        order = "<" if little else ">"
        if end - start >= 8 and not explicit and self.explicit:
            explicit = _looks_explicit(self.buffer, start)
        within = Elements(self.buffer, start, end, explicit=explicit, little=little)
        return [
            Elements(
                self.buffer, first, last, explicit=explicit, little=little, encodings=self.encodings
            )
            for first, last in _item_ranges(within, start, min(end, len(self.buffer)), order)
        ]

    def item(self, tag: int) -> Elements | None:
        """The first item of a sequence."""
        place = self.places.get(tag)
        if place is None or place[2] < 8:
            return None
        start = place[1]
        head = self.buffer[start : start + 8]
        if not self.explicit or place[0] == b"UN" or head[:4] != b"\xfe\xff\x00\xe0":
            items = self.items(tag)
            return items[0] if items else None
        # The common case without the list: an explicit little-endian item.
        length = int.from_bytes(head[4:], "little")
        last = start + place[2] if length == UNDEFINED else start + 8 + length
        return Elements(
            self.buffer, start + 8, last, explicit=True, little=True, encodings=self.encodings
        )

    def private(self, group: int, creator: str, element: int) -> int:
        """The tag of a private element, by the name of its block (PS3.5 7.8.1); 0: absent."""
        if self._blocks is None:
            self._blocks = {}
            for tag in self.places:
                if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF:
                    key = (tag >> 16, self.text(tag))
                    self._blocks.setdefault(key, []).append(tag & 0xFF)
        for block in self._blocks.get((group, creator), ()):
            tag = group << 16 | block << 8 | element
            if tag in self.places:
                return tag
        return 0


def _number(text: bytes) -> float:
    try:
        return float(text.strip(b" \0"))
    except ValueError:
        return math.nan


def _walk(
    data: Elements, pos: int, end: int, *, found: dict[int, tuple[bytes, int, int]], depth: int
) -> int:
    """Note where the elements from `pos` on lie; returns the position behind the last one."""
    buffer, explicit = data.buffer, data.explicit
    limit = min(end, len(buffer))
    head, long_length, order = _LAYOUTS[explicit, data.little]
    vr = b""
    for _ in range(_MOST_ELEMENTS):
        if pos + 8 > limit:
            break
        start = pos + 8
        if explicit:
            group, element, vr, length = head(buffer, pos)
            if vr in _SHORT:
                pass
            elif vr in _LONG:
                if pos + 12 > limit:
                    break
                length = long_length(buffer, start)[0]
                start = pos + 12
            elif group != 0xFFFE:
                length = _odd_length(buffer, pos, order, vr, length)
                vr = b"UN"
        else:
            group, element, length = head(buffer, pos)
        if group == 0xFFFE:
            return pos + 8
        tag = group << 16 | element
        if group == 0x7FE0 and depth == 0 and tag in PIXELS:
            found[tag] = (vr, start, length)
            return pos
        if length == UNDEFINED:
            inner = data
            if vr == b"UN" and explicit:
                inner = Elements(buffer, start, end, explicit=False, little=True, whole=data.whole)
            pos = _skip_items(inner, start, end, depth + 1)
            length = pos - start
        else:
            pos = start + length
            if pos > limit and not data.whole and depth == 0:
                raise NeedsMore
        found[tag] = (vr, start, length)
    else:
        raise Malformed
    if not data.whole:
        raise NeedsMore
    return pos


def _odd_length(buffer: bytes, pos: int, order: str, vr: bytes, short: int) -> int:
    """The length of an element whose two letters are none of the standard's.

    Letters: an unknown representation, with a 16-bit length. Otherwise the element is written as
    implicit ones are, with a 32-bit length in their place.
    """
    if vr.isalpha() and vr.isupper():
        return short
    length: int = struct.unpack_from(order + "I", buffer, pos + 4)[0]
    return length


def _skip_items(data: Elements, pos: int, end: int, depth: int) -> int:
    """The position behind a sequence of undefined length that begins at `pos`."""
    if depth > _DEPTH:
        raise Malformed
    buffer = data.buffer
    limit = min(end, len(buffer))
    order = "<" if data.little else ">"
    head = struct.Struct(order + "HHI").unpack_from
    while pos + 8 <= limit:
        group, element, length = head(buffer, pos)
        pos += 8
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            return pos
        if tag != _ITEM:
            raise Malformed
        pos = pos + length if length != UNDEFINED else _walk(data, pos, end, found={}, depth=depth)
    if not data.whole:
        raise NeedsMore
    return limit


def _item_ranges(data: Elements, pos: int, end: int, order: str) -> Iterator[tuple[int, int]]:
    """First and last position of each item between `pos` and `end`."""
    head = struct.Struct(order + "HHI").unpack_from
    while pos + 8 <= end:
        group, element, length = head(data.buffer, pos)
        if group << 16 | element != _ITEM:
            return
        pos += 8
        if length == UNDEFINED:
            behind = _walk(data, pos, end, found={}, depth=1)
            yield pos, behind
        else:
            behind = pos + length
            yield pos, min(behind, end)
        pos = behind


def _looks_explicit(buffer: bytes, start: int) -> bool:
    """Whether the first element of the first item gives its value representation."""
    vr = buffer[start + 12 : start + 14]
    return vr in _LONG or vr in _SHORT
