"""A head scanned once more: another position and angle, other voxels, another gain, new noise.

What a 1 mm scan shows is sampled on the voxels of another acquisition: a thick slice is the mean
over its thickness. Of scans with thick slices only the position in the plane is changed, since
nothing is known between their slices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.apply import apply_to_image
from leuko.registration.transforms import Affine

__all__ = ["Protocol", "Rescan", "rescanned"]

TURN_DEGREES, SHIFT_MM = 6.0, 6.0
NOISE = 0.02  # standard deviation, of the brightness of brain
GAIN = (0.8, 1.25)


@dataclass(frozen=True, slots=True)
class Protocol:
    """An acquisition: voxels (mm) in canonical axes; None keeps the scan's own slices."""

    name: str
    voxel_mm: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Rescan:
    """Another acquisition; `to_source` maps its places (RAS, mm) to those of the scan."""

    image: Image
    to_source: Affine


def rescanned(image: Image, *, protocol: Protocol, rng: np.random.Generator) -> Rescan:
    """`image` as another acquisition of the same head would show it, in a place of its own."""
    own = image.grid.canonical()
    degrees = rng.uniform(-TURN_DEGREES, TURN_DEGREES, 3)
    shift = rng.uniform(-SHIFT_MM, SHIFT_MM, 3)
    if protocol.voxel_mm is None:
        degrees, shift = degrees * (0, 0, 1), shift * (1, 1, 0)
    centre = own.to_world((np.array(own.shape) - 1) / 2)
    turn = Affine.rigid(degrees=degrees, shift=shift, centre=centre)
    spacing = protocol.voxel_mm or own.spacing
    fine = 1 if protocol.voxel_mm is None else max(1, math.ceil(spacing[2] / min(own.spacing)))
    lengths = [n * step for n, step in zip(own.shape, own.spacing, strict=True)]
    x, y, z = (max(1, int(length / step)) for length, step in zip(lengths, spacing, strict=True))
    affine = np.eye(4)
    affine[:3, :3] = own.affine[:3, :3] / np.array(own.spacing) * np.array(spacing)
    grid = _placed((x, y, z), affine, centre)
    affine[:3, 2] /= fine
    sampled = _placed((x, y, z * fine), affine, centre)
    values = apply_to_image(image, transform=turn, onto=sampled, kernel="cubic").data
    means = values.reshape(x, y, z, fine).mean(axis=3)
    return Rescan(Image(_noisy(np.maximum(means, 0), rng), grid), turn)


def _placed(
    shape: tuple[int, int, int], affine: npt.NDArray[np.float64], centre: npt.NDArray[np.float64]
) -> Grid:
    """The grid of these axes whose middle is at `centre`."""
    placed = affine.copy()
    placed[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, placed)


def _noisy(values: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Rician noise and another gain; what a brain extraction left empty stays empty."""
    head = values > 0.2 * np.percentile(values, 99)
    sigma = NOISE * float(np.median(values[head]))
    real = values + rng.normal(0, sigma, values.shape)
    noisy = np.hypot(real, rng.normal(0, sigma, values.shape))
    empty = ndimage.uniform_filter(values, 3) < 1e-3 * values.max()
    noisy[empty] = 0
    return np.asarray(noisy * rng.uniform(*GAIN), dtype=np.float32)
