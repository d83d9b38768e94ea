"""Finding the DICOM images below a path: headers only, and no file can stop the search."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from leuko.dicom.directory import referenced_files
from leuko.dicom.elements import Malformed
from leuko.dicom.frame import Frame
from leuko.dicom.header import NotAnImage
from leuko.dicom.part10 import NotDicom, read_header
from leuko.dicom.planes import frames_of
from leuko.dicom.stacks import stacks_of
from leuko.dicom.study import Skipped, Study
from leuko.errors import ReadError
from leuko.findings import Finding, Severity

__all__ = ["scan"]

_RUBBISH = frozenset({"__macosx", "thumbs.db", ".ds_store", "desktop.ini"})
_DEEPEST = 64


def scan(path: Path) -> Study:
    """All images of a folder (with its subfolders), of a DICOMDIR's files, or of one file.

    Only headers are read; names and suffixes mean nothing. Files that are no image stand in
    `skipped` with their reason. Raises ReadError where `path` itself does not exist.
    """
    frames: list[Frame] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    twice = 0
    paths, findings = _paths(Path(path), skipped)
    for name in paths:
        found = _frames(name, skipped)
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
    return Study(stacks_of(frames), tuple(skipped), tuple(findings), Path(path).name)


def _paths(path: Path, skipped: list[Skipped]) -> tuple[Iterator[str] | list[str], list[Finding]]:
    """The files to look at; those that a DICOMDIR names where `path` is one."""
    if path.is_dir():
        return _below(os.fspath(path), skipped), []
    if not path.exists():
        raise ReadError(f"There is no {path.name}.", hint="Check the path and its spelling.")
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
        skipped.append(Skipped(os.path.basename(folder), "a folder that cannot be opened"))  # noqa: PTH119
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
    except (NotDicom, NotAnImage) as error:
        reason = str(error)
    except Malformed:
        reason = "a damaged DICOM file"
    except OSError:
        reason = "a file that cannot be read"
    skipped.append(Skipped(os.path.basename(path), reason))  # noqa: PTH119
    return []


def _duplicates(count: int) -> Finding:
    return Finding(
        "dicom.same_file",
        Severity.NOTE,
        f"{count} file{'s repeat' if count > 1 else ' repeats'} an image that is there already "
        "(the same SOP Instance UID) and count once.",
    )
