"""The slow change of brightness that coils leave, estimated and divided out (N4).

Source: Tustison et al., IEEE Transactions on Medical Imaging 2010; computed by SimpleITK.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.errors import UnusableInput
from leuko.preparation.steps import N4

__all__ = ["Corrected", "correct_bias"]

ORDER = 3  # of the splines
HISTOGRAM_BINS, NOISE, WIDTH = 200, 0.01, 0.15  # the method's own defaults
LEAST_VOXELS, ENOUGH_VOXELS = 100, 2000
LEAST_SAMPLES = 4  # along an axis


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """The corrected values, and the field that they were divided by (mean log 0 in the region)."""

    data: npt.NDArray[np.float32]
    field: npt.NDArray[np.float32]


def correct_bias(
    data: npt.NDArray[Any],
    *,
    spacing: tuple[float, float, float],
    region: npt.NDArray[np.bool_],
    parameters: N4 | None = None,
) -> Corrected:
    """Divide `data` by a smooth field, which is sought among the positive voxels of `region`.

    The field's geometric mean in the region is 1, so that brightness is kept on the whole. Only
    spacing decides, not how the array lies in the world; give canonical axes, so that a flipped
    file has the flipped result. One thread: the same result on any number of processors.

    Args:
        data: 3D, any real type.
        spacing: mm along each axis.
        region: where to look, on the same voxels.
        parameters: see `leuko.preparation.steps.N4`.

    Raises UnusableInput (exit 4) where the region has hardly a positive voxel.
    """
    chosen = parameters or N4()
    values = np.ascontiguousarray(data, dtype=np.float32)
    inside = region & (values > 0)
    factors = _factors(inside, spacing, chosen.working_mm)
    thinned = tuple(slice(factor // 2, None, factor) for factor in factors)
    if np.count_nonzero(inside[thinned]) < LEAST_VOXELS or np.ptp(values[inside]) == 0:
        raise UnusableInput(
            "The region to correct the bias field in holds hardly any voxel above 0.",
            hint="Choose another region, such as foreground; N4 needs positive values.",
        )
    coarse = tuple(step * factor for step, factor in zip(spacing, factors, strict=True))
    found = _log_field(values[thinned], inside[thinned], coarse, chosen)
    # Between its knots the field is smooth: what lies between thinned voxels needs no N4.
    log_field = np.empty(values.shape, dtype=np.float32)
    ndimage.affine_transform(
        found,
        1.0 / np.array(factors, dtype=np.float64),
        offset=[-(factor // 2) / factor for factor in factors],
        output=log_field,
        order=3,
        mode="nearest",
    )
    log_field -= np.float32(log_field[inside].mean(dtype=np.float64))
    field: npt.NDArray[np.float32] = np.exp(log_field)
    return Corrected(np.asarray(values / field, dtype=np.float32), field)


def _factors(
    inside: npt.NDArray[np.bool_], spacing: tuple[float, float, float], working_mm: float
) -> list[int]:
    """By how much to thin each axis; less than asked for where little would be left."""
    while True:
        factors = [
            max(1, min(int(working_mm / step + 0.5), size // LEAST_SAMPLES))
            for step, size in zip(spacing, inside.shape, strict=True)
        ]
        thinned = inside[tuple(slice(factor // 2, None, factor) for factor in factors)]
        if max(factors) == 1 or np.count_nonzero(thinned) >= ENOUGH_VOXELS:
            return factors
        working_mm *= 0.7


def _log_field(
    values: npt.NDArray[np.float32],
    inside: npt.NDArray[np.bool_],
    spacing: tuple[float, ...],
    chosen: N4,
) -> npt.NDArray[np.float32]:
    """The logarithm of the field on the voxels of `values`; of a single slice in its plane."""
    deep = [axis for axis, size in enumerate(values.shape) if size > 1]
    sizes = [values.shape[axis] for axis in deep]
    steps = [spacing[axis] for axis in deep]
    itk: Any = import_module("SimpleITK")  # it has neither types nor names a checker could see

    def as_itk(array: npt.NDArray[Any], pixel: int) -> Any:
        image = itk.Cast(itk.GetImageFromArray(np.ascontiguousarray(array.squeeze().T)), pixel)
        image.SetSpacing(steps)
        return image

    thin = as_itk(values, itk.sitkFloat32)
    finder = itk.N4BiasFieldCorrectionImageFilter()
    finder.SetNumberOfThreads(1)
    finder.SetMaximumNumberOfIterations(list(chosen.iterations))
    finder.SetConvergenceThreshold(chosen.tolerance)
    finder.SetSplineOrder(ORDER)
    finder.SetNumberOfHistogramBins(HISTOGRAM_BINS)
    finder.SetWienerFilterNoise(NOISE)
    finder.SetBiasFieldFullWidthAtHalfMaximum(WIDTH)
    finder.SetNumberOfControlPoints(
        [
            max(1, int(np.ceil(size * mm / chosen.spline_mm))) + ORDER
            for size, mm in zip(sizes, steps, strict=True)
        ]
    )
    try:
        finder.Execute(thin, as_itk(inside.view(np.uint8), itk.sitkUInt8))
    except RuntimeError as error:
        raise UnusableInput(
            "The bias field cannot be estimated in this image.",
            hint="It may be too small or too flat for N4; leave the step out.",
        ) from error
    field = finder.GetLogBiasFieldAsImage(thin)
    found = np.array(itk.GetArrayViewFromImage(field), dtype=np.float32).T
    return found.reshape(values.shape)
