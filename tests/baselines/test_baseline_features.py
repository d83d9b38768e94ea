"""Voxel features, against values known by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from leuko.baselines.features import feature_names, voxel_features
from leuko.baselines.scene import Scene

SPACING = (1.0, 2.0, 6.5)
SHAPE = (40, 20, 9)


def features_of(values: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float32]]:
    region = np.ones(SHAPE, bool)
    scene = Scene(values[None], region, np.zeros(SHAPE, np.float32), SPACING)
    columns = voxel_features(scene).T.reshape(-1, *SHAPE)
    return dict(zip(feature_names(1), columns, strict=True))


def place(axis: int) -> npt.NDArray[np.float32]:
    """Each voxel's coordinate in mm."""
    return (np.indices(SHAPE)[axis] * SPACING[axis]).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slope_of_three_per_mm_is_three_along_any_axis(axis: int) -> None:
    found = features_of(3.0 * place(axis))
    assert found["gradient_1"][20, 10, 4] == pytest.approx(3.0, abs=1e-3)
    assert found["laplacian_1"][20, 10, 4] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_parabola_bends_by_two_per_square_mm(axis: int) -> None:
    found = features_of((place(axis) - 20.0) ** 2)
    assert found["laplacian_1"][20, 10, 4] == pytest.approx(2.0, abs=2e-2)


def test_a_gaussian_of_mm_does_not_reach_the_next_thick_slice() -> None:
    values = np.zeros(SHAPE, np.float32)
    values[20, 10, 4] = 1.0
    smooth = features_of(values)["smooth_1mm_1"]
    assert smooth[21, 10, 4] / smooth[20, 10, 4] == pytest.approx(np.exp(-0.5), abs=0.01)
    assert smooth[20, 10, 5] < 1e-8


def test_places_run_from_0_to_1_over_the_regions_box() -> None:
    region = np.zeros(SHAPE, bool)
    region[10:21, 5:16, 2:5] = True
    scene = Scene(np.zeros((1, *SHAPE), np.float32), region, np.zeros(SHAPE, np.float32), SPACING)
    rows = voxel_features(scene)
    right, front, up = (rows[:, feature_names(1).index(n)] for n in ("right", "front", "up"))
    assert [0.0, 0.5, 1.0] == sorted(set(up.tolist()))
    assert (right.min(), right.max(), front.min(), front.max()) == (0, 1, 0, 1)
    assert rows[0, -4:].tolist() == [0, 0, 0, 0]


def test_every_channel_has_the_same_features() -> None:
    assert len(feature_names(2)) - len(feature_names(1)) == 7
    assert len(set(feature_names(3))) == len(feature_names(3))
