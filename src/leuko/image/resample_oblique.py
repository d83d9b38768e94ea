"""Resampling between grids at any angle: every new voxel looks up its own place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.compute import thread_count
from leuko.image.resample_lines import EDGE, Interpolation, samples, subdivisions

__all__ = ["obliquely"]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]
ORDERS: dict[Interpolation, Literal[0, 1, 3]] = {"nearest": 0, "linear": 1, "cubic": 3}
PLANES = 16  # planes of the result that are made at once


def obliquely(
    source: Array,
    voxel_map: FloatArray,
    *,
    shape: tuple[int, int, int],
    kernel: Interpolation,
    fill: float,
) -> Array:
    """The values (of `shape`) of a 3D array at the places `voxel_map` (3x4) takes indices to.

    float32; for `nearest` the source's own type. The same for any number of threads.
    """
    looked_up = source.view(np.uint8) if source.dtype.kind == "b" else source
    if kernel == "cubic":
        looked_up = looked_up.astype(np.float32)
        for axis in range(3):
            if looked_up.shape[axis] > 1:
                ndimage.spline_filter1d(looked_up, 3, axis, output=looked_up, mode="mirror")
    dtype = looked_up.dtype if kernel == "nearest" else np.dtype(np.float32)
    found = np.empty(shape, dtype=dtype)
    offsets = [np.zeros(3)] if kernel == "nearest" else list(_within_a_voxel(voxel_map))

    def fill_slab(start: int) -> None:
        slab = found[start : start + PLANES]
        origin = voxel_map[:, 3] + voxel_map[:, 0] * start
        _look_up(looked_up, voxel_map[:, :3], origin, offsets, kernel=kernel, out=slab)
        slab[~_inside(voxel_map[:, :3], origin, slab.shape, source.shape)] = fill

    with ThreadPoolExecutor(thread_count()) as pool:
        list(pool.map(fill_slab, range(0, shape[0], PLANES)))
    return found.view(np.bool_) if source.dtype.kind == "b" and kernel == "nearest" else found


def _within_a_voxel(voxel_map: FloatArray) -> Iterator[FloatArray]:
    """Offsets in old voxels of the samples that a new voxel is averaged over."""
    along = [
        [voxel_map[:, axis] * at for at in samples(subdivisions(float(length)))]
        for axis, length in enumerate(np.linalg.norm(voxel_map[:, :3], axis=0))
    ]
    for parts in itertools.product(*along):
        yield parts[0] + parts[1] + parts[2]


def _look_up(
    source: Array,
    matrix: FloatArray,
    origin: FloatArray,
    offsets: list[FloatArray],
    *,
    kernel: Interpolation,
    out: Array,
) -> None:
    """Fill `out` with the mean over `offsets` of the source's values around its places."""
    one = out if len(offsets) == 1 else np.empty_like(out)
    for number, offset in enumerate(offsets):
        ndimage.affine_transform(
            source,
            matrix,
            offset=origin + offset,
            output=one,
            order=ORDERS[kernel],
            mode="mirror" if kernel == "cubic" else "nearest",
            prefilter=False,
        )
        if len(offsets) > 1:
            if number == 0:
                out[...] = one
            else:
                out += one
    if len(offsets) > 1:
        out *= out.dtype.type(1.0 / len(offsets))


def _inside(
    matrix: FloatArray, origin: FloatArray, shape: tuple[int, ...], within: tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    """Which of the new voxels (of `shape`) have their centres in an array of shape `within`."""
    inside = np.ones(shape, dtype=np.bool_)
    i, j, k = np.ogrid[: shape[0], : shape[1], : shape[2]]
    for row, start, size in zip(matrix, origin, within, strict=True):
        place = row[0] * i + (row[1] * j + (row[2] * k + start))
        inside &= (place > -EDGE) & (place < size - 1 + EDGE)
    return inside
