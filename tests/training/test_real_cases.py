"""Real scans become crops: truth keeps its volume and stays on the bright pixels."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra (torch)")

from leuko.errors import UsageError
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.classes import CLASS_COUNT, Tissue
from leuko.training.crops import crops
from leuko.training.real import load_case
from leuko.training.recipe import Augmentation, Case

ALL = (1 << CLASS_COUNT) - 1
# Volumes of the manual masks, counted in the files (voxels times voxel volume).
TABRIZ_MM3 = {"lesions": 2_725.5, "caps": 10_471.9}


def tabriz(shared_data: Path) -> Case:
    folder = shared_data / "wmh" / "tabriz" / "105911"
    return Case(
        str(folder / "flair.nii.gz"),
        str(folder / "lesions.nii.gz"),
        str(folder / "caps_and_rims.nii.gz"),
    )


def test_truth_keeps_its_volume_on_the_networks_pixels(shared_data: Path) -> None:
    (case,) = load_case(tabriz(shared_data), pixel_mm=0.8)
    pixel = 0.8 * 0.8 * case.slice_mm
    assert case.cap_rim is not None
    assert case.lesion.sum() * pixel == pytest.approx(TABRIZ_MM3["lesions"], rel=0.02)
    assert case.cap_rim.sum() * pixel == pytest.approx(TABRIZ_MM3["caps"], rel=0.02)
    assert np.median(case.image[case.lesion > 0.5]) > 1.2 * np.median(case.image[case.image > 0.5])
    assert case.left_right == 0


def test_crops_of_a_scan_show_lesions_brighter_than_brain(shared_data: Path) -> None:
    (case,) = load_case(tabriz(shared_data), pixel_mm=0.8)
    stream = crops([case], shape=(160, 192), augmentation=Augmentation(lesion_share=1.0), seed=1)
    contrast = [
        float(np.median(crop.image[1][crop.allowed == 1 << Tissue.LESION]))
        for crop in itertools.islice(stream, 30)
        if (crop.allowed == 1 << Tissue.LESION).any()
    ]
    assert len(contrast) >= 10
    assert np.median(contrast) > 1.15


def test_caps_without_lesions_are_refused(shared_data: Path) -> None:
    case = tabriz(shared_data)
    with pytest.raises(UsageError, match="caps"):
        load_case(Case(case.flair, None, case.caps), pixel_mm=0.8)


def test_a_head_free_of_lesions_may_have_caps_and_rims(tmp_path: Path) -> None:
    """Also by the definition under which a mask of lesions holds them."""
    head = np.zeros((40, 40, 4), np.float32)
    head[6:34, 6:34] = 100.0
    write(Image(head, Grid(head.shape, np.diag([2.0, 2.0, 5.0, 1.0]))), tmp_path / "healthy.nii.gz")
    for definition in ("ms", "vascular"):
        (case,) = load_case(
            Case(str(tmp_path / "healthy.nii.gz"), definition=definition), pixel_mm=2.0
        )
        crop = next(crops([case], shape=(16, 16), augmentation=Augmentation(), seed=1))
        assert (crop.allowed == ALL & ~(1 << Tissue.LESION)).all()


def test_a_nearly_isotropic_scan_comes_in_every_plane(shared_data: Path) -> None:
    folder = shared_data / "wmh" / "ljubljana" / "07"
    planes = load_case(
        Case(str(folder / "flair.nii.gz"), str(folder / "lesions.nii.gz")), pixel_mm=2.0
    )
    assert [0.25, 0.25, 0.5] == sorted(plane.weight for plane in planes)
    assert [None, 0, 0] == sorted((p.left_right for p in planes), key=lambda a: a is not None)
    volumes = [plane.lesion.sum() * plane.slice_mm for plane in planes]
    assert max(volumes) < 1.02 * min(volumes)
