"""Where the voxels of an image lie, in numbers."""

from __future__ import annotations

import numpy as np

from leuko.formats.geometry import shear_degrees
from leuko.image.image import Image
from leuko.pipelines.information_content import Geometry

__all__ = ["geometry_of"]


def geometry_of(image: Image, *, slice_error: float | None) -> Geometry:
    """The geometry of an image; `slice_error` in mm, None where the format knows no other."""
    grid = image.grid
    spacing = grid.spacing
    shear = shear_degrees(grid)
    middle = grid.to_world([(n - 1) / 2 for n in grid.shape])
    extent = [round(n * step, 4) for n, step in zip(grid.shape, spacing, strict=True)]
    unit = "mm" if grid.sized else "pixels"
    return Geometry(
        shape=tuple(int(n) for n in image.data.shape),
        volumes=image.volumes,
        seconds_between_volumes=image.seconds,
        spacing_mm=spacing,
        extent_mm=(extent[0], extent[1], extent[2]),
        voxel_mm3=grid.voxel_mm3,
        oriented=grid.oriented,
        sized=grid.sized,
        orientation=grid.orientation.code if grid.oriented else "",
        coordinate_system=f"RAS+ {unit}" if grid.oriented else f"array axes, {unit}",
        affine=tuple(tuple(float(v) + 0.0 for v in row) for row in grid.affine),
        centre_mm=(float(middle[0]), float(middle[1]), float(middle[2])),
        shear_degrees=round(shear, 4),
        oblique_degrees=_oblique(grid.affine[:3, :3]),
        slice_error_mm=slice_error,
        regular=shear <= 0.1 and (slice_error or 0.0) <= 0.1,
    )


def _oblique(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The largest angle between an array axis and the axis of the body next to it, in degrees."""
    cosines = np.abs(matrix / np.linalg.norm(matrix, axis=0)).max(axis=0)
    return round(float(np.degrees(np.arccos(np.clip(cosines.min(), 0, 1)))), 2)
