"""The geometry that visual scales speak of: how far lesions reach, how long and wide they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from leuko.anatomy.regions import ventricle_reach_mm
from leuko.masks.box import Box, bounding_box, grow_box, voxel_indices
from leuko.masks.morphology import border, dilate

__all__ = [
    "LesionGeometry",
    "in_plane_lengths",
    "lengths_by_lesion",
    "lesion_geometry",
    "wide_parts",
]

Labels = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Triple = tuple[float, float, float]

DIRECTIONS = 12  # in half a turn, along which lengths are taken: at most 1 % too short
SLACK = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class LesionGeometry:
    """The voxels of the lesions that a scale counts, in the box that holds them.

    `distance_mm` (N,) is from the centre of a voxel to the nearest part of the ventricles, the
    depth of thick slices taken into account; `joined` (N,) says whether the lesion of a voxel
    reaches the ventricles.
    """

    indices: npt.NDArray[np.int64]  # (N, 3) in the box
    distance_mm: FloatArray
    joined: BoolArray
    box: Box
    shape: tuple[int, int, int]
    spacing: Triple
    across: int  # the axis across slices: lengths are taken in the planes of slices

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return float(np.prod(self.spacing)) / 1000

    def ml(self, chosen: BoolArray) -> float:
        """Volume in ml of the chosen (N,) voxels."""
        return round(float(np.count_nonzero(chosen)) * self.voxel_ml, 6)

    def mask(self, chosen: BoolArray) -> BoolArray:
        """The chosen (N,) voxels as a mask of the box."""
        found = np.zeros(self.shape, dtype=np.bool_)
        found[tuple(self.indices[chosen].T)] = True
        return found


def lesion_geometry(
    labels: Labels,
    *,
    ventricles: BoolArray,
    spacing: Triple,
    across: int,
    left_out: tuple[int, ...] = (),
) -> LesionGeometry | None:
    """Where lesions lie to the ventricles; None where nothing is left to be counted.

    Args:
        labels: lesions 1..n, 0 outside, canonical axes.
        ventricles: on the same voxels.
        spacing: mm between voxels along each axis.
        across: canonical axis across slices.
        left_out: labels that do not count (infratentorial lesions).
    """
    counted = np.ones(int(labels.max()) + 1, dtype=np.bool_)
    counted[[0, *left_out]] = False
    tight = bounding_box(labels)
    if tight is None:
        return None
    box = grow_box(tight, by=(1, 1, 1), shape=labels.shape)
    part = labels[box]
    indices = voxel_indices(counted[part])
    if not len(indices):
        return None
    origin = np.array([edge.start for edge in box])
    distance = _to_ventricles(indices + origin, ventricles, spacing)
    of_voxel = part[tuple(indices.T)]
    joined = np.zeros(len(counted), dtype=np.bool_)
    joined[of_voxel[distance <= ventricle_reach_mm(spacing)]] = True
    x, y, z = part.shape
    return LesionGeometry(indices, distance, joined[of_voxel], box, (x, y, z), spacing, across)


def _to_ventricles(
    voxels: npt.NDArray[np.int64], ventricles: BoolArray, spacing: Triple
) -> FloatArray:
    """Distance in mm from voxel centres to the ventricles; inf without any.

    A ventricle voxel that is longer than wide counts as a row of cubes, so that the next thick
    slice begins where this one ends, and not a whole slice away.
    """
    tight = bounding_box(ventricles)
    if tight is None:
        return np.full(len(voxels), np.inf)
    first = [part.start for part in tight]
    targets = (voxel_indices(border(ventricles[tight])) + first) * np.asarray(spacing)
    edge = min(spacing)
    for axis, step in enumerate(spacing):
        if step >= 2 * edge:
            end = np.zeros(3)
            end[axis] = (step - edge) / 2
            targets = np.concatenate([targets - end, targets, targets + end])
    found, _ = cKDTree(targets, balanced_tree=False, compact_nodes=False).query(voxels * spacing)
    inside = ventricles[tuple(voxels.T)]
    return np.where(inside, 0.0, np.asarray(found, dtype=np.float64))


def wide_parts(mask: BoolArray, *, spacing: Triple, across: int, width_mm: float) -> BoolArray:
    """The parts of a mask that are at least `width_mm` wide in the planes of slices.

    A disc of that diameter fits around every voxel that is left (an opening by a disc); what is
    thinner, such as a rim or a bridge, is taken away.
    """
    radii = [width_mm / 2] * 3
    radii[across] = 0.0
    radius = (radii[0], radii[1], radii[2])
    pad = [int(one / step + SLACK) + 1 for one, step in zip(radii, spacing, strict=True)]
    held = np.pad(mask, [(by, by) for by in pad])
    core = ~dilate(~held, spacing=spacing, radius_mm=radius)
    opened = dilate(core, spacing=spacing, radius_mm=radius)
    return np.asarray(opened[tuple(slice(by, -by) for by in pad)])


def in_plane_lengths(mask: BoolArray, *, spacing: Triple, across: int) -> FloatArray:
    """The length in mm of each piece of a mask in each slice.

    A piece is what hangs together by edges or corners within one slice; its length is the largest
    extent, along any of 12 directions, of its voxel centres and half a pixel more at both ends.
    """
    connected = np.ones((3, 3, 3), dtype=np.bool_)
    for side in (0, 2):
        index: list[int | slice] = [slice(None)] * 3
        index[across] = side
        connected[tuple(index)] = False
    box = bounding_box(mask)
    if box is None:
        return np.zeros(0)
    pieces, _ = ndimage.label(mask[box], structure=connected)
    voxels = np.argwhere(pieces)
    order = np.argsort(pieces[tuple(voxels.T)], kind="stable")
    of_voxel = pieces[tuple(voxels[order].T)]
    starts = np.flatnonzero(np.diff(of_voxel, prepend=0))
    first, second = (axis for axis in range(3) if axis != across)
    u, v = voxels[order, first] * spacing[first], voxels[order, second] * spacing[second]
    longest = np.zeros(len(starts))
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        along = u * np.cos(angle) + v * np.sin(angle)
        extent = np.maximum.reduceat(along, starts) - np.minimum.reduceat(along, starts)
        np.maximum(longest, extent, out=longest)
    return np.asarray(longest + (spacing[first] + spacing[second]) / 2)


def lengths_by_lesion(
    mask: BoolArray, *, spacing: Triple, across: int
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """For each 26-connected lesion of a mask its greatest length in a slice in mm, and its voxels.

    In no order that matters.
    """
    found, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    lengths = np.zeros(count)
    for number, box in enumerate(ndimage.find_objects(found)):
        piece = found[box] == number + 1
        lengths[number] = in_plane_lengths(piece, spacing=spacing, across=across).max()
    return lengths, np.bincount(found.ravel(), minlength=count + 1)[1:]
