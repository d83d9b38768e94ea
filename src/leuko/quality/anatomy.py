"""Is it a whole brain on a FLAIR? What the voxels say once the network has named the tissues."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding
from leuko.quality.contrast import contrast_findings, contrast_of
from leuko.quality.coverage import coverage_findings, coverage_of, no_brain

__all__ = ["anatomy_checks"]

Voxels = npt.NDArray[Any]
Labels = npt.NDArray[np.uint8]

# Levels are taken around the middle: in the neck, tissues are less sure.
MIDDLE_MM = ((70.0, 70.0), (95.0, 80.0), (45.0, 70.0))


def anatomy_checks(
    data: Voxels,
    *,
    anatomy: Labels,
    spacing: tuple[float, float, float],
    lesions: npt.NDArray[np.bool_] | None = None,
    sided: bool = True,
) -> tuple[Finding, ...]:
    """Findings about `data` with its `anatomy` (values of Tissue), both in canonical axes.

    `lesions` keeps what the network holds for lesions out of the level of white matter. `sided` is
    False where the file has no orientation: then no face of the scan has a name.
    """
    coverage = coverage_of(data, anatomy=anatomy, spacing=spacing)
    if missing := no_brain(coverage):
        return (missing,)
    around = _around(coverage.middle, spacing=spacing)
    contrast = contrast_of(
        data[around],
        anatomy=anatomy[around],
        lesions=None if lesions is None else lesions[around],
    )
    return (*contrast_findings(contrast), *coverage_findings(coverage, sided=sided))


def _around(middle: tuple[float, ...], *, spacing: tuple[float, float, float]) -> tuple[slice, ...]:
    """The part of the scan that surely is brain, where there is one."""
    box = []
    for index, mm, (below, above) in zip(middle, spacing, MIDDLE_MM, strict=True):
        box.append(slice(max(0, round(index - below / mm)), round(index + above / mm) + 1))
    return tuple(box)
