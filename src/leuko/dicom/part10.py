"""A file's data set up to its pixels, whatever is missing around it (PS3.10 7, PS3.5 7 and A)."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass

from leuko.dicom.elements import Elements, Malformed, NeedsMore

__all__ = ["Header", "NotDicom", "inflate", "read_header"]

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
_FIRST = 1 << 17  # most headers fit: a second read is rare
_MOST_HEADER = 1 << 28
MOST_INFLATED = 1 << 32
_VR_FIRST = frozenset(b"UI CS LO SH UL OB DA TM DT PN UN US IS DS LT ST".split())


class NotDicom(Exception):
    """The file is no DICOM data set; the reason completes 'it is ...'."""


@dataclass(frozen=True, slots=True)
class Header:
    """A data set up to its pixels, the transfer syntax it is written in, and the file's size."""

    elements: Elements
    syntax: str
    size: int


def read_header(path: str) -> Header:
    """Read the header of the file at `path`.

    Raises NotDicom for a file that is none, Malformed for a damaged one, OSError from the disk.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # a Path costs more than the read
        size = os.fstat(file.fileno()).st_size
        buffer = file.read(_FIRST)
        while True:
            try:
                return _parse(buffer, size)
            except NeedsMore:
                if len(buffer) >= min(size, _MOST_HEADER):
                    raise Malformed from None
                more = file.read(len(buffer) * 7)
                if not more:
                    raise Malformed from None
                buffer += more
            except (struct.error, RecursionError, zlib.error):
                raise Malformed from None


def inflate(packed: bytes, *, most: int = MOST_INFLATED) -> bytes:
    """The content of a deflated data set (PS3.5 A.5), not more than `most` bytes of it."""
    return zlib.decompressobj(-15).decompress(packed, most)


def _parse(buffer: bytes, size: int) -> Header:
    start = 132 if buffer[128:132] == b"DICM" else 0
    known = start == 132
    syntax, start, has_meta = _meta(buffer, start)
    known = known or has_meta
    whole = len(buffer) >= size
    if syntax == DEFLATED:
        if not whole:
            raise NeedsMore
        buffer, start = inflate(buffer[start:]), 0
    explicit, little = _encoding(buffer, start, syntax, known=known)
    elements = Elements(
        buffer, start, max(size, len(buffer)), explicit=explicit, little=little, whole=whole
    )
    places = elements.places
    if not known and not _plausible(places):
        raise NotDicom("not DICOM")
    elements.encodings = elements.texts(0x00080005)
    if not syntax:
        syntax = (EXPLICIT if little else BIG_ENDIAN) if explicit else IMPLICIT
    return Header(elements, syntax, size)


def _meta(buffer: bytes, start: int) -> tuple[str, int, bool]:
    """Transfer syntax and where the data set begins; the meta group is explicit, little-endian."""
    if buffer[start : start + 2] != b"\x02\x00":
        return "", start, False
    syntax, pos = "", start
    while buffer[pos : pos + 2] == b"\x02\x00" and len(buffer) >= pos + 12:
        _, element, vr, length = struct.unpack_from("<HH2sH", buffer, pos)
        value = pos + 8
        if vr in (b"OB", b"UN", b"UT", b"OW"):
            length = struct.unpack_from("<I", buffer, pos + 8)[0]
            value = pos + 12
        elif not (vr.isalpha() and vr.isupper()):
            length = struct.unpack_from("<I", buffer, pos + 4)[0]
        if element == 0x0010:
            syntax = buffer[value : value + length].decode("ascii", "replace").strip(" \0")
        pos = value + length
    return syntax, pos, True


def _encoding(buffer: bytes, start: int, syntax: str, *, known: bool) -> tuple[bool, bool]:
    """(explicit, little-endian) of the data set: what its first element shows, else its syntax."""
    head = buffer[start : start + 8]
    if len(head) < 8:
        if known:
            return syntax != IMPLICIT, syntax != BIG_ENDIAN
        raise NotDicom("too short for DICOM")
    if head[4:6] in _VR_FIRST:
        return True, not (head[0] == 0 and head[1] != 0)  # groups begin at 0008
    if known or syntax:
        return False, True
    length = struct.unpack_from("<I", head, 4)[0]
    if struct.unpack_from("<H", head)[0] in (0x0008, 0x0002) and length < 4096:
        return False, True
    raise NotDicom("not DICOM")


def _plausible(places: dict[int, tuple[bytes, int, int]]) -> bool:
    """Whether elements without any preamble or meta group are those of a data set."""
    return any(tag in places for tag in (0x00080016, 0x00080060, 0x0020000D, 0x00280010))
