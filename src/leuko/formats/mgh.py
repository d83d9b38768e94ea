"""Reading FreeSurfer's MGH and MGZ: always big-endian, placed by its centre.

Source: FreeSurfer's description of the MGH format (fsformat, "mgh").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.errors import UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats.byte_source import ByteSource
from leuko.formats.geometry import LABELS, grid_findings
from leuko.formats.placement import placed
from leuko.formats.stored import read_stored, require_possible
from leuko.formats.voxels import real_values
from leuko.image.grid import Grid
from leuko.image.image import Image, Source

__all__ = ["HEADER_BYTES", "MGH_TYPES", "mgh_header", "read_mgh"]

HEADER_BYTES = 284
MGH_TYPES = {0: "u1", 1: "i4", 2: "i8", 3: "f4", 4: "i2", 10: "u2"}
_OTHER_TYPES = {
    5: "single bits", 6: "tensors", 7: "complex numbers", 8: "complex numbers", 9: "RGB colours",
}  # fmt: skip
_CORONAL = np.array([[-1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # what FreeSurfer takes where unsaid
_CONFORMED = 256
_LABEL_INTENT = 1


@dataclass(frozen=True, slots=True)
class MghHeader:
    """The fields of an MGH header; `cosines` has a column for each array axis, RAS."""

    shape: tuple[int, int, int]
    frames: int
    kind: int
    intent: int  # 0 an image, 1 labels, further numbers shapes and warps
    placed: bool
    delta: npt.NDArray[np.float64]
    cosines: npt.NDArray[np.float64]
    centre: npt.NDArray[np.float64]


@np.errstate(invalid="ignore")  # what is no number is refused later
def mgh_header(raw: bytes) -> MghHeader:
    """The values in the first bytes of an MGH file."""
    whole = np.frombuffer(raw, ">i4", count=7)
    reals = np.frombuffer(raw, ">f4", count=15, offset=30).astype(np.float64)
    return MghHeader(
        shape=(int(whole[1]), int(whole[2]), int(whole[3])),
        frames=int(whole[4]),
        kind=int(whole[5]),
        intent=int(whole[0]) >> 8,
        placed=int(np.frombuffer(raw, ">i2", count=1, offset=28)[0]) > 0,
        delta=reals[:3],
        cosines=reals[3:12].reshape(3, 3).T,
        centre=reals[12:],
    )


def read_mgh(source: ByteSource) -> Image:
    """The image in `source`, whose content was recognised as MGH; frames stand last.

    Raises ReadError (exit 3) for what is broken, UnusableInput (exit 4) for values or shapes that
    are not those of a volume.
    """
    raw = source.take(HEADER_BYTES)
    header, name = mgh_header(raw), source.name
    if header.kind not in MGH_TYPES:
        raise UnusableInput(
            f"{name} holds {_OTHER_TYPES.get(header.kind, 'values of an unknown type')}, "
            "not the grey values of a scan.",
            hint="Convert it first: mri_convert -odt float IN OUT.mgz (FreeSurfer).",
        )
    require_possible((*header.shape, header.frames), name=name)
    if sum(n == 1 for n in header.shape) >= 2 and max(header.shape) > 1:
        raise UnusableInput(
            f"{name} holds a value for each of {max(header.shape):,} points of a surface, "
            "not a volume.",
            hint="Give the volume itself, such as orig.mgz or T1.mgz.",
        )
    grid, findings = _grid(header, name=name)
    count = math.prod(header.shape) * header.frames
    stored = read_stored(source, count=count, dtype=">" + MGH_TYPES[header.kind])
    seconds = _seconds(source) if header.frames > 1 else None
    source.finish()
    data, more = real_values(stored)
    shape = header.shape if header.frames == 1 else (*header.shape, header.frames)
    return Image(
        data.reshape(shape, order="F"),
        grid,
        Source(name, "mgh", source.digest.hexdigest(), raw),
        (*findings, *grid_findings(grid), *_intent(header), *_conformed(header), *more),
        seconds,
    )


@np.errstate(over="ignore", invalid="ignore")  # `placed` refuses what is not finite
def _grid(header: MghHeader, *, name: str) -> tuple[Grid, list[Finding]]:
    """From the centre voxel, at half the dimensions, to the first one."""
    delta, cosines, centre = header.delta, header.cosines, header.centre
    findings = []
    if not header.placed:
        cosines, centre = _CORONAL, np.zeros(3)
        delta = np.where(np.isfinite(delta) & (delta > 0), delta, 1.0)
        findings.append(
            Finding(
                "mgh.not_placed",
                Severity.WARNING,
                "The header does not say how the scan lies (goodRASFlag is 0); FreeSurfer would "
                "take it for coronal slices (LIA).",
            )
        )
    columns = cosines * delta
    origin = centre - columns @ (np.array(header.shape) / 2.0)
    grid = placed(header.shape, columns=columns, origin=origin, name=name, oriented=header.placed)
    return grid, findings


def _intent(header: MghHeader) -> list[Finding]:
    """What newer versions of FreeSurfer say above the version's byte."""
    if header.intent == 0:
        return []
    kind = "a label map" if header.intent == _LABEL_INTENT else "shapes or a warp field"
    return [
        Finding(
            LABELS if header.intent == _LABEL_INTENT else "mgh.intent",
            Severity.WARNING,
            f"The header says that the file holds {kind}, not the intensities of a scan.",
            "Give the scan that it was made from.",
        )
    ]


def _conformed(header: MghHeader) -> list[Finding]:
    if header.shape != (_CONFORMED,) * 3 or not np.allclose(header.delta, 1.0, atol=1e-4):
        return []
    return [
        Finding(
            "mgh.conformed",
            Severity.NOTE,
            "The volume is FreeSurfer's conformed one (256 voxels of 1 mm along each axis): "
            "it was resampled, and its resolution is not the scanner's.",
            "For measurements in the scan's own voxels give the original, such as rawavg.mgz.",
        )
    ]


def _seconds(source: ByteSource) -> float | None:
    """The repetition time, in ms behind the voxels."""
    tail = source.take(4)
    if len(tail) < 4:
        return None
    time = float(np.frombuffer(tail, ">f4")[0])
    return time / 1000.0 if math.isfinite(time) and 0 < time < 1e6 else None
