"""The plane that best maps a head's tissues onto their own mirror image."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.anatomy.tissue_maps import TissueMaps

__all__ = ["Mirror", "fit_mirror"]

Triple = tuple[float, float, float]
Labels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

# Yaw, roll (to about 25 degrees) and place from the brain's centre; of equals the first is taken.
SEARCH_TANGENTS = (0.0, -0.18, 0.18, -0.36, 0.36)
SEARCH_OFFSETS_MM = np.array(sorted(range(-32, 33, 4), key=abs), dtype=np.float64)
SEARCH_POINTS, REFINE_POINTS = 300, 800
STARTS = 2  # planes of the search that are refined: the nearest valley is not always the deepest
RIVAL = 1.5  # times the best mean difference: a plane that is worse is no second start
FEWEST_KNOWN = 0.6  # share of the points whose mirror image must lie in the scan
STEPS = 12
PROBES = np.diag([0.5, 0.01, 0.01])  # mm, tangents
OUTLIER = 0.5
LARGEST_STEP = np.array([6.0, 0.12, 0.12])
SMALLEST_STEP = np.array([0.1, 1e-3, 1e-3])


@dataclass(frozen=True, slots=True)
class Mirror:
    """The plane x = a + b y + c z in mm from the first voxel's centre, and how well it mirrors.

    `asymmetry` is the mean squared difference of the tissue maps and their mirror images.
    """

    a: float
    b: float
    c: float
    asymmetry: float


def fit_mirror(anatomy: Labels, *, spacing: Triple) -> Mirror | None:
    """The mirror plane of a head that leans up to 25 degrees; None without enough brain.

    Tissue groups are averaged to cells of about 4 mm and blurred; the plane is searched on a fixed
    grid of positions and angles and then refined by Gauss-Newton steps with robust weights. What
    is mirrored beyond an edge that cuts the brain says nothing; beyond any other edge there is no
    tissue. Equal labels give an equal plane, however they lie in memory.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes: the first rises to the right.
        spacing: mm between voxels along each axis.
    """
    maps = TissueMaps.of(anatomy, spacing=spacing)
    if maps is None:
        return None
    points = maps.points()
    centre = points.mean(axis=0)
    reached = [_refine(maps, points, centre, one) for one in _search(maps, points, centre)]
    asymmetry, (offset, b, c) = min(reached, key=lambda one: one[0])
    a = offset + centre[0] - b * centre[1] - c * centre[2]
    return Mirror(float(a), float(b), float(c), asymmetry)


def _mirror(points: Points, offset: Points | float, b: float, c: float) -> Points:
    """Points (..., 3), relative to the centre, mirrored at x = offset + b y + c z."""
    normal = np.array([1.0, -b, -c])
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    distance = (x - offset - b * y - c * z) / (1 + b * b + c * c)
    return np.asarray(points - 2 * distance[..., None] * normal)


def _search(maps: TissueMaps, points: Points, centre: Points) -> list[Points]:
    """The best planes (offset, b, c) of a coarse grid, each of another pair of angles."""
    every = max(1, len(points) // SEARCH_POINTS)
    some, own = points[::every] - centre, maps.own()[::every]
    found = []
    for b, c in itertools.product(SEARCH_TANGENTS, SEARCH_TANGENTS):
        mirrored = _mirror(some[None], SEARCH_OFFSETS_MM[:, None], b, c)
        values = maps.nearest(mirrored + centre)  # (offsets, points, groups + 1)
        known = values[..., -1]
        differences = ((values[..., :-1] - own) ** 2).sum(axis=-1)
        mean = (differences * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1.0)
        mean[known.sum(axis=1) < FEWEST_KNOWN * len(some)] = np.inf
        first = int(np.argmin(mean))
        found.append((float(mean[first]), np.array([SEARCH_OFFSETS_MM[first], b, c])))
    found.sort(key=lambda one: one[0])  # stable: of equals the first of the grid
    return [plane for mean, plane in found[:STARTS] if mean <= RIVAL * found[0][0]]


def _refine(
    maps: TissueMaps, points: Points, centre: Points, start: Points
) -> tuple[float, Points]:
    """Gauss-Newton steps from `start`; the mean squared difference reached, and the plane."""
    every = max(1, len(points) // REFINE_POINTS)
    some, own = points[::every] - centre, maps.own()[::every]

    def residuals(*planes: Points) -> Points:
        """(planes, points, groups); several at once take less time than one by one."""
        mirrored = [_mirror(some, plane[0], plane[1], plane[2]) + centre for plane in planes]
        found = maps.linear(np.concatenate(mirrored)).reshape(len(planes), len(some), -1)
        return ((found[..., :-1] - own) * found[..., -1:]).astype(np.float64)

    plane = start
    (first,) = (now,) = residuals(plane)
    for _ in range(STEPS):
        probed = residuals(*(plane + PROBES))
        slopes = [(seen - now) / probe.sum() for seen, probe in zip(probed, PROBES, strict=True)]
        weight = 1 / (1 + (now / OUTLIER) ** 2) ** 2
        pulls = [weight * slope for slope in slopes]
        normal = np.array([[(pull * slope).sum() for slope in slopes] for pull in pulls])
        towards = np.array([(pull * now).sum() for pull in pulls])
        damping = np.diag(np.maximum(np.diag(normal) * 1e-3, 1e-9))  # solvable for one slice, too
        change = np.linalg.solve(normal + damping, -towards)
        change = np.clip(change, -LARGEST_STEP, LARGEST_STEP)
        plane = plane + change
        (now,) = residuals(plane)
        if np.all(np.abs(change) < SMALLEST_STEP):
            break
    before, after = float((first**2).mean()), float((now**2).mean())
    return (after, plane) if after <= before else (before, start)
