"""Lesions by lobe and by atlas region, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.anatomy.lobes import LOBE_VALUES, Lobe
from leuko.models.classes import Tissue
from leuko.quantify.atlas import measure_atlas
from leuko.quantify.lobes import measure_lobes

FRONTAL, PARIETAL = LOBE_VALUES[Lobe.FRONTAL], LOBE_VALUES[Lobe.PARIETAL]


def test_lobes_by_hand() -> None:
    """A row of 10 voxels of 500 mm3: frontal and parietal, left and right."""
    labels = np.array([1, 1, 0, 2, 0, 0, 3, 3, 3, 0], np.int32).reshape(10, 1, 1)
    lobes = np.array([FRONTAL] * 5 + [PARIETAL] * 2 + [FRONTAL] * 3, np.uint8).reshape(10, 1, 1)
    right = (np.arange(10) >= 5).reshape(10, 1, 1)
    anatomy = np.full((10, 1, 1), Tissue.WHITE_MATTER, np.uint8)
    found = measure_lobes(labels, lobes=lobes, right=right, anatomy=anatomy, voxel_mm3=500.0)
    left = found.left[Lobe.FRONTAL]
    assert (left.volume_ml, left.lesion_count) == (1.5, 2)
    assert left.white_matter_percent == pytest.approx(60.0)  # 3 of 5 voxels
    assert found.right[Lobe.PARIETAL].volume_ml == 0.5
    assert found.right[Lobe.PARIETAL].lesion_count == 0  # most of lesion 3 is frontal
    assert found.right[Lobe.FRONTAL].lesion_count == 1
    assert found.right[Lobe.FRONTAL].volume_ml == 1.0
    assert found.total_ml == 3.0


def test_without_lesions_lobes_are_zero_and_no_share_is_told_of_little_white_matter() -> None:
    nothing = np.zeros((4, 4, 4), np.int32)
    lobes = np.full((4, 4, 4), FRONTAL, np.uint8)
    found = measure_lobes(
        nothing,
        lobes=lobes,
        right=np.zeros((4, 4, 4), np.bool_),
        anatomy=np.full((4, 4, 4), Tissue.CORTEX, np.uint8),
        voxel_mm3=1.0,
    )
    share = found.left[Lobe.FRONTAL]
    assert (share.volume_ml, share.lesion_count, share.white_matter_percent) == (0.0, 0, None)


def test_atlas_regions_by_hand() -> None:
    """Regions 2 and 7, one more that is outside the scan, and lesions partly in no region."""
    atlas = np.array([2, 2, 2, 2, 0, 0, 7, 7, 0, 0], np.int32).reshape(10, 1, 1)
    labels = np.array([1, 0, 0, 2, 2, 2, 2, 0, 3, 0], np.int32).reshape(10, 1, 1)
    found = measure_atlas(
        labels, atlas=atlas, names={2: "two", 7: "seven", 9: "nine"}, voxel_mm3=1000.0, name="a"
    )
    two, seven, nine = found.regions
    assert (two.name, two.region_ml, two.volume_ml, two.lesion_count) == ("two", 4.0, 2.0, 2)
    assert two.percent == 50.0
    assert (seven.volume_ml, seven.lesion_count, seven.percent) == (1.0, 0, 50.0)
    assert (nine.region_ml, nine.percent) == (0.0, None)
    assert found.outside_ml == 3.0
    total = sum(region.volume_ml for region in found.regions) + found.outside_ml
    assert total == np.count_nonzero(labels)


def test_an_atlas_without_lesions_is_zero_everywhere() -> None:
    atlas = np.ones((3, 3, 3), np.int32)
    found = measure_atlas(
        np.zeros((3, 3, 3), np.int32), atlas=atlas, names={1: "all"}, voxel_mm3=1.0, name="a"
    )
    assert found.regions[0].percent == 0.0
    assert found.regions[0].lesion_count == 0
    assert found.outside_ml == 0.0
