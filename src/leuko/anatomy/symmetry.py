"""The plane that best maps a head's tissues onto their own mirror image."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.masks.box import Box, bounding_box
from leuko.models.classes import Tissue

__all__ = ["Mirror", "fit_mirror"]

Triple = tuple[float, float, float]
Labels = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

FEWEST_BRAIN_ML = 100.0  # less brain than this has no symmetry to speak of
CELL_MM = 4.0  # resolution of the fit
BLUR_MM = 3.0
RIM = 2  # cells without tissue around the maps
# What is compared with its mirror image: groups of tissues, each a blurred map. Lesions count as
# white matter before they come here, so that one-sided disease does not bend the plane.
GROUPS: tuple[tuple[Tissue, ...], ...] = (
    (Tissue.CSF, Tissue.VENTRICLES),
    (Tissue.CORTEX,),
    (Tissue.WHITE_MATTER,),
    (Tissue.DEEP_GREY, Tissue.BRAINSTEM),
    (Tissue.CEREBELLUM,),
)
BRAIN = (Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.WHITE_MATTER, Tissue.BRAINSTEM, Tissue.CEREBELLUM)

# Yaw, roll (to about 25 degrees) and place from the brain's centre; of equals the first is taken.
SEARCH_TANGENTS = (0.0, -0.18, 0.18, -0.36, 0.36)
SEARCH_OFFSETS_MM = np.array(sorted(range(-32, 33, 4), key=abs), dtype=np.float64)
SEARCH_POINTS, REFINE_POINTS = 300, 800
CUT_AREA = 0.03  # of the largest cross-section: more brain than this in a border plane is cut
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
    maps = _TissueMaps.of(anatomy, spacing=spacing)
    if maps is None:
        return None
    points = maps.points()
    centre = points.mean(axis=0)
    reached = [_refine(maps, points, centre, one) for one in _search(maps, points, centre)]
    asymmetry, (offset, b, c) = min(reached, key=lambda one: one[0])
    a = offset + centre[0] - b * centre[1] - c * centre[2]
    return Mirror(float(a), float(b), float(c), asymmetry)


@dataclass(frozen=True, slots=True, eq=False)
class _TissueMaps:
    """Blurred tissue maps on coarse cells, with an empty rim of two cells."""

    values: FloatArray  # (X, Y, Z, groups + 1): the last is 0 where the scan's edge cuts the brain
    origin: Points  # mm of the first cell's centre
    step: Points  # mm between cells
    brain: npt.NDArray[np.bool_]  # (X, Y, Z): cells that are brain by half

    @classmethod
    def of(cls, anatomy: Labels, *, spacing: Triple) -> _TissueMaps | None:
        box = bounding_box(anatomy)
        if box is None:
            return None
        # Every n-th voxel, about 2 mm apart, then means over blocks of about 4 mm.
        stride = [max(1, round(CELL_MM / 2 / step)) for step in spacing]
        x, y, z = (slice(p.start, p.stop, n) for p, n in zip(box, stride, strict=True))
        sampled = np.ascontiguousarray(anatomy[x, y, z])
        sample_mm = np.multiply(stride, spacing)
        block = np.maximum(1, np.round(CELL_MM / sample_mm)).astype(int)
        fill = [(0, -n % m) for n, m in zip(sampled.shape, block, strict=True)]
        sampled = np.pad(sampled, fill)
        step = block * sample_mm
        brain = _block_means(_table(BRAIN)[sampled], block)
        if float(brain.sum() * np.prod(step)) < FEWEST_BRAIN_ML * 1000:
            return None
        rim = [(RIM, RIM)] * 3
        known = np.pad(np.ones(brain.shape, dtype=np.float32), rim, constant_values=1.0)
        for axis, side in _cut_faces(brain, box, anatomy.shape):
            np.moveaxis(known, axis, 0)[slice(0, RIM) if side == 0 else slice(-RIM, None)] = 0.0
        start = np.multiply([part.start for part in box], spacing)
        sigma = BLUR_MM / step
        groups = [
            ndimage.gaussian_filter(
                np.pad(_block_means(_table(group)[sampled], block), rim), sigma, truncate=2.5
            )
            for group in GROUPS
        ]
        return cls(
            values=np.stack([*groups, known], axis=-1),
            origin=start + (block - 1) / 2 * sample_mm - RIM * step,
            step=step,
            brain=np.pad(brain > 0.5, rim),
        )

    def points(self) -> Points:
        """Centres in mm of the cells that are brain, (N, 3)."""
        return np.asarray(np.argwhere(self.brain) * self.step + self.origin)

    def own(self) -> FloatArray:
        """The maps at `points`, (N, groups)."""
        return np.asarray(self.values[self.brain][:, :-1])

    def nearest(self, points: Points) -> FloatArray:
        """The maps in the cells nearest to points (..., 3) in mm; the rim goes on outside."""
        index = np.rint((points - self.origin) / self.step).astype(np.intp)
        np.clip(index, 0, np.array(self.brain.shape) - 1, out=index)
        return np.asarray(self.values[index[..., 0], index[..., 1], index[..., 2]])

    def linear(self, points: Points) -> FloatArray:
        """The maps at points (N, 3) in mm, trilinear; the rim goes on outside."""
        last = np.array(self.brain.shape) - 1
        place = np.clip((points - self.origin) / self.step, 0, last)
        low = np.minimum(place.astype(np.intp), last - 1)
        high_share = (place - low).astype(np.float32)
        strides = np.array([(last[1] + 1) * (last[2] + 1), last[2] + 1, 1])
        flat = self.values.reshape(-1, self.values.shape[-1])
        base = low @ strides
        total = np.zeros((len(points), flat.shape[1]), dtype=np.float32)
        for corner in itertools.product((0, 1), repeat=3):
            weight = np.prod(np.where(corner, high_share, 1 - high_share), axis=1)
            total += weight[:, None] * flat[base + int(np.dot(corner, strides))]
        return total


def _mirror(points: Points, offset: Points | float, b: float, c: float) -> Points:
    """Points (..., 3), relative to the centre, mirrored at x = offset + b y + c z."""
    normal = np.array([1.0, -b, -c])
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    distance = (x - offset - b * y - c * z) / (1 + b * b + c * c)
    return np.asarray(points - 2 * distance[..., None] * normal)


def _search(maps: _TissueMaps, points: Points, centre: Points) -> list[Points]:
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
    maps: _TissueMaps, points: Points, centre: Points, start: Points
) -> tuple[float, Points]:
    """Gauss-Newton steps from `start`; the mean squared difference reached, and the plane."""
    every = max(1, len(points) // REFINE_POINTS)
    some, own = points[::every] - centre, maps.own()[::every]

    def residuals(plane: Points) -> Points:
        found = maps.linear(_mirror(some, plane[0], plane[1], plane[2]) + centre)
        return ((found[:, :-1] - own) * found[:, -1:]).astype(np.float64)

    plane = start
    first = now = residuals(plane)
    for _ in range(STEPS):
        slopes = [(residuals(plane + probe) - now) / probe.sum() for probe in PROBES]
        weight = 1 / (1 + (now / OUTLIER) ** 2) ** 2
        pulls = [weight * slope for slope in slopes]
        normal = np.array([[(pull * slope).sum() for slope in slopes] for pull in pulls])
        towards = np.array([(pull * now).sum() for pull in pulls])
        damping = np.diag(np.maximum(np.diag(normal) * 1e-3, 1e-9))  # solvable for one slice, too
        change = np.linalg.solve(normal + damping, -towards)
        change = np.clip(change, -LARGEST_STEP, LARGEST_STEP)
        plane = plane + change
        now = residuals(plane)
        if np.all(np.abs(change) < SMALLEST_STEP):
            break
    before, after = float((first**2).mean()), float((now**2).mean())
    return (after, plane) if after <= before else (before, start)


def _table(tissues: tuple[Tissue, ...]) -> FloatArray:
    table = np.zeros(256, dtype=np.float32)
    table[list(tissues)] = 1.0
    return table


def _block_means(values: FloatArray, block: npt.NDArray[np.int64]) -> FloatArray:
    """Means over blocks of voxels; every axis is a multiple of its block."""
    for axis, size in enumerate(block.tolist()):
        shape = (*values.shape[:axis], -1, size, *values.shape[axis + 1 :])
        values = values.reshape(shape).mean(axis=axis + 1)
    return values


def _cut_faces(brain: FloatArray, box: Box, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Axis and side (0 low, 1 high) of the array's faces that cut through brain."""
    cut = []
    for axis in range(3):
        areas = brain.sum(axis=tuple(other for other in range(3) if other != axis))
        reaches = (box[axis].start == 0, box[axis].stop == shape[axis])
        for side, area in enumerate((areas[0], areas[-1])):
            if reaches[side] and area > CUT_AREA * areas.max():
                cut.append((axis, side))
    return cut
