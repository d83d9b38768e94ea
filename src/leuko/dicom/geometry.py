"""Where slices lie: positions along the normal, regular or not, and the affine (PS3.3 C.7.6.2.1.1).

The order of slices and their distance come from Image Position and Image Orientation (Patient)
alone. Positions are LPS in mm here; the affine that leaves this module is RAS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from leuko.dicom.frame import Frame, Vector
from leuko.findings import Finding, Severity

__all__ = ["Unusable", "affine_of", "angle_between", "normal_of", "plane_of", "slices_of"]

FloatArray = npt.NDArray[np.float64]
SAME_POSITION_MM = 0.01  # headers are rounded; two slices are never this close
SPACING_TOLERANCE = 0.01  # of a spacing, for rounded positions
LEAST_TOLERANCE_MM = 0.02
TILT_DEGREES = 0.1
_LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])


class Unusable(Exception):
    """Frames do not make an image: what is wrong, what to do, and whether space is to blame."""

    def __init__(self, what: str, *, hint: str = "", code: str = "geometry") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.code = code


def normal_of(orientation: tuple[Vector, Vector]) -> FloatArray:
    """Unit vector (LPS) along which slices follow each other: row direction x column direction."""
    (a, b, c), (d, e, f) = orientation
    normal = np.array([b * f - c * e, c * d - a * f, a * e - b * d])  # np.cross takes 0.1 ms
    return np.asarray(normal / np.linalg.norm(normal))


def plane_of(orientation: tuple[Vector, Vector]) -> str:
    """ax, cor or sag: the plane of the body closest to that of the slices."""
    return ("sag", "cor", "ax")[int(np.argmax(np.abs(normal_of(orientation))))]


def angle_between(one: tuple[Vector, Vector], other: tuple[Vector, Vector]) -> float:
    """Largest difference of two orientations' direction cosines."""
    return float(np.abs(np.array(one) - np.array(other)).max())


def slices_of(frames: Sequence[Frame], normal: FloatArray) -> list[list[Frame]]:
    """Frames by slice, sorted along the normal; frames within 0.01 mm are one slice."""
    points = np.array([frame.position for frame in frames], dtype=np.float64)
    along = points @ normal
    order = np.argsort(along, kind="stable")
    slices: list[list[Frame]] = []
    last = -np.inf
    for index in order:
        if along[index] - last > SAME_POSITION_MM:
            slices.append([])
            last = along[index]
        slices[-1].append(frames[int(index)])
    return slices


def affine_of(
    volumes: Sequence[Sequence[Frame]], orientation: tuple[Vector, Vector]
) -> tuple[FloatArray, tuple[Finding, ...]]:
    """The affine (RAS) of slices sorted along the normal, and what is odd about them.

    Raises Unusable for missing slices, variable spacing, a variable tilt, and volumes that lie
    in different places.
    """
    frames = volumes[0]
    points = np.array([frame.position for frame in frames], dtype=np.float64)
    for other in volumes[1:]:
        _require_same_place(points, np.array([frame.position for frame in other]))
    normal = normal_of(orientation)
    step, findings = _step(frames, points, normal)
    spacing = frames[0].spacing or (1.0, 1.0)
    affine = np.eye(4)
    affine[:3, 0] = np.array(orientation[0]) * spacing[1] * _LPS_TO_RAS
    affine[:3, 1] = np.array(orientation[1]) * spacing[0] * _LPS_TO_RAS
    affine[:3, 2] = step * _LPS_TO_RAS
    affine[:3, 3] = points[0] * _LPS_TO_RAS
    return affine, findings


def _require_same_place(points: FloatArray, others: FloatArray) -> None:
    distance = float(np.linalg.norm(points - others, axis=1).max())
    if distance > 0.1:
        raise Unusable(
            f"Its volumes do not lie in one place: slices are up to {distance:.2f} mm apart.",
            hint="The scanner moved the slices between volumes; convert the volumes one by one.",
        )


def _step(
    frames: Sequence[Frame], points: FloatArray, normal: FloatArray
) -> tuple[FloatArray, tuple[Finding, ...]]:
    """The vector from slice to slice, LPS in mm."""
    if len(points) == 1:
        return normal * (frames[0].thickness or 1.0), ()
    along = points @ normal
    gaps = np.diff(along)
    _require_regular(gaps)
    step = (points[-1] - points[0]) / (len(points) - 1)
    straight = points[0] + np.arange(len(points))[:, None] * step
    off = np.linalg.norm(points - straight, axis=1).max()
    tolerance = max(2 * LEAST_TOLERANCE_MM, SPACING_TOLERANCE * float(np.linalg.norm(step)))
    if off > tolerance:
        raise Unusable(
            f"Its slices are shifted against each other by up to {off:.2f} mm within their plane.",
            hint="Export the series again as it was acquired.",
        )
    return step, _tilt(step, normal)


def _require_regular(gaps: FloatArray) -> None:
    middle = float(np.median(gaps))
    tolerance = max(LEAST_TOLERANCE_MM, SPACING_TOLERANCE * middle)
    odd = np.flatnonzero(np.abs(gaps - middle) > tolerance)
    if not odd.size:
        return
    smallest = float(gaps.min())
    multiples = gaps / smallest
    whole = np.abs(multiples - np.round(multiples)) * smallest
    holes = np.flatnonzero(np.round(multiples) > 1)
    missing = int(np.round(multiples[holes] - 1).sum())
    even = np.all(whole <= np.maximum(tolerance, 0.02 * gaps)) and np.median(multiples) < 1.5
    if even and missing <= len(gaps):
        raise Unusable(
            f"{missing} of {len(gaps) + 1 + missing} slices {_is_are(missing)} missing: after "
            f"slice {_list(holes + 1)} the next lies {_list_mm(gaps[holes])} mm away instead of "
            f"{smallest:.4g} mm.",
            hint="Export the whole series again from the scanner or archive.",
        )
    raise Unusable(
        f"The distance between its slices varies from {gaps.min():.4g} to {gaps.max():.4g} mm.",
        hint="Give a series with evenly spaced slices; leuko does not invent what lies between.",
    )


def _tilt(step: FloatArray, normal: FloatArray) -> tuple[Finding, ...]:
    cosine = float(step @ normal / np.linalg.norm(step))
    degrees = float(np.degrees(np.arccos(min(cosine, 1.0))))
    if degrees <= TILT_DEGREES:
        return ()
    return (
        Finding(
            "dicom.tilt",
            Severity.WARNING,
            f"The slices are tilted by {degrees:.1f} degrees against the stack (gantry tilt); "
            "the tilt is kept in full.",
        ),
    )


def _is_are(count: int) -> str:
    return "is" if count == 1 else "are"


def _list(values: FloatArray | npt.NDArray[np.intp]) -> str:
    shown = [str(int(value)) for value in values[:4]]
    return ", ".join(shown) + (", ..." if len(values) > 4 else "")


def _list_mm(values: FloatArray) -> str:
    return ", ".join(dict.fromkeys(f"{value:.4g}" for value in values[:4]))
