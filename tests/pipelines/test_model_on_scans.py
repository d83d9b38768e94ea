"""The packaged model on real scans: floors that only a broken model falls below.

The packaged weights have seen some of these scans in training: the floors say nothing about
accuracy (MODEL_CARD.md does), and lie far below what any working weights reach.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from leuko.formats.read import read_mask, read_scan
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.segment import segment


def marked(flair: Path, *, definition: str) -> tuple[npt.NDArray[np.bool_], float]:
    """The mask of a scan and the volume of a voxel in ml."""
    image = read_scan(flair)
    config = SegmentConfig(definition=definition, policy="lenient")  # type: ignore[arg-type]
    mask = segment(image, config=config).mask
    return np.asarray(mask.data > 0), abs(float(np.linalg.det(image.grid.affine[:3, :3]))) / 1000


@pytest.mark.parametrize(
    ("case", "truths", "definition", "floor"),
    [
        ("wmh/tabriz/105465", ("lesions", "caps_and_rims"), "vascular", 0.5),
        ("wmh/tabriz/105074", ("lesions",), "ms", 0.45),
        ("wmh/ljubljana/19", ("lesions",), "ms", 0.6),
        ("wmh/nichart/Subj4", ("wmh_auto",), "vascular", 0.6),
    ],
)
def test_a_mask_overlaps_what_raters_drew(
    shared_data: Path, case: str, truths: tuple[str, ...], definition: str, floor: float
) -> None:
    folder = shared_data / case
    truth = np.any([read_mask(folder / f"{name}.nii.gz").data > 0 for name in truths], axis=0)
    mask, _ = marked(folder / "flair.nii.gz", definition=definition)
    assert 2 * np.count_nonzero(mask & truth) / (mask.sum() + truth.sum()) > floor


def test_a_healthy_head_holds_little(shared_data: Path) -> None:
    mask, voxel_ml = marked(
        shared_data / "contrasts" / "thick_flair_young" / "flair.nii.gz", definition="ms"
    )
    assert mask.sum() * voxel_ml < 4.0
