"""Between a scan's voxels and the network's pixels, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from leuko.preparation.sampling import Kernel, Matrix, in_plane, interpolation

__all__ = ["Axis", "Geometry", "from_matrices", "plan", "to_matrices", "to_pixels", "to_voxels"]

Scalar = TypeVar("Scalar", bound=np.generic)
MULTIPLE = 16  # four halvings inside the network


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis in the plane: `pixels` samples, `step` voxels apart, around `centre` (in voxels).

    Only voxels `start` to `stop` of `voxels` are covered; beyond them the network sees 0, and
    nothing is found there.
    """

    voxels: int
    start: int
    stop: int
    step: float
    pixels: int

    @property
    def centre(self) -> float:
        """The voxel coordinate of the middle of the covered part and of the pixels."""
        return (self.start + self.stop - 1) / 2.0

    def voxel_of(self, pixels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Voxel coordinates of pixel coordinates (both: 0 = centre of the first)."""
        return self.centre + (pixels - (self.pixels - 1) / 2.0) * self.step

    def pixel_of(self, voxels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Pixel coordinates of voxel coordinates (both: 0 = centre of the first)."""
        return (self.pixels - 1) / 2.0 + (voxels - self.centre) / self.step


@dataclass(frozen=True, slots=True)
class Geometry:
    """How the network's stack (n, H, W) lies in the canonical array.

    `slice_axis` is the canonical axis along the stack, whose slices `first` to `last` (exclusive)
    are in it; `rows` and `columns` are the other two canonical axes in rising order.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    slice_axis: int
    first: int
    last: int
    rows: Axis
    columns: Axis
    pixel_mm: float

    @property
    def stack_shape(self) -> tuple[int, int, int]:
        """(n, H, W)."""
        return (self.last - self.first, self.rows.pixels, self.columns.pixels)


def plan(
    shape: Sequence[int],
    *,
    spacing: Sequence[float],
    slice_axis: int,
    box: Sequence[tuple[int, int]],
    pixel_mm: float,
) -> Geometry:
    """The geometry that shows the voxels in `box` (start and stop an axis) at `pixel_mm`."""
    first, second = (axis for axis in range(3) if axis != slice_axis)
    rows, columns = (
        _axis(shape[axis], box[axis], step=pixel_mm / spacing[axis]) for axis in (first, second)
    )
    return Geometry(
        shape=(shape[0], shape[1], shape[2]),
        spacing=(spacing[0], spacing[1], spacing[2]),
        slice_axis=slice_axis,
        first=box[slice_axis][0],
        last=box[slice_axis][1],
        rows=rows,
        columns=columns,
        pixel_mm=pixel_mm,
    )


def to_pixels(
    data: npt.NDArray[Any], geometry: Geometry, *, kernel: Kernel
) -> npt.NDArray[np.float32]:
    """The stack (n, H, W) float32 of a canonical array of the geometry's shape."""
    rows, columns = to_matrices(geometry, kernel=kernel)
    slices = np.moveaxis(data, geometry.slice_axis, 0)[geometry.first : geometry.last]
    stack = np.empty(geometry.stack_shape, dtype=np.float32)
    for image, out in zip(slices, stack, strict=True):
        in_plane(image, rows, columns, out=out)
    return stack


def to_voxels(
    stack: npt.NDArray[Any], geometry: Geometry, *, kernel: Kernel
) -> npt.NDArray[np.float32]:
    """The inverse way: a canonical array, float32, of a stack (n, H, W); 0 beyond the stack."""
    rows, columns = from_matrices(geometry, kernel=kernel)
    native = np.zeros(geometry.shape, dtype=np.float32)
    slices = np.moveaxis(native, geometry.slice_axis, 0)[geometry.first : geometry.last]
    for image, out in zip(stack, slices, strict=True):
        in_plane(image, rows, columns, out=out)
    return native


def to_matrices(geometry: Geometry, *, kernel: Kernel) -> tuple[Matrix, Matrix]:
    """Matrices for rows and columns, from the voxels of a slice to its pixels."""
    return _forth(geometry.rows, kernel), _forth(geometry.columns, kernel)


def from_matrices(geometry: Geometry, *, kernel: Kernel) -> tuple[Matrix, Matrix]:
    """Matrices for rows and columns, from the pixels of a slice to its voxels."""
    return _back(geometry.rows, kernel), _back(geometry.columns, kernel)


def _axis(voxels: int, covered: tuple[int, int], *, step: float) -> Axis:
    start, stop = covered
    needed = int(np.ceil(round((stop - start) / step, 6)))
    return Axis(voxels, start, stop, step, max(1, -(-needed // MULTIPLE)) * MULTIPLE)


def _forth(axis: Axis, kernel: Kernel) -> Matrix:
    # Voxels beyond the box are still the scan: pixels of the padding show them where they exist.
    positions = axis.voxel_of(np.arange(axis.pixels, dtype=np.float64))
    return interpolation(positions, count=axis.voxels, step=axis.step, kernel=kernel)


def _back(axis: Axis, kernel: Kernel) -> Matrix:
    positions = axis.pixel_of(np.arange(axis.voxels, dtype=np.float64))
    return interpolation(positions, count=axis.pixels, step=1.0 / axis.step, kernel=kernel)
