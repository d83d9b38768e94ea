"""Reading NIfTI-1 and NIfTI-2: single files and pairs, plain and gzip, either byte order."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats.byte_source import ByteSource
from leuko.formats.components import luminance, magnitude
from leuko.formats.geometry import LABELS, grid_findings
from leuko.formats.nifti_header import (
    COLOURS,
    COMPLEX,
    STORED_TYPES,
    TYPE_NAMES,
    NiftiHeader,
    parse_header,
)
from leuko.formats.nifti_space import nifti_grid
from leuko.formats.stored import AGAIN, read_stored, require_possible
from leuko.formats.voxels import Voxels, real_values
from leuko.image.image import Image, Source

__all__ = ["read_nifti"]

_INTENTS = {
    1001: "an estimate", 1004: "matrices",
    1005: "matrices", 1006: "displacements", 1007: "vectors", 1008: "points", 1009: "triangles",
    1010: "quaternions", 2001: "a time series", 2002: "node numbers", 2003: "RGB colours",
    2004: "RGBA colours", 2005: "a shape",
}  # fmt: skip


def read_nifti(source: ByteSource) -> Image:
    """The image in `source`, whose content was recognised as NIfTI.

    Raises ReadError (exit 3) for what is broken, UnusableInput (exit 4) for values that are no
    grey values.
    """
    header = _header(source)
    shape, volumes, findings = _axes(header, name=source.name)
    dtype = _stored_type(header, name=source.name)
    grid, space_findings = nifti_grid(header, shape=shape)
    findings += [*space_findings, *grid_findings(grid), *_remarks(header)]
    if header.single:
        stored = _read_voxels(source, header, dtype, skip=_gap(header, findings))
        source.finish()
        digest = source.digest
    else:
        source.finish()
        with ByteSource(_other_half(source.path), digest=source.digest) as voxels:
            stored = _read_voxels(voxels, header, dtype, skip=max(header.vox_offset, 0))
            voxels.finish()
            digest = voxels.digest
    sizes = shape if volumes == 1 else (*shape, volumes)
    data, value_findings = _real(stored, header, sizes, findings)
    return Image(
        data,
        grid,
        Source(source.name, f"nifti{header.version}", digest.hexdigest(), header.raw),
        (*findings, *value_findings),
        _seconds(header, volumes),
    )


def _header(source: ByteSource) -> NiftiHeader:
    header = parse_header(source.peek(540), name=source.name)
    source.take(header.size)
    return header


def _axes(header: NiftiHeader, *, name: str) -> tuple[tuple[int, int, int], int, list[Finding]]:
    """The three axes of space and the number of volumes along all further ones."""
    space = (*header.shape[:3], 1, 1)[:3]
    volumes = math.prod(header.shape[3:])
    findings = []
    if len(header.shape) > 4 and volumes > 1:
        sizes = " x ".join(map(str, header.shape))
        findings.append(
            Finding(
                "nifti.axes_joined",
                Severity.NOTE,
                f"The file has {len(header.shape)} axes ({sizes}); "
                f"those behind the third are read as {volumes} volumes, the fourth first.",
            )
        )
    if len(header.shape) > 3 and volumes == 1:
        findings.append(
            Finding(
                "nifti.singleton_axes",
                Severity.NOTE,
                f"The file declares {len(header.shape)} axes but holds one 3D volume.",
            )
        )
    require_possible((*space, *header.shape[3:]), name=name)
    return (space[0], space[1], space[2]), volumes, findings


def _stored_type(header: NiftiHeader, *, name: str) -> np.dtype[np.generic]:
    known = {**STORED_TYPES, **COMPLEX, **dict.fromkeys(COLOURS, "u1")}
    if header.datatype in known:
        return np.dtype(known[header.datatype]).newbyteorder(header.order)
    if header.datatype in TYPE_NAMES:
        raise UnusableInput(
            f"{name} holds {TYPE_NAMES[header.datatype]}, not the grey values of a scan.",
            hint="Give the scan itself, saved with 16-bit integers or 32-bit floats.",
        )
    raise ReadError(
        f"{name} has a damaged NIfTI header: type code {header.datatype} does not exist.",
        hint=AGAIN,
    )


def _gap(header: NiftiHeader, findings: list[Finding]) -> int:
    """Bytes between the header and the first voxel of a single file."""
    least = header.size
    if header.vox_offset < least:
        if header.vox_offset != 0:  # 0 is common and means the usual place
            findings.append(
                Finding(
                    "nifti.vox_offset_invalid",
                    Severity.WARNING,
                    "The header places the voxels inside itself; "
                    "they were read from the usual place behind it.",
                    "Look at the image: shifted or striped means that the header is damaged.",
                )
            )
        return 4
    gap = header.vox_offset - least
    if gap > 4:
        findings.append(
            Finding(
                "nifti.extension",
                Severity.NOTE,
                f"{gap - 4} bytes of header extensions were passed over; "
                "they are not copied to results.",
            )
        )
    return gap


def _read_voxels(
    source: ByteSource, header: NiftiHeader, dtype: np.dtype[np.generic], *, skip: int
) -> Voxels:
    """The stored numbers as a flat array, three or four to a voxel where these are colours."""
    count = math.prod(header.shape) * COLOURS.get(header.datatype, 1)
    taken = 0 if source.gzipped or not header.single else header.size
    return read_stored(source, count=count, dtype=dtype, skip=skip, taken=taken)


def _real(
    stored: Voxels, header: NiftiHeader, shape: tuple[int, ...], findings: list[Finding]
) -> tuple[Voxels, tuple[Finding, ...]]:
    """Real values in the axes of the file; of colours the brightness, of complex ones the size."""
    if header.datatype in COLOURS:
        parts = stored.reshape((COLOURS[header.datatype], *shape), order="F")
        return luminance(np.moveaxis(parts, 0, -1), format="nifti")
    slope, inter = _scaling(header, findings)
    if header.datatype in COMPLEX:
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs(stored.astype(np.complex128) * slope + inter)
        return magnitude(size.reshape(shape, order="F"), format="nifti")
    values, found = real_values(stored, slope=slope, inter=inter)
    return values.reshape(shape, order="F"), found


def _other_half(path: Path) -> Path:
    """The .img file of a pair's header; raises ReadError (exit 3) where there is none."""
    name = path.name.removesuffix(".gz")
    stem = name[: -len(".hdr")] if name.lower().endswith((".hdr", ".nii")) else name
    for suffix in (".img", ".img.gz", ".IMG"):
        candidate = path.with_name(stem + suffix)
        if candidate.is_file():
            return candidate
    raise ReadError(
        f"{path.name} is the header of a pair; its voxels, {stem}.img, are missing.",
        hint=f"Put {stem}.img (or {stem}.img.gz) into the same folder.",
    )


def _scaling(header: NiftiHeader, findings: list[Finding]) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or none at all means that nothing is scaled."""
    slope, inter = header.slope, header.inter
    if slope == 0.0:
        return 1.0, 0.0
    if not (math.isfinite(slope) and math.isfinite(inter)):
        findings.append(
            Finding(
                "nifti.scaling_invalid",
                Severity.NOTE,
                "The scaling in the header is not a number; the stored values are used.",
            )
        )
        return 1.0, 0.0
    if (slope, inter) != (1.0, 0.0):
        findings.append(
            Finding(
                "nifti.scaled",
                Severity.NOTE,
                f"Values are {slope:g} times the stored ones, plus {inter:g}.",
            )
        )
    return slope, inter


def _seconds(header: NiftiHeader, volumes: int) -> float | None:
    """Time between volumes in s, by the units code: 8 s, 16 ms, 24 us; 0 says nothing."""
    scale = {0: 1.0, 8: 1.0, 16: 1e-3, 24: 1e-6}.get(header.time_units)
    step = float(header.pixdim[4]) if len(header.pixdim) > 4 else 0.0
    if (
        volumes == 1
        or volumes != header.shape[3]
        or scale is None
        or not math.isfinite(step)
        or step <= 0.0
    ):
        return None
    return step * scale


def _remarks(header: NiftiHeader) -> list[Finding]:
    """What a reader should know although it changes nothing here."""
    findings = []
    if header.intent in (1002, 1003):
        findings.append(
            Finding(
                LABELS,
                Severity.WARNING,
                f"The header says that the file holds a label map (intent code {header.intent}), "
                "not the intensities of a scan.",
                "Give the scan that it was made from.",
            )
        )
    elif header.intent != 0:
        kind = _INTENTS.get(header.intent)
        if kind is None:
            kind = "statistics" if 2 <= header.intent <= 24 else "derived values"
        findings.append(
            Finding(
                "nifti.intent",
                Severity.WARNING,
                f"The header says that the file holds {kind} (intent code {header.intent}), "
                "not the intensities of a scan.",
                "Give the scan that it was made from.",
            )
        )
    if header.order == ">":
        findings.append(Finding("nifti.big_endian", Severity.NOTE, "The file is big-endian."))
    if STORED_TYPES.get(header.datatype) in ("i8", "u8"):
        findings.append(
            Finding(
                "nifti.int64",
                Severity.NOTE,
                "The file stores 64-bit integers, which FSL, SPM and AFNI refuse to read.",
            )
        )
    return findings
