"""Which files are ours: the names that runs write, and how a folder of ours is known."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = [
    "BETWEEN",
    "OUR_FILES",
    "OUR_FOLDERS",
    "PROGRAM",
    "STATISTICS",
    "is_ours",
    "is_own_folder",
    "named_by_user",
]

PROGRAM = "leuko"
STATISTICS = "stats.json"
BETWEEN = "between"
OUR_FOLDERS = frozenset({"baseline", "followup", BETWEEN})
"""The visits of a comparison, each a result of ours; `between` holds those in the middle."""
OUR_FILES = OUR_FOLDERS | frozenset(
    {
        "agreement.json",
        "anatomy.nii.gz",
        "anatomy.seg.dcm",
        "bias_field.nii.gz",
        "baseline_to_followup.json",
        "baseline_to_followup.tfm",
        "brain.nii.gz",
        "cases.tsv",
        "change.nii.gz",
        "checkerboard.png",
        "for_patient.html",
        "curve.svg",
        "frequency.json",
        "frequency.nii.gz",
        "frequency.png",
        "flair_filled.nii.gz",
        "halfway_to_baseline.json",
        "halfway_to_baseline.tfm",
        "halfway_to_followup.json",
        "halfway_to_followup.tfm",
        "lesions.nii.gz",
        "lesions.tsv",
        "mask.nii.gz",
        "moved.nii.gz",
        "moved_mask.nii.gz",
        "mni_to_scan.displacement.nii.gz",
        "mni_to_scan.h5",
        "mni_to_scan.json",
        "preprocess.json",
        "preprocessed.nii.gz",
        "preview.png",
        "probability.nii.gz",
        "probability.seg.dcm",
        "regions.nii.gz",
        "regions.tsv",
        "register.json",
        "report.html",
        "report.pdf",
        "report.pdf.dcm",
        "report.sr.dcm",
        "sample_flair.nii.gz",
        "sample_truth.nii.gz",
        STATISTICS,
        "t1_filled.nii.gz",
        "transform.displacement.nii.gz",
        "transform.h5",
        "transform.json",
        "transform.tfm",
        "wmh.glb",
        "wmh.nii.gz",
        "wmh.seg.dcm",
        "wmh.stl",
        "wmh_in_t1.nii.gz",
        "wmh_space-MNI152NLin2009aSym.nii.gz",
    }
)
"""Every name that a run may write into OUT; anything else there is the user's and stays."""

ATLAS_FILES = (".tsv", ".nii.gz")


def is_ours(folder: Path, *, marker: str = STATISTICS) -> bool:
    """Whether `folder` was written by this program: its stats.json (or `marker`) says so."""
    try:
        content = json.loads((folder / marker).read_bytes())
        return bool(content["provenance"]["program"] == PROGRAM)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def is_own_folder(folder: Path) -> bool:
    """Whether it is the folder of a visit that we wrote, or that of all between."""
    if folder.name not in OUR_FOLDERS or folder.is_symlink() or not folder.is_dir():
        return False
    held = [folder]
    if folder.name == BETWEEN:  # visits, and what changed from one to the other
        held = [one for one in folder.glob("visit[0-9]*") if "_to_" not in one.name]
    return bool(held) and all(is_ours(one) for one in held)


def named_by_user(folder: Path) -> frozenset[str]:
    """Files of ours whose names depend on the input: an atlas's, as stats.json names it."""
    try:
        atlases = json.loads((folder / STATISTICS).read_bytes())["atlases"] or {}
        return frozenset(f"atlas_{name}{suffix}" for name in atlases for suffix in ATLAS_FILES)
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
