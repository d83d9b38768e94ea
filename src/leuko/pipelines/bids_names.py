"""File names of BIDS (Brain Imaging Data Structure): entities, suffix, and what they stand for.

Source: Brain Imaging Data Structure Specification 1.10, 'Entities' and 'Derivatives'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

__all__ = ["ENTITIES", "BidsName", "parsed"]

# In the order in which a name has them (the specification's table; those of anatomical images).
ENTITIES = (
    "sub", "ses", "sample", "tracksys", "task", "acq", "voi", "ce", "trc", "stain", "rec", "dir",
    "run", "mod", "echo", "flip", "inv", "mt", "part", "proc", "hemi", "space", "split",
    "recording", "chunk", "seg", "res", "den", "label", "desc",
)  # fmt: skip
ENDS = (".nii.gz", ".nii", ".json", ".tsv")


@dataclass(frozen=True, slots=True)
class BidsName:
    """What the name of a file says: `sub-01_ses-1_FLAIR.nii.gz` is a FLAIR of session 1."""

    entities: Mapping[str, str]
    suffix: str

    @property
    def subject(self) -> str:
        """The label of the subject, without `sub-`."""
        return self.entities["sub"]

    @property
    def session(self) -> str:
        """The label of the session, without `ses-`; empty where there is none."""
        return self.entities.get("ses", "")

    def stem(self, suffix: str = "", **more: str) -> str:
        """The name without ending, further entities in their places, and another suffix."""
        held = {**self.entities, **more}
        known = [f"{key}-{held[key]}" for key in ENTITIES if key in held]
        return "_".join([*known, suffix]) if suffix else "_".join(known)

    def folder(self) -> Path:
        """Where its data type lies: sub-01/[ses-1/]anat."""
        session = (f"ses-{self.session}",) if self.session else ()
        return Path(f"sub-{self.subject}", *session, "anat")


def parsed(path: Path) -> BidsName | None:
    """What a file's name says, None where it is not named by BIDS."""
    stem = next((path.name[: -len(end)] for end in ENDS if path.name.endswith(end)), "")
    *pairs, suffix = stem.split("_")
    entities = dict(pair.split("-", 1) for pair in pairs if "-" in pair)
    named = all(key in ENTITIES and value for key, value in entities.items())
    if not suffix or "sub" not in entities or len(entities) < len(pairs) or not named:
        return None
    return BidsName(MappingProxyType(entities), suffix)
