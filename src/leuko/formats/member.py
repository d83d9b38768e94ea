"""A file inside an archive: what it is called, and whether that is safe to write to a disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from leuko.errors import ReadError, SafetyRefusal

__all__ = ["Member", "damaged", "is_rubbish", "safe_path", "shown"]

MAX_NAME_BYTES = 255  # of one folder or file, on every common file system
MAX_PATH_BYTES = 2048
MAX_FOLDERS = 32
_RUBBISH_FOLDERS = frozenset({"__MACOSX", "$RECYCLE.BIN", "System Volume Information"})
_RUBBISH_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_DRIVE = re.compile(r"^[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNPACK = "Ask for the archive again, or unpack it yourself and give the folder."


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: where it goes, its size when unpacked, and its bytes in pieces."""

    path: PurePosixPath
    size: int
    pieces: Iterator[bytes]


def safe_path(name: str, *, archive: str) -> PurePosixPath | None:
    """Where the member `name` may be written, relative to the target; None for rubbish.

    Backslashes separate folders too, as some Windows programs write them. Raises SafetyRefusal
    (exit 5) for a name that leaves its folder, ReadError (exit 3) for one that no disk can hold.
    """
    plain = name.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or ".." in parts or any(_DRIVE.match(part) for part in parts):
        raise SafetyRefusal(
            f"{archive} holds a file whose name leaves its folder: it may be an attack.",
            hint="Nothing of it was unpacked to where it wanted. Don't unpack it by other means.",
        )
    if not parts or is_rubbish(parts):
        return None
    too_long = any(len(part.encode(errors="surrogateescape")) > MAX_NAME_BYTES for part in parts)
    too_deep = len(parts) > MAX_FOLDERS or len(plain.encode(errors="replace")) > MAX_PATH_BYTES
    if too_long or too_deep or _CONTROL.search(plain):
        raise ReadError(
            f"{archive} holds a file whose name is too long or holds control characters.",
            hint=_UNPACK,
        )
    return PurePosixPath(*parts)


def is_rubbish(parts: list[str] | tuple[str, ...]) -> bool:
    """Whether a path is what an operating system leaves beside the user's files."""
    last = parts[-1]
    return (
        any(part in _RUBBISH_FOLDERS for part in parts)
        or last.startswith("._")
        or last.lower() in _RUBBISH_FILES
    )


def shown(name: str) -> str:
    """The last part of a member's name, fit for a message: never a folder, never long."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    last = _CONTROL.sub("?", last.encode(errors="replace").decode())
    return last if len(last) <= 60 else last[:57] + "..."


def damaged(archive: str, why: str) -> ReadError:
    """The error for an archive that is cut or altered; `why` completes 'it is damaged: ...'."""
    return ReadError(
        f"{archive} is truncated or damaged: {why}.", hint="Copy or download the archive again."
    )
