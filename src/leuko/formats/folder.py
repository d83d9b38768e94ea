"""A folder as an input: which image in it is meant, found by content, never guessed."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from isal import isal_zlib

from leuko.errors import ReadError, UsageError
from leuko.formats.byte_source import GZIP_MAGIC
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.member import is_rubbish
from leuko.formats.registry import ARCHIVES, FORMATS, PICTURES

__all__ = ["Survey", "choose", "survey"]

MAX_DEPTH = 64  # folders within folders
MAX_KEPT = 1000  # paths remembered of each kind; all are counted
_MAX_SHOWN = 6
_PACKED_HEAD = 4096
_DATA_FILE = re.compile(rb"(?im)^\s*(?:data\s?file\s*:|ElementDataFile\s*=)\s*(\S.*?)\s*$")
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(slots=True)
class Survey:
    """What a folder holds: images by kind (paths, sorted), and how many files of other kinds.

    `halves` are voxel files whose header is missing; `others` counts by a format's title.
    """

    volumes: list[Path] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    archives: list[Path] = field(default_factory=list)
    halves: list[Path] = field(default_factory=list)
    dicom: int = 0
    others: Counter[str] = field(default_factory=Counter)


def choose(folder: Path, *, series: str = "", name: str = "The folder") -> Path:
    """The one image file in `folder` (looked through with its folders); itself if it is DICOM.

    Volumes come before pictures, these before archives. `name` begins the messages. Raises
    UsageError (exit 2) where several could be meant, ReadError (exit 3) where there is none.
    """
    found = survey(folder, until_dicom=bool(series))
    if found.dicom and (series or not found.volumes):
        return folder
    if series:
        raise UsageError(
            f"{name} holds no DICOM, so that there is no series to choose.",
            hint="Leave out --series, or give the folder of the DICOM study.",
        )
    if found.dicom:
        raise UsageError(
            f"{name} holds a DICOM study and also {_names(found.volumes)}.",
            hint="Give the one file, or choose a series of the study with --series.",
        )
    for images in (found.volumes, found.pictures, found.archives, found.halves):
        if len(images) == 1:
            return images[0]
        if images:
            raise UsageError(
                f"{name} holds {len(images)} images: {_names(images)}.",
                hint="Give the one that you mean.",
            )
    raise _none(found, name=name)


def survey(folder: Path, *, until_dicom: bool = False) -> Survey:
    """Look at the first bytes of every file in `folder` and below; links to folders are not taken.

    `until_dicom` stops at the first DICOM file. Raises ReadError (exit 3) for a folder that may
    not be opened.
    """
    found = Survey()
    named: set[Path] = set()
    for path in _files(folder, found.others):
        name = _recognised(path, found)
        if name is None:
            continue
        if name in ("nrrd", "metaimage"):
            named.update(_data_files(path))
        if name == "dicom":
            found.dicom += 1
            if until_dicom:
                break
        elif name in PICTURES:
            _keep(found.pictures, path)
        elif name in ARCHIVES:
            _keep(found.archives, path)
        elif FORMATS[name].reader:
            _keep(found.volumes, path)
        else:
            found.others[FORMATS[name].title] += 1
    found.volumes = [path for path in found.volumes if path not in named]
    return found


def _recognised(path: Path, found: Survey) -> str | None:
    """The format of a file; None, and counted, where it is no image of its own."""
    lower = path.name.lower().removesuffix(".gz")
    if lower.endswith(".img") and _has_header(path):
        return None
    try:
        head = _head(path)
    except OSError:
        found.others["a file that may not be read"] += 1
        return None
    name = recognise(head)
    if name is None:
        if lower.endswith((".img", ".brik")):
            _keep(found.halves, path)
        found.others["a file of no known format" if head else "an empty file"] += 1
    return name


def _keep(paths: list[Path], path: Path) -> None:
    if len(paths) < MAX_KEPT:
        paths.append(path)


def _files(folder: Path, others: Counter[str]) -> Iterator[Path]:
    """Every regular file below `folder`, in the order of names, without what systems leave."""
    waiting = [(os.fspath(folder), 0)]
    while waiting:
        place, depth = waiting.pop()
        try:
            with os.scandir(place) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if depth:
                others["a folder that may not be read"] += 1
                continue
            raise ReadError(
                f"The folder cannot be read: {error.strerror or 'the system refused'}.",
                hint="Check its path and permissions.",
            ) from error
        below = []
        for entry in listed:
            if entry.name.startswith(".") or is_rubbish((entry.name,)):
                continue
            if entry.is_dir(follow_symlinks=False):
                below.append((entry.path, depth + 1))
            elif _is_file(entry):
                yield Path(entry.path)
        if depth < MAX_DEPTH:
            waiting += reversed(below)
        elif below:
            others["a folder too deep to look into"] += len(below)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads nowhere, or in a circle
        return False


def _head(path: Path) -> bytes:
    """The first bytes of a file, unpacked where they are gzip."""
    handle = os.open(path, _FLAGS)
    try:
        head = os.read(handle, HEAD_BYTES)
        if head[:2] == GZIP_MAGIC:
            head += os.read(handle, _PACKED_HEAD - HEAD_BYTES)
    finally:
        os.close(handle)
    if head[:2] != GZIP_MAGIC:
        return head
    try:
        unpacked: bytes = isal_zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except Exception:  # isal's error type is no class for type checkers; damaged is damaged
        return b""
    return unpacked


def _has_header(path: Path) -> bool:
    stem = path.name[: path.name.lower().rindex(".img")]
    return any(path.with_name(stem + ending).is_file() for ending in (".hdr", ".hdr.gz", ".HDR"))


def _data_files(header: Path) -> Iterator[Path]:
    """The files that an NRRD or MetaImage header names as its voxels."""
    try:
        with header.open("rb") as file:
            text = file.read(1 << 16)
    except OSError:
        return
    for match in _DATA_FILE.finditer(text):
        yield header.parent / match[1].decode(errors="replace")


def _names(paths: list[Path]) -> str:
    shown = [path.name for path in paths[:_MAX_SHOWN]]
    more = len(paths) - len(shown)
    many = "many" if len(paths) == MAX_KEPT else str(more)
    return ", ".join(shown) + (f" and {many} more" if more else "")


def _none(found: Survey, *, name: str) -> ReadError:
    if not found.others:
        return ReadError(f"{name} is empty.", hint="Give the folder that holds the scan.")
    kinds = ", ".join(f"{title} ({count})" for title, count in found.others.most_common(_MAX_SHOWN))
    return ReadError(
        f"{name} holds no image, only {kinds}.",
        hint="Give the scan itself, or the folder of its DICOM files.",
    )
