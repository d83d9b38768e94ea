"""Distances of groups are exact, however little is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from leuko.masks.nearest import nearest_by_group

SPACINGS = [(1.0, 1.0, 1.0), (0.5, 0.5, 7.0), (2.0, 0.9, 3.3), (6.0, 6.0, 6.0)]


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(SPACINGS),
    st.sampled_from([0.0005, 0.01, 0.3]),
)
@settings(deadline=None, max_examples=60)
def test_it_is_the_least_of_the_distance_transform(
    seed: int, spacing: tuple[float, float, float], share: float
) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 24, 3).tolist())
    mask = rng.random(shape) < share
    groups = ndimage.label(rng.random(shape) < 0.05)[0]
    voxels = np.argwhere(groups)
    count = int(groups.max())
    of_voxel = groups[tuple(voxels.T)].astype(np.int64)
    found = nearest_by_group(voxels, of_voxel, count=count, to=mask, spacing=spacing)
    if not mask.any():
        assert np.isinf(found).all()
        return
    distance = ndimage.distance_transform_edt(~mask, sampling=spacing)
    expected = [distance[groups == one].min() for one in range(1, count + 1)]
    assert expected == pytest.approx(found.tolist(), abs=1e-9)


def test_a_group_without_voxels_is_infinitely_far() -> None:
    mask = np.ones((3, 3, 3), dtype=bool)
    found = nearest_by_group(
        np.array([[1, 1, 1]]), np.array([2]), count=2, to=mask, spacing=(1.0, 1.0, 1.0)
    )
    assert [np.inf, 0.0] == found.tolist()
    none = np.zeros((0, 3), dtype=np.int64)
    assert nearest_by_group(
        none, np.zeros(0, dtype=np.int64), count=0, to=mask, spacing=(1.0, 1.0, 1.0)
    ).shape == (0,)
