"""Slices of volumes by anatomy: axial, coronal and sagittal mean the body, not the file's axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.preparation.case import ORDER

__all__ = ["Axis", "Slice", "from_slices", "slice_at", "slice_count", "slices", "stack"]

Axis = Literal["axial", "coronal", "sagittal"]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A slice of a volume: `data` (H, W), or (T, H, W) of a series.

    Rows and columns are those of a prepared case: W rises to the patient's right (axial, coronal)
    or front (sagittal), H to the front (axial) or top. `index` counts from the feet (axial), the
    back (coronal) or the left (sagittal); `spacing` is in mm along H and W.
    """

    data: npt.NDArray[Any]
    axis: Axis
    index: int
    spacing: tuple[float, float]


def slice_count(image: Image, *, axis: Axis) -> int:
    """How many slices there are across an anatomical axis. Raises as `stack`."""
    return image.grid.canonical().shape[_order(image, axis)[0]]


def slice_at(image: Image, index: int, *, axis: Axis) -> Slice:
    """One slice, a view of the image. Raises IndexError for one that is not there."""
    _, rows, columns = _order(image, axis)
    spacing = image.grid.canonical().spacing
    planes = stack(image, axis=axis)
    if not 0 <= index < planes.shape[-3]:
        raise IndexError(f"slice {index} of {planes.shape[-3]} across the {axis} axis")
    return Slice(planes[..., index, :, :], axis, index, (spacing[rows], spacing[columns]))


def slices(image: Image, *, axis: Axis) -> Iterator[Slice]:
    """All slices across an anatomical axis, from feet, back or left on; views of the image."""
    return (slice_at(image, index, axis=axis) for index in range(slice_count(image, axis=axis)))


def stack(image: Image, *, axis: Axis) -> npt.NDArray[Any]:
    """The image as (S, H, W), or (T, S, H, W), slices across `axis` first; a view.

    Raises UsageError (exit 2) for an image whose file does not say how it lies in the body, unless
    `axis` is axial: then the file's own slices are taken.
    """
    order = _order(image, axis)
    series = image.data if image.data.ndim == 4 else image.data[..., None]
    planes = to_canonical(series, image.grid).transpose(3, *order)
    return planes if image.data.ndim == 4 else planes[0]


def from_slices(planes: npt.NDArray[Scalar], *, like: Image, axis: Axis) -> Image:
    """The image whose slices across `axis` these (S, H, W) are, on the grid of `like`'s file."""
    order = _order(like, axis)
    grid = like.grid
    shape = tuple(grid.canonical().shape[one] for one in order)
    if planes.shape != shape:
        raise UsageError(
            f"Slices of {planes.shape} voxels do not make {shape}.",
            hint="Give them as stack returns them.",
        )
    back = from_canonical(planes.transpose(np.argsort(order)), grid)
    return Image(np.ascontiguousarray(back), grid, like.source)


def _order(image: Image, axis: Axis) -> Sequence[int]:
    """The canonical axes of slices, rows and columns."""
    if axis not in ORDER:
        raise UsageError(f"There is no axis '{axis}'.", hint=f"Choose {', '.join(ORDER)}.")
    if axis != "axial" and not image.grid.oriented:
        raise UsageError(
            f"{'The image' if image.source is None else image.source.name} does not say how it "
            f"lies in the body: there are no {axis} slices of it.",
            hint="Take axial, which are the file's own slices, or give an image with its geometry.",
        )
    return ORDER[axis]
