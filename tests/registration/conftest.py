"""A head of blobs that every test of registration can turn, shift and bend."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from leuko.image.grid import Grid
from leuko.image.image import Image

SHAPE = (58, 67, 53)
SPACING = 3.0


def head_grid(shape: tuple[int, int, int] = SHAPE, spacing: float = SPACING) -> Grid:
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) * spacing / 2 + (3.0, -12.0, 8.0)
    return Grid(shape, affine)


def head_values(seed: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """An ellipsoid with a bright shell, folded texture inside and two dark caves; 0..1000."""
    rng = np.random.default_rng(seed)
    axes = [np.linspace(-1, 1, n) for n in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt((x / 0.68) ** 2 + (y / 0.75) ** 2 + (z / 0.66) ** 2)
    texture = ndimage.gaussian_filter(rng.normal(size=shape), 1.8)
    texture /= texture.std()
    values = np.where(radius < 0.86, 420 + 130 * np.sign(texture), 0.0)
    values[(radius > 0.93) & (radius < 1.0)] = 900
    for side in (-1, 1):
        cave = ((x - 0.14 * side) / 0.08) ** 2 + ((y - 0.05) / 0.26) ** 2 + ((z - 0.1) / 0.12) ** 2
        values[cave < 1] = 80
    return ndimage.gaussian_filter(values, 0.7).astype(np.float32)


@pytest.fixture(scope="session")
def head() -> Image:
    return Image(head_values(1), head_grid())


@pytest.fixture(scope="session")
def other_head() -> Image:
    """Another one: the same shape, other folds."""
    return Image(head_values(2), head_grid())


@pytest.fixture(scope="session")
def other_contrast(head: Image) -> Image:
    """The same head with dark and bright exchanged, but for the air."""
    data = np.asarray(head.data)
    return Image(np.where(data > 60, 1100 - data, data).astype(np.float32), head.grid)
