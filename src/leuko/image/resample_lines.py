"""Resampling where new axes run along old ones: a small matrix for each axis."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

__all__ = ["EDGE", "Interpolation", "along_axes", "crosses_no_axes", "samples", "subdivisions"]

Interpolation = Literal["nearest", "linear", "cubic"]
Array = npt.NDArray[Any]
Indices = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Matrix: TypeAlias = "sparse.csr_array[np.float32]"

EDGE = 0.5 + 1e-4  # voxels from the outermost centres: there the image ends
SAME_PLACE = 1e-3  # voxels: centres this close are the same, headers are not more exact
STRAIGHT = 1e-3  # voxels an axis may leave its line by, over its whole length
WHOLE_STEP = 1e-3


def crosses_no_axes(voxel_map: FloatArray, *, shape: tuple[int, int, int]) -> bool:
    """Whether each new axis runs along one old axis, up to rounding."""
    steps = np.abs(voxel_map[:, :3])
    partner = steps.argmax(axis=1)
    if sorted(partner.tolist()) != [0, 1, 2]:
        return False
    drift = steps * np.array(shape)
    drift[np.arange(3), partner] = 0.0
    return bool(drift.sum(axis=1).max() <= STRAIGHT)


def subdivisions(step: float) -> int:
    """How many samples of old voxels make up a new voxel that is `step` of them wide."""
    return max(1, int(np.ceil(step - WHOLE_STEP)))


def samples(count: int) -> FloatArray:
    """Where in a voxel (centre 0, width 1) its `count` evenly spread samples lie."""
    return (np.arange(count) + 0.5) / count - 0.5


def along_axes(
    source: Array,
    voxel_map: FloatArray,
    *,
    shape: tuple[int, int, int],
    kernel: Interpolation,
    fill: float,
) -> Array:
    """The values (of `shape`) of a 3D array at the places `voxel_map` (3x4) takes indices to.

    float32, or the source's own type where values are only copied (and for `nearest`).
    """
    partner = np.abs(voxel_map[:, :3]).argmax(axis=1)
    lines = []
    for axis, along in enumerate(partner):
        step = float(voxel_map[axis, along])
        places = _settled(step * np.arange(shape[along], dtype=np.float64) + voxel_map[axis, 3])
        lines.append((places, abs(step)))
    inside = [
        (places > -EDGE) & (places < size - 1 + EDGE)
        for (places, _), size in zip(lines, source.shape, strict=True)
    ]
    # The axes that lose most go first, so that the others have less to do.
    data = source
    for axis in sorted(range(3), key=lambda a: len(lines[a][0]) / source.shape[a]):
        data = _line(data, axis, *lines[axis], kernel=kernel)
    if kernel != "nearest" and not all(_whole(places) for places, _ in lines):
        data = data.astype(np.float32, copy=False)
    elif np.shares_memory(data, source):
        data = data.copy()
    for axis, kept in enumerate(inside):
        if not kept.all():
            np.moveaxis(data, axis, 0)[~kept] = fill
    order = np.argsort(partner)
    return data.transpose((int(order[0]), int(order[1]), int(order[2])))


def _settled(places: FloatArray) -> FloatArray:
    """Places rounded to 1e-6; centres where all of them are centres up to rounding."""
    whole = np.rint(places)
    return whole if np.abs(places - whole).max() <= SAME_PLACE else np.round(places, 6)


def _whole(places: FloatArray) -> bool:
    return bool(np.array_equal(places, np.rint(places)))


def _line(
    data: Array, axis: int, places: FloatArray, step: float, *, kernel: Interpolation
) -> Array:
    """Resample one axis; places beyond the ends get the value of the end, for now."""
    size = data.shape[axis]
    parts = 1 if kernel == "nearest" else subdivisions(step)
    if kernel == "nearest" or (parts == 1 and _whole(places)):
        index = np.clip(np.floor(places + 0.5).astype(np.int64), 0, size - 1)
        if np.array_equal(index, np.arange(size)):
            return data
        return data.take(index, axis=axis)
    values = data.astype(np.float32, copy=False)
    if kernel == "cubic" and size > 1:
        values = ndimage.spline_filter1d(values, 3, axis=axis, output=np.float32, mode="mirror")
    matrix = _matrix(places, step=step, parts=parts, size=size, kernel=kernel)
    first = np.ascontiguousarray(np.moveaxis(values, axis, 0))
    found = matrix @ first.reshape(size, -1)
    return np.moveaxis(found.reshape(len(places), *first.shape[1:]), 0, axis)


def _matrix(
    places: FloatArray, *, step: float, parts: int, size: int, kernel: Interpolation
) -> Matrix:
    """Rows of weights of the old samples for each place, averaged over `parts` samples of it."""
    spread = places[:, None] + step * samples(parts)
    taps, weights = _cubic(spread, size) if kernel == "cubic" else _linear(spread, size)
    rows = np.broadcast_to(np.arange(len(places))[:, None, None], taps.shape)
    matrix = sparse.coo_array(
        ((weights / parts).ravel(), (rows.ravel(), taps.ravel())), shape=(len(places), size)
    ).tocsr()
    matrix.sort_indices()  # the order of summation is part of the result, bit by bit
    return matrix.astype(np.float32)


def _linear(places: FloatArray, size: int) -> tuple[Indices, FloatArray]:
    """Taps and weights (..., 2); beyond the ends the end's value."""
    held = np.clip(places, 0, size - 1)
    first = np.minimum(np.floor(held).astype(np.int64), max(size - 2, 0))
    share = held - first
    taps = np.minimum(first[..., None] + np.arange(2), size - 1)
    return taps, np.stack([1.0 - share, share], axis=-1)


def _cubic(places: FloatArray, size: int) -> tuple[Indices, FloatArray]:
    """Taps and weights (..., 4) of the cubic B-spline, mirrored at the outermost centres."""
    first = np.floor(places).astype(np.int64)
    t = places - first
    weights = np.stack(
        [
            (1 - t) ** 3 / 6,
            2 / 3 - t**2 * (2 - t) / 2,
            2 / 3 - (1 - t) ** 2 * (1 + t) / 2,
            t**3 / 6,
        ],
        axis=-1,
    )
    taps = first[..., None] + np.arange(-1, 3)
    if size == 1:
        return np.zeros_like(taps), weights
    period = 2 * (size - 1)
    folded = np.mod(taps, period)
    return np.minimum(folded, period - folded), weights
