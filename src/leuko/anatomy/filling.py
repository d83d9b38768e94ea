"""Lesion filling: lesions take the brightness and the grain of the white matter around them.

For measuring atrophy on scans with lesions, whose voxels other programs take for grey matter or
fluid (Chard et al., JMRI 32:223, 2010; Battaglini et al., Hum Brain Mapp 33:2062, 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.filling_level import local_level
from leuko.anatomy.normal_tissue import Normal, normal_white_matter
from leuko.image.spread import robust_deviation
from leuko.masks.box import bounding_box, voxel_indices

__all__ = ["Filled", "fill_lesions"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Triple = tuple[float, float, float]

SEED = 20090521  # of the grain: the same scan and mask are filled alike, always
MOST_ASKED = 20000  # normal voxels from which the grain is measured
MOST_ALIKE = 0.9  # of neighbours: images that were smoothed beyond this are no scans


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """The filled image (type of the one given) and what it was filled with, in its units."""

    data: npt.NDArray[Any]
    voxels: int
    normal_voxels: int  # of white matter, from which levels were taken
    level: float  # their median
    noise: float  # their deviation from the local level, 0 for an empty mask
    before: float  # mean within the mask; nan for an empty one
    after: float


def fill_lesions(
    image: npt.NDArray[Any], *, mask: BoolArray, spacing: Triple, white: BoolArray | None = None
) -> Filled | None:
    """Replace the voxels of `mask`; every other voxel keeps its value.

    Each lesion voxel gets the local level of normal white matter, which near the lesion's edge
    goes over into its neighbours' values, and grain of the strength and the correlation between
    neighbours that normal white matter has. The grain is drawn by a generator of fixed seed.

    Args:
        image: intensities, 3D, canonical axes; whole numbers stay whole.
        mask: lesions on the same voxels.
        spacing: mm between voxels along each axis.
        white: white matter; without it, what prevails around the lesions is taken for it.

    Returns:
        None where there is too little normal white matter to fill from.
    """
    if not mask.any():
        nothing = float("nan")
        return Filled(image.copy(), 0, 0, nothing, 0.0, nothing, nothing)
    normal = normal_white_matter(image, mask=mask, spacing=spacing, white=white)
    if normal is None:
        return None
    voxels = voxel_indices(mask)
    level = local_level(image, normal=normal, at=voxels, spacing=spacing)
    noise, alike = _grain(image, normal, spacing)
    values = level + noise * _drawn(mask, alike)
    filled = image.copy()
    where = tuple(voxels.T)
    filled[where] = _as_type(values, image.dtype)
    return Filled(
        filled,
        voxels=len(voxels),
        normal_voxels=int(np.count_nonzero(normal.tissue)),
        level=normal.level,
        noise=noise,
        before=float(np.mean(image[where], dtype=np.float64)),
        after=float(np.mean(filled[where], dtype=np.float64)),
    )


def _grain(
    image: npt.NDArray[Any], normal: Normal, spacing: Triple
) -> tuple[float, tuple[float, float, float]]:
    """Deviation of normal white matter from its local level, and how alike neighbours are.

    The second is the correlation of neighbours along each axis, 0 to 0.9.
    """
    inner = _inner(normal.tissue)
    held = inner if inner.any() else normal.tissue
    voxels = voxel_indices(held)
    asked = voxels[:: max(1, len(voxels) // MOST_ASKED)]
    level = local_level(image, normal=normal, at=asked, spacing=spacing, edge=False)
    noise = _deviation(image[tuple(asked.T)].astype(np.float64) - level)
    alike = []
    for axis in range(3):
        here: list[slice] = [slice(None)] * 3
        there = list(here)
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        one, other = tuple(here), tuple(there)
        both = held[one] & held[other]
        step = image[other][both].astype(np.float64) - image[one][both].astype(np.float64)
        shared = 1 - (_deviation(step) / noise) ** 2 / 2 if noise > 0 and step.size else 0.0
        alike.append(min(max(shared, 0.0), MOST_ALIKE))
    return noise, (alike[0], alike[1], alike[2])


def _inner(tissue: BoolArray) -> BoolArray:
    """Voxels amid normal tissue: beside other tissue, structure would count as grain."""
    return np.asarray(ndimage.binary_erosion(tissue))


def _drawn(mask: BoolArray, alike: tuple[float, float, float]) -> FloatArray:
    """Normal noise (N,) of deviation 1 at the voxels of the mask, neighbours alike as asked.

    White noise after a Gaussian of s voxels has the correlation exp(-1 / (4 s^2)) of neighbours.
    """
    box = bounding_box(mask)
    assert box is not None
    shape = mask[box].shape
    # Beyond the box, so that its edges are as rough as its middle, and that it is long enough.
    margin = 8
    drawn = np.random.default_rng(SEED).standard_normal([size + 2 * margin for size in shape])
    sigmas = [0.0 if one < 0.02 else (-4 * np.log(one)) ** -0.5 for one in alike]
    smooth = ndimage.gaussian_filter(drawn, sigmas, truncate=4.0)
    smooth /= smooth.std()
    inner = smooth[margin:-margin, margin:-margin, margin:-margin]
    return np.asarray(inner[mask[box]])


def _deviation(values: FloatArray) -> float:
    if not values.size:
        return 0.0
    return robust_deviation(values, about=np.median(values))


def _as_type(values: FloatArray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Rounded and kept within what the type holds."""
    if dtype.kind not in "iu":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
