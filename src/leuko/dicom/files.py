"""Finding the DICOM images below a path: headers only, and no file can stop the search."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from leuko.dicom.directory import referenced_files
from leuko.dicom.elements import Malformed
from leuko.dicom.frame import Frame
from leuko.dicom.header import WITHOUT_PIXELS, NotAnImage
from leuko.dicom.part10 import NotDicom, read_header
from leuko.dicom.planes import frames_of
from leuko.dicom.stacks import stacks_of
from leuko.dicom.study import Skipped, Study
from leuko.errors import ReadError
from leuko.findings import Finding, Severity

__all__ = ["files_by_study", "scan", "scan_files"]

_RUBBISH = frozenset({"__macosx", "thumbs.db", ".ds_store", "desktop.ini"})
_DEEPEST = 64
_PREAMBLE = 132  # bytes up to the end of DICM
_BROKEN = ("a damaged DICOM file", "a file that cannot be read", WITHOUT_PIXELS)


def scan(path: Path, *, name: str = "") -> Study:
    """All images of a folder (with its subfolders), of a DICOMDIR's files, or of one file.

    Only headers are read; names and suffixes mean nothing. Files that are no image stand in
    `skipped` with their reason. `name` stands for `path` in messages (a file stands for itself, a
    folder is never named). Raises ReadError where `path` itself does not exist.
    """
    skipped: list[Skipped] = []
    paths, findings = _paths(Path(path), skipped)
    return _study(paths, skipped, findings, name or ("" if path.is_dir() else path.name))


def scan_files(paths: Iterable[str]) -> Study:
    """The study of the images in `paths`, as `scan` makes it of all files below a folder."""
    return _study(paths, [], [], "")


def files_by_study(path: Path) -> dict[str, list[str]]:
    """The files below `path` that hold images, by Study Instance UID, in a fixed order.

    Nothing but their names is kept, so that a disk with a thousand studies fits into memory.
    """
    found: dict[str, list[str]] = {}
    for place in _paths(Path(path), [])[0]:
        if frames := _frames(place, []):
            found.setdefault(frames[0].instance.study_uid, []).append(place)
    return found


def _study(
    paths: Iterable[str], skipped: list[Skipped], findings: list[Finding], name: str
) -> Study:
    frames: list[Frame] = []
    seen: set[str] = set()
    twice = 0
    for place in paths:
        found = _frames(place, skipped)
        if not found:
            continue
        uid = found[0].instance.sop_uid
        if uid and uid in seen:
            twice += 1
            continue
        seen.add(uid)
        frames += found
    if twice:
        findings.append(_duplicates(twice))
    damaged = sum(entry.reason in _BROKEN for entry in skipped)
    if damaged and frames:
        findings.append(_damaged(damaged))
    return Study(stacks_of(frames), tuple(skipped), tuple(findings), name)


def _paths(path: Path, skipped: list[Skipped]) -> tuple[Iterator[str] | list[str], list[Finding]]:
    """The files to look at; those that a DICOMDIR names where `path` is one."""
    if path.is_dir():
        listing = path / "DICOMDIR"
        # Of a folder that is closed to the user `os.path` says no where `Path` raises.
        index = referenced_files(listing) if os.path.isfile(listing) else None  # noqa: PTH113
        return _below(os.fspath(path), skipped), list(index.findings) if index else []
    if not path.exists():
        raise ReadError(
            f"There is no file or folder {path.name}.", hint="Check the path and its spelling."
        )
    listed = referenced_files(path)
    if listed is None:
        return [os.fspath(path)], []
    if not listed.files and not listed.missing:
        return _below(os.fspath(path.parent), skipped), []
    return listed.files, list(listed.findings)


def _below(folder: str, skipped: list[Skipped], depth: int = 0) -> Iterator[str]:
    """Regular files below a folder in a fixed order; links to folders are not followed."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        skipped.append(Skipped("A folder", "closed to this user"))
        return
    for entry in entries:
        if entry.name.lower() in _RUBBISH or entry.name.startswith("._"):
            continue
        if entry.is_dir(follow_symlinks=False):
            if depth < _DEEPEST:
                yield from _below(entry.path, skipped, depth + 1)
        elif entry.is_file():
            yield entry.path


def _frames(path: str, skipped: list[Skipped]) -> list[Frame]:
    """The planes of a file; none, with a reason in `skipped`, where it is no image."""
    try:
        return frames_of(read_header(path), path)
    except NotDicom as error:
        reason = _BROKEN[0] if _is_cut(path) else str(error)
    except NotAnImage as error:
        reason = str(error)
    except Malformed:
        reason = _BROKEN[0]
    except OSError:
        reason = _BROKEN[1]
    skipped.append(Skipped(os.path.basename(path), reason))  # noqa: PTH119
    return []


def _is_cut(path: str) -> bool:
    """Whether a file ends within the zeros that DICOM begins with, as copies cut short do."""
    try:
        content = Path(path).read_bytes() if os.stat(path).st_size < _PREAMBLE else b"no"  # noqa: PTH116
    except OSError:
        return False
    return not any(content[:128]) and b"DICM".startswith(content[128:])


def _damaged(count: int) -> Finding:
    return Finding(
        "dicom.damaged_files",
        Severity.WARNING,
        f"{count} DICOM file{'s are' if count > 1 else ' is'} damaged and left out: slices may be "
        "missing.",
        "Copy or export the series again.",
    )


def _duplicates(count: int) -> Finding:
    return Finding(
        "dicom.same_file",
        Severity.NOTE,
        f"{count} file{'s repeat' if count > 1 else ' repeats'} an image that is there already "
        "(the same SOP Instance UID) and count once.",
    )
