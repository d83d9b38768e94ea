"""A head laid on the template: twelve numbers, found by the tissues and not by the brightness.

A FLAIR and the T1-weighted template look different, but the network names the same tissues in
both. Maps of these, blurred, on cells of 4 mm, are brought to match by Gauss-Newton steps whose
slopes are those of the template (inverse compositional: Baker & Matthews, IJCV 56, 2004). What lies
beyond an edge of the scan that cuts the brain says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.anatomy.template import load_template
from leuko.anatomy.tissue_maps import BRAIN, Groups, TissueMaps
from leuko.models.classes import Tissue
from leuko.registration.transforms import Affine

__all__ = ["MAPS", "fit_template", "template_maps"]

Triple = tuple[float, float, float]
Labels = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

# The last map is the whole brain: fluid around it is in some scans and not in others.
MAPS: Groups = (
    (Tissue.WHITE_MATTER,),
    (Tissue.VENTRICLES,),
    (Tissue.DEEP_GREY, Tissue.BRAINSTEM),
    (Tissue.CEREBELLUM,),
    (*BRAIN, Tissue.VENTRICLES),
)
INNER = (2, 1)  # maps by whose middle a head is found first: these are seldom cut off
COARSE_MM = 8.0  # further blur at the start
RADIUS_MM = 70.0  # of a brain: angles and scales are counted in mm at this distance
PITCHES = (0.0, -0.25, 0.25, -0.5, 0.5)  # radians: how heads nod
SEARCH_POINTS, FINE_POINTS = 700, 5000
SEARCH_STEPS, STEPS = 6, 14
STARTS = 2
OUTLIER = 0.25  # differences from here on count less
LARGEST_MM, SMALLEST_MM = 12.0, 0.02
FEWEST_KNOWN = 0.3  # of the points: with fewer in the scan a map is no fit


def fit_template(anatomy: Labels, *, spacing: Triple) -> Affine | None:
    """Where each point of the template (MNI mm) lies in the head; None without enough brain.

    The head's points are in mm along the canonical axes from the first voxel's centre. Equal
    labels give an equal map, however they lie in memory.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes.
        spacing: mm between voxels along each axis.
    """
    maps = TissueMaps.of(anatomy, spacing=spacing, groups=MAPS)
    if maps is None:
        return None
    fine, coarse = template_maps()
    rough = _blurred(maps)
    search = _Match.of(coarse, rough, count=SEARCH_POINTS)
    shift = _middle(maps) - _middle(fine)
    begun = []
    for pitch in PITCHES:
        start = _turned(pitch, _middle(fine), shift)
        begun.append(search.improved(start, free=7, steps=SEARCH_STEPS))
    begun.sort(key=lambda one: one[0])  # stable: of equals the first
    ended = [search.improved(matrix, free=12, steps=STEPS) for _, matrix in begun[:STARTS]]
    _, best = min(ended, key=lambda one: one[0])
    _, best = _Match.of(fine, maps, count=FINE_POINTS).improved(best, free=12, steps=STEPS)
    return Affine(best)


@dataclass(frozen=True, slots=True, eq=False)
class _Match:
    """Points of the template, what its maps are there, and how they change when it is moved."""

    head: TissueMaps
    points: Points  # (N, 3), MNI mm
    values: FloatArray  # (N, maps)
    slopes: FloatArray  # (N, maps, 12): per mm of shift, of turn and scale at RADIUS_MM
    centre: Points

    @classmethod
    def of(cls, template: TissueMaps, head: TissueMaps, *, count: int) -> _Match:
        near = ndimage.binary_dilation(template.brain, iterations=2)
        index = np.argwhere(near)
        index = index[:: max(1, len(index) // count)]
        x, y, z = index.T
        maps = template.values[..., :-1]
        along = [
            (
                maps[tuple(np.minimum(index + step, np.array(near.shape) - 1).T)]
                - maps[tuple(np.maximum(index - step, 0).T)]
            )
            / (2 * template.step[axis])
            for axis, step in enumerate(np.eye(3, dtype=np.int64))
        ]
        points = index * template.step + template.origin
        centre = points.mean(axis=0)
        basis = _directions((points - centre) / RADIUS_MM)  # (N, 12, 3)
        slope = np.stack(along, axis=-1)  # (N, maps, 3)
        return cls(
            head, points, maps[x, y, z], np.einsum("nka,nja->nkj", slope, basis).astype(np.float32),
            centre,
        )  # fmt: skip

    def improved(self, matrix: Points, *, free: int, steps: int) -> tuple[float, Points]:
        """Mean squared difference and map after steps from `matrix` with `free` parameters."""
        best = (np.inf, matrix)
        for step in range(steps + 1):
            found = self.head.linear(self.points @ matrix[:3, :3].T + matrix[:3, 3])
            known = found[:, -1:]
            difference = (found[:, :-1] - self.values) * known
            share = float(known.mean())
            if share < FEWEST_KNOWN:
                break
            cost = float((difference**2).sum() / known.sum())
            if cost < best[0]:
                best = (cost, matrix)
            if step == steps:
                break
            weight = known / (1 + (difference / OUTLIER) ** 2)
            slopes = self.slopes[..., :free]
            pull = slopes * weight[..., None]
            normal = np.tensordot(pull, slopes, axes=([0, 1], [0, 1])).astype(np.float64)
            towards = np.tensordot(pull, difference, axes=([0, 1], [0, 1])).astype(np.float64)
            normal += np.diag(np.maximum(np.diag(normal) * 1e-3, 1e-9))
            change = np.clip(np.linalg.solve(normal, towards), -LARGEST_MM, LARGEST_MM)
            matrix = matrix @ np.linalg.inv(self._moved(change))
            if np.abs(change).max() < SMALLEST_MM:
                break
        return best

    def _moved(self, change: Points) -> Points:
        """The map of the template onto itself that the parameters stand for."""
        eye = np.concatenate([np.zeros((1, 3)), np.eye(3)]) / RADIUS_MM
        basis = _directions(eye)[:, : len(change)]  # at the centre and 1 mm along each axis
        moved = np.einsum("nja,j->na", basis, change)
        matrix = np.eye(4)
        matrix[:3, :3] += (moved[1:] - moved[0]).T
        matrix[:3, 3] = moved[0] + self.centre - matrix[:3, :3] @ self.centre
        return matrix


def _directions(places: Points) -> Points:
    """Where each of 12 parameters moves points (N, 3): (N, 12, 3).

    Three shifts, three turns, the size, and five ways to stretch and shear.
    """
    x, y, z = places.T
    o = np.zeros_like(x)
    one = np.ones_like(x)
    ways = [
        (one, o, o), (o, one, o), (o, o, one),
        (o, -z, y), (z, o, -x), (-y, x, o),
        (x, y, z),
        (x, o, o), (o, y, o),
        (y, x, o), (z, o, x), (o, z, y),
    ]  # fmt: skip
    return np.stack([np.stack(way, axis=-1) for way in ways], axis=1)


def _turned(pitch: float, centre: Points, shift: Points) -> Points:
    """The map that nods by `pitch` (radians) about the middle and shifts it."""
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[np.cos(pitch), -np.sin(pitch)], [np.sin(pitch), np.cos(pitch)]]
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def _middle(maps: TissueMaps) -> Points:
    """The middle, in mm, of deep grey matter and ventricles, else of the brain."""
    weight = maps.values[..., INNER].sum(axis=-1, dtype=np.float64)
    if weight.sum() < 1.0:
        weight = maps.brain.astype(np.float64)
    places = [np.arange(n) for n in weight.shape]
    total = weight.sum()
    middle = [
        (weight.sum(axis=tuple(k for k in range(3) if k != axis)) * place).sum() / total
        for axis, place in enumerate(places)
    ]
    return np.asarray(np.array(middle) * maps.step + maps.origin)


def _blurred(maps: TissueMaps) -> TissueMaps:
    """The same head, its maps blurred further."""
    values = np.empty_like(maps.values)
    for channel in range(values.shape[-1] - 1):
        ndimage.gaussian_filter(
            maps.values[..., channel], COARSE_MM / maps.step, truncate=2.5,
            output=values[..., channel],
        )  # fmt: skip
    values[..., -1] = maps.values[..., -1]
    return TissueMaps(values, maps.origin, maps.step, maps.brain)


@lru_cache(maxsize=1)
def template_maps() -> tuple[TissueMaps, TissueMaps]:
    """The template's maps in MNI mm, and blurred further."""
    template = load_template()
    x, y, z = template.grid.spacing
    maps = TissueMaps.of(template.tissues, spacing=(x, y, z), groups=MAPS)
    assert maps is not None
    placed = TissueMaps(
        maps.values, maps.origin + template.grid.affine[:3, 3], maps.step, maps.brain
    )
    return placed, _blurred(placed)
