"""Growing masks by millimetres, their borders, and holes in a plane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.masks.box import bounding_box, grow_box, voxel_indices

__all__ = ["border", "dilate", "plane_holes"]

BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]
_SLACK = 1e-6  # so that a radius of exactly n voxels reaches n voxels


def dilate(mask: BoolArray, *, spacing: Triple, radius_mm: float | Triple) -> BoolArray:
    """`mask` with every voxel whose centre lies within `radius_mm` of one of its voxel centres.

    One radius a direction makes an ellipsoid; 0 grows nothing in that direction.

    Args:
        mask: 3D.
        spacing: mm between voxels along each axis.
        radius_mm: one for all axes, or one for each.
    """
    radii = (radius_mm, radius_mm, radius_mm) if isinstance(radius_mm, int | float) else radius_mm
    reach = tuple(int(radius / step + _SLACK) for radius, step in zip(radii, spacing, strict=True))
    grown = np.array(mask, dtype=np.bool_, order="C")
    box = bounding_box(mask)
    if box is None or not any(reach):
        return grown
    outer = grow_box(box, by=(reach[0], reach[1], reach[2]), shape=mask.shape)
    source = np.ascontiguousarray(mask[outer])
    target = grown[outer]
    # Runs along the last axis, for every half-length: each offset in the other two axes then needs
    # a single shifted OR.
    runs = [source]
    for step in range(1, reach[2] + 1):
        run = runs[-1].copy()
        run[..., step:] |= source[..., :-step]
        run[..., :-step] |= source[..., step:]
        runs.append(run)
    # Offsets along the first axis that differ in sign alone share what lies across it.
    for i in range(reach[0] + 1):
        across = np.zeros_like(source)
        for j in range(reach[1] + 1):
            used = _squared_share(i, spacing[0], radii[0]) + _squared_share(j, spacing[1], radii[1])
            if used > 1.0 + _SLACK:
                break
            half = int((1.0 + _SLACK - used) ** 0.5 * radii[2] / spacing[2] + _SLACK)
            half = min(half, reach[2])  # where a radius is a hair below whole voxels
            for offset in {j, -j}:
                to, of = _shift(offset, source.shape[1])
                across[:, to] |= runs[half][:, of]
        for offset in {i, -i}:
            to, of = _shift(offset, source.shape[0])
            target[to] |= across[of]
    return grown


def border(mask: BoolArray) -> BoolArray:
    """Voxels of a 3D mask with a face neighbour outside it; the array's edge counts as outside."""
    inner = np.zeros(mask.shape, dtype=np.bool_)
    inner[1:-1, 1:-1, 1:-1] = (
        mask[2:, 1:-1, 1:-1]
        & mask[:-2, 1:-1, 1:-1]
        & mask[1:-1, 2:, 1:-1]
        & mask[1:-1, :-2, 1:-1]
        & mask[1:-1, 1:-1, 2:]
        & mask[1:-1, 1:-1, :-2]
    )
    return np.asarray(mask & ~inner)


def plane_holes(
    mask: BoolArray, *, plane_normal: int, max_voxels: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Holes of at most `max_voxels` in the planes across axis `plane_normal` of a 3D mask.

    A hole is background, connected by edges within its plane, that reaches neither the edge of the
    plane nor background outside the mask's bounding box. Each plane has its own holes.

    Returns:
        Indices (N, 3) of the voxels of all holes in C order, and for each the number of its hole
        (numbers are not in a row).
    """
    box = bounding_box(mask)
    if box is None or max_voxels < 1:
        return np.zeros((0, 3), dtype=np.int64), np.zeros(0, dtype=np.int32)
    outside = ~np.ascontiguousarray(mask[box])
    in_plane = ndimage.generate_binary_structure(3, 1)
    for side in (0, 2):
        index = [1, 1, 1]
        index[plane_normal] = side
        in_plane[tuple(index)] = False
    labels, count = ndimage.label(outside, structure=in_plane)
    small = np.bincount(labels.ravel(), minlength=count + 1) <= max_voxels
    small[0] = False
    for axis in range(3):
        if axis != plane_normal:
            for edge in (0, -1):
                small[np.take(labels, edge, axis=axis)] = False
    voxels = voxel_indices(small[labels])
    return voxels + [edge.start for edge in box], labels[tuple(voxels.T)]


def _squared_share(offset: int, step: float, radius: float) -> float:
    """The part of the ellipsoid equation that an offset of so many voxels takes."""
    return (offset * step / radius) ** 2 if offset else 0.0


def _shift(offset: int, size: int) -> tuple[slice, slice]:
    """Slices of target and source for `target[i] |= source[i - offset]` within `size`."""
    kept = max(size - abs(offset), 0)
    start = min(abs(offset), size)
    moved, still = slice(start, start + kept), slice(0, kept)
    return (moved, still) if offset >= 0 else (still, moved)
