"""Crops of real cases: truth stays on the image, partial truth stays open."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra (torch)")

from leuko.models.classes import CLASS_COUNT, Tissue
from leuko.training.crops import RealCase, allowed_classes, crops
from leuko.training.recipe import Augmentation

ALL = (1 << CLASS_COUNT) - 1
LESION = 1 << Tissue.LESION
CAP = 1 << Tissue.CAP_RIM
CALM = Augmentation(
    rotation_deg=0,
    scale=0,
    flip=0,
    gamma=0,
    contrast=0,
    level=0,
    bias=0,
    noise=0,
    blur_px=0,
    coarsening=0,
)


def case(*, caps: bool, slice_mm: float = 5.0, left_right: int | None = 0) -> RealCase:
    """A bright disc with a brighter lesion on one side, and caps on the other."""
    x, y = np.mgrid[:96, :112]
    head = ((x - 48) ** 2 + (y - 56) ** 2 < 40**2).astype(np.float32)
    image = np.repeat(head[None], 6, axis=0)
    lesion = np.zeros_like(image)
    lesion[2:4, 30:38, 50:62] = 1.0
    cap = np.zeros_like(image)
    cap[2:4, 60:64, 50:62] = 1.0
    return RealCase(image + lesion, lesion, cap if caps else None, slice_mm, left_right)


def test_possible_classes_of_truth_with_and_without_caps() -> None:
    lesion = np.array([0.9, 0.0, 0.0], np.float32)
    cap = np.array([0.0, 0.8, 0.0], np.float32)
    rest = ALL & ~LESION
    assert allowed_classes(lesion, None).tolist() == [LESION, rest, rest]
    assert allowed_classes(lesion, cap).tolist() == [LESION, CAP, rest & ~CAP]


def test_diluted_truth_is_left_open() -> None:
    shares = np.array([0.1, 0.4, 0.7], np.float32)
    open_between = allowed_classes(shares, None, edge=(0.25, 0.5))
    assert open_between.tolist() == [ALL & ~LESION, ALL, LESION]


@pytest.mark.parametrize("slice_mm", [5.0, 1.0])
def test_truth_follows_the_image_through_rotation_scale_and_mirroring(slice_mm: float) -> None:
    """Lesion pixels are the bright ones, whatever the pose."""
    plan = Augmentation(
        gamma=0,
        contrast=0,
        level=0,
        bias=0,
        noise=0,
        blur_px=0,
        offset=0,
        coarsening=0,
        lesion_share=1.0,
    )
    stream = crops([case(caps=False, slice_mm=slice_mm)], shape=(64, 80), augmentation=plan, seed=1)
    found = 0
    for crop in itertools.islice(stream, 30):
        assert crop.image.shape == (3, 64, 80)
        assert crop.image.dtype == np.float16
        assert crop.allowed.dtype == np.int16
        bright = crop.image[1] > 1.6
        lesion = crop.allowed == LESION
        assert not (bright & (crop.allowed == ALL & ~LESION)).any()
        assert (crop.image[1][lesion] > 1.45).all()
        found += bool(lesion.any())
    assert found >= 20


def test_half_of_the_crops_show_a_lesion_when_asked_to() -> None:
    stream = crops(
        [case(caps=True)], shape=(96, 112), augmentation=Augmentation(lesion_share=1.0), seed=2
    )
    assert all((c.allowed == LESION).any() for c in itertools.islice(stream, 20))


def test_a_head_free_of_lesions_never_allows_them() -> None:
    healthy = RealCase(
        np.ones((4, 64, 64), np.float32), np.zeros((4, 64, 64), np.float32), None, 5.0, 0
    )
    stream = crops([healthy], shape=(32, 32), augmentation=Augmentation(), seed=3)
    for crop in itertools.islice(stream, 10):
        assert (crop.allowed == ALL & ~LESION).all()


def test_without_augmentation_values_are_the_scans_own() -> None:
    stream = crops([case(caps=True)], shape=(32, 32), augmentation=CALM, seed=4)
    for crop in itertools.islice(stream, 5):
        # Head and lesions only; between them the cubic kernel leaves a few others.
        levels = np.abs(crop.image[..., None].astype(float) - np.array([0.0, 1.0, 2.0])).min(-1)
        assert np.mean(levels < 0.01) > 0.8


def test_mirroring_happens_only_across_the_mid_plane() -> None:
    flip = Augmentation(
        rotation_deg=0,
        scale=0,
        flip=1.0,
        gamma=0,
        contrast=0,
        level=0,
        bias=0,
        noise=0,
        blur_px=0,
        coarsening=0,
        lesion_share=1.0,
    )
    for left_right, mirrored in ((0, True), (None, False)):
        stream = crops(
            [case(caps=True, left_right=left_right)], shape=(96, 112), augmentation=flip, seed=5
        )
        crop = next(stream)
        lesion = np.argwhere(crop.allowed == LESION)[:, 0].mean()
        cap = np.argwhere(crop.allowed == CAP)[:, 0].mean()
        assert (lesion > cap) == mirrored


def test_the_same_seed_gives_the_same_crops() -> None:
    first, second = (
        list(
            itertools.islice(
                crops([case(caps=True)], shape=(32, 48), augmentation=Augmentation(), seed=6), 4
            )
        )
        for _ in range(2)
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.allowed, b.allowed)
