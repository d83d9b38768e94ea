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
    """A 3D array with its grid; axes are the file's, values are real (slope applied), never NaN."""

    data: npt.NDArray[np.generic]
    grid: Grid
    source: Source | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.data.shape != self.grid.shape:
            raise ValueError(f"data has shape {self.data.shape}, its grid {self.grid.shape}")

    def with_data(self, data: npt.NDArray[np.generic]) -> Image:
        """Other values on the same grid and with the same source."""
        return Image(data, self.grid, self.source, self.findings)


def to_canonical(data: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """A view of `data` (file axes) with axes running closest to right, anterior, superior."""
    if not grid.oriented:
        return data
    orientation = grid.orientation
    view = data.transpose(orientation.axes)
    return view[tuple(slice(None, None, -1 if flip else 1) for flip in orientation.flipped)]


def from_canonical(data: npt.NDArray[Scalar], grid: Grid) -> npt.NDArray[Scalar]:
    """The inverse of `to_canonical`: a view with the axes of `grid`'s own array."""
    if not grid.oriented:
        return data
    orientation = grid.orientation
    view = data[tuple(slice(None, None, -1 if flip else 1) for flip in orientation.flipped)]
    inverse = np.argsort(orientation.axes)
    return view.transpose((int(inverse[0]), int(inverse[1]), int(inverse[2])))
