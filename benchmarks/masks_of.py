"""Where the masks under test come from: files that are there, or a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from leuko.formats.read import read_mask
from leuko.image.image import Image
from scan_sets import Case, ScanSet

__all__ = ["FolderMasks", "Masks"]


class Masks(Protocol):
    """A method under test."""

    @property
    def name(self) -> str:
        """What the method is called in the tables."""

    def mask(self, entry: ScanSet, case: Case, changes: Mapping[str, str]) -> Image:
        """The mask of a case under the set's definition, on the FLAIR's grid.

        `changes` are parameters to change for this mask, by the names of SegmentConfig.
        """

    def seen(self, entry: ScanSet, cases: Sequence[Case]) -> list[str]:
        """The cases of a set that the method is known to have been trained on."""

    def about(self) -> dict[str, object]:
        """What a reader needs to make the same masks again, for JSON."""


@dataclass(frozen=True, slots=True)
class FolderMasks:
    """Masks that are there: FOLDER/SET/CASE.nii.gz or FOLDER/SET/CASE/wmh.nii.gz.

    SET is the set's name or its group's; FOLDER/CASE... is looked for last.
    """

    folder: Path
    name: str

    def mask(self, entry: ScanSet, case: Case, changes: Mapping[str, str]) -> Image:
        """The first of the possible files that is there; nothing can be changed in it."""
        del changes
        for owner in (entry.key, entry.group, "."):
            for tail in (f"{case.name}.nii.gz", f"{case.name}/wmh.nii.gz"):
                path = self.folder / owner / tail
                if path.is_file():
                    return read_mask(path)
        raise SystemExit(f"There is no mask of {entry.key}/{case.name} in {self.folder.name}.")

    def seen(self, entry: ScanSet, cases: Sequence[Case]) -> list[str]:
        """Nothing is known of foreign masks."""
        del entry, cases
        return []

    def about(self) -> dict[str, object]:
        """The folder's name."""
        return {"masks": self.folder.name}
