"""An image: voxel values on a grid, with what its file said and what was noticed on reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding
from leuko.image.grid import Grid

__all__ = ["Image", "Source", "from_canonical", "to_canonical"]

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an image came from: file name (never a folder), format, and SHA-256 of the file.

    `header` is the file's own geometry header, byte for byte, for writing masks on the same grid.
    """

    name: str
    format: str
    sha256: str
    header: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Voxel values with their grid; axes are the file's, values real (slope applied), never NaN.

    `data` has the three axes of the grid, and where the file holds several volumes (time points,
    echoes, weightings) these as a fourth; a single slice has one voxel along its third axis.
    `seconds` is the time between volumes where it is known.
    """

    data: npt.NDArray[np.generic]
    grid: Grid
    source: Source | None = None
    findings: tuple[Finding, ...] = ()
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.data.shape[:3] != self.grid.shape or self.data.ndim > 4:
            raise ValueError(f"data has shape {self.data.shape}, its grid {self.grid.shape}")

    @property
    def volumes(self) -> int:
        """How many volumes the image holds; 1 where `data` has three axes."""
        return self.data.shape[3] if self.data.ndim == 4 else 1

    def volume(self, index: int) -> Image:
        """One volume, counted from 0, as a 3D image."""
        if not 0 <= index < self.volumes:
            raise IndexError(f"volume {index} of an image of {self.volumes}")
        data = self.data[..., index] if self.data.ndim == 4 else self.data
        return Image(data, self.grid, self.source, self.findings)

    def with_data(self, data: npt.NDArray[np.generic]) -> Image:
        """Other values on the same grid and with the same source."""
        return Image(data, self.grid, self.source, self.findings, self.seconds)


def to_canonical(data: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """A view of `data` (file axes) with axes running closest to right, anterior, superior.

    A fourth axis (volumes) stays where it is.
    """
    if not grid.oriented:
        return data
    orientation = grid.orientation
    view = data.transpose((*orientation.axes, *range(3, data.ndim)))
    return view[tuple(slice(None, None, -1 if flip else 1) for flip in orientation.flipped)]


def from_canonical(data: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """The inverse of `to_canonical`: a view with the axes of `grid`'s own array."""
    if not grid.oriented:
        return data
    orientation = grid.orientation
    view = data[tuple(slice(None, None, -1 if flip else 1) for flip in orientation.flipped)]
    inverse = np.argsort(orientation.axes)
    order = (int(inverse[0]), int(inverse[1]), int(inverse[2]), *range(3, data.ndim))
    return view.transpose(order)
