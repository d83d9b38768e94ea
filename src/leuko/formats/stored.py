"""Voxels as a file stores them: how many there may be, and out of which packing they come."""

from __future__ import annotations

import bz2
import math
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from isal import igzip_lib

from leuko.errors import ReadError
from leuko.formats.byte_source import MAX_RATIO, ByteSource
from leuko.formats.voxels import Voxels

__all__ = ["AGAIN", "MAX_VALUES", "MAX_VOXELS", "Packing", "read_stored", "require_possible"]

Packing = Literal["", "gzip", "zlib", "bzip2"]

MAX_VOXELS = 2**29  # four times 512 x 512 x 512: no head scan has more
MAX_VALUES = 2**32  # of all volumes together
AGAIN = "Copy or download the file again; if it stays so, export the scan again."
_CHUNK = 1 << 18
_PIECE = 1 << 20  # largest piece decompressed at once
_MAX_EXCESS = 1 << 26  # bytes decompressed behind the voxels, for the checksum, at most
_DAMAGED: tuple[type[Exception], ...] = (igzip_lib.IsalError, OSError, EOFError, ValueError)  # type: ignore[assignment]  # isal's stub is wrong


class _Unpacker(Protocol):
    """What the decompressors of bz2 and isal have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def require_possible(shape: Sequence[int], *, name: str) -> None:
    """Raise ReadError (exit 3) unless an image of `shape` (space first) can exist."""
    sizes = " x ".join(map(str, shape))
    if not shape or min(shape) < 1:
        raise ReadError(
            f"{name} has a damaged header: its dimensions are {sizes or 'missing'}.", hint=AGAIN
        )
    if math.prod(shape[:3]) > MAX_VOXELS or math.prod(shape) > MAX_VALUES:
        raise ReadError(
            f"{name} claims {sizes} voxels, more than any scan has.",
            hint="Its header is damaged, or it is another kind of image. " + AGAIN,
        )


def read_stored(
    source: ByteSource,
    *,
    count: int,
    dtype: npt.DTypeLike,
    skip: int = 0,
    packing: Packing = "",
    taken: int = 0,
    exact: bool = False,
) -> Voxels:
    """`count` numbers of type `dtype` as a flat array, behind `skip` bytes of unpacked content.

    A negative `skip` (of packed content only) means its last bytes, whatever stands before them.
    `taken` is how many bytes of the file were read already. What the header promises is compared
    with the file's size before memory is asked for. Raises ReadError (exit 3) for too few bytes,
    where `exact` also for too many: then the voxels may begin elsewhere.
    """
    kind = np.dtype(dtype)
    size = count * kind.itemsize
    most = _most(source, packing) - taken
    if packing != "bzip2" and max(skip, 0) + size > most:
        found = max(most - skip, 0)
        can = "can hold" if packing or source.gzipped else "has"
        raise _truncated(source, size, found, can=can)
    stored = np.empty(count, dtype=kind)
    view = stored.view(np.uint8).data if count else memoryview(b"")
    if skip < 0:
        found = _unpack_end(source, view, packing=packing)
    elif packing:
        found = _unpack(source, view, packing=packing, skip=skip)
    else:
        found = source.read_into(view) if source.skip(skip) == skip else 0
    if found < size:
        raise _truncated(source, size, found, can="has")
    if exact and skip >= 0 and (found > size or source.peek(1)):
        raise ReadError(
            f"{source.name} holds more than the {size:,} bytes of voxels that its header promises: "
            "where they begin is not certain.",
            hint="Say in the header how many bytes to skip, or export the image again.",
        )
    return stored


def _most(source: ByteSource, packing: Packing) -> int:
    return source.most_bytes * MAX_RATIO if packing else source.most_bytes


def _truncated(source: ByteSource, size: int, found: int, *, can: str) -> ReadError:
    return ReadError(
        f"{source.name} is truncated: its header promises {size:,} bytes of voxels, "
        f"the file {can} {found:,}.",
        hint=AGAIN,
    )


def _unpacker(packing: Packing) -> _Unpacker:
    if packing == "bzip2":
        machine: _Unpacker = bz2.BZ2Decompressor()
        return machine
    flag = igzip_lib.DECOMP_GZIP if packing == "gzip" else igzip_lib.DECOMP_ZLIB
    inflater: _Unpacker = igzip_lib.IgzipDecompressor(flag=flag)
    return inflater


def _unpack(source: ByteSource, target: memoryview, *, packing: Packing, skip: int) -> int:
    """Fill `target` from the packed rest of `source`; returns how many bytes it held, or more.

    Goes on to the end of the stream, so that its checksum is compared.
    """
    machine = _unpacker(packing)
    filled, excess = -skip, 0
    while excess <= _MAX_EXCESS:
        if machine.eof:
            rest = machine.unused_data + source.take(_CHUNK)
            if packing == "zlib" or rest[:2] not in (b"\x1f\x8b", b"BZ"):
                break
            machine = _unpacker(packing)
            data = rest
        else:
            data = source.take(_CHUNK) if machine.needs_input else b""
            if machine.needs_input and not data:
                break  # cut: where voxels are missing, the caller says so
        try:
            piece = machine.decompress(data, _PIECE)
        except _DAMAGED as error:
            raise ReadError(
                f"{source.name} is damaged: its compressed voxels cannot be unpacked.", hint=AGAIN
            ) from error
        first = max(0, -filled)
        filled += len(piece)
        if filled <= 0 or first >= len(piece):
            continue
        start = filled - len(piece) + first
        end = min(filled, len(target))
        if start < end:
            target[start:end] = piece[first : first + end - start]
        excess = max(0, filled - len(target))
    return max(filled, 0)


def _unpack_end(source: ByteSource, target: memoryview, *, packing: Packing) -> int:
    """Fill `target` with the last bytes of the unpacked rest of `source`; returns how many."""
    room = bytearray(len(target) + _MAX_EXCESS)
    found = _unpack(source, memoryview(room), packing=packing, skip=0)
    if found > len(room):
        raise ReadError(
            f"{source.name} holds far more than the voxels that its header promises.", hint=AGAIN
        )
    size = min(found, len(target))
    target[:size] = room[found - size : found]
    return size
