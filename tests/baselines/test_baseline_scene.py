"""What a baseline sees: scaled values, and how deep in the region a voxel lies."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.baselines.scene import make_scene
from leuko.errors import UnusableInput


def test_normal_voxels_get_median_0_and_spread_1_whatever_the_lesions_are() -> None:
    image = np.array([90.0, 100.0, 110.0, 5000.0]).reshape(4, 1, 1)
    normal = np.array([True, True, True, False]).reshape(4, 1, 1)
    scene = make_scene([image], region=np.ones((4, 1, 1), bool), spacing=(1, 1, 1), normal=normal)
    step = 10 / (1.4826 * 10)  # the median absolute deviation of 90, 100, 110 is 10
    assert [-step, 0, step] == pytest.approx(scene.values[0, :3, 0, 0].tolist())


def test_depth_is_in_mm_along_every_axis() -> None:
    region = np.zeros((9, 9, 5), bool)
    region[1:8, 1:8, 1:4] = True
    scene = make_scene([np.arange(405.0).reshape(9, 9, 5)], region=region, spacing=(1.0, 1.0, 6.5))
    assert [1, 2, 3, 4, 3, 2, 1] == scene.depth[1:8, 4, 2].tolist()
    assert [4, 4, 4] == scene.depth[4, 4, 1:4].tolist()  # 6.5 mm to the next slice is further
    assert scene.inner(3.5).sum() == 3


def test_a_region_without_voxels_is_refused() -> None:
    with pytest.raises(UnusableInput, match="region to search is empty"):
        make_scene([np.ones((3, 3, 3))], region=np.zeros((3, 3, 3), bool), spacing=(1, 1, 1))


def test_a_channel_of_one_value_becomes_0() -> None:
    scene = make_scene(
        [np.full((3, 3, 3), 7.0)], region=np.ones((3, 3, 3), bool), spacing=(1, 1, 1)
    )
    assert not scene.values.any()
