"""The four rules for periventricular, by hand and by what must always hold."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from leuko.anatomy.contact import touching_groups
from leuko.anatomy.periventricular import (
    RULE_TEXTS,
    Rule,
    VentriclePlaces,
    lateral_ventricles,
    ventricle_places,
)
from leuko.models.classes import Tissue

Triple = tuple[float, float, float]
ONE_MM = (1.0, 1.0, 1.0)
THICK = (1.0, 1.0, 6.0)


def head(shape: tuple[int, int, int] = (40, 20, 20)) -> np.ndarray:
    """White matter with a ventricle at the low end of the first axis: its last voxel is 9."""
    anatomy = np.full(shape, Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:10] = Tissue.VENTRICLES
    return anatomy


def places(labels: np.ndarray, anatomy: np.ndarray, *, spacing: Triple = ONE_MM) -> VentriclePlaces:
    voxels = np.argwhere(labels)
    return ventricle_places(
        voxels,
        labels[tuple(voxels.T)].astype(np.int64),
        count=int(labels.max()),
        ventricles=lateral_ventricles(anatomy, spacing=spacing),
        spacing=spacing,
    )


def called(found: VentriclePlaces, lesion: int = 1) -> set[str]:
    """The rules that call a lesion periventricular."""
    return {rule.value for rule in Rule if found.lesions[rule][lesion - 1]}


ALL = {"continuity", "voxel_10mm", "cluster_2mm", "touching"}


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (8, ALL),  # reaches into the ventricle
        (10, ALL),  # shares a face with it
        (11, {"voxel_10mm", "cluster_2mm"}),  # a voxel between: 2 mm
        (12, {"voxel_10mm"}),  # 3 mm
        (17, {"voxel_10mm"}),  # 8 to 11 mm: three of four voxels
        (18, {"voxel_10mm"}),  # 9 to 12 mm: half of them
        (19, set()),  # 10 to 13 mm: one of four
    ],
)
def test_a_bar_away_from_the_ventricle(first: int, expected: set[str]) -> None:
    labels = np.zeros((40, 20, 20), dtype=np.int32)
    labels[first : first + 4, 10, 10] = 1
    assert expected == called(places(labels, head()))


def test_a_corner_is_touching_but_not_continuous() -> None:
    anatomy = np.full((30, 30, 30), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:10, :10, :10] = Tissue.VENTRICLES
    labels = np.zeros(anatomy.shape, dtype=np.int32)
    labels[10, 10, 10] = 1
    labels[15, 10, 5] = 2
    found = places(labels, anatomy)
    assert {"voxel_10mm", "cluster_2mm", "touching"} == called(found)  # 1.73 mm
    assert [3**0.5, 37**0.5] == pytest.approx(found.distance_mm.tolist())


def test_within_10_mm_each_voxel_goes_its_own_way() -> None:
    labels = np.zeros((40, 20, 20), dtype=np.int32)
    labels[10:30, 5, 5] = 1
    found = places(labels, head())
    assert list(range(1, 21)) == found.distance_mm.tolist()
    assert [True] * 10 + [False] * 10 == found.voxels[Rule.VOXEL_10MM].tolist()
    assert found.voxels[Rule.CLUSTER_2MM].all()


def test_a_slice_of_six_millimetres_is_no_neighbour() -> None:
    anatomy = np.full((30, 30, 12), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[10:20, 10:20, :5] = Tissue.VENTRICLES
    labels = np.zeros(anatomy.shape, dtype=np.int32)
    labels[15, 15, 5] = 1  # in the slice above
    labels[20, 15, 4] = 2  # beside it in its slice
    labels[20, 20, 3] = 3  # at its corner in its slice
    found = places(labels, anatomy, spacing=THICK)
    assert {"voxel_10mm"} == called(found, 1)
    assert ALL == called(found, 2)
    assert {"voxel_10mm", "cluster_2mm", "touching"} == called(found, 3)
    assert 6.0 == found.distance_mm[np.argwhere(labels)[:, 2] == 5]
    thin = places(labels, anatomy, spacing=(1.0, 1.0, 3.0))
    assert {"continuity", "voxel_10mm", "touching"} == called(thin, 1)


def test_the_septum_lies_between_two_ventricles() -> None:
    anatomy = np.full((31, 20, 20), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[5:15, 5:15, 5:15] = anatomy[16:26, 5:15, 5:15] = Tissue.VENTRICLES
    labels = np.zeros(anatomy.shape, dtype=np.int32)
    labels[15, 8:12, 8:12] = 1
    assert ALL == called(places(labels, anatomy))


def test_every_rule_says_what_it_is() -> None:
    assert set(Rule) == set(RULE_TEXTS)
    assert 4 == len(set(RULE_TEXTS.values()))


# ---------------------------------------------------------------- what always holds


@given(st.integers(0, 2**32 - 1), st.sampled_from([ONE_MM, (0.9, 0.9, 3.0), (0.5, 0.5, 7.0)]))
@settings(deadline=None, max_examples=30)
def test_the_stricter_rule_calls_fewer(seed: int, spacing: Triple) -> None:
    """A face is a corner; at pixels up to 1 mm a corner is within 2 mm, and so within 10."""
    rng = np.random.default_rng(seed)
    anatomy = np.full((24, 22, 20), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[4:16, 4:16, 4:16] = Tissue.VENTRICLES
    labels = ndimage.label(rng.random(anatomy.shape) < 0.02, structure=np.ones((3, 3, 3)))[0]
    found = places(labels.astype(np.int32), anatomy, spacing=spacing)
    assert np.all(found.lesions[Rule.CONTINUITY] <= found.lesions[Rule.TOUCHING])
    if max(spacing) <= 1 or min(spacing) == 0.5:
        assert np.all(found.lesions[Rule.TOUCHING] <= found.lesions[Rule.CLUSTER_2MM])
    nearest = np.full(labels.max() + 1, np.inf)
    of_voxel = labels[tuple(np.argwhere(labels).T)]
    np.minimum.at(nearest, of_voxel, found.distance_mm)
    near_one = found.voxels[Rule.VOXEL_10MM]
    assert set(of_voxel[near_one]) >= set(1 + np.flatnonzero(found.lesions[Rule.CLUSTER_2MM]))


@given(st.integers(0, 2**32 - 1), st.sampled_from([ONE_MM, (0.9, 0.9, 3.0), (3.5, 0.9, 0.9)]))
@settings(deadline=None, max_examples=20)
def test_touching_is_what_dilation_by_one_voxel_meets(seed: int, spacing: Triple) -> None:
    rng = np.random.default_rng(seed)
    other = rng.random((12, 11, 10)) < 0.01
    labels = ndimage.label(rng.random(other.shape) < 0.02)[0]
    count = int(labels.max())
    near = np.array([step <= 3 for step in spacing])
    cube = np.ones([3 if flat else 1 for flat in near], dtype=bool)
    cross = ndimage.generate_binary_structure(3, 1)
    for axis in np.flatnonzero(~near):
        cross = np.take(cross, [1], axis=axis)
    voxels = np.argwhere(labels)
    found = touching_groups(
        voxels, labels[tuple(voxels.T)].astype(np.int64), count=count, of=other, spacing=spacing
    )
    for shape, met in zip((cross, cube), found, strict=True):
        expected = [
            bool((ndimage.binary_dilation(labels == one, structure=shape) & other).any())
            for one in range(1, count + 1)
        ]
        assert expected == met.tolist()


def test_no_lesion_is_no_place() -> None:
    found = places(np.zeros((40, 20, 20), dtype=np.int32), head())
    assert 0 == found.distance_mm.size
    assert all(found.lesions[rule].size == 0 for rule in Rule)


# ---------------------------------------------------------------- which ventricles


def test_the_fourth_ventricle_is_left_out() -> None:
    anatomy = np.full((60, 60, 60), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:, :, :30] = Tissue.CEREBELLUM
    anatomy[:, 30:, :30] = Tissue.BRAINSTEM
    anatomy[25:35, 25:35, 5:20] = Tissue.VENTRICLES  # the fourth
    anatomy[20:40, 20:40, 40:52] = Tissue.VENTRICLES
    anatomy[29:31, 29:31, 20:40] = Tissue.VENTRICLES  # the aqueduct joins them
    found = lateral_ventricles(anatomy, spacing=ONE_MM)
    assert found[20:40, 20:40, 40:52].all()
    assert not found[:, :, :24].any()


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_where_a_ventricle_lies_does_not_depend_on_the_order_of_axes(
    axes: tuple[int, int, int],
) -> None:
    rng = np.random.default_rng(5)
    anatomy = np.full((36, 32, 28), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:, :, :14] = Tissue.CEREBELLUM
    anatomy[rng.random(anatomy.shape) < 0.2] = Tissue.VENTRICLES
    found = lateral_ventricles(anatomy, spacing=ONE_MM)
    assert found.any()
    assert not found.all()
    turned = lateral_ventricles(np.ascontiguousarray(anatomy.transpose(axes)), spacing=ONE_MM)
    assert np.array_equal(found.transpose(axes), turned)


def test_specks_are_no_ventricles() -> None:
    anatomy = head()
    anatomy[20:23, 5:8, 5:8] = Tissue.VENTRICLES  # 27 mm3
    anatomy[30:34, 5:8, 5:8] = Tissue.VENTRICLES  # 36 mm3
    found = lateral_ventricles(anatomy, spacing=ONE_MM)
    assert not found[20:23].any()
    assert 36 == found[20:].sum()


@pytest.mark.parametrize(("side", "found"), [(7, False), (8, True)])
def test_less_than_half_a_millilitre_is_no_ventricle(side: int, found: bool) -> None:
    anatomy = np.full((30, 30, 30), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[5 : 5 + side, 5 : 5 + side, 5 : 5 + side] = Tissue.VENTRICLES
    assert found == lateral_ventricles(anatomy, spacing=ONE_MM).any()


def test_without_ventricles_there_are_none() -> None:
    anatomy = np.full((9, 9, 9), Tissue.WHITE_MATTER, dtype=np.uint8)
    assert not lateral_ventricles(anatomy, spacing=ONE_MM).any()
