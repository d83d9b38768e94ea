"""The files inside a zip archive, checked as a whole before the first byte is unpacked."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from isal import igzip_lib, isal_zlib

from leuko.errors import ReadError, SafetyRefusal
from leuko.formats.member import Member, damaged, safe_path, shown

__all__ = ["zip_members"]

MAX_MEMBERS = 200_000  # each costs memory before anything is unpacked
MAX_DIRECTORY = 64 << 20  # bytes of the archive's list of contents
_PIECE = 1 << 20
_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_ENCRYPTED = 0x1 | 0x40
_LOCAL = struct.Struct("<4s22xHH")  # a member's own header: signature, lengths of name and extra
_END = struct.Struct("<4s4H2LH")  # the end of the list: ..., entries, bytes, offset, comment
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
_ISAL: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # isal's stub is wrong
_DAMAGED: tuple[type[Exception], ...] = (
    zipfile.BadZipFile, struct.error, NotImplementedError, UnicodeError, ValueError, EOFError,
    OverflowError, OSError, _ISAL,
)  # fmt: skip
_UNPACK = "Unpack it yourself and give the folder."


def zip_members(file: BinaryIO, *, name: str) -> list[Member]:
    """The files in the zip that `file` is, in the order in which they lie there.

    They are read from `file`, which must stay open; `name` is the archive's, for errors.

    Raises ReadError (exit 3) for what is damaged, encrypted, packed by a rare method, or too
    much; SafetyRefusal (exit 5) for links, and for names that leave their folder.
    """
    try:
        _require_modest(file, name=name)
        with zipfile.ZipFile(file) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    except ReadError:
        raise
    except _DAMAGED as error:
        raise damaged(name, "its list of contents cannot be read") from error
    _require_apart(entries, name=name)
    members = []
    for entry in entries:
        _require_plain(entry, name=name)
        target = safe_path(entry.orig_filename, archive=name)
        if target is None or entry.is_dir() or entry.orig_filename.endswith("\\"):
            continue
        _require_open(entry, name=name)
        members.append(Member(target, entry.file_size, _pieces(file, entry, name=name)))
    return members


def _require_modest(file: BinaryIO, *, name: str) -> None:
    """Refuse a list of contents that would not fit into memory, before it is read.

    The end record stands within the last 64 KiB; the zip64 record before it holds what its
    32-bit fields cannot (APPNOTE.TXT 4.3.14 to 4.3.16).
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16) - _END.size))
    tail = file.read()
    start = tail.rfind(b"PK\x05\x06")
    if start < 0 or start + _END.size > len(tail):
        raise damaged(name, "its list of contents, at the end, is missing")
    length = _END.unpack_from(tail, start)[5]
    if length == 0xFFFFFFFF and start >= _LOCATOR64.size:
        offset = _LOCATOR64.unpack_from(tail, start - _LOCATOR64.size)[2]
        file.seek(min(offset, size))
        length = _END64.unpack(file.read(_END64.size))[8]
    found = 0
    if length <= MAX_DIRECTORY:
        file.seek(max(0, size - len(tail) + start - length))
        found = file.read(length + _END64.size + _LOCATOR64.size).count(b"PK\x01\x02")
    if length > MAX_DIRECTORY or found > MAX_MEMBERS:
        raise ReadError(f"{name} lists more than {MAX_MEMBERS:,} files.", hint=_UNPACK)


def _require_apart(entries: list[zipfile.ZipInfo], *, name: str) -> None:
    """Members that share their bytes make a small archive unpack to any size."""
    end = 0
    for entry in entries:
        if entry.header_offset < end:
            raise SafetyRefusal(
                f"{name} lists the same bytes as several files: it may be an attack.",
                hint="Ask for the archive again; don't unpack it by other means.",
            )
        end = entry.header_offset + 30 + entry.compress_size


def _require_plain(entry: zipfile.ZipInfo, *, name: str) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise SafetyRefusal(
            f"{name} holds a link or a device ({shown(entry.filename)}), not only files.",
            hint="Pack the files themselves, or unpack it yourself and give the folder.",
        )


def _require_open(entry: zipfile.ZipInfo, *, name: str) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise ReadError(
            f"{name} is encrypted: {shown(entry.filename)} needs a password.",
            hint="Unpack it yourself with the password and give the folder.",
        )
    if entry.compress_type not in (_STORED, _DEFLATED):
        method = _METHODS.get(entry.compress_type, "unknown")
        raise ReadError(
            f"{name} is packed by a rare method ({method}), which leuko does not unpack.",
            hint=_UNPACK,
        )


def _pieces(file: BinaryIO, entry: zipfile.ZipInfo, *, name: str) -> Iterator[bytes]:
    """The bytes of one member; raises ReadError where size or checksum are not as listed."""
    inside = shown(entry.filename)
    try:
        _to_content(file, entry)
        stream = _inflated if entry.compress_type == _DEFLATED else _stored
        size = check = 0
        for piece in stream(file, entry.compress_size):
            size += len(piece)
            check = isal_zlib.crc32(piece, check)
            if size > entry.file_size:
                break
            yield piece
    except ReadError:
        raise
    except _DAMAGED as error:
        raise damaged(name, f"{inside} in it cannot be unpacked") from error
    if size != entry.file_size or check != entry.CRC:
        raise damaged(name, f"{inside} in it is not what its checksum says")


def _to_content(file: BinaryIO, entry: zipfile.ZipInfo) -> None:
    file.seek(entry.header_offset)
    signature, name_length, extra_length = _LOCAL.unpack(file.read(_LOCAL.size))
    if signature != b"PK\x03\x04":
        raise zipfile.BadZipFile
    local = file.read(name_length)
    utf8 = entry.flag_bits & 0x800
    if local.decode("utf-8" if utf8 else "cp437") != entry.orig_filename:
        raise zipfile.BadZipFile
    file.seek(extra_length, 1)


def _stored(file: BinaryIO, left: int) -> Iterator[bytes]:
    while left and (piece := file.read(min(left, _PIECE))):
        left -= len(piece)
        yield piece


def _inflated(file: BinaryIO, left: int) -> Iterator[bytes]:
    inflater = isal_zlib.decompressobj(-15)
    for packed in _stored(file, left):
        rest = packed
        while rest and not inflater.eof:
            yield inflater.decompress(rest, _PIECE)
            rest = inflater.unconsumed_tail
    while not inflater.eof and (piece := inflater.decompress(b"", _PIECE)):
        yield piece
    if not inflater.eof:
        raise EOFError
