"""What is odd about a grid, whatever format it came from."""

from __future__ import annotations

import numpy as np

from leuko.findings import Finding, Severity
from leuko.image.grid import Grid

__all__ = ["LABELS", "SHEAR_DEGREES", "grid_findings", "shear_degrees"]

LABELS = "image.labels"  # the code of the finding that a file calls itself a label map

USUAL_MM = (0.2, 10.0)  # what scanners make
POSSIBLE_MM = (0.05, 30.0)  # beyond it the unit of length must be wrong
SHEAR_DEGREES = 0.1


def grid_findings(grid: Grid) -> tuple[Finding, ...]:
    """Findings on orientation, voxel size, shear and a missing third dimension."""
    sized = [_spacing(grid), _shear(grid)] if grid.sized else [_unsized()]
    found = [_orientation(grid), *sized, _flat(grid)]
    return tuple(finding for finding in found if finding is not None)


def _orientation(grid: Grid) -> Finding | None:
    if grid.oriented:
        return None
    return Finding(
        "grid.orientation_unknown",
        Severity.WARNING,
        "The file does not say how the scan lies in the body: left and right are not known.",
        "Export it again from DICOM, with orientation; sides are not reported for it.",
    )


def _unsized() -> Finding:
    return Finding(
        "grid.size_unknown",
        Severity.REFUSAL,
        "The file does not say how large a pixel is: lengths count pixels, not mm.",
        "Give the scan itself, with its geometry (DICOM, NIfTI).",
    )


def _spacing(grid: Grid) -> Finding | None:
    lengths = np.linalg.norm(grid.affine[:3, :3], axis=0)
    low, high = min(grid.spacing), max(grid.spacing)  # rounded: 10.000001 is 10
    text = " x ".join(f"{s:.4g}" for s in lengths)
    if low < POSSIBLE_MM[0] or high > POSSIBLE_MM[1]:
        return Finding(
            "grid.spacing_implausible",
            Severity.REFUSAL,
            f"A voxel of {text} mm cannot be that of a head scan.",
            "The unit of length in the header (metre, mm, micrometre) is probably wrong; "
            "correct it, or export the scan again.",
        )
    if low < USUAL_MM[0] or high > USUAL_MM[1]:
        return Finding(
            "grid.spacing_unusual",
            Severity.WARNING,
            f"A voxel of {text} mm is unusual for a head scan "
            f"({USUAL_MM[0]:g} to {USUAL_MM[1]:g} mm).",
            "Check the voxel size: every volume depends on it.",
        )
    return None


def shear_degrees(grid: Grid) -> float:
    """By how much the pair of axes that is furthest from a right angle misses it."""
    axes = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    worst = max(abs(float(axes[:, a] @ axes[:, b])) for a, b in ((0, 1), (0, 2), (1, 2)))
    return float(np.degrees(np.arcsin(min(worst, 1.0))))


def _shear(grid: Grid) -> Finding | None:
    angle = shear_degrees(grid)
    if angle <= SHEAR_DEGREES:
        return None
    return Finding(
        "grid.shear",
        Severity.WARNING,
        f"The axes of the scan are not at right angles (off by {angle:.3g} degrees).",
        "Volumes are right; other software may refuse the file or drop the shear. "
        "Resample it onto a regular grid if you can.",
    )


def _flat(grid: Grid) -> Finding | None:
    if min(grid.shape) > 1:
        return None
    return Finding(
        "grid.single_slice",
        Severity.REFUSAL,
        f"The image has {' x '.join(map(str, grid.shape))} voxels: a slice, not a volume.",
        "Give the whole scan as one 3D file.",
    )
