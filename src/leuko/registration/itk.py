"""The border to ITK: our transforms (RAS) as ITK's (LPS), and back.

Both map fixed points to moving points, so only the signs of x and y change, and the order of a
chain: ITK does the last of a composite first.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError
from leuko.image.grid import Grid
from leuko.registration.deformation import BSpline, DisplacementField, as_field
from leuko.registration.transforms import Affine, Composite, Points, Transform, compose

__all__ = ["from_itk", "image_of", "to_itk", "vectors_of"]

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS to LPS, and back
PAD = 3  # control points of zero around ours: ITK ends where ours still fade out
ORTHONORMAL = 1e-5


def to_itk(transform: Transform) -> Any:
    """A SimpleITK transform (LPS) that maps the same points.

    Grids that ITK cannot hold (sheared, or a single slice) become a displacement field in a box.
    """
    sitk: Any = import_module("SimpleITK")

    match transform:
        case Affine():
            return _affine(transform)
        case Composite():
            chain = sitk.CompositeTransform(3)
            for part in reversed(transform.parts):
                chain.AddTransform(to_itk(part))
            return chain
        case BSpline() if _fits(transform.grid):
            return _bspline(transform)
        case DisplacementField() if _fits(transform.grid):
            field = sitk.Cast(
                _vectors(transform.displacements, transform.grid), sitk.sitkVectorFloat64
            )
            return sitk.DisplacementFieldTransform(field)
        case BSpline() | DisplacementField():
            return to_itk(as_field(transform, onto=_box(transform.grid)))
    raise TypeError(f"ITK has no {type(transform).__name__}")


def from_itk(transform: Any) -> Transform:
    """Our transform for any linear, B-spline, displacement or composite transform of SimpleITK.

    Raises ReadError (exit 3) for others, and for those of two dimensions.
    """
    sitk: Any = import_module("SimpleITK")

    if transform.GetDimension() != 3:
        raise ReadError("The transform is of two dimensions; images here have three.")
    given = transform.Downcast() if hasattr(transform, "Downcast") else transform
    if isinstance(given, sitk.CompositeTransform):
        parts = [from_itk(given.GetNthTransform(k)) for k in range(given.GetNumberOfTransforms())]
        return compose(*reversed(parts)) if parts else Affine.identity()
    if isinstance(given, sitk.DisplacementFieldTransform):
        return vectors_of(given.GetDisplacementField())
    if isinstance(given, sitk.BSplineTransform):
        if given.GetOrder() != 3:
            raise ReadError("The transform holds B-splines that are not cubic.")
        images = given.GetCoefficientImages()
        values = np.stack([sitk.GetArrayFromImage(one).T for one in images], axis=-1)
        return BSpline(values * (-1.0, -1.0, 1.0), _grid_of(images[0]))
    if given.IsLinear():
        origin = np.array(given.TransformPoint((0.0, 0.0, 0.0)))
        columns = [np.array(given.TransformPoint(one)) - origin for one in np.eye(3).tolist()]
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack(columns, axis=1)
        matrix[:3, 3] = origin
        return Affine(FLIP @ matrix @ FLIP)
    raise ReadError(
        f"The file holds a {given.GetName()}, which leuko does not know.",
        hint="Known are linear maps, cubic B-splines, displacement fields and chains of them.",
    )


def vectors_of(image: Any) -> DisplacementField:
    """The displacement field that a SimpleITK vector image (LPS) holds."""
    sitk: Any = import_module("SimpleITK")

    shifts = np.transpose(sitk.GetArrayFromImage(image), (2, 1, 0, 3)) * (-1.0, -1.0, 1.0)
    return DisplacementField(shifts.astype(np.float32), _grid_of(image))


def image_of(field: DisplacementField) -> Any:
    """A SimpleITK vector image (LPS, float32) of a displacement field."""
    held = field if _fits(field.grid) else as_field(field, onto=_box(field.grid))
    return _vectors(held.displacements, held.grid)


def _affine(transform: Affine) -> Any:
    sitk: Any = import_module("SimpleITK")

    matrix = FLIP @ transform.matrix @ FLIP
    out = sitk.AffineTransform(3)
    out.SetMatrix(matrix[:3, :3].ravel().tolist())
    out.SetTranslation(matrix[:3, 3].tolist())
    return out


def _bspline(transform: BSpline) -> Any:
    sitk: Any = import_module("SimpleITK")

    padded = np.pad(transform.coefficients, [(PAD, PAD)] * 3 + [(0, 0)])
    affine = transform.grid.affine.copy()
    affine[:3, 3] = transform.grid.to_world((-PAD, -PAD, -PAD))
    x, y, z, _ = padded.shape
    grid = Grid((x, y, z), affine)
    images = []
    for part, sign in enumerate((-1.0, -1.0, 1.0)):
        image = sitk.GetImageFromArray(np.ascontiguousarray(padded[..., part].T) * sign)
        images.append(_placed(image, grid))
    return sitk.BSplineTransform(images, 3)


def _vectors(shifts: npt.NDArray[np.floating], grid: Grid) -> Any:
    sitk: Any = import_module("SimpleITK")

    flipped = (np.transpose(shifts, (2, 1, 0, 3)) * (-1.0, -1.0, 1.0)).astype(np.float32)
    return _placed(sitk.GetImageFromArray(np.ascontiguousarray(flipped), isVector=True), grid)


def _placed(image: Any, grid: Grid) -> Any:
    affine = FLIP @ grid.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    return image


def _grid_of(image: Any) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    x, y, z = image.GetSize()
    return Grid((x, y, z), FLIP @ affine)


def _fits(grid: Grid) -> bool:
    """Whether ITK can hold the grid: right angles, and more than one slice."""
    unit: Points = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    return bool(np.abs(unit.T @ unit - np.eye(3)).max() < ORTHONORMAL) and min(grid.shape) > 1


def _box(grid: Grid) -> Grid:
    """A grid along the world's axes that covers `grid`, as fine as its finest axis."""
    corners = np.stack(np.meshgrid(*((0, n - 1) for n in grid.shape), indexing="ij"), axis=-1)
    world = grid.to_world(corners.reshape(-1, 3))
    low, high = world.min(axis=0), world.max(axis=0)
    step = min(grid.spacing)
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = low
    x, y, z = (max(2, int(np.ceil((b - a) / step)) + 1) for a, b in zip(low, high, strict=True))
    return Grid((x, y, z), affine)
