"""The files inside a tar archive, plain or gzip, read once from front to end."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

from leuko.errors import ReadError, SafetyRefusal
from leuko.formats.byte_source import ByteSource
from leuko.formats.member import Member, damaged, safe_path, shown

__all__ = ["tar_members"]

_BLOCK = tarfile.BLOCKSIZE
_PIECE = 1 << 20
_MAX_NOTE = 1 << 20  # bytes of a long name or of a pax header
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)


def tar_members(path: Path, *, name: str) -> Iterator[Member]:
    """The files in the tar at `path`; each must be read before the next; `name` for errors.

    Raises ReadError (exit 3) for what is damaged, SafetyRefusal (exit 5) for links, devices and
    names that leave their folder. An archive without its end mark is cut, and refused.
    """
    with ByteSource(path) as source:
        long_name, long_size = "", -1
        while (header := _header(source, name=name)) is not None:
            if header.type == tarfile.GNUTYPE_LONGNAME:
                note = _note(source, header.size, name=name)
                long_name = note.split(b"\0", 1)[0].decode(errors="surrogateescape")
                continue
            if header.type in _PAX:
                long_name, long_size = _pax(_note(source, header.size, name=name), name=name)
                continue
            if header.type == tarfile.XGLTYPE:
                _note(source, header.size, name=name)
                continue
            called = long_name or header.name
            size = long_size if long_size >= 0 else header.size
            long_name, long_size = "", -1
            target = safe_path(called, archive=name)
            if header.type == tarfile.DIRTYPE:
                continue
            if header.type not in _FILES:
                raise SafetyRefusal(
                    f"{name} holds a link or a device ({shown(called)}), not only files.",
                    hint="Pack the files themselves, or unpack it yourself and give the folder.",
                )
            pieces = _pieces(source, size, name=name, inside=shown(called))
            if target is None:
                for _ in pieces:
                    pass
                continue
            yield Member(target, size, pieces)
        source.finish()


def _header(source: ByteSource, *, name: str) -> tarfile.TarInfo | None:
    """The next header; None at the end mark (a block of zeros)."""
    block = source.take(_BLOCK)
    if len(block) < _BLOCK:
        raise damaged(name, "it stops before its end mark")
    if not any(block):
        return None
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError, OverflowError) as error:
        raise damaged(name, "one of its headers is not what its checksum says") from error
    if header.size < 0:
        raise damaged(name, "a file in it has no valid size")
    return header


def _note(source: ByteSource, size: int, *, name: str) -> bytes:
    if size > _MAX_NOTE:
        raise ReadError(
            f"{name} holds a file whose name is too long.",
            hint="Unpack it yourself and give the folder.",
        )
    return b"".join(_pieces(source, size, name=name, inside="a header"))


def _pax(note: bytes, *, name: str) -> tuple[str, int]:
    """Name and size ('' and -1 where not given) of records 'LENGTH key=value' (POSIX pax)."""
    called, size = "", -1
    try:
        while note.strip(b"\0"):
            length = int(note.split(b" ", 1)[0])
            key, value = note[:length].split(b" ", 1)[1].rstrip(b"\n").split(b"=", 1)
            if length < 5:
                raise ValueError
            note = note[length:]
            if key == b"path":
                called = value.decode(errors="surrogateescape")
            elif key == b"size":
                size = int(value)
    except (ValueError, IndexError) as error:
        raise damaged(name, "one of its headers cannot be read") from error
    return called, size


def _pieces(source: ByteSource, size: int, *, name: str, inside: str) -> Iterator[bytes]:
    left = size
    while left:
        piece = source.take(min(left, _PIECE))
        if not piece:
            raise damaged(name, f"it stops within {inside}")
        left -= len(piece)
        yield piece
    source.skip(-size % _BLOCK)
