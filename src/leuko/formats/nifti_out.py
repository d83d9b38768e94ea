"""Writing NIfTI: a result has the geometry of its scan byte for byte, and nothing else of it."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.formats.nifti_header import STORED_TYPES, header_dtype, parse_header
from leuko.formats.nifti_space import TOLERANCE_MM, nifti_grid, qform_affine
from leuko.formats.outgoing import OutFile, Outgoing, flat_bytes, storable
from leuko.formats.voxels import Voxels
from leuko.image.grid import SAME_GRID_TOLERANCE_MM, Grid

__all__ = ["encode", "write_nifti"]

FloatArray = npt.NDArray[np.float64]
# All that says where the voxels lie. Descriptions, names and extensions may hold patient data.
_GEOMETRY = (
    "dim", "pixdim", "xyzt_units", "qform_code", "sform_code", "quatern", "qoffset", "srow",
)  # fmt: skip
_MAX_NIFTI1 = 32767  # voxels along an axis
_LABEL_INTENT = 1002
_SECONDS_CODE = 8
_CODES = {np.dtype(name): code for code, name in STORED_TYPES.items()}
_EVERYWHERE = ("u1", "i2", "i4", "f4", "f8")
NIFTI_TYPES = tuple(STORED_TYPES.values())
_MAGIC = {  # of NIfTI-1?, of a pair?
    (True, False): b"n+1\0", (True, True): b"ni1\0",
    (False, False): b"n+2\0\r\n\x1a\n", (False, True): b"ni2\0\r\n\x1a\n",
}  # fmt: skip
_Fields = np.ndarray[tuple[()], np.dtype[np.void]]


def write_nifti(out: Outgoing) -> tuple[OutFile, ...]:
    """The file, or for a name in .hdr or .img the two files, of an image. Raises as `encode`."""
    name = out.name
    lower = name.lower().removesuffix(".gz")
    pair = lower.endswith((".hdr", ".img"))
    header, voxels = encode(
        storable(out.data, types=NIFTI_TYPES, format="NIfTI", exact=True)
        if out.exact
        else out.data,
        grid=out.grid,
        header=out.header,
        labels=out.labels,
        seconds=out.seconds,
        exact=out.exact,
        version=out.version,
        pair=pair,
    )
    if not pair:
        return (OutFile(name, (header, voxels)),)
    stem, packed = name[: len(lower) - len(".hdr")], name[len(lower) :]
    return OutFile(f"{stem}.img{packed}", (voxels,)), OutFile(f"{stem}.hdr{packed}", (header,))


def encode(
    data: Voxels,
    *,
    grid: Grid,
    header: bytes = b"",
    labels: bool = False,
    seconds: float | None = None,
    exact: bool = False,
    version: int = 0,
    pair: bool = False,
) -> tuple[bytes, bytes | memoryview]:
    """Header and voxels of a NIfTI file that holds `data` (file axes, volumes last) on `grid`.

    `header` is the raw header of a NIfTI file on the same grid: its version, byte order and
    geometry are kept. Where there is none, or it means another grid, the header says what `grid`
    says, as NIfTI-1 unless an axis is too long for it or `version` is 2. `labels` marks a map of
    labels, `seconds` is the time between volumes, `pair` leaves the voxels to a file of their own.
    Raises UsageError (exit 2) for numbers NIfTI lacks.
    """
    stored = data if exact else _storable(data)
    fields = _like(header, grid) if header else None
    if fields is None:
        fields = _fresh(grid)
    fields = _as_version(fields, version, longest=max(data.shape, default=0))
    size = fields.dtype.itemsize
    fields["sizeof_hdr"] = size
    fields["magic"] = _MAGIC[size == 348, pair]
    fields["vox_offset"] = 0 if pair else size + 4
    fields["datatype"] = _CODES[stored.dtype.newbyteorder("=")]
    fields["bitpix"] = 8 * stored.dtype.itemsize
    fields["scl_slope"] = 1
    fields["cal_min"], fields["cal_max"] = _window(stored)
    fields["descrip"] = f"leuko {getattr(sys.modules['leuko'], '__version__', '')}".encode()
    if data.ndim == 4:
        _set_volumes(fields, data.shape[3], seconds)
    if size == 348:
        fields["regular"] = b"r"
    if labels:
        fields["intent_code"] = _LABEL_INTENT
    order = fields["sizeof_hdr"].dtype.byteorder
    in_order = stored.astype(stored.dtype.newbyteorder(order), copy=False)
    return fields.tobytes() + bytes(0 if pair else 4), flat_bytes(in_order)


def _as_version(fields: _Fields, version: int, *, longest: int) -> _Fields:
    """The same header in the layout of `version`; 2 also where an axis is too long for 1."""
    old = 1 if fields.dtype.itemsize == 348 else 2
    new = version or (2 if longest > _MAX_NIFTI1 else old)
    if new not in (1, 2) or (new == 1 and longest > _MAX_NIFTI1):
        raise UsageError(
            f"An axis of {longest:,} voxels does not fit into NIfTI-{new}.",
            hint="Write NIfTI-2 (version 2), or leave the version open.",
        )
    if new == old:
        return fields
    changed = np.zeros((), dtype=header_dtype(new))
    for name in _GEOMETRY:
        changed[name] = fields[name]
    return changed


def _set_volumes(fields: _Fields, volumes: int, seconds: float | None) -> None:
    fields["dim"][0] = 4
    fields["dim"][4] = volumes
    fields["dim"][5:] = 1
    length = int(fields["xyzt_units"]) & 7
    if seconds is None:
        fields["pixdim"][4] = 1
        fields["xyzt_units"] = length
    else:
        fields["pixdim"][4] = seconds
        fields["xyzt_units"] = length | _SECONDS_CODE


def _storable(data: Voxels) -> Voxels:
    """`data` in a type that every program reads: uint8, int16, int32 or float32.

    float64 only for whole numbers beyond 32 bits.
    """
    return storable(data, types=_EVERYWHERE, format="NIfTI", narrow=True)


def _like(header: bytes, grid: Grid) -> _Fields | None:
    """An empty header with the geometry of `header`; None where that means another grid."""
    old = parse_header(header, name="The header to copy")
    space = (*old.shape[:3], 1, 1)[:3]
    meant, _ = nifti_grid(old, shape=(space[0], space[1], space[2]))
    if meant.shape != grid.shape or meant.oriented != grid.oriented:
        return None
    if meant.corner_distance(grid) > SAME_GRID_TOLERANCE_MM:
        return None
    dtype = header_dtype(old.version, old.order)
    source = np.frombuffer(old.raw, dtype=dtype)[0]
    fields = np.zeros((), dtype=dtype)
    for name in _GEOMETRY:
        fields[name] = source[name]
    if len(old.shape) > 3:  # a volume more or less changes nothing in space
        fields["dim"][0] = 3
        fields["dim"][4:] = 1
    return fields


def _fresh(grid: Grid) -> _Fields:
    """A header that says what `grid` says: sform, and a qform where rotation and sizes suffice."""
    fields = np.zeros((), dtype=header_dtype(1 if max(grid.shape) <= _MAX_NIFTI1 else 2))
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    fields["dim"] = [3, *grid.shape, 1, 1, 1, 1]
    fields["pixdim"] = [1, *spacing, 1, 1, 1, 1]
    fields["xyzt_units"] = 2  # mm
    if not grid.oriented:
        return fields
    fields["sform_code"] = 1
    fields["srow"] = grid.affine[:3]
    quatern, qfac = _quaternion(grid.affine[:3, :3] / spacing)
    fields["pixdim"][0] = qfac
    fields["quatern"] = quatern
    fields["qoffset"] = grid.affine[:3, 3]
    # What the header will hold: NIfTI-1 rounds to 32 bits, which costs most near half a turn.
    again = qform_affine(
        fields["quatern"].astype(np.float64), fields["qoffset"], fields["pixdim"][1:4], qfac=qfac
    )
    # It cannot hold shear: then it stays unset.
    apart = Grid(grid.shape, again).corner_distance(grid)
    fields["qform_code"] = int(apart < TOLERANCE_MM / 2)
    return fields


def _quaternion(axes: FloatArray) -> tuple[FloatArray, float]:
    """(b, c, d) and qfac of a matrix whose columns are unit vectors along the array axes.

    The closest rotation is taken where they are not at right angles.
    """
    left, _, right = np.linalg.svd(axes)
    rotation = left @ right
    qfac = 1.0 if np.linalg.det(rotation) > 0 else -1.0
    r = rotation * np.array([1.0, 1.0, qfac])
    # The eigenvector of the largest eigenvalue of Davenport's matrix: stable for every angle.
    davenport = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
            [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
            [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], 0],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)],
        ]
    )
    _, vectors = np.linalg.eigh(davenport, UPLO="L")
    b, c, d, a = vectors[:, -1]
    return np.array([b, c, d]) * (-1.0 if a < 0 else 1.0), qfac


def _window(stored: Voxels) -> tuple[float, float]:
    """Darkest and brightest value to show; masks and probabilities always run from 0 to 1."""
    if not stored.size:
        return 0.0, 0.0
    low, high = float(stored.min()), float(stored.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        return 0.0, 0.0
    unit = stored.dtype.kind == "f" or stored.dtype == np.uint8
    return (0.0, 1.0) if unit and low >= 0 and high <= 1 else (min(low, 0.0), high)
