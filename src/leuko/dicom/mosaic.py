"""Volumes laid out as tiles of one plane: Siemens mosaics and UIH grids."""

from __future__ import annotations

import math

import numpy as np

from leuko.dicom.csa import csa_numbers, parse_csa
from leuko.dicom.elements import Elements
from leuko.dicom.frame import Frame, Vector
from leuko.dicom.header import position_of

__all__ = ["tiles_of"]

_WANTED = frozenset({"NumberOfImagesInMosaic", "SliceNormalVector"})
_HINT = "Its private header is needed; export the series again without removing private elements."


def tiles_of(data: Elements, frame: Frame) -> list[Frame] | None:
    """The slices in the one plane of a file, or None where it is an ordinary plane.

    A mosaic whose layout is not stated comes back as one frame with its refusal.
    """
    positions = data.private(0x0065, "Image Private Header", 0x51)
    if positions:
        return _uih(data, frame, positions)
    named = "MOSAIC" in frame.image_type
    tag = data.private(0x0029, "SIEMENS CSA HEADER", 0x10)
    if not named and not (tag and data.private(0x0019, "SIEMENS MR HEADER", 0x0A)):
        return None
    values = parse_csa(data.raw(tag), wanted=_WANTED) if tag else {}
    count = csa_numbers(values, "NumberOfImagesInMosaic")
    if not named and not (count and count[0] > 1):
        return None
    return _siemens(data, frame, values, int(count[0]) if count else 0)


def _siemens(
    data: Elements, frame: Frame, values: dict[str, tuple[str, ...]], count: int
) -> list[Frame]:
    normal = csa_numbers(values, "SliceNormalVector")
    spacing = data.number(0x00180088)
    if count < 1 or len(normal) != 3:
        return [
            _refused(
                frame,
                "It is a Siemens mosaic without the header that says how its slices lie (CSA).",
            )
        ]
    if frame.position is None or frame.orientation is None or frame.spacing is None:
        return [_refused(frame, "It is a Siemens mosaic that does not say where it lies.")]
    if spacing is None or spacing <= 0:
        if count > 1:
            return [_refused(frame, "It is a Siemens mosaic without the distance of its slices.")]
        spacing = 1.0
    across = math.ceil(math.sqrt(count))
    rows, columns = frame.rows // across, frame.columns // across
    if rows * across != frame.rows or columns * across != frame.columns:
        return [_refused(frame, f"A mosaic of {count} slices cannot have its size.")]
    row, column = (np.array(line) for line in frame.orientation)
    # The stated position is that of a plane as large as the mosaic around the slice's centre.
    first = np.array(frame.position)
    first = first + row * frame.spacing[1] * (frame.columns - columns) / 2
    first = first + column * frame.spacing[0] * (frame.rows - rows) / 2
    step = np.array(normal) / np.linalg.norm(normal) * spacing
    return [
        frame._replace(
            tile=k, tiles=across, rows=rows, columns=columns, position=_vector(first + k * step)
        )
        for k in range(count)
    ]


def _uih(data: Elements, frame: Frame, tag: int) -> list[Frame]:
    """A UIH grid gives each tile its own position; tiles fill rows, as square as can be."""
    items = data.items(tag)
    places = [position_of(item.numbers(0x00200032)) for item in items]
    if not places or None in places:
        return [_refused(frame, "It is a UIH grid that does not say where its slices lie.")]
    across = math.ceil(math.sqrt(len(places)))
    down = math.ceil(len(places) / across)
    rows, columns = frame.rows // down, frame.columns // across
    if rows * down != frame.rows or columns * across != frame.columns:
        return [_refused(frame, f"A grid of {len(places)} slices cannot have its size.")]
    return [
        frame._replace(tile=k, tiles=across, rows=rows, columns=columns, position=place)
        for k, place in enumerate(places)
    ]


def _refused(frame: Frame, reason: str) -> Frame:
    return frame._replace(refusal=reason, refusal_hint=_HINT)


def _vector(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
