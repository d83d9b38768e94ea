"""The brain mask against what others made of the same heads.

    python benchmarks/brain.py [DATA]

Dice of the mask with the brain that the scan's authors cut out, or with a parcellation of the
same head, brought onto the scan's grid by world position.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.formats.read import read_mask, read_scan
from leuko.image.grid import Grid
from leuko.image.resample import resample
from leuko.pipelines.brain_extraction import extract_brain
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import load_model

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Head:
    """A scan, and what it is compared with: labels of a file, or (empty) its own voxels above 0."""

    name: str
    scan: str
    reference: str = ""
    from_label: int = 1


HEADS = (
    Head("FLAIR, 1 mm, brain-extracted by its authors", "wmh/ljubljana/26/flair.nii.gz"),
    Head(
        "FLAIR, 2 mm, parcellation of the T1",
        "wmh/nichart/Subj9/flair.nii.gz",
        "wmh/nichart/Subj9/muse_auto.nii.gz",
    ),
    Head(
        "FLAIR, 5.5 mm slices, parcellation, no fluid",
        "contrasts/thick_flair_young/flair.nii.gz",
        "contrasts/thick_flair_young/gif_parcellation.nii.gz",
        from_label=5,
    ),
    Head(
        "T1, 2 mm, parcellation of it",
        "wmh/nichart/Subj9/t1.nii.gz",
        "wmh/nichart/Subj9/muse_auto.nii.gz",
    ),
)


def reference_of(head: Head, *, data: Path, values: npt.NDArray[np.generic], grid: Grid) -> (
    npt.NDArray[np.bool_]
):  # fmt: skip
    """The voxels of `grid` that others call brain."""
    if not head.reference:
        return np.asarray(values > 0)
    labels = resample(read_mask(data / head.reference), onto=grid, kernel="nearest").data
    return np.asarray(labels >= head.from_label)


def main(data: Path) -> None:
    """Print a row a head."""
    model = load_model(SegmentConfig(policy="lenient"))
    for head in HEADS:
        scan = read_scan(data / head.scan)
        found = np.asarray(extract_brain(scan, model=model).brain.data > 0)
        truth = reference_of(head, data=data, values=scan.data, grid=scan.grid)
        dice = 2 * int((found & truth).sum()) / (int(found.sum()) + int(truth.sum()))
        sys.stdout.write(f"{head.name:<46} Dice {dice:.3f}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
