"""The packaged template: the MNI's average brain of 152 people at 2 mm, and its tissues."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

__all__ = ["picture_path", "tissues_path"]


def picture_path() -> Path:
    """The T1-weighted brain (NIfTI, 2 mm, MNI152NLin2009aSym)."""
    return _folder() / "t1.nii.gz"


def tissues_path() -> Path:
    """Its tissues (values of `Tissue`) on the same grid (NIfTI)."""
    return _folder() / "tissues.nii.gz"


def _folder() -> Path:
    return Path(str(resources.files("leuko.models.template")))
