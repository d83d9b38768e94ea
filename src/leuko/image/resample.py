"""Resampling in world space: the values of an image on any other grid."""

from __future__ import annotations

import itertools
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.errors import GridMismatch, UsageError
from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.image.resample_lines import Interpolation, along_axes, crosses_no_axes
from leuko.image.resample_oblique import obliquely

__all__ = ["KERNELS", "Kernel", "resample"]

Kernel = Literal["nearest", "linear", "cubic", "label"]
KERNELS: tuple[Kernel, ...] = ("nearest", "linear", "cubic", "label")
Values = npt.NDArray[np.float32]
Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]

LINEAR_DECIMALS, OFFSET_DECIMALS = 9, 6  # voxels: rounding of headers must not decide ties
MAX_LABELS = 4096
EVEN = 1e-6  # a label needs this much more than the ones before it


def resample(
    image: Image,
    *,
    onto: Grid,
    kernel: Kernel = "linear",
    fill: float = 0.0,
    through: npt.ArrayLike | None = None,
) -> Image:
    """The image on the grid `onto`, each value taken from the same place in the world.

    Kernels: `nearest` and `label` keep the number type; `linear` and `cubic` (cubic B-spline,
    mirrored at the edges) return float32. `label` asks each label how much of the new voxel it
    holds (linear) and takes the one that holds most: edges stay smooth, no label is invented.
    Where new voxels are larger than old ones, all kernels but `nearest` average over the new
    voxel (a box as large as it, at samples no further apart than the old voxels), as a scan with
    larger voxels would; with whole factors that is the mean of the blocks.

    A place within half a voxel around the outermost centres counts as inside; all others become
    `fill`. Where the new centres are the old ones (grids that agree, crops, pads, flips,
    permutations), values are copied, not interpolated. A flipped or permuted image gives the same
    result: all is decided in canonical index space. Every volume of a 4D image is resampled.

    Args:
        image: 3D or 4D, any affine.
        onto: the grid of the result, any affine.
        kernel: see above.
        fill: the value of places that the image does not cover.
        through: a 4x4 matrix that takes world places (RAS mm) of the result to world places of
            the image, as a registration gives it; by default the same places.

    Raises:
        GridMismatch (exit 5) where only one of both says how it lies in the world; UsageError
        (exit 2) for a kernel, fill or matrix that cannot be used.

    Source: cubic B-spline interpolation after Unser, IEEE Signal Processing Magazine 1999.
    """
    if kernel not in KERNELS:
        raise UsageError(f"There is no kernel '{kernel}'.", hint=f"Choose: {', '.join(KERNELS)}.")
    _require_comparable(image.grid, onto)
    _require_fill(fill, image.data, kernel)
    voxel_map = _voxel_map(image.grid.canonical(), onto.canonical(), through)
    if through is None and image.grid == onto:
        data: Array = image.data
    else:
        data = _all_volumes(image, onto, voxel_map, kernel=kernel, fill=fill)
    return Image(data, onto, image.source, image.findings, image.seconds)


def _all_volumes(
    image: Image, onto: Grid, voxel_map: FloatArray, *, kernel: Kernel, fill: float
) -> Array:
    source = to_canonical(image.data, image.grid)
    shape = onto.canonical().shape
    if source.ndim == 3:
        found = _volume(source, voxel_map, shape=shape, kernel=kernel, fill=fill)
    else:
        volumes = [
            _volume(source[..., index], voxel_map, shape=shape, kernel=kernel, fill=fill)
            for index in range(source.shape[3])
        ]
        found = np.stack(volumes, axis=-1)
    return np.ascontiguousarray(from_canonical(found, onto))


def _volume(
    source: Array,
    voxel_map: FloatArray,
    *,
    shape: tuple[int, int, int],
    kernel: Kernel,
    fill: float,
) -> Array:
    """One canonical volume. `voxel_map` (3x4) takes voxels of the result to voxels of `source`."""
    if kernel == "label":
        return _labels(source, voxel_map, shape=shape, fill=fill)
    return _interpolated(source, voxel_map, shape=shape, kernel=kernel, fill=fill)


def _interpolated(
    source: Array,
    voxel_map: FloatArray,
    *,
    shape: tuple[int, int, int],
    kernel: Interpolation,
    fill: float,
) -> Array:
    if crosses_no_axes(voxel_map, shape=shape):
        return along_axes(source, voxel_map, shape=shape, kernel=kernel, fill=fill)
    return obliquely(source, voxel_map, shape=shape, kernel=kernel, fill=fill)


def _labels(
    source: Array, voxel_map: FloatArray, *, shape: tuple[int, int, int], fill: float
) -> Array:
    """The label that holds most of each new voxel, the lowest of equals."""
    values, numbers = _numbered(source)
    boxes: list[Any] = ndimage.find_objects(numbers)
    best = np.zeros(shape, dtype=np.float32)
    found = np.full(shape, fill, dtype=source.dtype)
    for number, (value, box) in enumerate(zip(values, boxes, strict=True), start=1):
        # A label is looked for only where it can be: most fill a small part of the image.
        near, there = _reach(box, voxel_map, source.shape, shape)
        if any(part.stop <= part.start for part in there):
            continue
        starts = np.array([[part.start for part in box] for box in (near, there)])
        shifted = voxel_map.copy()
        shifted[:, 3] += voxel_map[:, :3] @ starts[1] - starts[0]
        x, y, z = (part.stop - part.start for part in there)
        share = _interpolated(
            (numbers[near] == number).view(np.uint8),
            shifted,
            shape=(x, y, z),
            kernel="linear",
            fill=0.0,
        )
        more = share > best[there] + EVEN
        found[there][more] = value
        np.copyto(best[there], share, where=more)
    return found


def _numbered(source: Array) -> tuple[Array, npt.NDArray[np.uint16]]:
    """The values that occur, in order, and for each voxel the number of its value, from 1."""
    found = [np.unique(plane) for plane in source]  # plane by plane: unique makes wide copies
    values = np.unique(np.concatenate(found))
    if len(values) > MAX_LABELS:
        raise UsageError(
            f"An image with {len(values)} different values is no label map.",
            hint="Use the kernel linear or cubic for intensities.",
        )
    numbers = np.empty(source.shape, dtype=np.uint16)
    for plane, out in zip(source, numbers, strict=True):
        out[...] = np.searchsorted(values, plane) + 1
    return values, numbers


def _reach(
    box: Box, voxel_map: FloatArray, within: tuple[int, ...], shape: tuple[int, int, int]
) -> tuple[Box, Box]:
    """A box of the source with a margin, and the box of the result that it can reach."""
    margin = [int(np.ceil(step)) + 2 for step in np.abs(voxel_map[:, :3]).sum(axis=1)]
    x, y, z = (
        slice(max(part.start - by, 0), min(part.stop + by, size))
        for part, by, size in zip(box, margin, within, strict=True)
    )
    edges = [(part.start - 1.0, float(part.stop)) for part in (x, y, z)]
    corners = np.array(list(itertools.product(*edges)))
    reached = np.linalg.solve(voxel_map[:, :3], (corners - voxel_map[:, 3]).T)
    i, j, k = (
        slice(max(int(np.floor(low)), 0), min(int(np.ceil(high)) + 1, size))
        for low, high, size in zip(reached.min(axis=1), reached.max(axis=1), shape, strict=True)
    )
    return (x, y, z), (i, j, k)


def _voxel_map(source: Grid, target: Grid, through: npt.ArrayLike | None) -> FloatArray:
    """The 3x4 matrix from voxel coordinates of `target` to those of `source`."""
    place = target.affine
    if through is not None:
        matrix = np.asarray(through, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise UsageError(
                "The transform is not a 4x4 matrix of numbers.",
                hint="Give through= as a homogeneous matrix in RAS mm.",
            )
        place = matrix @ place
    found = np.linalg.solve(source.affine, place)[:3]
    rounded = np.round(found, LINEAR_DECIMALS)
    rounded[:, 3] = np.round(found[:, 3], OFFSET_DECIMALS)
    return rounded


def _require_comparable(source: Grid, target: Grid) -> None:
    if source.oriented != target.oriented:
        raise GridMismatch(
            "Only one of the two grids says how it lies in the body.",
            hint="An image without orientation cannot be laid over another one; "
            "export it again from DICOM.",
        )
    if source.sized != target.sized:
        raise GridMismatch(
            "Only one of the two grids has voxels of a known size in mm.",
            hint="A picture without a size cannot be laid over a scan.",
        )


def _require_fill(fill: float, data: Array, kernel: Kernel) -> None:
    if not np.isfinite(fill):
        raise UsageError(f"A fill of {fill} is no number.", hint="Give a finite value.")
    if kernel in ("nearest", "label") and data.dtype.kind in "iub":
        low, high = (0, 1) if data.dtype.kind == "b" else _limits(data)
        if fill != int(fill) or not low <= fill <= high:
            raise UsageError(
                f"A fill of {fill:g} does not fit values of type {data.dtype}.",
                hint=f"Give a whole number from {low} to {high}.",
            )


def _limits(data: Array) -> tuple[int, int]:
    limits = np.iinfo(data.dtype)
    return int(limits.min), int(limits.max)
