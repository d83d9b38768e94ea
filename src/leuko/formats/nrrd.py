"""Reading NRRD: attached and detached, in all five encodings.

Its sample positions are centres, whatever `centerings` says of the samples' extent; `old min` and
`old max` describe where the values came from, and do not scale them.
"""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path

import numpy as np

from leuko.errors import ReadError
from leuko.findings import Finding, Severity
from leuko.formats.byte_source import ByteSource
from leuko.formats.companions import MAX_FILES, beside, numbered
from leuko.formats.components import Part, combined
from leuko.formats.geometry import LABELS, grid_findings
from leuko.formats.nrrd_header import NrrdHeader, parse_nrrd
from leuko.formats.nrrd_space import nrrd_axes, nrrd_grid, nrrd_seconds
from leuko.formats.stored import AGAIN, MAX_VALUES, read_stored
from leuko.formats.voxels import Voxels
from leuko.image.image import Image, Source

__all__ = ["read_nrrd"]

_PATTERN = re.compile(r"^(.*%.*?)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(?:\s+\d+)?$")
_TEXT_BYTES = 64  # no number is longer as text


def read_nrrd(source: ByteSource) -> Image:
    """The image in `source`, whose content was recognised as NRRD; volumes stand last.

    Raises ReadError (exit 3) for what is broken, UnusableInput (exit 4) for values that are no
    grey values, SafetyRefusal (exit 5) where voxels are said to lie outside the header's folder.
    """
    header = parse_nrrd(source)
    axes = nrrd_axes(header, name=source.name)
    grid, findings = nrrd_grid(header, axes, name=source.name)
    stored, digest = _stored(source, header)
    spread = stored.reshape(header.shape, order="F").transpose(axes.order)
    part = Part(spread.reshape((*grid.shape, -1), order="F"), axes.meaning)
    data, value_findings = combined(part, format="nrrd")
    if header.old_range:
        findings.append(
            Finding(
                "nrrd.old_range",
                Severity.NOTE,
                "The header tells an earlier range of values (old min, old max); "
                "the stored values are used.",
            )
        )
    if any(key.startswith("Segment0_") for key in header.keys):
        findings.append(
            Finding(
                LABELS,
                Severity.WARNING,
                "The header says that the file holds a segmentation, not the intensities of a "
                "scan.",
                "Give the scan that it was made from.",
            )
        )
    return Image(
        data,
        grid,
        Source(source.name, "nrrd", digest, header.raw),
        (*findings, *grid_findings(grid), *value_findings),
        nrrd_seconds(header, axes) if data.ndim == 4 else None,
    )


def _stored(source: ByteSource, header: NrrdHeader) -> tuple[Voxels, str]:
    """All stored numbers, flat, from this file or from those that it names; the common hash."""
    count = math.prod(header.shape)
    if not header.files:
        values = _values(source, header, count=count, taken=header.taken)
        source.finish()
        return values, source.digest.hexdigest()
    source.finish()
    paths = _paths(source.path, header)
    if count % len(paths):
        raise ReadError(
            f"{source.name} names {len(paths)} voxel files, which cannot share "
            f"{count:,} voxels evenly.",
            hint=AGAIN,
        )
    pieces = []
    for path in paths:
        with ByteSource(path, digest=source.digest, inflate=False) as part:
            pieces.append(_values(part, header, count=count // len(paths), taken=0))
            part.finish()
    joined = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    return joined, source.digest.hexdigest()


def _paths(header_path: Path, header: NrrdHeader) -> list[Path]:
    names = list(header.files)
    if len(names) == 1 and (found := _PATTERN.match(names[0])):
        pattern, first, last, step = found.groups()
        names = numbered(
            pattern, first=int(first), last=int(last), step=int(step), name=header_path.name
        )
    if len(names) > MAX_FILES or len(names) > MAX_VALUES:
        raise ReadError(f"{header_path.name} names {len(names)} voxel files.", hint=AGAIN)
    return [beside(header_path, name) for name in names]


def _values(source: ByteSource, header: NrrdHeader, *, count: int, taken: int) -> Voxels:
    """`count` numbers from one file, behind the lines and bytes to skip."""
    for _ in range(header.line_skip):
        passed = _skip_line(source)
        if not passed:  # behind the end; a damaged header may ask for two thousand million lines
            break
        taken += passed
    if header.encoding != "raw":
        source.skip(max(header.byte_skip, 0))
        return _spelt(source, header, count=count)
    skip = header.byte_skip
    size = count * header.dtype.itemsize
    if skip < 0 and not header.packing:  # the last bytes of the file
        skip = max(source.most_bytes - taken - size, 0)
    return read_stored(
        source,
        count=count,
        dtype=header.dtype,
        skip=skip,
        packing=header.packing,
        taken=taken,
        exact=bool(header.files),
    )


def _skip_line(source: ByteSource) -> int:
    """Pass over a line; returns its length in bytes."""
    passed = 0
    while chunk := source.peek(1 << 12):
        place = chunk.find(b"\n")
        step = len(chunk) if place < 0 else place + 1
        source.skip(step)
        passed += step
        if place >= 0:
            break
    return passed


def _spelt(source: ByteSource, header: NrrdHeader, *, count: int) -> Voxels:
    """Numbers that are written out, as decimals or as the hexadecimal digits of their bytes."""
    if count > source.most_bytes:
        raise ReadError(
            f"{source.name} is truncated: its header promises {count:,} numbers, "
            f"the file can hold {source.most_bytes:,}.",
            hint=AGAIN,
        )
    content = source.take(min(source.most_bytes, (count + 1) * _TEXT_BYTES))
    try:
        if header.encoding == "hex":
            # bytes.fromhex passes over white space.
            values = np.frombuffer(bytes.fromhex(content.decode("ascii")), dtype=header.dtype)
        else:
            values = _decimals(content, header.dtype)
    except (ValueError, DeprecationWarning):
        raise ReadError(
            f"{source.name} is damaged: its text holds something else than numbers.", hint=AGAIN
        ) from None
    if len(values) < count:
        raise ReadError(
            f"{source.name} is truncated: its header promises {count:,} numbers, "
            f"the file has {len(values):,}.",
            hint=AGAIN,
        )
    return values[:count].copy()


def _decimals(content: bytes, dtype: np.dtype[np.generic]) -> Voxels:
    wide = {"i": np.int64, "u": np.uint64, "f": np.float64}[dtype.kind]
    text = content.decode("ascii").replace(",", " ")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # numpy's way to say: no number
        values = np.fromstring(text, dtype=wide, sep=" ")
    if dtype.kind in "iu" and len(values):
        limits = np.iinfo(dtype.str)
        if values.min() < limits.min or values.max() > limits.max:
            raise ValueError("out of range")
    return values.astype(dtype)
