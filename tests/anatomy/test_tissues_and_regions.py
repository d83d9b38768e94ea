"""Volumes count lesions as white matter; regions follow stated rules."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.anatomy.hemispheres import MidsagittalPlane
from leuko.anatomy.levels import Level, white_matter_level
from leuko.anatomy.regions import Region, classify_regions, ventricle_reach_mm
from leuko.anatomy.tissues import (
    LABEL_NAMES,
    brain_is_cut,
    is_brain_extracted,
    measure_tissues,
    side_labels,
)
from leuko.models.classes import Tissue

ONE_MM = (1.0, 1.0, 1.0)


def every_tissue() -> np.ndarray:
    """1000 voxels of every tissue, in eight blocks along the first axis."""
    return np.repeat(np.arange(8, dtype=np.uint8), 1000).reshape(80, 10, 10)


def test_volumes_are_voxels_times_the_volume_of_a_voxel() -> None:
    anatomy = every_tissue()
    none = np.zeros(anatomy.shape, dtype=bool)
    found = measure_tissues(anatomy, mask=none, voxel_mm3=2.5, whole_head=True)
    assert 2.5 == found.white_matter_ml
    assert 5 * 2.5 == found.brain_ml
    assert 2.5 == found.ventricles_ml
    assert 7 * 2.5 == found.icv_ml


def test_lesions_are_counted_as_white_matter_wherever_they_lie() -> None:
    anatomy = every_tissue()
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[40, :, :] = True  # 100 voxels of white matter: counted already
    mask[50, :, :] = True  # 100 of ventricles
    mask[0, :, :5] = True  # 50 of background
    found = measure_tissues(anatomy, mask=mask, voxel_mm3=1.0, whole_head=True)
    assert (1.15, 0.9) == pytest.approx((found.white_matter_ml, found.ventricles_ml))
    assert 5.15 == pytest.approx(found.brain_ml)
    assert 7.05 == pytest.approx(found.icv_ml)


def test_part_of_a_head_has_no_intracranial_volume() -> None:
    anatomy = every_tissue()
    mask = np.zeros(anatomy.shape, dtype=bool)
    assert measure_tissues(anatomy, mask=mask, voxel_mm3=1.0, whole_head=False).icv_ml is None


def test_written_labels_say_the_side() -> None:
    anatomy = np.tile(np.arange(8, dtype=np.uint8), (4, 1))[:, :, None]
    plane = MidsagittalPlane(a=1.5, b=0.0, c=0.0, asymmetry=0.0)
    labels = side_labels(anatomy, spacing=ONE_MM, plane=plane)[:, :, 0].tolist()
    assert [0, 1, 12, 13, 14, 15, 6, 17] == labels[0] == labels[1]
    assert [0, 1, 22, 23, 24, 25, 6, 27] == labels[2] == labels[3]
    unsided = side_labels(anatomy, spacing=ONE_MM, plane=None)
    assert np.array_equal(anatomy, unsided)
    assert set(np.unique(labels)) | set(np.unique(unsided).tolist()) == set(LABEL_NAMES)
    assert ("left white matter", "right cerebellum") == (LABEL_NAMES[14], LABEL_NAMES[27])


def ball(radius: float = 18.0, centre: float = 20.0) -> np.ndarray:
    """A brain: a ball of 41 x 41 x 41 voxels of 4 mm."""
    x, y, z = np.ogrid[:41, :41, :41]
    inside = (x - 20) ** 2 + (y - 20) ** 2 + (z - centre) ** 2 <= radius**2
    return np.where(inside, Tissue.WHITE_MATTER, 0).astype(np.uint8)


@pytest.mark.parametrize(("centre", "cut"), [(20.0, False), (18.0, False), (5.0, True)])
def test_a_scan_that_ends_within_the_brain_is_cut(centre: float, cut: bool) -> None:
    assert cut == brain_is_cut(ball(centre=centre))


def test_empty_planes_do_not_hide_a_cut() -> None:
    anatomy = ball()
    anatomy[:, :, :14] = 0
    assert brain_is_cut(anatomy)
    assert not brain_is_cut(np.zeros_like(anatomy))


def test_the_brainstem_goes_on_below() -> None:
    anatomy = ball()
    anatomy[16:25, 16:25, :5] = Tissue.BRAINSTEM
    assert not brain_is_cut(anatomy)


def test_a_scan_without_scalp_is_brain_extracted() -> None:
    anatomy = ball(radius=12)
    image = np.where(anatomy > 0, 100.0, 0.0)
    assert is_brain_extracted(anatomy, image=image, spacing=(3.0, 3.0, 3.0))
    scalp = np.where(anatomy > 0, 100.0, np.where(ball(radius=15) > 0, 60.0, 3.0))
    assert not is_brain_extracted(anatomy, image=scalp, spacing=(3.0, 3.0, 3.0))
    assert not is_brain_extracted(np.zeros_like(anatomy), image=image, spacing=(3.0, 3.0, 3.0))


def test_the_level_is_that_of_white_matter_outside_lesions() -> None:
    anatomy = np.full((10, 10, 10), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[5:] = Tissue.CORTEX
    image = np.full(anatomy.shape, 300.0)
    image[:5] = 100.0
    image[:2] = 90.0
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[4] = True
    image[4] = 500.0
    assert Level(90.0, 0.0) == white_matter_level(
        image[:4], anatomy=anatomy[:4], mask=mask[:4] | (np.indices((4, 10, 10))[0] == 3)
    )
    level = white_matter_level(image, anatomy=anatomy, mask=mask)
    assert level is not None
    assert (95.0, 5 * 1.4826) == pytest.approx((level.median, level.deviation))


def test_the_brain_stands_in_for_missing_white_matter() -> None:
    anatomy = np.full((10, 10, 10), Tissue.CORTEX, dtype=np.uint8)
    none = np.zeros(anatomy.shape, dtype=bool)
    image = np.full(anatomy.shape, 7, dtype=np.int16)
    assert Level(7.0, 0.0) == white_matter_level(image, anatomy=anatomy, mask=none)
    assert white_matter_level(image, anatomy=anatomy * 0, mask=none) is None


def regions(labels: np.ndarray, anatomy: np.ndarray | None, *distances: float) -> list[str]:
    found = classify_regions(
        labels.astype(np.int32),
        anatomy=anatomy,
        ventricle_mm=np.array(distances),
        spacing=ONE_MM,
    )
    return [region.value for region in found]


def test_a_cluster_within_two_millimetres_is_periventricular() -> None:
    labels = np.zeros((30, 5, 5))
    labels[4], labels[14], labels[24] = 1, 2, 3
    white = np.full(labels.shape, Tissue.WHITE_MATTER, dtype=np.uint8)
    found = regions(labels, white, 2.0, 2.01, 30.0)
    assert ["periventricular", "deep", "deep"] == found


def test_without_ventricles_nobody_knows_what_is_deep() -> None:
    labels = np.zeros((9, 5, 5))
    labels[4] = 1
    white = np.full(labels.shape, Tissue.WHITE_MATTER, dtype=np.uint8)
    assert ["unknown"] == regions(labels, white, np.inf)


def test_on_coarse_grids_touching_is_near_enough() -> None:
    assert 2.0 == ventricle_reach_mm((1.0, 1.0, 1.0))
    assert 2.0 == ventricle_reach_mm((0.9, 0.9, 6.5))
    assert ventricle_reach_mm((2.0, 2.0, 2.0)) > 2 * 2**0.5


def test_lesions_among_brainstem_and_cerebellum_are_infratentorial() -> None:
    labels = np.zeros((40, 20, 20))
    anatomy = np.full(labels.shape, Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[20:] = Tissue.CEREBELLUM
    labels[30:33, 8:12, 8:12] = 1
    labels[21:23, 8:10, 8:10] = 2  # nearer to cerebellum than to white matter
    labels[17:19, 8:10, 8:10] = 3
    anatomy[labels > 0] = Tissue.WHITE_MATTER  # what the network makes of lesions
    found = regions(labels, anatomy, 1.0, 50.0, 50.0)
    assert ["infratentorial", "infratentorial", "deep"] == found


def test_without_anatomy_regions_are_unknown() -> None:
    labels = np.ones((2, 2, 2))
    assert [Region.UNKNOWN] == regions(labels, None, np.inf)


def test_no_lesion_has_no_region() -> None:
    assert [] == regions(np.zeros((3, 3, 3)), np.zeros((3, 3, 3), np.uint8))
