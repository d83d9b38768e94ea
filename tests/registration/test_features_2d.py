"""Pictures registered by their features."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from leuko.errors import MissingExtra, UnusableInput
from leuko.formats.read import read
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.features import fit_features
from leuko.registration.register import Settings, register_images

pytest.importorskip("cv2", reason="needs leuko[features]")

TURN = np.radians(25)
MATRIX = 1.15 * np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]])


@pytest.fixture(scope="module")
def slice_of_a_brain(shared_data: Path) -> Image:
    picture = read(shared_data / "formats/images2d/gray8.png")
    return replace(picture, data=np.asarray(picture.data, dtype=np.float32))


def turned(image: Image) -> tuple[Image, np.ndarray]:
    """The picture turned by 25 degrees and enlarged by 15 %, and where its pixels went."""
    shape = np.array(image.grid.shape[:2])
    offset = shape / 2 - MATRIX @ (shape / 2) + (4, -6)
    inverse = np.linalg.inv(MATRIX)
    data = ndimage.affine_transform(
        image.data[..., 0], inverse, offset=-inverse @ offset, order=3, mode="constant"
    )
    return Image(data[..., None].astype(np.float32), image.grid), offset


@pytest.mark.parametrize("method", ["sift", "orb"])
@pytest.mark.parametrize("model", ["similarity", "affine", "homography"])
def test_a_turned_and_enlarged_slice_is_found(
    slice_of_a_brain: Image, method: str, model: str
) -> None:
    moving, offset = turned(slice_of_a_brain)
    fit = fit_features(slice_of_a_brain, moving, method=method, model=model)  # type: ignore[arg-type]
    pixels = np.argwhere(slice_of_a_brain.data[..., 0] > 40)[::50].astype(np.float64)
    flat = np.column_stack([pixels, np.zeros(len(pixels))])
    world = slice_of_a_brain.grid.to_world(flat)
    found = moving.grid.to_voxel(fit.transform.apply_to_points(world))[:, :2]
    apart = np.linalg.norm(found - (pixels @ MATRIX.T + offset), axis=1)
    assert apart.mean() < (1.0 if model != "homography" else 2.5)
    assert fit.inliers >= 6
    assert (fit.homography is not None) == (model == "homography")


def test_features_are_a_method_of_register(slice_of_a_brain: Image) -> None:
    moving, _ = turned(slice_of_a_brain)
    fit = register_images(slice_of_a_brain, moving, settings=Settings("sift"))
    assert fit.features is not None
    assert fit.quality.agreement is not None
    assert fit.quality.agreement > 0.8


def test_pictures_without_anything_in_common_are_refused(slice_of_a_brain: Image) -> None:
    noise = np.random.default_rng(0).uniform(0, 255, slice_of_a_brain.data.shape)
    other = Image(noise.astype(np.float32), slice_of_a_brain.grid)
    with pytest.raises(UnusableInput, match="points"):
        fit_features(slice_of_a_brain, other)


def test_volumes_are_refused(head: Image) -> None:
    with pytest.raises(UnusableInput, match="volume"):
        fit_features(head, head)


def test_without_opencv_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    picture = Image(np.zeros((30, 30, 1), np.float32), Grid((30, 30, 1), np.eye(4)))
    with pytest.raises(MissingExtra, match="opencv") as raised:
        fit_features(picture, picture)
    assert "leuko[features]" in raised.value.hint
