from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.preparation.intensity import brain_level

BRAIN, CSF, FAT, MUSCLE = 1.0, 0.2, 2.2, 0.45


@cache
def head(
    *, stripped: bool = False, noise: float = 0.03, shape: tuple[int, int, int] = (90, 110, 80)
) -> npt.NDArray[np.float64]:
    """Nested ellipsoids: brain (median BRAIN) with ventricles, fluid, dark bone, fat; noisy air."""
    random = np.random.default_rng(7)
    axes = [np.linspace(-1.1, 1.1, n) for n in shape]
    r = np.sqrt(sum(g**2 for g in np.meshgrid(*axes, indexing="ij", sparse=True)))
    image = np.zeros(shape)
    if not stripped:
        # No tissue is of one intensity; an exact constant would be the sharpest peak of all.
        texture = 1.0 + 0.2 * random.standard_normal(shape)
        image = np.where(r < 1.0, FAT * texture, image)
        image = np.where(r < 0.94, 0.1, image)
        muscle = (r < 0.88) | ((r > 0.95) & (r < 1.0) & (random.random(shape) < 0.3))
        image = np.where(muscle, MUSCLE * texture, image)
    image[r < 0.85] = CSF
    brain = r < 0.82
    image[brain] = BRAIN + 0.12 * random.standard_normal(np.count_nonzero(brain))
    image[r < 0.2] = CSF
    noisy = np.hypot(
        image + noise * random.standard_normal(shape), noise * random.standard_normal(shape)
    )
    return np.where((r < 0.85), noisy, 0.0) if stripped else noisy


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.1])
def test_brain_becomes_about_one(stripped: bool, noise: float) -> None:
    assert brain_level(head(stripped=stripped, noise=noise)) == pytest.approx(BRAIN, rel=0.06)


@given(scale=st.floats(1e-3, 1e5))
@settings(max_examples=20, deadline=None)
def test_the_level_scales_with_the_image(scale: float) -> None:
    image = head()
    assert brain_level(image * scale) == pytest.approx(scale * brain_level(image), rel=0.01)


def test_slabs_and_slices_have_the_level_of_their_volume() -> None:
    image = head()
    whole = brain_level(image)
    assert brain_level(image[:, :, 38:42]) == pytest.approx(whole, rel=0.05)
    assert brain_level(image[:, :, 40]) == pytest.approx(whole, rel=0.05)


def test_number_types_agree() -> None:
    image = np.round(head() * 200)
    whole = brain_level(image)
    assert {brain_level(image.astype(kind)) for kind in (np.uint16, np.int32, np.float32)} == {
        whole
    }


def test_only_the_canonical_array_counts_not_how_it_lies_in_memory() -> None:
    image = head(shape=(120, 130, 100)).astype(np.float32)
    turned = np.ascontiguousarray(image.transpose(2, 0, 1)[::-1])[::-1].transpose(1, 2, 0)
    assert brain_level(np.asfortranarray(image)) == brain_level(turned) == brain_level(image)


@pytest.mark.parametrize("value", [0.0, -5.0])
def test_nothing_positive_leaves_the_scale_alone(value: float) -> None:
    assert brain_level(np.full((4, 4, 4), value)) == 1.0


def test_a_constant_image_is_its_own_level() -> None:
    assert brain_level(np.full((9, 9, 9), 40.0)) == pytest.approx(40.0)


def test_it_takes_milliseconds() -> None:
    image = np.resize(head().astype(np.float32), (192, 192, 192))
    spent = []
    for _ in range(3):
        start = time.process_time()
        brain_level(image)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.1


@pytest.mark.parametrize(
    ("file", "expected"),
    [  # median of the brain by the sets' own masks, or of a box within the brain where none is
        ("wmh/ljubljana/07/flair.nii.gz", 89.2),
        ("wmh/ljubljana/26/flair.nii.gz", 82.7),
        ("wmh/nichart/Subj1/flair.nii.gz", 291.4),
        ("wmh/nichart/Subj9/flair.nii.gz", 345.8),
        ("contrasts/thick_flair_young/flair.nii.gz", 210.0),
        ("wmh/unlabelled/wholehead_1mm.nii.gz", 105.0),
    ],
)
def test_real_scans(shared_data: Path, file: str, expected: float) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = np.asanyarray(nibabel.load(shared_data / file).dataobj)
    assert brain_level(image) == pytest.approx(expected, rel=0.07)
