"""The drift of brightness over white matter is told from white matter's own differences."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.anatomy.shading import Shading, shading_of
from leuko.models.classes import Tissue

SHAPE = (30, 40, 20)
X, Y, Z = np.meshgrid(*(np.linspace(-1.0, 1.0, length) for length in SHAPE), indexing="ij")
EVERYWHERE = np.nonzero(np.ones(SHAPE, dtype=bool))


def head(drift: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, anatomy and mask: white matter of 100 in ventricles of 20, a lesion of 200."""
    anatomy = np.full(SHAPE, Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[12:18, 15:25] = Tissue.VENTRICLES
    image = np.where(anatomy == Tissue.VENTRICLES, 20.0, 100.0)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[3:8, 3:9, 3:9] = True
    image[mask] = 200.0
    noise = np.random.default_rng(0).normal(scale=2.0, size=SHAPE)
    return ((image + noise) * np.exp(drift)).astype(np.float32), anatomy, mask


def drift_of(drift: np.ndarray) -> tuple[Shading, np.ndarray, np.ndarray, np.ndarray]:
    image, anatomy, mask = head(drift)
    return shading_of(image, anatomy=anatomy, mask=mask), image, anatomy, mask


def test_a_strong_drift_is_taken_out_of_white_matter_and_of_lesions() -> None:
    drift = 0.3 * X - 0.2 * Y**2 + 0.1 * X * Z
    shading, image, _, mask = drift_of(drift)
    even = shading.evened(image, EVERYWHERE).reshape(SHAPE)
    plain, _, _ = head(np.zeros(SHAPE))
    scale = np.median(even / plain)
    assert np.percentile(np.abs(even / plain / scale - 1.0), 98) < 0.02
    assert np.median(even[mask]) / scale == pytest.approx(200.0, rel=0.01)


def test_a_drift_as_weak_as_that_of_white_matter_itself_stays() -> None:
    shading, image, _, _ = drift_of(0.08 * X)
    assert np.array_equal(image.ravel(), shading.evened(image, EVERYWHERE))


def test_between_the_two_a_part_of_the_drift_is_taken_out() -> None:
    shading, image, anatomy, mask = drift_of(0.14 * X)
    white = np.nonzero((anatomy == Tissue.WHITE_MATTER) & ~mask)
    before, after = np.log(image[white]), np.log(shading.evened(image, white))
    slopes = [np.polyfit(X[white], values, 1)[0] for values in (before, after)]
    assert 0.2 * slopes[0] < slopes[1] < 0.8 * slopes[0]


def test_lesions_that_were_not_marked_do_not_bend_the_drift() -> None:
    image, anatomy, mask = head(0.4 * X)
    bright = np.zeros(SHAPE, dtype=bool)
    bright[22:27, 5:30, 5:12] = True
    image[bright] *= 1.6
    shading = shading_of(image, anatomy=anatomy, mask=mask)
    evened = shading.evened(image, np.nonzero(bright))
    normal = shading.evened(image, np.nonzero((anatomy == Tissue.WHITE_MATTER) & ~mask & ~bright))
    assert np.median(evened) / np.median(normal) == pytest.approx(1.6, rel=0.02)


def test_outside_white_matter_the_drift_goes_no_further() -> None:
    image, anatomy, mask = head(0.3 * X)
    anatomy[:6] = Tissue.CORTEX
    shading = shading_of(image, anatomy=anatomy, mask=mask)
    gain = shading.evened(np.ones(SHAPE, dtype=np.float32), EVERYWHERE)
    inside = shading.evened(
        np.ones(SHAPE, dtype=np.float32), np.nonzero(anatomy == Tissue.WHITE_MATTER)
    )
    assert gain.max() == pytest.approx(inside.max(), rel=1e-5)


@pytest.mark.parametrize("unlike", ["z-score", "hardly any white matter"])
def test_what_is_no_brightness_or_too_little_is_left_as_it_is(unlike: str) -> None:
    image, anatomy, mask = head(0.4 * X)
    if unlike == "z-score":
        image = (image - image.mean()) / image.std()
    else:
        anatomy[:, :, 1:] = Tissue.BACKGROUND
    shading = shading_of(image, anatomy=anatomy, mask=mask)
    assert np.array_equal(image.ravel(), shading.evened(image, EVERYWHERE))
