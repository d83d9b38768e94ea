"""A DICOMDIR: the index of a medium, from which the files it names are taken (PS3.3 F)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from leuko.dicom.elements import Elements, Malformed
from leuko.dicom.part10 import NotDicom, read_header
from leuko.findings import Finding, Severity

__all__ = ["Listed", "referenced_files"]

_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True)
class Listed:
    """Files that an index names and that are there, and how many are not."""

    files: list[str]
    missing: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """That files are missing, if some are."""
        if not self.missing:
            return ()
        return (
            Finding(
                "dicom.index_incomplete",
                Severity.WARNING,
                f"{self.missing} file{'s' if self.missing > 1 else ''} that the DICOMDIR names "
                f"{'are' if self.missing > 1 else 'is'} not there.",
                "Copy the whole medium again.",
            ),
        )


def referenced_files(path: Path) -> Listed | None:
    """What the DICOMDIR at `path` names within its own folder; None where it is none."""
    try:
        data = read_header(os.fspath(path)).elements
    except (NotDicom, Malformed, OSError):
        return None
    if 0x00041220 not in data and data.text(0x00080016) != _DIRECTORY:
        return None
    folder = path.parent.resolve()
    files, missing = [], 0
    for parts in _named(data):
        found = _find(folder, parts)
        if found is None:
            missing += 1
        else:
            files.append(os.fspath(found))
    return Listed(files, missing)


def _named(data: Elements) -> list[tuple[str, ...]]:
    """The parts of every file's name; none where the index is damaged."""
    try:
        named = [record.texts(0x00041500) for record in data.items(0x00041220)]
    except Malformed:
        return []
    return [parts for parts in named if parts]


def _find(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """The named file; media often change the case of names. Nothing outside the folder."""
    for names in (parts, tuple(p.lower() for p in parts), tuple(p.upper() for p in parts)):
        candidate = folder.joinpath(*names)
        if candidate.is_file() and candidate.resolve().is_relative_to(folder):
            return candidate
    return None
