"""An image or a mask of the moving space, looked up on a grid of the fixed space."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.deformation import slabs
from leuko.registration.transforms import Affine, Transform

__all__ = ["KERNELS", "Kernel", "apply_to_image", "apply_to_mask"]

Kernel = Literal["nearest", "linear", "cubic"]
KERNELS: tuple[Kernel, ...] = ("nearest", "linear", "cubic")
ORDER: dict[Kernel, int] = {"nearest": 0, "linear": 1, "cubic": 3}
COARSER = 1.5  # times the moving voxel: from there on detail is averaged, not skipped
HALF_WIDTH = 2.3548  # full width at half maximum of a Gaussian, in sigmas
INSIDE = 0.5 + 1e-6  # voxels: as far as a voxel's own cell reaches, and rounding


def apply_to_image(
    image: Image, *, transform: Transform, onto: Grid, kernel: Kernel = "linear"
) -> Image:
    """`image` (moving) as float32 on the grid `onto` (fixed), 0 outside of it.

    Where voxels of `onto` are more than 1.5 times longer than the image's own, the image is
    smoothed to their length first (not for `nearest`). `cubic` is an interpolating B-spline.
    """
    if kernel not in KERNELS:
        raise ValueError(f"kernel is one of {', '.join(KERNELS)}, not {kernel!r}")
    volumes = [
        _looked_up(
            _smoothed(image.volume(k), transform, onto, kernel),
            image.grid,
            transform=transform,
            onto=onto,
            kernel=kernel,
        )
        for k in range(image.volumes)
    ]
    data = np.stack(volumes, axis=-1) if image.data.ndim == 4 else volumes[0]
    return Image(data, onto, image.source, image.findings, image.seconds)


def apply_to_mask(mask: Image, *, transform: Transform, onto: Grid) -> Image:
    """A mask or label map (moving) on the grid `onto` (fixed): nearest label, 0 outside.

    No label is ever mixed from others; the type of the values is kept.
    """
    data = _looked_up(mask.data, mask.grid, transform=transform, onto=onto, kernel="nearest")
    return Image(data.astype(mask.data.dtype, copy=False), onto, mask.source, mask.findings)


def _looked_up(
    data: npt.NDArray[Any], grid: Grid, *, transform: Transform, onto: Grid, kernel: Kernel
) -> npt.NDArray[Any]:
    if isinstance(transform, Affine):
        matrix = np.linalg.inv(grid.affine) @ transform.matrix @ onto.affine
        return _linear_map(data, matrix, shape=onto.shape, kernel=kernel)
    order = ORDER[kernel]
    values: Any = data
    if kernel == "cubic":
        values = ndimage.spline_filter(data, 3, np.float32)
    kind: Any = data.dtype if kernel == "nearest" else np.dtype(np.float32)
    out = np.empty(onto.shape, dtype=kind)
    last = np.array(data.shape)[:, None] - 1
    interpolate: Any = ndimage.map_coordinates  # its stubs know no array of any type
    for slab, points in slabs(onto):
        where = np.moveaxis(grid.to_voxel(transform.apply_to_points(points)), -1, 0).reshape(3, -1)
        outside = ((where < -INSIDE) | (where > last + INSIDE)).any(axis=0)
        found = interpolate(
            values, where, output=kind, order=order, prefilter=False, mode="nearest"
        )
        found[outside] = 0
        out[slab] = found.reshape(out[slab].shape)
    return out


def _linear_map(
    data: npt.NDArray[Any],
    matrix: npt.NDArray[np.float64],
    *,
    shape: tuple[int, ...],
    kernel: Kernel,
) -> npt.NDArray[Any]:
    """Voxels of a grid of `shape` looked up at matrix @ (i, j, k, 1) in `data`.

    SimpleITK works in index space here, so that any affine is welcome, a sheared one too.
    """
    sitk: Any = import_module("SimpleITK")

    interpolator = {
        "nearest": sitk.sitkNearestNeighbor,
        "linear": sitk.sitkLinear,
        "cubic": sitk.sitkBSpline3,
    }[kernel]
    given = data if kernel == "nearest" else data.astype(np.float32, copy=False)
    if given.dtype in (np.bool_, np.float16):
        given = given.astype(np.uint8 if given.dtype == np.bool_ else np.float32)
    fortran = given.flags.f_contiguous and not given.flags.c_contiguous
    if not fortran:  # ITK's first axis is the one that runs fastest in memory: the last in C order
        matrix = matrix[np.ix_((2, 1, 0, 3), (2, 1, 0, 3))]
    turn = sitk.AffineTransform(3)
    turn.SetMatrix(matrix[:3, :3].ravel().tolist())
    turn.SetTranslation(matrix[:3, 3].tolist())
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in (shape if fortran else shape[::-1])])
    resampler.SetTransform(turn)
    resampler.SetInterpolator(interpolator)
    pixels = sitk.GetImageFromArray(given.T if fortran else given)
    found: npt.NDArray[Any] = sitk.GetArrayFromImage(resampler.Execute(pixels))
    return found.T if fortran else found


def _smoothed(image: Image, transform: Transform, onto: Grid, kernel: Kernel) -> npt.NDArray[Any]:
    """The image's voxels, averaged along its axes where those of `onto` are much longer."""
    if kernel == "nearest":
        return image.data
    wanted = np.zeros(3)
    middle = onto.to_world((np.array(onto.shape) - 1) / 2)
    start = image.grid.to_voxel(transform.apply_to_points(middle))
    for axis in range(3):  # how long a voxel of `onto` is, in voxels of the image
        step = middle + onto.affine[:3, axis]
        along = np.abs(image.grid.to_voxel(transform.apply_to_points(step)) - start)
        wanted = np.maximum(wanted, along)
    sigmas = np.where(wanted > COARSER, np.sqrt(np.maximum(wanted**2 - 1, 0)) / HALF_WIDTH, 0.0)
    if not sigmas.any():
        return image.data
    values = image.data.astype(np.float32, copy=False)
    return ndimage.gaussian_filter(values, sigmas, mode="nearest", truncate=3.0)
