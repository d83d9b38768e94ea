"""Volumes and lesions by region and side: they add up, and follow the rules by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.anatomy import hemispheres
from leuko.anatomy.periventricular import lateral_ventricles
from leuko.image.grid import Grid
from leuko.models.classes import Tissue
from leuko.quantify.confluency import confluency
from leuko.quantify.lesions import LesionTable, label_lesions, measure_lesions
from leuko.quantify.places import place_lesions, with_places
from leuko.quantify.regions import (
    DISTANCE_EDGES_MM,
    Amount,
    RegionNumbers,
    SidedAmount,
    measure_regions,
)
from leuko.quantify.voxels import lesion_voxels

Triple = tuple[float, float, float]
ONE_MM = (1.0, 1.0, 1.0)


def measured(
    mask: np.ndarray,
    anatomy: np.ndarray,
    *,
    sides: np.ndarray | None = None,
    spacing: Triple = ONE_MM,
) -> tuple[RegionNumbers, LesionTable]:
    grid = Grid.from_spacing(mask.shape, spacing)
    labels, _ = label_lesions(mask)
    ventricles = lateral_ventricles(anatomy, spacing=grid.spacing)
    table = measure_lesions(labels, grid=grid, anatomy=anatomy, ventricles=ventricles, sides=sides)
    voxels = lesion_voxels(labels)
    places = place_lesions(
        voxels, table=table, anatomy=anatomy, ventricles=ventricles, spacing=grid.spacing
    )
    numbers = measure_regions(voxels, places=places, table=table, grid=grid, sides=sides)
    round_as_balls = np.zeros(len(table))
    return numbers, with_places(table, places, confluency=round_as_balls)


def layers(shape: tuple[int, int, int] = (50, 24, 24)) -> np.ndarray:
    """Along the first axis: ventricle to 9, white matter to 39, cortex."""
    anatomy = np.full(shape, Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:10] = Tissue.VENTRICLES
    anatomy[40:] = Tissue.CORTEX
    return anatomy


def halves(shape: tuple[int, ...]) -> np.ndarray:
    """Left, a midline of two planes, right, along the second axis."""
    sides = np.full(shape, hemispheres.LEFT, dtype=np.uint8)
    sides[:, shape[1] // 2 :] = hemispheres.RIGHT
    sides[:, shape[1] // 2 - 1 : shape[1] // 2 + 1] = hemispheres.MIDLINE
    return sides


def test_four_lesions_by_every_rule_and_side() -> None:
    anatomy = layers()
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[10:25, 2, 2] = True  # left: at the ventricle, 1 to 15 mm
    mask[13:17, 20, 2] = True  # right: 4 to 7 mm
    mask[29:33, 5, 20] = True  # left: deep
    mask[37:40, 20, 20] = True  # right: at the cortex
    numbers, table = measured(mask, anatomy, sides=halves(anatomy.shape))
    assert Amount(0.026, 4) == numbers.supratentorial.total
    assert Amount(0.0, 0) == numbers.infratentorial.total
    assert ["continuity", "voxel_10mm", "cluster_2mm", "touching"] == [
        rule.name for rule in numbers.rules
    ]
    for name in ("continuity", "cluster_2mm", "touching"):
        rule = numbers.rule(name)
        assert rule.periventricular is not None
        assert rule.deep is not None
        assert Amount(0.015, 1) == rule.periventricular.total == rule.periventricular.left
        assert Amount(0.011, 3) == rule.deep.total
        assert Amount(0.007, 2) == rule.deep.right
    split = numbers.rule("voxel_10mm")
    assert split.periventricular is not None
    assert split.deep is not None
    assert Amount(0.014, 2) == split.periventricular.total
    assert Amount(0.010, 1) == split.periventricular.left
    assert Amount(0.004, 1) == split.periventricular.right
    assert Amount(0.012, 2) == split.deep.total
    assert Amount(0.009, 1) == split.deep.left  # 5 voxels of the first lesion, 4 of the third
    for near in numbers.juxtacortical:
        assert near.juxtacortical is not None
        assert Amount(0.003, 1) == near.juxtacortical.total == near.juxtacortical.right
    assert {
        "periventricular": 1, "juxtacortical": 1, "infratentorial": 0, "deep_white": 2
    } == {one.region: one.amount.total.lesions for one in numbers.ms_regions}  # fmt: skip
    assert ["periventricular", "deep_white", "deep_white", "juxtacortical"] == [
        lesion.ms_region for lesion in table
    ]
    assert [16.0, 24.0, 8.0, 1.0] == [lesion.distance_to_cortex_mm for lesion in table]


def test_volume_by_distance() -> None:
    """Up to and with its upper edge; voxels in the ventricle are in the first bin."""
    anatomy = layers((60, 9, 9))
    anatomy[40:] = Tissue.WHITE_MATTER
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[8:58, 4, 4] = True  # 0, 0, 1, 2 ... 48 mm
    numbers, _ = measured(mask, anatomy)
    assert numbers.distances is not None
    bins = {(one.from_mm, one.to_mm): one.volume_ml for one in numbers.distances}
    assert 0.003 == bins[0.0, 1.0]
    assert {0.001} == {bins[float(mm), mm + 1.0] for mm in range(1, 20)}
    assert (0.005, 0.005, 0.01, 0.008) == (
        bins[20.0, 25.0], bins[25.0, 30.0], bins[30.0, 40.0], bins[40.0, None]
    )  # fmt: skip
    assert len(DISTANCE_EDGES_MM) == len(bins)
    assert 23.5 == numbers.median_distance_mm


def test_a_lesion_from_ventricle_to_cortex_is_both_but_has_one_ms_region() -> None:
    anatomy = layers()
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[10:40, 5, 5] = True
    numbers, table = measured(mask, anatomy)
    near = {rule.name for rule, (one, _) in zip(numbers.rules, amounts(numbers), strict=True)
            if one.total.lesions == 1}  # fmt: skip
    assert {"continuity", "cluster_2mm", "touching"} == near  # most voxels lie beyond 10 mm
    assert [1, 1] == [rule.juxtacortical.total.lesions for rule in numbers.juxtacortical
                      if rule.juxtacortical]  # fmt: skip
    assert "periventricular" == table[0].ms_region


def test_below_the_tentorium_nothing_else_is_asked() -> None:
    anatomy = np.full((40, 30, 30), Tissue.CEREBELLUM, dtype=np.uint8)
    anatomy[20:] = Tissue.WHITE_MATTER
    anatomy[30:] = Tissue.VENTRICLES
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[5:8, 10, 10] = True
    mask[28:30, 10, 10] = True
    numbers, table = measured(mask, anatomy)
    assert ["infratentorial", "periventricular"] == [lesion.ms_region for lesion in table]
    assert Amount(0.003, 1) == numbers.infratentorial.total
    assert Amount(0.002, 1) == numbers.supratentorial.total
    assert numbers.distances is not None
    assert 0.002 == pytest.approx(sum(one.volume_ml for one in numbers.distances))


def test_without_ventricles_null_and_not_zero() -> None:
    anatomy = layers()
    anatomy[:10] = Tissue.WHITE_MATTER
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[20:23, 5, 5] = True
    numbers, table = measured(mask, anatomy)
    assert all(rule.periventricular is None and rule.deep is None for rule in numbers.rules)
    assert numbers.distances is None
    assert numbers.median_distance_mm is None
    assert ["unknown"] == [lesion.ms_region for lesion in table] == [table[0].region]
    assert ("unknown", 1) == (
        numbers.ms_regions[-1].region,
        numbers.ms_regions[-1].amount.total.lesions,
    )
    assert numbers.juxtacortical[0].juxtacortical is not None


def test_without_cortex_nothing_is_juxtacortical_or_not() -> None:
    anatomy = layers()
    anatomy[40:] = Tissue.WHITE_MATTER
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[10, 5, 5] = mask[20, 5, 5] = True
    numbers, table = measured(mask, anatomy)
    assert [None, None] == [rule.juxtacortical for rule in numbers.juxtacortical]
    assert ["periventricular", "unknown"] == [lesion.ms_region for lesion in table]
    assert [None, None] == [lesion.distance_to_cortex_mm for lesion in table]


def test_no_lesion_is_zero_everywhere() -> None:
    anatomy = layers()
    numbers, table = measured(
        np.zeros(anatomy.shape, dtype=bool), anatomy, sides=halves(anatomy.shape)
    )
    assert () == table
    nothing = Amount(0.0, 0)
    assert SidedAmount(nothing, nothing, nothing, nothing) == numbers.supratentorial
    assert all(rule.periventricular == numbers.supratentorial for rule in numbers.rules)
    assert numbers.distances is not None
    assert {0.0} == {one.volume_ml for one in numbers.distances}
    assert numbers.median_distance_mm is None
    assert 4 == len(numbers.ms_regions)


def test_without_sides_they_are_not_measured() -> None:
    anatomy = layers()
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[20, 5, 5] = True
    numbers, _ = measured(mask, anatomy)
    assert SidedAmount(Amount(0.001, 1), None, None, None) == numbers.supratentorial


def amounts(numbers: RegionNumbers) -> list[tuple[SidedAmount, SidedAmount]]:
    return [(rule.periventricular, rule.deep) for rule in numbers.rules
            if rule.periventricular is not None and rule.deep is not None]  # fmt: skip


def parts(amount: SidedAmount) -> list[Amount | None]:
    return [amount.total, amount.left, amount.right, amount.midline]


def random_head(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    anatomy = layers((44, 20, 16))
    anatomy[:, :, :5] = Tissue.CEREBELLUM
    anatomy[20:28, 6:12, 8:] = Tissue.DEEP_GREY
    mask = rng.random(anatomy.shape) < 0.02
    mask[9:14, 9:12, 8:12] = True
    return mask, anatomy, halves(anatomy.shape)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=12)
def test_every_rule_splits_what_is_above_the_tentorium(seed: int) -> None:
    mask, anatomy, sides = random_head(seed)
    numbers, table = measured(mask, anatomy, sides=sides, spacing=(0.9, 0.9, 3.0))
    voxel_ml = 0.9 * 0.9 * 3.0 / 1000
    whole = [numbers.supratentorial, numbers.infratentorial]
    assert mask.sum() * voxel_ml == pytest.approx(sum(one.total.volume_ml for one in whole))
    assert len(table) == sum(one.total.lesions for one in whole)
    for near, far in amounts(numbers):
        for one, other, both in zip(
            parts(near), parts(far), parts(numbers.supratentorial), strict=True
        ):
            assert one is not None
            assert other is not None
            assert both is not None
            assert both.lesions == one.lesions + other.lesions
            assert both.volume_ml == pytest.approx(one.volume_ml + other.volume_ml, abs=1e-9)
    for one in [*whole, *(region.amount for region in numbers.ms_regions)]:
        total, *by_side = parts(one)
        assert total is not None
        assert total.lesions == sum(side.lesions for side in by_side if side)
        assert total.volume_ml == pytest.approx(sum(side.volume_ml for side in by_side if side))
    regions = [region.amount.total.volume_ml for region in numbers.ms_regions]
    assert sum(regions) == pytest.approx(mask.sum() * voxel_ml)
    assert numbers.distances is not None
    held = sum(one.volume_ml for one in numbers.distances)
    assert held == pytest.approx(numbers.supratentorial.total.volume_ml)
    cluster = numbers.rule("cluster_2mm").periventricular
    assert cluster is not None
    assert cluster.total.lesions == sum(lesion.region == "periventricular" for lesion in table)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=5)
def test_memory_order_does_not_matter(seed: int) -> None:
    mask, anatomy, sides = random_head(seed)
    first = measured(mask, anatomy, sides=sides)
    second = measured(
        np.asfortranarray(mask), np.asfortranarray(anatomy), sides=np.asfortranarray(sides)
    )
    assert first == second


def test_the_numbers_of_the_table_are_those_of_the_lesions() -> None:
    labels = np.zeros((30, 9, 9), dtype=bool)
    labels[10:20, 2:7, 2:7] = True
    voxels = lesion_voxels(label_lesions(labels)[0])
    anatomy = layers((50, 9, 9))[:30]
    grid = Grid.from_spacing(labels.shape, ONE_MM)
    table = measure_lesions(label_lesions(labels)[0], grid=grid, anatomy=anatomy)
    places = place_lesions(
        voxels,
        table=table,
        anatomy=anatomy,
        ventricles=lateral_ventricles(anatomy, spacing=ONE_MM),
        spacing=ONE_MM,
    )
    (lesion,) = with_places(table, places, confluency=confluency(voxels, spacing=ONE_MM))
    assert lesion.confluency == confluency(voxels, spacing=ONE_MM)[0]
    assert 0.05 < lesion.confluency < 0.3  # a box of 5 x 5 x 10: .28 with its true surface
