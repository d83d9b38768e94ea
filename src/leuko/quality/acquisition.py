"""How well was the head scanned: did it move, and is the detail as fine as the voxels?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity
from leuko.preparation.prepare import slice_axis
from leuko.quality.kspace import THICK_MM, Planes, planes_across, profile, quadrants
from leuko.quality.motion import shared_departure
from leuko.quality.resolution import detail_mm

__all__ = [
    "MOVED",
    "Acquisition",
    "acquisition_checks",
    "acquisition_of",
    "judge_acquisition",
    "lines_of",
]

Triple = tuple[float, float, float]

# Covariance of lines that shows motion, for lines that follow each other from right to left, back
# to front and bottom to top. The halves of a brain are alike, which the first shows a little:
# of 32 scans at rest the highest values were 0.0013 and 0.0010.
MOVED = (0.0020, 0.0014, 0.0017)
MOST_FRACTIONS = 1.7  # voxels in the finest detail; what scanners interpolate reaches 1.6
COARSE_PLANE_MM, COARSE_SLICE_MM = 2.3, 10.0
AXES = ("left and right", "back and front", "bottom and top")


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What the frequencies of a scan say; canonical axes, None where an axis tells nothing."""

    motion: tuple[float | None, float | None, float | None]  # see `motion.shared_departure`
    detail_mm: tuple[float | None, float | None, float | None]  # finest detail
    spacing: Triple
    slice_axis: int

    @property
    def moved(self) -> float:
        """Motion over its limit, on the axis where it is largest; above 1 the head moved.

        Along axes with hardly any detail the end of that looks like motion, and is not asked.
        """
        shares = [
            seen / limit
            for seen, limit, finest in zip(self.motion, MOVED, self.detail_mm, strict=True)
            if seen is not None and finest is not None and finest <= COARSE_PLANE_MM
        ]
        return max(shares, default=0.0)


def acquisition_checks(
    data: npt.NDArray[Any], *, anatomy: npt.NDArray[np.uint8], spacing: Triple
) -> tuple[Finding, ...]:
    """Findings about `data` with its `anatomy` (0 outside the brain), both in canonical axes."""
    return judge_acquisition(acquisition_of(data, anatomy=anatomy, spacing=spacing))


def acquisition_of(
    data: npt.NDArray[Any], *, anatomy: npt.NDArray[np.uint8], spacing: Triple
) -> Acquisition:
    """Measure a dozen slices, and a dozen planes across them where slices are thin."""
    across = slice_axis(spacing)
    motion: list[float | None] = [None, None, None]
    detail: list[float | None] = [None, None, None]
    slices = planes_across(data, anatomy=anatomy, spacing=spacing, axis=across)
    if slices is not None:
        for axis, told in zip(_others(across), lines_of(slices), strict=True):
            motion[axis], detail[axis] = told
    if spacing[across] <= THICK_MM:
        side = 0 if across != 0 else 1
        planes = planes_across(data, anatomy=anatomy, spacing=spacing, axis=side)
        if planes is not None:
            detail[across] = _detail_mm(planes, _others(side).index(across))
    return Acquisition(
        (motion[0], motion[1], motion[2]), (detail[0], detail[1], detail[2]), spacing, across
    )


def lines_of(planes: Planes) -> tuple[tuple[float, float], tuple[float, float]]:
    """Motion (`motion.shared_departure`) and finest detail in mm along rows and along columns."""
    power = quadrants(planes)
    finest = _detail_mm(planes, 0), _detail_mm(planes, 1)
    return (
        (shared_departure(power, planes=planes, axis=0, detail_mm=finest[0]), finest[0]),
        (shared_departure(power, planes=planes, axis=1, detail_mm=finest[1]), finest[1]),
    )


def _detail_mm(planes: Planes, axis: int) -> float:
    return detail_mm(
        profile(planes, axis), field_mm=planes.fields_mm[axis], voxel_mm=planes.spacing[axis]
    )


def _others(axis: int) -> tuple[int, int]:
    """The other two axes in their order."""
    return (1 if axis == 0 else 0, 1 if axis == 2 else 2)


def judge_acquisition(seen: Acquisition) -> tuple[Finding, ...]:
    """What the measurements mean for a search for white matter hyperintensities."""
    found = []
    if seen.moved > 1:
        found.append(
            Finding(
                "scan.motion",
                Severity.WARNING,
                "The head moved during the scan, or it shows ghosts: lines of its k-space "
                f"depart alike in many slices, {seen.moved:.1f} times what is seen at rest.",
                "Small lesions may be missed or invented; look at the scan and the mask, or "
                "repeat the scan.",
            )
        )
    found.extend(_interpolation(seen))
    return tuple(found)


def _interpolation(seen: Acquisition) -> list[Finding]:
    found = []
    for axis, (finest, voxel) in enumerate(zip(seen.detail_mm, seen.spacing, strict=True)):
        if finest is None or finest <= MOST_FRACTIONS * voxel:
            continue
        across = axis == seen.slice_axis
        if finest > (COARSE_SLICE_MM if across else COARSE_PLANE_MM):
            code, severity = "scan.low_resolution", Severity.WARNING
            hint = "Small lesions are missed; compare volumes only among scans of this kind."
        else:
            code, severity = "scan.interpolated", Severity.NOTE
            hint = "Give the scan as it was acquired, where you have it."
        found.append(
            Finding(
                code,
                severity,
                f"Between {AXES[axis]} the scan shows no detail finer than {finest:.1f} mm, "
                f"although its voxels measure {voxel:.2f} mm: it was interpolated or smoothed.",
                hint,
            )
        )
    return found
