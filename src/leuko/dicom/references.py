"""Where the planes of source images lie and how they are referred to; the grid they make together.

Everything here is LPS in mm as DICOM has it, but the grid, which is RAS like all of leuko's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from leuko.dicom.frame import Frame
from leuko.dicom.identity import tolerant
from leuko.errors import SafetyRefusal
from leuko.image.grid import Grid

__all__ = ["Plane", "Reference", "grid_of", "planes_of", "series_items"]

FloatArray = npt.NDArray[np.float64]
SAME_PLACE_MM = 1e-2  # planes of several volumes at one place
REGULAR_MM = 0.1  # how far a plane may lie off the regular stack: headers round
LEAST_TILT = 1.7e-3  # 0.1 degrees, as reading has it: less is how directions are rounded
SAME_DIRECTION = 1e-3  # of unit vectors
SKEW = 1e-2  # of the directions of rows and columns, which are at right angles
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
NO_GEOMETRY = "Only images with a position in the patient can be referred to voxel by voxel."


@dataclass(frozen=True, slots=True)
class Reference:
    """A source image: SOP class and instance, and the frame (from 1) where it holds several."""

    class_uid: str
    instance_uid: str
    frame: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A plane of the source: where it lies, and the images that show it.

    `corner` is the centre of the first pixel, `across` the direction along a row, `down` that
    along a column; `spacing` is (between rows, between columns) in mm, `shape` (rows, columns).
    """

    corner: FloatArray
    across: FloatArray
    down: FloatArray
    spacing: tuple[float, float]
    shape: tuple[int, int]
    thickness: float | None
    references: tuple[Reference, ...]

    @property
    def normal(self) -> FloatArray:
        """The direction that rows and columns turn about, right-handed."""
        return np.cross(self.across, self.down)


def planes_of(
    headers: Sequence[Dataset], *, frames: Sequence[Frame] | None = None
) -> tuple[Plane, ...]:
    """The planes that `headers` (or `frames` of them) show, sorted along their normal.

    Planes at one place, as several volumes have, are one plane with several references. Mosaics
    and grids of tiles need `frames`. Raises SafetyRefusal (exit 5) where planes have no place or
    do not have one direction, size and matrix.
    """
    with tolerant():
        found = list(_from_headers(headers) if frames is None else _from_frames(frames))
    if not found:
        raise SafetyRefusal("The source images say of no plane where it lies.", hint=NO_GEOMETRY)
    first = found[0]
    for plane in found[1:]:
        alike = (
            plane.shape == first.shape
            and np.allclose(plane.spacing, first.spacing, atol=1e-4)
            and np.allclose(plane.across, first.across, atol=SAME_DIRECTION)
            and np.allclose(plane.down, first.down, atol=SAME_DIRECTION)
        )
        if not alike:
            raise SafetyRefusal(
                "The source images do not lie parallel, or differ in size: they are no one grid.",
                hint="Give the images of one series and one stack.",
            )
    heights = np.array([float(plane.corner @ first.normal) for plane in found])
    merged: list[Plane] = []
    for index in np.argsort(heights, kind="stable"):
        plane = found[int(index)]
        if merged and np.linalg.norm(plane.corner - merged[-1].corner) < SAME_PLACE_MM:
            both = merged[-1].references + plane.references
            merged[-1] = replace(merged[-1], references=tuple(dict.fromkeys(both)))
        else:
            merged.append(plane)
    return tuple(merged)


def grid_of(planes: Sequence[Plane]) -> Grid:
    """The grid of the planes, axes (column, row, plane), affine to RAS mm.

    Raises SafetyRefusal (exit 5) where the planes are sheared (gantry tilt) or unevenly spaced.
    """
    first, count = planes[0], len(planes)
    corners = np.array([plane.corner for plane in planes])
    if count > 1:
        step = (corners[-1] - corners[0]) / (count - 1)
    else:
        step = first.normal * (first.thickness or 1.0)
    off = np.linalg.norm(corners - (corners[0] + np.outer(np.arange(count), step)), axis=1).max()
    aside = np.linalg.norm(step - (step @ first.normal) * first.normal) * (count - 1)
    if off > REGULAR_MM:
        raise SafetyRefusal(
            f"The source planes are not evenly spaced: up to {off:.3g} mm off.",
            hint="A slice may be missing; a segmentation needs a regular stack.",
        )
    length = float(np.linalg.norm(corners[-1] - corners[0])) or 1.0
    if aside > max(REGULAR_MM, length * LEAST_TILT):
        raise SafetyRefusal(
            f"The source planes are sheared: the last is {aside:.3g} mm beside the first.",
            hint="A tilted gantry does that; resample the scan onto a straight grid first.",
        )
    affine = np.eye(4)
    affine[:3, 0] = first.across * first.spacing[1]
    affine[:3, 1] = first.down * first.spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = corners[0]
    affine[:3] = LPS_TO_RAS @ affine[:3]
    rows, columns = first.shape
    return Grid((columns, rows, count), affine)


def series_items(headers: Sequence[Dataset]) -> dict[str, list[tuple[str, str]]]:
    """SOP class and instance of every header, by Series Instance UID, in order."""
    series: dict[str, list[tuple[str, str]]] = {}
    for header in headers:
        entry = (str(header.SOPClassUID), str(header.SOPInstanceUID))
        listed = series.setdefault(str(header.SeriesInstanceUID), [])
        if entry not in listed:
            listed.append(entry)
    return series


def _from_frames(frames: Sequence[Frame]) -> Iterator[Plane]:
    for frame in frames:
        if frame.position is None or frame.orientation is None or frame.spacing is None:
            continue
        whole = frame.instance
        yield _plane(
            frame.position,
            (*frame.orientation[0], *frame.orientation[1]),
            frame.spacing,
            (frame.rows or whole.rows, frame.columns or whole.columns),
            frame.thickness,
            Reference(whole.sop_class, whole.sop_uid, frame.nth + 1 if whole.frames > 1 else None),
        )


def _from_headers(headers: Sequence[Dataset]) -> Iterator[Plane]:
    for header in headers:
        kinds = header.get("ImageType") or []
        if "MOSAIC" in kinds or "VFRAME" in kinds:
            raise SafetyRefusal(
                "The source files hold many slices as tiles of one picture.",
                hint="Give the frames that `scan` found in them.",
            )
        shape = (int(header.Rows), int(header.Columns))
        own = header.get("PerFrameFunctionalGroupsSequence")
        if not own:
            if all(
                header.get(word)
                for word in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
            ):
                yield _plane(
                    header.ImagePositionPatient,
                    header.ImageOrientationPatient,
                    header.PixelSpacing,
                    shape,
                    header.get("SliceThickness"),
                    Reference(header.SOPClassUID, header.SOPInstanceUID),
                )
            continue
        shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
        for index, group in enumerate(own):
            position, orientation, measures = (
                (group.get(word) or shared.get(word) or [Dataset()])[0]
                for word in (
                    "PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence"
                )
            )  # fmt: skip
            if "ImagePositionPatient" in position and "ImageOrientationPatient" in orientation:
                yield _plane(
                    position.ImagePositionPatient,
                    orientation.ImageOrientationPatient,
                    measures.PixelSpacing,
                    shape,
                    measures.get("SliceThickness"),
                    Reference(header.SOPClassUID, header.SOPInstanceUID, index + 1),
                )


def _plane(
    position: Sequence[float],
    orientation: Sequence[float],
    spacing: Sequence[float],
    shape: tuple[int, int],
    thickness: object,
    reference: Reference,
) -> Plane:
    across, down = np.reshape([float(value) for value in orientation], (2, 3))
    corner = np.array([float(value) for value in position])
    known = np.isfinite(np.concatenate([corner, across, down, spacing], dtype=np.float64)).all()
    if not known or min(spacing) <= 0 or abs(float(across @ down)) > SKEW:
        raise SafetyRefusal("A source image does not say properly where it lies.", hint=NO_GEOMETRY)
    return Plane(
        corner,
        across / np.linalg.norm(across),
        down / np.linalg.norm(down),
        (float(spacing[0]), float(spacing[1])),
        shape,
        float(str(thickness)) if thickness else None,
        (Reference(str(reference.class_uid), str(reference.instance_uid), reference.frame),),
    )
