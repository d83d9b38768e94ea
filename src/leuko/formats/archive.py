"""Archives (zip, tar, tar.gz) unpacked into a private folder that vanishes again, within limits.

What an archive says of itself is not believed: sizes are counted while unpacking, names are
checked, and only files are made.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from leuko.errors import LeukoError, OutOfResources, ReadError, SafetyRefusal
from leuko.formats.byte_source import GZIP_MAGIC, ByteSource
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.member import Member
from leuko.formats.tar_members import tar_members
from leuko.formats.zip_members import MAX_MEMBERS, zip_members

__all__ = ["is_archive", "unpacked"]

MAX_BYTES = 32 << 30
MAX_RATIO = 250  # unpacked to packed; real images stay far below, zeros reach 1032
RATIO_FROM = 32 << 20  # bytes unpacked up to which the ratio does not matter
MAX_DEPTH = 3  # an archive in an archive in an archive
SPARE_DISK = 256 << 20
_PREFIX = "leuko-unpacked-"
_DOCUMENTS = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".jar", ".apk", ".3mf")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_SMALL = 16 << 20  # bytes for which the free space is not asked
_YOUNG_SECONDS = 10.0  # a folder just made may not be locked yet
_YOURSELF = "If you trust it, unpack it yourself and give the folder."


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether the file at `path` is an archive that `unpacked` opens, by its content."""
    return _kind(Path(path)) != ""


@contextmanager
def unpacked(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder with the content of the archive at `path`; a folder or other file is itself.

    Archives inside are unpacked too, into folders of their names. Raises ReadError (exit 3) for
    what is damaged, encrypted or too much, SafetyRefusal (exit 5) for what could do harm,
    OutOfResources (exit 7) where the disk is full. The folder is removed when the block ends; one
    that a killed process left goes with the next call.
    """
    given = Path(path)
    kind = "" if given.is_dir() else _kind(given)
    if not kind:
        yield given
        return
    with _private_folder() as home:
        inside = home / given.name
        inside.mkdir()
        budget = _Budget(given.name, packed=given.stat().st_size, folder=home)
        with _disk(given.name):
            _unpack(given, kind, inside, budget=budget, depth=1)
        yield inside


class _Budget:
    """What one archive, with all archives in it, may still cost."""

    def __init__(self, name: str, *, packed: int, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self._most = min(MAX_BYTES, max(RATIO_FROM, MAX_RATIO * packed))
        self._bytes = 0
        self._members = 0

    def expect(self, size: int, *, members: int = 1) -> None:
        """Refuse what would be too much, or more than the disk holds, before it is written."""
        if self._members + members > MAX_MEMBERS:
            raise ReadError(f"{self.name} holds more than {MAX_MEMBERS:,} files.", hint=_YOURSELF)
        self._require(self._bytes + size)
        if size > _SMALL and shutil.disk_usage(self._folder).free < size + SPARE_DISK:
            raise _full(self.name)

    def spend(self, count: int, *, members: int = 0) -> None:
        """Count bytes and files about to be written."""
        self._bytes += count
        self._members += members
        self._require(self._bytes)

    def _require(self, total: int) -> None:
        if total > self._most:
            raise SafetyRefusal(
                f"{self.name} unpacks to more than {self._most >> 20:,} MiB, far too much for its "
                "size: it looks like a zip bomb.",
                hint=_YOURSELF,
            )


def _kind(path: Path) -> str:
    """The sort of archive ('zip', 'tar'), or '' for any other file."""
    with ByteSource(path) as source:
        name = recognise(source.peek(HEAD_BYTES))
        return name if name == "tar" or (name == "zip" and not source.gzipped) else ""


def _unpack(path: Path, kind: str, folder: Path, *, budget: _Budget, depth: int) -> None:
    """Write the files of one archive into `folder`, and those of archives among them."""
    if kind == "tar":
        _unpack_members(tar_members(path, name=budget.name), folder, budget=budget, depth=depth)
        return
    with path.open("rb") as file:
        members = zip_members(file, name=budget.name)
        budget.expect(sum(member.size for member in members), members=len(members))
        _unpack_members(members, folder, budget=budget, depth=depth)


def _unpack_members(
    members: Iterable[Member], folder: Path, *, budget: _Budget, depth: int
) -> None:
    for member in members:
        target = folder / member.path
        head = _write(member, target, budget=budget)
        inner = _kind(target) if _may_be_archive(head, target) else ""
        if not inner:
            continue
        if depth == MAX_DEPTH:
            raise SafetyRefusal(
                f"{budget.name} holds archives in archives, more than {MAX_DEPTH} deep.",
                hint=_YOURSELF,
            )
        packed = target.rename(folder / f".{depth}.packed")
        target.mkdir()
        _unpack(packed, inner, target, budget=budget, depth=depth + 1)
        packed.unlink()


def _may_be_archive(head: bytes, path: Path) -> bool:
    """Whether it is worth looking closer; office documents are zips, but nobody's scan."""
    archive = head[:2] in (b"PK", GZIP_MAGIC) or recognise(head) == "tar"
    return archive and path.suffix.lower() not in _DOCUMENTS


def _write(member: Member, target: Path, *, budget: _Budget) -> bytes:
    """Write one file, counting; returns its first bytes."""
    budget.expect(member.size)
    budget.spend(0, members=1)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ReadError(
            f"{budget.name} holds two files of the same name ({target.name}).",
            hint="Pack each under a name of its own, or give the folder.",
        ) from error
    head = b""
    with file:
        for piece in member.pieces:
            budget.spend(len(piece))
            head = head or piece[:HEAD_BYTES]
            file.write(piece)
    return head


@contextmanager
def _disk(name: str) -> Iterator[None]:
    """The system's refusals while unpacking, in our words."""
    try:
        yield
    except LeukoError:
        raise
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise _full(name) from error
        raise ReadError(
            f"{name} cannot be unpacked: {error.strerror or 'the system refused'}.",
            hint="Unpack it yourself and give the folder.",
        ) from error


def _full(name: str) -> OutOfResources:
    return OutOfResources(
        f"The disk for temporary files has too little space to unpack {name}.",
        hint="Free some, or name a folder on another disk in the environment variable TMPDIR.",
    )


# ---------------------------------------------------------------- the private folder


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A new folder that only this user can open; locked while in use, removed at the end."""
    try:
        _sweep(Path(tempfile.gettempdir()))
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    except OSError as error:
        raise OutOfResources(
            "No folder for temporary files can be made.",
            hint="Name a folder where you may write in the environment variable TMPDIR.",
        ) from error
    lock = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network drives know no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(home: Path) -> None:
    """Remove what killed processes of this user left: the system freed their locks."""
    for left in home.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            status = left.lstat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < _YOUNG_SECONDS:
                continue
            handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(handle)
