"""How far from round a lesion is: the confluency index, and the surface that it needs.

Surface by Cauchy and Crofton: the area of a body is four times the mean, over all directions, of
the area of its shadow, counted with how often lines enter it (Lehmann and Legland 2012, Insight
Journal 852). Lines run through the voxels in 13 directions; each direction stands for the part of
the sphere that is nearest to it, whatever the spacing.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import SphericalVoronoi

from leuko.quantify.voxels import LesionVoxels

__all__ = ["confluency", "surfaces_mm2"]

FloatArray = npt.NDArray[np.float64]
Triple = tuple[float, float, float]


def confluency(voxels: LesionVoxels, *, spacing: Triple) -> FloatArray:
    """(surface^3 / (36 pi volume^2))^(1/3) - 1 of each lesion 1..n: 0 for a ball.

    It grows with every branch: two balls that hang together are at .26, a hundred at 3.6. What the
    estimate of a few voxels would put below a ball is 0.
    """
    volumes = voxels.sizes * math.prod(spacing)
    surfaces = surfaces_mm2(voxels, spacing=spacing)
    return np.asarray(np.maximum(surfaces / np.cbrt(36 * math.pi * volumes**2) - 1, 0.0))


def surfaces_mm2(voxels: LesionVoxels, *, spacing: Triple) -> FloatArray:
    """The surface in mm2 of each lesion 1..n; holes within count.

    Of balls it is right within some per cent; of flat faces along the axes it sees 93 % on cubic
    voxels, of slanted ones more.
    """
    if voxels.box is None:
        return np.zeros(0)
    # One voxel of nothing around the box, so that a neighbour is a shift of the flat index.
    shape = tuple(part.stop - part.start + 2 for part in voxels.box)
    here = np.ravel_multi_index(tuple((voxels.indices - voxels.origin + 1).T), shape)
    grid = np.zeros(math.prod(shape), dtype=np.int32)
    grid[here] = voxels.labels
    found = np.zeros(voxels.count)
    for (i, j, k), weight in _directions(spacing):
        shift = (i * shape[1] + j) * shape[2] + k
        for ahead in (shift, -shift):  # a line enters and leaves
            out = grid[here + ahead] != voxels.labels
            found += weight * np.bincount(voxels.labels[out], minlength=voxels.count + 1)[1:]
    return found


@lru_cache(maxsize=8)
def _directions(spacing: Triple) -> tuple[tuple[tuple[int, int, int], float], ...]:
    """The 13 offsets, and the area in mm2 that a crossing along each stands for."""
    sides = (-1, 0, 1)
    offsets = [one for one in itertools.product(sides, sides, sides) if any(one)]
    steps = np.array(offsets) * spacing
    lengths = np.linalg.norm(steps, axis=1)
    share = SphericalVoronoi(steps / lengths[:, None]).calculate_areas() / (4 * math.pi)
    # A line in this direction meets a voxel every `length` mm, so it stands for volume / length.
    weights = 2 * share * 2 * math.prod(spacing) / lengths
    return tuple(
        (offset, float(weight))
        for offset, weight in zip(offsets, weights, strict=True)
        if offset > (0, 0, 0)
    )
