"""Reading MetaImage: .mha, and .mhd with its voxels in other files.

Positions are those of DICOM (left, posterior, superior), as ITK writes and reads them. Source:
the MetaIO documentation of ITK.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Finding
from leuko.formats.byte_source import ByteSource
from leuko.formats.companions import MAX_FILES, beside, numbered
from leuko.formats.components import Part, combined
from leuko.formats.geometry import grid_findings
from leuko.formats.metaimage_remarks import orientation_disagrees, remarks, sizes_odd
from leuko.formats.placement import LPS_TO_RAS, placed, spaced
from leuko.formats.stored import AGAIN, Packing, read_stored, require_possible
from leuko.formats.voxels import Voxels
from leuko.image.grid import Grid
from leuko.image.image import Image, Source

__all__ = ["METAIMAGE_TYPES", "read_metaimage"]

MAX_HEADER = 1 << 20
METAIMAGE_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8", "MET_LONG": "i4", "MET_ULONG": "u4",
}  # fmt: skip
_LAST = "elementdatafile"
_LINE = re.compile(rb"^[ \t]*ElementDataFile[ \t]*[=:][^\n]*(\n|$)", re.MULTILINE | re.IGNORECASE)
_SEPARATOR = re.compile("[=:]")
_PATTERN = re.compile(r"^(\S*%\S*)\s+(-?\d+)\s+(-?\d+)(?:\s+(-?\d+))?$")


def read_metaimage(source: ByteSource) -> Image:
    """The image in `source`, whose content was recognised as MetaImage; volumes stand last.

    Raises ReadError (exit 3) for what is broken, UnusableInput (exit 4) for values that are no
    grey values, SafetyRefusal (exit 5) where voxels are said to lie outside the header's folder.
    """
    fields, files, taken = _fields(source)
    name = source.name
    sizes = _whole(fields, "dimsize", name)
    if not 2 <= len(sizes) <= 4 or len(sizes) != _whole(fields, "ndims", name)[0]:
        raise UnusableInput(
            f"{name} has {len(sizes)} axes, where three or four are needed.",
            hint="Export the scan again as a 3D image.",
        )
    channels = _whole(fields, "elementnumberofchannels", name, default=(1,))[0]
    shape = (*sizes, 1)[:3]
    require_possible((*shape, *sizes[3:], channels), name=name)
    grid, findings = _grid(fields, (shape[0], shape[1], shape[2]), axes=len(sizes), name=name)
    stored, digest = _stored(source, fields, files, taken, math.prod(sizes) * channels)
    # The channels of a voxel lie together; as an axis they come last.
    spread = np.moveaxis(stored.reshape((channels, *sizes), order="F"), 0, -1)
    data, more = _meaning(spread.reshape((*grid.shape, -1), order="F"), channels)
    found = (*findings, *grid_findings(grid), *remarks(fields), *more)
    seconds = _seconds(fields, sizes) if data.ndim == 4 and channels == 1 else None
    return Image(data, grid, Source(name, "metaimage", digest), found, seconds)


def _meaning(data: Voxels, channels: int) -> tuple[Voxels, tuple[Finding, ...]]:
    colour = {3: "rgb", 4: "rgba"}.get(channels, "vectors")
    if colour != "vectors" and data.dtype != np.uint8:
        colour = "vectors"
    return combined(Part(data, colour if channels > 1 else "volumes"), format="metaimage")


def _fields(source: ByteSource) -> tuple[dict[str, str], tuple[str, ...], int]:
    """The header's fields by lower-case name, the voxel files it names, its length in bytes."""
    head = source.peek(MAX_HEADER)
    last = _LINE.search(head)
    if last is None:
        raise _broken(source.name, "it does not say where the voxels are (ElementDataFile)")
    text = head[: last.end()].decode("utf-8", errors="replace")
    fields = {}
    for line in text.splitlines():
        field, value = (*_SEPARATOR.split(line, maxsplit=1), "")[:2]
        fields[field.strip().lower()] = value.strip()
    where = fields.get(_LAST, "")
    if where.upper() == "LOCAL":
        source.take(last.end())
        return fields, (), last.end()
    if where.upper().startswith("LIST"):
        rest = head[last.end() :].decode("utf-8", errors="replace")
        files = tuple(line.strip() for line in rest.splitlines() if line.strip())
    elif found := _PATTERN.match(where):
        pattern, first, final, step = found.groups()
        files = tuple(
            numbered(
                pattern, first=int(first), last=int(final), step=int(step or 1), name=source.name
            )
        )
    else:
        files = (where,)
    if not files or len(files) > MAX_FILES:
        raise _broken(source.name, f"it names {len(files)} voxel files")
    return fields, files, last.end()


def _stored(
    source: ByteSource, fields: dict[str, str], files: tuple[str, ...], taken: int, count: int
) -> tuple[Voxels, str]:
    """All stored numbers, flat, from this file or from those that it names; the common hash."""
    dtype = _dtype(fields, source.name)
    packed = _true(fields, "compresseddata")
    skip = _whole(fields, "headersize", source.name, default=(0,))[0]
    if not files:
        skip = 0  # the voxels follow the header, however long it calls itself
        values = _values(source, count, dtype, packed=packed, skip=skip, taken=taken)
        source.finish()
        return values, source.digest.hexdigest()
    source.finish()
    if count % len(files):
        raise _broken(source.name, f"{len(files)} files cannot share {count:,} voxels evenly")
    paths = [beside(source.path, name) for name in files]
    share = count // len(files)
    pieces = [_file(path, source, share, dtype, packed=packed, skip=skip) for path in paths]
    joined = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    return joined, source.digest.hexdigest()


def _file(
    path: Path,
    source: ByteSource,
    count: int,
    dtype: np.dtype[np.generic],
    *,
    packed: bool,
    skip: int,
) -> Voxels:
    with ByteSource(path, digest=source.digest, inflate=False) as part:
        if skip == -1 and not packed:  # the last bytes of the file
            skip = max(part.most_bytes - count * dtype.itemsize, 0)
        values = _values(part, count, dtype, packed=packed, skip=max(skip, 0), taken=0)
        part.finish()
    return values


def _values(
    source: ByteSource,
    count: int,
    dtype: np.dtype[np.generic],
    *,
    packed: bool,
    skip: int,
    taken: int,
) -> Voxels:
    """`count` numbers; compressed ones are zlib's by MetaImage's rule, gzip's in some files."""
    if not packed:
        return read_stored(source, count=count, dtype=dtype, skip=skip, taken=taken)
    source.skip(skip)
    packing: Packing = "gzip" if source.peek(2) == b"\x1f\x8b" else "zlib"
    return read_stored(source, count=count, dtype=dtype, packing=packing, taken=taken)


def _dtype(fields: dict[str, str], name: str) -> np.dtype[np.generic]:
    kind = fields.get("elementtype", "").upper()
    if kind.endswith("_ARRAY"):
        kind = kind.removesuffix("_ARRAY")
    if kind not in METAIMAGE_TYPES:
        raise _broken(name, f"its element type {kind[:24]!r} is none that can be read")
    if not _true(fields, "binarydata", default=True):
        raise UnusableInput(
            f"{name} holds its voxels as text, which leuko does not read.",
            hint="Export the scan again in binary form.",
        )
    big = _true(fields, "binarydatabyteordermsb") or _true(fields, "elementbyteordermsb")
    return np.dtype(METAIMAGE_TYPES[kind]).newbyteorder(">" if big else "<")


@np.errstate(over="ignore", invalid="ignore")  # `placed` refuses what is not finite
def _grid(
    fields: dict[str, str], shape: tuple[int, int, int], *, axes: int, name: str
) -> tuple[Grid, list[Finding]]:
    """Where the voxels lie: matrix, offset and spacing, of the axes of space alone."""
    spacing = _reals(fields, ("elementspacing", "elementsize"), axes, name)
    rows = _reals(fields, ("transformmatrix", "rotation", "orientation"), axes * axes, name)
    offset = _reals(fields, ("offset", "position", "origin"), axes, name)
    named = fields.get("anatomicalorientation", "").upper()
    lengths = np.ones(3) if spacing is None else np.array([*spacing, 1.0])[:3]
    if axes == 2 or (rows is None and named != "RAI"):
        sizes = [*spacing, np.nan][:3] if spacing is not None else [np.nan] * 3
        return spaced(shape, sizes), []
    matrix = np.eye(axes) if rows is None else rows.reshape(axes, axes)
    # A row is the direction of an axis of the array.
    columns = matrix[:3, :3].T
    start = np.zeros(3) if offset is None else offset[:3]
    findings = [*sizes_odd(spacing), *orientation_disagrees(columns, named)]
    grid = placed(
        shape,
        columns=LPS_TO_RAS @ (columns * lengths),
        origin=LPS_TO_RAS @ start,
        name=name,
    )
    return grid, findings


def _seconds(fields: dict[str, str], sizes: tuple[int, ...]) -> float | None:
    """The spacing of a fourth axis: seconds by custom, 1 where the writer did not know."""
    spacing = fields.get("elementspacing", "").split()
    if len(sizes) != 4 or len(spacing) != 4:
        return None
    step = float(spacing[3])
    return step if np.isfinite(step) and step > 0 and step != 1.0 else None


def _whole(
    fields: dict[str, str], field: str, name: str, default: tuple[int, ...] | None = None
) -> tuple[int, ...]:
    if default is not None and not fields.get(field):
        return default
    try:
        found = tuple(int(word) for word in fields.get(field, "").split())
    except ValueError:
        found = ()
    if not found:
        raise _broken(name, f"its field {field} holds no whole numbers")
    return found


def _reals(
    fields: dict[str, str], names: tuple[str, ...], count: int, name: str
) -> npt.NDArray[np.float64] | None:
    """The first of the fields that is there; raises where it holds something else."""
    for field in names:
        if not fields.get(field):
            continue
        try:
            found = np.array([float(word) for word in fields[field].split()])
        except ValueError:
            found = np.empty(0)
        if len(found) != count:
            raise _broken(name, f"its field {field} does not hold {count} numbers")
        return found
    return None


def _true(fields: dict[str, str], field: str, *, default: bool = False) -> bool:
    text = fields.get(field, "").lower()
    return text in ("true", "1", "t") if text else default


def _broken(name: str, why: str) -> ReadError:
    return ReadError(f"{name} has a damaged MetaImage header: {why}.", hint=AGAIN)
