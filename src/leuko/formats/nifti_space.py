"""Where the voxels of a NIfTI file lie: the grid its header means, and what is odd about it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity
from leuko.formats.nifti_header import NiftiHeader
from leuko.image.grid import Grid

__all__ = ["nifti_grid", "qform_affine"]

FloatArray = npt.NDArray[np.float64]
TOLERANCE_MM = 0.1
TOLERANCE_DEGREES = 0.1
_PIXDIM_TOLERANCE = 0.01  # relative: beyond it volumes differ by more than a per cent
_LIMIT = 1e9  # beyond it a length is rubbish, in any unit
_TO_MM = {1: 1e3, 2: 1.0, 3: 1e-3}
_UNIT_NAMES = {1: "metres", 3: "micrometres"}
_SPACE_HINT = "Compare a corner of the mask with the scan in your viewer before you rely on it."


def nifti_grid(
    header: NiftiHeader, *, shape: tuple[int, int, int]
) -> tuple[Grid, tuple[Finding, ...]]:
    """The grid (RAS mm) of a header's first three axes, with findings on how it was decided.

    The sform counts where its code says so, else the qform, else spacing alone without
    orientation (METHOD 3, 2 and 1 of nifti1.h). A transform that no voxel grid can have (singular
    or not finite) counts as absent.
    """
    findings: list[Finding] = []
    scale = _millimetres(header, findings)
    spacing = _spacing(header, findings) * scale
    sform = _sform(header, scale, findings)
    qform = _qform(header, spacing, scale, findings)
    if sform is not None:
        if qform is not None:
            findings += _disagreement(sform, qform, shape)
        findings += _pixdim_mismatch(sform, spacing)
    affine = sform if sform is not None else qform
    if affine is None:
        return Grid(shape, np.diag([*spacing, 1.0]), oriented=False), tuple(findings)
    return Grid(shape, affine), tuple(findings)


def qform_affine(quatern: FloatArray, offset: FloatArray, spacing: FloatArray, *, qfac: float) -> (
    FloatArray
):  # fmt: skip
    """The 4x4 affine of a quaternion (b, c, d), an offset and voxel sizes (nifti1.h, METHOD 2)."""
    b, c, d = (float(q) for q in quatern)
    square = b * b + c * c + d * d
    if square > 1.0 - 1e-7:  # half a turn; rounding may exceed 1
        length = np.sqrt(square)
        a, b, c, d = 0.0, b / length, c / length, d / length
    else:
        a = float(np.sqrt(1.0 - square))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    affine = np.eye(4)
    affine[:3, :3] = rotation * spacing * np.array([1.0, 1.0, qfac])
    affine[:3, 3] = offset
    return affine


def _millimetres(header: NiftiHeader, findings: list[Finding]) -> float:
    """Millimetres in one of the file's units of length."""
    scale = _TO_MM.get(header.units, 1.0)
    if header.units in _UNIT_NAMES:
        findings.append(
            Finding(
                "nifti.units_converted",
                Severity.NOTE,
                f"The header measures in {_UNIT_NAMES[header.units]}; lengths are converted to mm.",
            )
        )
    elif header.units not in _TO_MM:
        findings.append(
            Finding(
                "nifti.units_unknown",
                Severity.NOTE,
                "The header does not name its unit of length; millimetres are assumed.",
            )
        )
    return scale


def _spacing(header: NiftiHeader, findings: list[Finding]) -> FloatArray:
    """Sizes of the header's pixdim: positive, in file units."""
    sizes = header.pixdim[1:4].copy()
    used = _may_place(header.sform_code, header.srow[:, :3])
    axes = min(3, len(header.shape))
    if np.any(sizes[:axes] < 0):
        findings.append(
            Finding(
                "nifti.negative_pixdim",
                # Without an sform, the sign might have been meant as a mirroring.
                Severity.NOTE if used else Severity.WARNING,
                "The header holds a negative voxel size; its magnitude is used.",
                "" if used else "Check left and right in your viewer.",
            )
        )
    sizes = np.abs(sizes)
    missing = ~((sizes > 1 / _LIMIT) & (sizes < _LIMIT))  # NaN compares as false
    if np.any(missing[:axes]) and not used:
        findings.append(
            Finding(
                "nifti.spacing_missing",
                Severity.REFUSAL,
                "The header does not give the voxel size; 1 would have to be assumed.",
                "Export the scan again, or set the voxel size (pixdim) with your image software.",
            )
        )
    sizes[missing] = 1.0
    return sizes


def _sform(header: NiftiHeader, scale: float, findings: list[Finding]) -> FloatArray | None:
    if header.sform_code <= 0:
        return None
    if not _may_place(header.sform_code, header.srow):
        findings.append(
            Finding(
                "nifti.sform_invalid",
                Severity.WARNING,
                "The sform of the header cannot be (its matrix is singular or not finite) "
                "and is ignored.",
                _SPACE_HINT,
            )
        )
        return None
    affine = np.eye(4)
    affine[:3] = header.srow * scale
    return affine


def _qform(
    header: NiftiHeader, spacing: FloatArray, scale: float, findings: list[Finding]
) -> FloatArray | None:
    if header.qform_code <= 0:
        return None
    turn = header.quatern
    if not (_is_length(header.qoffset) and _is_length(turn) and float(turn @ turn) <= 1.01):
        findings.append(
            Finding(
                "nifti.qform_invalid",
                Severity.WARNING,
                "The qform of the header cannot be (its quaternion is no rotation) and is ignored.",
                _SPACE_HINT,
            )
        )
        return None
    qfac = -1.0 if header.pixdim[0] < 0 else 1.0  # 0 means 1
    return qform_affine(header.quatern, header.qoffset * scale, spacing, qfac=qfac)


def _may_place(code: int, rows: FloatArray) -> bool:
    """Whether an sform is set, finite and has three independent, not vanishing columns."""
    if code <= 0 or not _is_length(rows):
        return False
    lengths = np.linalg.norm(rows[:, :3], axis=0)
    if np.any(lengths < 1 / _LIMIT):
        return False
    return bool(abs(np.linalg.det(rows[:, :3] / lengths)) > 1e-3)


def _is_length(numbers: FloatArray) -> bool:
    """Whether all are finite and within reason."""
    return bool(np.all(np.abs(numbers) < _LIMIT))


def _disagreement(sform: FloatArray, qform: FloatArray, shape: tuple[int, int, int]) -> (
    list[Finding]
):  # fmt: skip
    distance = Grid(shape, sform).corner_distance(Grid(shape, qform))
    first, second = (m[:3, :3] / np.linalg.norm(m[:3, :3], axis=0) for m in (sform, qform))
    # Through the sine: the arc cosine is blind near 1.
    sines = np.linalg.norm(np.cross(first, second, axis=0), axis=0)
    angle = float(np.degrees(np.arctan2(sines, np.sum(first * second, axis=0)).max()))
    if distance <= TOLERANCE_MM and angle <= TOLERANCE_DEGREES:
        return []
    mirrored = bool(np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0)
    return [
        Finding(
            "nifti.sform_qform_disagree",
            Severity.WARNING,
            f"The header places the scan in two ways (sform and qform) that differ by up to "
            f"{distance:.3g} mm and {angle:.3g} degrees"
            f"{', one being the mirror image of the other' if mirrored else ''}; "
            "the sform is used.",
            "Other software may use the qform and show the mask elsewhere. " + _SPACE_HINT,
        )
    ]


def _pixdim_mismatch(sform: FloatArray, spacing: FloatArray) -> list[Finding]:
    lengths = np.linalg.norm(sform[:3, :3], axis=0)
    if np.all(np.abs(lengths - spacing) <= _PIXDIM_TOLERANCE * lengths):
        return []
    stated, real = (" x ".join(f"{s:.4g}" for s in sizes) for sizes in (spacing, lengths))
    return [
        Finding(
            "nifti.pixdim_disagrees",
            Severity.WARNING,
            f"The header gives the voxel size as {stated} mm (pixdim) and as {real} mm (sform); "
            "the sform is used.",
            "Software that goes by pixdim will report other volumes.",
        )
    ]
