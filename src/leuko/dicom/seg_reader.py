"""DICOM Segmentation in: segments of any maker as a label map, or as volumes where they overlap.

Frames lie where they say, in any order; planes that a file leaves out are empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset

from leuko.dicom.identity import tolerant
from leuko.dicom.references import LPS_TO_RAS
from leuko.errors import LeukoError, OutOfResources, ReadError, SafetyRefusal
from leuko.findings import Finding, Severity
from leuko.image.grid import Grid
from leuko.image.image import Image, Source

__all__ = ["LABEL_MAP_STORAGE", "SEGMENTATIONS", "read_seg", "segment_names"]

LABEL_MAP_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7"
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", LABEL_MAP_STORAGE)
MOST_VOXELS = 1 << 31
LABELS = "image.labels"  # what all readers say of a file that calls itself a label map
OFF_MM = 0.1  # how far a frame may lie off the regular grid


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """Pixels (frame, row, column), the segment of each frame (0: label map) and its plane."""

    pixels: npt.NDArray[Any]
    segments: list[int]
    planes: npt.NDArray[np.intp]
    grid: Grid


def read_seg(path: Path) -> Image:
    """The segments of the SEG object at `path`, axes (column, row, plane).

    Values are segment numbers (uint8 or uint16), 0 outside; a single segment of probabilities or
    occupancy is float32 0..1. Where segments overlap, or several are fractional, each is a volume
    of a fourth axis. A finding names the segments. Raises ReadError (exit 3) for what is no
    readable SEG, SafetyRefusal (exit 5) where frames are sheared or lie off a regular grid.
    """
    with _damage(path.name):
        content, data = _dataset(path)
        frames = _frames(data, path.name)
        values = _values(data, frames)
        names = _names(data)
    listed = "; ".join(f"{number} = {name}" for number, name in names.items())
    kind = str(data.get("SegmentationType", "")).lower()
    found = Finding(
        LABELS,
        Severity.REFUSAL,
        f"{path.name} is a segmentation ({kind}), no scan; it holds: {listed}.",
        "Give the scan itself, and this one where a mask is asked for.",
    )
    source = Source(path.name, "dicom-seg", sha256(content).hexdigest())
    return Image(values, frames.grid, source, (found,))


def segment_names(path: Path) -> dict[int, str]:
    """The label of each segment number of the SEG object at `path`."""
    with _damage(path.name):
        return _names(_dataset(path)[1])


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Whatever a damaged file makes of the DICOM library ends in one sentence."""
    try:
        with tolerant():
            yield
    except LeukoError:
        raise
    except MemoryError as error:
        raise OutOfResources.of_memory(name) from error
    except Exception as error:
        raise ReadError(
            f"{name} does not say where its frames lie, or is damaged.",
            hint="Copy or export the segmentation again.",
        ) from error


def _dataset(path: Path) -> tuple[bytes, Dataset]:
    content = path.read_bytes()
    data = dcmread(BytesIO(content))
    if data.get("SOPClassUID") not in SEGMENTATIONS:
        raise ReadError(
            f"{path.name} is no DICOM segmentation.",
            hint="Give a SEG object, or a mask as NIfTI.",
        )
    return content, data


def _names(data: Dataset) -> dict[int, str]:
    return {
        int(item.SegmentNumber): str(item.get("SegmentLabel") or f"segment {item.SegmentNumber}")
        for item in data.get("SegmentSequence") or []
    }


def _frames(data: Dataset, name: str) -> _Frames:
    pixels = _pixels(data, name)
    groups = list(data.PerFrameFunctionalGroupsSequence)
    shared = (data.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    corners, segments, directions, spacings = [], [], [], []
    for group in groups:
        position = _item(group, shared, "PlanePositionSequence")
        corners.append([float(value) for value in position.ImagePositionPatient])
        direction = _item(group, shared, "PlaneOrientationSequence").ImageOrientationPatient
        directions.append([float(value) for value in direction])
        measures = _item(group, shared, "PixelMeasuresSequence")
        spacings.append([float(value) for value in measures.PixelSpacing])
        identified = group.get("SegmentIdentificationSequence") or shared.get(
            "SegmentIdentificationSequence"
        )
        segments.append(int(identified[0].ReferencedSegmentNumber) if identified else 0)
    gap = _gap(_item(groups[0], shared, "PixelMeasuresSequence"))
    if len(groups) != len(pixels) or not groups:
        raise ReadError(
            f"{name} has {len(pixels)} frames and places for {len(groups)}.",
            hint="Export the segmentation again.",
        )
    if not (np.isfinite(corners).all() and np.isfinite(directions).all() and np.min(spacings) > 0):
        raise ReadError(
            f"The places of frames in {name} are no numbers.", hint="Export the segmentation again."
        )
    if np.ptp(directions, axis=0).max() > 1e-3 or np.ptp(spacings, axis=0).max() > 1e-3:
        raise SafetyRefusal(
            f"The frames of {name} are not parallel, or differ in size.",
            hint="Export the segmentation on the grid of one series.",
        )
    planes, grid = _grid(np.array(corners), directions[0], spacings[0], pixels.shape[1:], gap, name)
    return _Frames(pixels, segments, planes, grid)


def _item(group: Dataset, shared: Dataset, keyword: str) -> Dataset:
    """The first item of a functional group: the frame's own, else the shared one."""
    found: Dataset = (group.get(keyword) or shared[keyword].value)[0]
    return found


def _gap(measures: Dataset) -> float | None:
    """What the file says of the distance between planes, for files with one plane or few."""
    between = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness")
    return abs(float(between)) if between else None


def _pixels(data: Dataset, name: str) -> npt.NDArray[Any]:
    """Frames (frame, row, column) as stored: single bits unpacked."""
    rows, columns = int(data.Rows), int(data.Columns)
    count = int(data.get("NumberOfFrames") or 1)
    if rows * columns * count > MOST_VOXELS:
        raise ReadError(f"{name} claims more voxels than can be held.", hint="It may be damaged.")
    packed = int(data.BitsAllocated) == 1
    if packed and not data.file_meta.TransferSyntaxUID.is_compressed:
        bits = np.frombuffer(data.PixelData, np.uint8)
        if bits.size * 8 < rows * columns * count:
            raise ReadError(f"{name} is truncated: frames are missing.", hint="Copy it again.")
        flat = np.unpackbits(bits, count=rows * columns * count, bitorder="little")
        return flat.reshape(count, rows, columns)
    return np.asarray(data.pixel_array).reshape(count, rows, columns)


def _grid(
    corners: npt.NDArray[np.float64],
    direction: list[float],
    spacing: list[float],
    shape: tuple[int, ...],
    gap: float | None,
    name: str,
) -> tuple[npt.NDArray[np.intp], Grid]:
    """The plane number of every frame, and the grid of the planes (RAS mm)."""
    across, down = np.array(direction[:3]), np.array(direction[3:])
    normal = np.cross(across, down)
    heights = (corners - corners[0]) @ normal
    steps = np.diff(np.sort(heights))
    steps = steps[steps > OFF_MM / 2]  # less is the same plane in another segment
    # Planes may be left out: the smallest step is the grid's, unless the file says a divisor of it.
    step = float(steps.min()) if steps.size else (gap or 1.0)
    if gap and steps.size and abs(step / gap - round(step / gap)) * gap < OFF_MM and step > gap:
        step = gap
    if steps.size:  # the exact mean over the whole stack
        step = float(np.ptp(heights)) / max(1, round(float(np.ptp(heights)) / step))
    lowest = int(heights.argmin())
    numbers = np.rint((heights - heights[lowest]) / step).astype(np.intp)
    expected = corners[lowest] + np.outer(numbers * step, normal)
    if np.linalg.norm(corners - expected, axis=1).max() > OFF_MM:
        raise SafetyRefusal(
            f"The planes of {name} do not make a regular straight grid.",
            hint="Export the segmentation on the grid of one series.",
        )
    if shape[0] * shape[1] * (int(numbers.max()) + 1) > MOST_VOXELS:
        raise ReadError(f"{name} claims more voxels than can be held.", hint="It may be damaged.")
    affine = np.eye(4)
    affine[:3, 0] = across * spacing[1]
    affine[:3, 1] = down * spacing[0]
    affine[:3, 2] = normal * step
    affine[:3, 3] = corners[lowest]
    affine[:3] = LPS_TO_RAS @ affine[:3]
    return numbers, Grid((shape[1], shape[0], int(numbers.max()) + 1), affine)


def _values(data: Dataset, frames: _Frames) -> npt.NDArray[Any]:
    """A label map or fractions, or a volume for each segment where these do not go together."""
    numbers = sorted(set(frames.segments))
    fractional = data.get("SegmentationType") == "FRACTIONAL"
    if numbers == [0]:  # a label map: the pixels are the segment numbers
        whole = np.zeros(frames.grid.shape, dtype=frames.pixels.dtype)
        for pixels, plane in zip(frames.pixels, frames.planes, strict=True):
            whole[:, :, plane] = pixels.T
        return whole
    if fractional or (labels := _labels(frames)) is None:
        volumes = _volumes(frames, numbers, np.float32 if fractional else np.uint8)
        if fractional:
            volumes /= np.float32(data.get("MaximumFractionalValue") or 1)
        return volumes[..., 0] if len(numbers) == 1 else volumes
    return labels.astype(np.uint8) if numbers[-1] < 256 else labels


def _labels(frames: _Frames) -> npt.NDArray[np.uint16] | None:
    """The segments as one label map; None where they overlap."""
    labels = np.zeros(frames.grid.shape, dtype=np.uint16)
    for pixels, plane, number in zip(frames.pixels, frames.planes, frames.segments, strict=True):
        shown, there = pixels.T != 0, labels[:, :, plane]
        if np.any(there[shown]):
            return None
        there[shown] = number
    return labels


def _volumes(frames: _Frames, numbers: list[int], kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """A volume for each segment, in the order of their numbers, along a fourth axis."""
    volumes = np.zeros((*frames.grid.shape, len(numbers)), dtype=kind)
    for pixels, plane, number in zip(frames.pixels, frames.planes, frames.segments, strict=True):
        volumes[:, :, plane, numbers.index(number)] = pixels.T
    return volumes
