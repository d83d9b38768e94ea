"""Volumes for a page: as small as they can be without a visible loss, as text."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from leuko.formats.nifti_out import encode
from leuko.image.grid import Grid

__all__ = ["Reduction", "packed", "reduction", "text_of"]

Voxels = npt.NDArray[Any]
LONGEST = 2048  # voxels along an axis: what every graphics card takes as a 3D texture
MOST = 160_000_000  # voxels: 320 MB in the browser's memory
STEPS = 65_000.0  # of a real number kept in 16 bits
FINE = 1 / 500  # of the values' usual range: steps that nobody sees
GZIP_LEVEL, GZIP_BITS = 2, 31
SLOPE_AT, DIM_AT = 112, 40  # bytes in a NIfTI-1 header


@dataclass(frozen=True, slots=True)
class Reduction:
    """How many voxels of the file become one on the page, along the shown axes."""

    factors: tuple[int, int, int] = (1, 1, 1)

    @property
    def whole(self) -> bool:
        """Nothing is left out."""
        return self.factors == (1, 1, 1)

    def averaged(self, data: Voxels) -> Voxels:
        """Means over blocks; the last, incomplete block of an axis is left out."""
        if self.whole:
            return data
        shape = tuple(n // f for n, f in zip(data.shape, self.factors, strict=False))
        cut = data[tuple(slice(0, n * f) for n, f in zip(shape, self.factors, strict=True))]
        split = [part for n, f in zip(shape, self.factors, strict=True) for part in (n, f)]
        means = cut.reshape(*split, *data.shape[3:]).mean(axis=(1, 3, 5), dtype=np.float32)
        return np.asarray(means if data.dtype.kind == "f" else np.rint(means).astype(data.dtype))

    def picked(self, data: Voxels) -> Voxels:
        """One voxel of each block: labels cannot be averaged."""
        if self.whole:
            return data
        size = [n // f for n, f in zip(data.shape, self.factors, strict=False)]
        view = data[tuple(slice(f // 2, None, f) for f in self.factors)]
        return view[tuple(slice(0, n) for n in size)]


def reduction(
    shape: tuple[int, int, int], spacing: tuple[float, ...], *, volumes: int, most: int = MOST
) -> Reduction:
    """The least reduction to at most so many voxels, finest axes first."""
    factors = [-(-length // LONGEST) for length in shape]
    while np.prod([n // f for n, f in zip(shape, factors, strict=True)]) * volumes > most:
        lengths = [s * f for s, f in zip(spacing, factors, strict=True)]
        able = [axis for axis in range(3) if shape[axis] >= 4 * factors[axis]]
        if not able:
            break
        factors[min(able, key=lambda axis: lengths[axis])] += 1
    return Reduction((factors[0], factors[1], factors[2]))


def packed(
    data: Voxels,
    spacing: tuple[float, float, float],
    *,
    exact: bool = False,
    scale: tuple[float, float] = (1.0, 0.0),
) -> str:
    """A gzip-compressed NIfTI of `data`, axes as they are, as base64 text.

    Its grid is that of the array, not of the body: the page knows the body's. Real numbers become
    16 bits with a slope unless that could be seen, or `exact` forbids it. Bytes stand for
    `scale[0]` times their value plus `scale[1]`.
    """
    stored, slope, inter = _stored(data, exact=exact)
    if data.dtype == np.uint8:
        slope, inter = scale
    shape = (stored.shape[0], stored.shape[1], stored.shape[2])
    header, voxels = encode(stored, grid=Grid.from_spacing(shape, spacing))
    fields = bytearray(header)
    struct.pack_into("<ff", fields, SLOPE_AT, slope, inter)
    if stored.ndim == 4:
        struct.pack_into("<5h", fields, DIM_AT, 4, *shape, stored.shape[3])
    return text_of(bytes(fields), voxels)


def text_of(*pieces: bytes | memoryview) -> str:
    """Bytes, compressed, as base64 text."""
    packer = isal_zlib.compressobj(GZIP_LEVEL, isal_zlib.DEFLATED, GZIP_BITS)
    whole = b"".join([*(packer.compress(piece) for piece in pieces), packer.flush()])
    return base64.b64encode(whole).decode("ascii")


def _stored(data: Voxels, *, exact: bool) -> tuple[Voxels, float, float]:
    """The values in a small type, with slope and intercept."""
    if data.dtype == np.uint8:
        return data, 1.0, 0.0
    if data.dtype.kind in "iub":
        least, most = (int(data.min()), int(data.max())) if data.size else (0, 0)
        if least >= 0 and most <= 255:
            return data.astype(np.uint8), 1.0, 0.0
        if least >= -32768 and most <= 32767:
            return data.astype(np.int16), 1.0, 0.0
    values = np.asarray(data, np.float32)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    usual = np.percentile(values[::4, ::4, ::2], (1, 99)) if values.size else (0.0, 0.0)
    slope = (high - low) / STEPS
    if exact or slope <= 0 or slope > FINE * float(usual[1] - usual[0]):
        return values, 1.0, 0.0
    inter = (low + high) / 2
    return np.rint((values - np.float32(inter)) / np.float32(slope)).astype(np.int16), slope, inter
