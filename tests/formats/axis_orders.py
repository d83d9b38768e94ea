"""One small oblique image in all 48 orders of its axes, and how files are compared."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical

SHAPE = (4, 5, 6)
# A real oblique FLAIR's axes, with three different voxel sizes.
TURN = np.array([[0.99359, 0.01601, 0.11189], [-0.0497, 0.95094, 0.30537],
                 [-0.10151, -0.30897, 0.94564]])  # fmt: skip
ORIGIN = np.array([-5.3, -49.7, 13.1])
ORDERS = [
    (axes, signs)
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def named(order: tuple[tuple[int, ...], tuple[int, ...]]) -> str:
    """'+x-z+y': which world axis each array axis runs along."""
    return "".join("+-"[s < 0] + "xyz"[a] for a, s in zip(*order, strict=True))


def affine_of(order: tuple[tuple[int, ...], tuple[int, ...]]) -> Any:
    """A 4x4 affine (RAS, mm) for that order of axes; no two orders share a place."""
    axes, signs = order
    left, _, right = np.linalg.svd(TURN)
    affine = np.eye(4)
    affine[:3, :3] = ((left @ right) * (0.9, 1.5, 3.25))[:, axes] * signs
    affine[:3, 3] = ORIGIN
    return affine


def image_in(order: tuple[tuple[int, ...], tuple[int, ...]], *, volumes: int = 1) -> Image:
    """An int16 image of random values, of several volumes 2.5 s apart on request."""
    shape = SHAPE if volumes == 1 else (*SHAPE, volumes)
    data = np.random.default_rng(7).integers(-900, 3000, shape).astype(np.int16)
    return Image(data, Grid(SHAPE, affine_of(order)), seconds=None if volumes == 1 else 2.5)


def flip_lps(affine: Any) -> Any:
    """From RAS to LPS or back."""
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def same_place(image: Image, truth: Image, *, mm: float = 1e-4) -> None:
    """Both hold the same value at every place, whatever the order of their axes."""
    np.testing.assert_array_equal(
        to_canonical(image.data, image.grid), to_canonical(truth.data, truth.grid)
    )
    assert image.grid.canonical().corner_distance(truth.grid.canonical()) < mm
