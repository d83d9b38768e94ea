"""Scales that are rated lobe by lobe, on a head of four lobes and basal ganglia."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from leuko.anatomy.lobes import LOBE_VALUES, Lobe
from leuko.image.grid import Grid
from leuko.models.classes import Tissue
from leuko.quantify.lesions import label_lesions, measure_lesions
from leuko.quantify.scales import Parts, Scales, measure_scales, with_lobes

SHAPE = (120, 120, 48)
BoolArray = npt.NDArray[np.bool_]


def box(x: tuple[int, int], y: tuple[int, int], z: tuple[int, int]) -> BoolArray:
    """The voxels from (x0, y0, z0) to below (x1, y1, z1)."""
    found = np.zeros(SHAPE, dtype=np.bool_)
    found[slice(*x), slice(*y), slice(*z)] = True
    return found


def parts() -> Parts:
    """From the front: frontal, parietal, occipital; temporal and cerebellum below; deep grey."""
    anatomy = np.full(SHAPE, Tissue.WHITE_MATTER, dtype=np.uint8)
    lobes = np.full(SHAPE, LOBE_VALUES[Lobe.PARIETAL], dtype=np.uint8)
    lobes[:, 70:] = LOBE_VALUES[Lobe.FRONTAL]
    lobes[:, :30] = LOBE_VALUES[Lobe.OCCIPITAL]
    lobes[:, 40:, :18] = LOBE_VALUES[Lobe.TEMPORAL]
    lobes[30:90, 50:70, 18:30] = LOBE_VALUES[Lobe.BASAL_GANGLIA]
    lobes[:, :40, :12] = LOBE_VALUES[Lobe.INFRATENTORIAL]
    anatomy[:, :40, :12] = Tissue.CEREBELLUM
    for left in (50, 62):
        anatomy[left : left + 8, 35:85, 20:36] = Tissue.VENTRICLES
    right = np.zeros(SHAPE, dtype=np.bool_)
    right[60:] = True
    return Parts(lobes, right, anatomy)


def graded(mask: BoolArray) -> Scales:
    """All scales of a mask in that head; 1 mm voxels."""
    head = parts()
    mask = mask & (head.anatomy != Tissue.VENTRICLES)
    labels, _ = label_lesions(mask)
    table = measure_lesions(labels, grid=Grid.from_spacing(SHAPE, (1, 1, 1)), anatomy=head.anatomy)
    given = measure_scales(
        labels,
        table=table,
        ventricles=head.anatomy == Tissue.VENTRICLES,
        spacing=(1, 1, 1),
        across=2,
        volume_ml=mask.sum() / 1000,
    )
    return with_lobes(given, labels, table=table, parts=head, spacing=(1, 1, 1), across=2)


def scored(scales: Scales) -> dict[str, int | None]:
    """The regions of the ARWMC-like score that are above 0."""
    return {one.name: one.grade for one in scales.arwmc.parts if one.grade}


@pytest.mark.parametrize(
    ("lesion", "expected"),
    [
        (box((10, 13), (100, 103), (36, 39)), {}),  # 3 mm
        (box((10, 16), (100, 106), (36, 40)), {"frontal_left": 1}),
        (box((100, 106), (20, 26), (36, 40)), {"parieto_occipital_right": 1}),
        (box((100, 106), (50, 66), (36, 40)), {"parieto_occipital_right": 2}),
        (box((10, 16), (100, 106), (6, 10)), {"temporal_left": 1}),
        (box((5, 40), (75, 118), (19, 46)), {"frontal_left": 3}),
        (box((33, 37), (52, 57), (20, 23)), {"basal_ganglia_left": 1}),
        (
            box((33, 37), (52, 57), (20, 26)) | box((33, 37), (61, 66), (20, 26)),
            {"basal_ganglia_left": 2},
        ),
        (box((31, 39), (52, 68), (20, 26)), {"basal_ganglia_left": 3}),
        (box((80, 86), (10, 16), (3, 8)), {"infratentorial_right": 1}),
        (box((80, 95), (5, 30), (3, 8)), {"infratentorial_right": 3}),
    ],
)
def test_lesions_score_in_their_region_by_their_size(
    lesion: BoolArray, expected: dict[str, int]
) -> None:
    found = graded(lesion)
    assert scored(found) == expected
    assert found.arwmc.grade == sum(expected.values())


def test_caps_and_bands_do_not_score() -> None:
    """A lining of 4 mm all around the ventricles."""
    lining = box((46, 74), (31, 89), (20, 36))
    found = graded(lining)
    assert found.fazekas_periventricular.grade == 1
    assert found.arwmc.grade == 0


@pytest.mark.parametrize(
    ("lesion", "grade"),
    [
        (np.zeros(SHAPE, dtype=np.bool_), 0),
        (box((10, 12), (100, 102), (38, 40)), 1),
        (np.any([box((6 * k, 6 * k + 2), (100, 102), (38, 40)) for k in range(1, 7)], axis=0), 2),
        (box((10, 15), (100, 105), (38, 40)), 3),
        (np.any([box((8 * k, 8 * k + 4), (100, 105), (38, 40)) for k in range(1, 7)], axis=0), 4),
        (box((10, 13), (100, 114), (38, 40)), 5),
        (box((10, 17), (90, 115), (38, 42)), 6),
    ],
)
def test_number_and_length_give_the_scheltens_score_of_a_lobe(
    lesion: BoolArray, grade: int
) -> None:
    found = graded(lesion)
    assert {one.name: one.grade for one in found.scheltens_deep.parts}["frontal"] == grade
    assert found.scheltens_deep.grade == grade


boxes = some.tuples(
    some.integers(2, 110),
    some.integers(2, 110),
    some.integers(1, 44),
    some.integers(1, 30),
    some.integers(1, 30),
    some.integers(1, 10),
)


@settings(max_examples=6, deadline=None)
@given(some.lists(boxes, min_size=1, max_size=4))
def test_more_lesion_never_lowers_a_region(
    lesions: list[tuple[int, int, int, int, int, int]],
) -> None:
    mask = np.zeros(SHAPE, dtype=np.bool_)
    before = graded(mask).arwmc
    for x, y, z, dx, dy, dz in lesions:
        mask[x : x + dx, y : y + dy, z : z + dz] = True
        after = graded(mask).arwmc
        for one, other in zip(before.parts, after.parts, strict=True):
            assert (other.grade or 0) >= (one.grade or 0), one.name
        before = after
