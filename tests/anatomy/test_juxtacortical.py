"""Both rules for juxtacortical, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.anatomy.juxtacortical import CortexPlaces, CortexRule, cortex_places, without_insula
from leuko.models.classes import Tissue

Triple = tuple[float, float, float]
ONE_MM = (1.0, 1.0, 1.0)


def places(labels: np.ndarray, anatomy: np.ndarray, *, spacing: Triple = ONE_MM) -> CortexPlaces:
    voxels = np.argwhere(labels)
    return cortex_places(
        voxels,
        labels[tuple(voxels.T)].astype(np.int64),
        count=int(labels.max()),
        anatomy=anatomy,
        spacing=spacing,
    )


def called(found: CortexPlaces, lesion: int = 1) -> set[str]:
    return {rule.value for rule in CortexRule if found.lesions[rule][lesion - 1]}


@pytest.mark.parametrize(
    ("first", "distance", "expected"),
    [
        (4, 0.0, {"cortex_3mm", "touching"}),  # in the cortex
        (5, 1.0, {"cortex_3mm", "touching"}),
        (6, 2.0, {"cortex_3mm"}),
        (7, 3.0, {"cortex_3mm"}),
        (8, 4.0, set()),
    ],
)
def test_a_bar_away_from_the_cortex(first: int, distance: float, expected: set[str]) -> None:
    anatomy = np.full((20, 9, 9), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:5] = Tissue.CORTEX
    labels = np.zeros(anatomy.shape, dtype=np.int32)
    labels[first : first + 3, 4, 4] = 1
    found = places(labels, anatomy)
    assert expected == called(found)
    assert distance == found.distance_mm[0]


def test_on_thick_slices_cortex_in_the_next_slice_does_not_touch() -> None:
    anatomy = np.full((12, 12, 6), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:, :, 3:] = Tissue.CORTEX
    labels = np.zeros(anatomy.shape, dtype=np.int32)
    labels[5, 5, 2] = 1
    assert {"cortex_3mm", "touching"} == called(places(labels, anatomy))
    found = places(labels, anatomy, spacing=(0.9, 0.9, 6.5))
    assert set() == called(found)
    assert 6.5 == pytest.approx(found.distance_mm[0])


def test_the_insula_is_left_out_of_the_rule_of_distance() -> None:
    """Putamen, external capsule, insula; and cortex of the convexity far away from all."""
    anatomy = np.full((60, 30, 30), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:9] = Tissue.DEEP_GREY
    anatomy[15:18] = Tissue.CORTEX  # 7 to 9 mm
    anatomy[45:] = Tissue.CORTEX
    labels = np.zeros(anatomy.shape, dtype=np.int32)
    labels[13, 15, 15] = 1
    labels[43, 15, 15] = 2
    found = places(labels, anatomy)
    assert set() == called(found, 1)
    assert {"cortex_3mm"} == called(found, 2)
    assert [32.0, 2.0] == found.distance_mm.tolist()
    labels[14, 15, 15] = 1
    assert {"touching"} == called(places(labels, anatomy), 1)  # of all cortex


def test_cells_of_three_millimetres_say_what_is_near_deep_grey() -> None:
    deep = np.zeros((60, 6, 6), dtype=bool)
    deep[:3] = True
    outer = without_insula(np.ones_like(deep), deep_grey=deep, spacing=ONE_MM)
    first = np.flatnonzero(outer.any(axis=(1, 2)))[0]
    assert first == 15  # cells at 3, 6, 9 and 12 mm go
    assert outer[15:].all()
    assert without_insula(~deep, deep_grey=np.zeros_like(deep), spacing=ONE_MM).sum() == 57 * 36


def test_without_cortex_nothing_is_near_it() -> None:
    anatomy = np.full((9, 9, 9), Tissue.WHITE_MATTER, dtype=np.uint8)
    labels = np.zeros(anatomy.shape, dtype=np.int32)
    labels[4, 4, 4] = 1
    found = places(labels, anatomy)
    assert set() == called(found)
    assert np.isinf(found.distance_mm[0])
