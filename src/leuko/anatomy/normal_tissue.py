"""White matter that looks normal: away from lesions, and as bright as most of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.image.spread import robust_deviation
from leuko.masks.morphology import dilate

__all__ = ["Normal", "normal_white_matter"]

BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

FEWEST_VOXELS = 100
WITHIN = 1.5  # robust deviations of the median: beyond lie partial volumes and dirty white matter
RING_MM = 10.0  # around lesions, where no white matter is given
NARROW = 0.5  # of the values: the half that lies closest together holds the mode


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """Normal white matter: `tissue` keeps a voxel's distance from lesions, `rim` is beside them.

    `level` and `deviation` (1.4826 MAD) are of `tissue`, in the units of the image.
    """

    tissue: BoolArray
    rim: BoolArray
    level: float
    deviation: float


def normal_white_matter(
    image: npt.NDArray[Any], *, mask: BoolArray, spacing: Triple, white: BoolArray | None = None
) -> Normal | None:
    """Normal white matter of a scan; None where there are fewer than 100 voxels of it.

    Without `white` it is what prevails within 10 mm around the lesions: their neighbours are
    mostly white matter, whatever the contrast of the scan.

    Args:
        image: intensities, 3D.
        mask: lesions on the same voxels.
        spacing: mm between voxels along each axis.
        white: white matter, lesions or not.
    """
    # Voxels beside a lesion are lesion in part.
    grown = dilate(mask, spacing=spacing, radius_mm=_pixel(spacing))
    if white is None:
        reach = (max(RING_MM, spacing[0]), max(RING_MM, spacing[1]), max(RING_MM, spacing[2]))
        about = dilate(mask, spacing=spacing, radius_mm=reach)
    else:
        about = white | grown
    tissue = about & ~grown
    values = np.sort(image[tissue].astype(np.float64))
    if len(values) < FEWEST_VOXELS:
        return None
    level = float(np.median(values)) if white is not None else _mode(values)
    close = values if white is not None else _symmetric(values, level)
    deviation = robust_deviation(close, about=level)
    alike = np.abs(image.astype(np.float64) - level) <= WITHIN * deviation
    tissue &= alike
    if np.count_nonzero(tissue) < FEWEST_VOXELS:
        return None
    return Normal(tissue, about & grown & ~mask & alike, float(np.median(image[tissue])), deviation)


def _pixel(spacing: Triple) -> Triple:
    """A pixel in the plane of thick slices; a voxel in every direction where all are alike."""
    edge = 1.5 * min(spacing)
    return (
        spacing[0] if spacing[0] <= edge else 0.0,
        spacing[1] if spacing[1] <= edge else 0.0,
        spacing[2] if spacing[2] <= edge else 0.0,
    )


def _mode(values: npt.NDArray[np.float64]) -> float:
    """The half-sample mode of sorted values (Bickel and Fruehwirth, CSDA 50:3500, 2006)."""
    while len(values) > 2:
        half = max(2, int(np.ceil(NARROW * len(values))))
        widths = values[half - 1 :] - values[: len(values) - half + 1]
        # Of equally narrow halves the middle one: whole numbers have many.
        best = np.flatnonzero(widths == widths.min())
        start = int(best[len(best) // 2])
        if half == len(values):
            break
        values = values[start : start + half]
    return float(values.mean())


def _symmetric(values: npt.NDArray[np.float64], mode: float) -> npt.NDArray[np.float64]:
    """The values on the side of the mode that holds fewer of other tissues: the tighter one."""
    below, above = values[values <= mode], values[values >= mode]
    spread = [float(np.median(np.abs(side - mode))) for side in (below, above)]
    return below if spread[0] <= spread[1] else above
