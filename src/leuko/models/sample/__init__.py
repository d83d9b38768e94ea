"""The packaged sample: a synthetic FLAIR of thick slices, and the lesions that were drawn in it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

__all__ = ["sample_path", "truth_path"]


def sample_path() -> Path:
    """The scan (NIfTI)."""
    return _folder() / "flair.nii.gz"


def truth_path() -> Path:
    """The mask of its lesions, caps and rims, on the same grid (NIfTI)."""
    return _folder() / "truth.nii.gz"


def _folder() -> Path:
    return Path(str(resources.files("leuko.models.sample")))
