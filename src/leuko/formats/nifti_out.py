"""Writing NIfTI: a result has the geometry of its scan byte for byte, and nothing else of it."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.formats.nifti_header import STORED_TYPES, header_dtype, parse_header
from leuko.formats.nifti_space import TOLERANCE_MM, nifti_grid, qform_affine
from leuko.formats.voxels import Voxels
from leuko.image.grid import SAME_GRID_TOLERANCE_MM, Grid

__all__ = ["encode"]

FloatArray = npt.NDArray[np.float64]
# All that says where the voxels lie. Descriptions, names and extensions may hold patient data.
_GEOMETRY = (
    "dim", "pixdim", "xyzt_units", "qform_code", "sform_code", "quatern", "qoffset", "srow",
)  # fmt: skip
_MAX_NIFTI1 = 32767  # voxels along an axis
_LABEL_INTENT = 1002
_CODES = {np.dtype(name): code for code, name in STORED_TYPES.items()}


def encode(
    data: Voxels, *, grid: Grid, header: bytes = b"", labels: bool = False
) -> tuple[bytes, bytes]:
    """Header and voxels of a single NIfTI file that holds `data` (file axes) on `grid`.

    `header` is the raw header of a NIfTI file on the same grid: its version, byte order and
    geometry are kept. Where there is none, or it means another grid, the header says what `grid`
    says. `labels` marks a map of labels. Raises UsageError (exit 2) for numbers NIfTI lacks.
    """
    stored = _storable(data)
    fields = _like(header, grid) if header else None
    if fields is None:
        fields = _fresh(grid)
    version = 1 if fields.dtype.itemsize == 348 else 2
    code = _CODES[stored.dtype]
    fields["sizeof_hdr"] = fields.dtype.itemsize
    fields["magic"] = b"n+1\0" if version == 1 else b"n+2\0\r\n\x1a\n"
    fields["vox_offset"] = fields.dtype.itemsize + 4
    fields["datatype"] = code
    fields["bitpix"] = 8 * stored.dtype.itemsize
    fields["scl_slope"] = 1
    fields["cal_min"], fields["cal_max"] = _window(stored)
    fields["descrip"] = f"leuko {getattr(sys.modules['leuko'], '__version__', '')}".encode()
    if version == 1:
        fields["regular"] = b"r"
    if labels:
        fields["intent_code"] = _LABEL_INTENT
    order = fields["sizeof_hdr"].dtype.byteorder
    in_order = stored.astype(stored.dtype.newbyteorder(order), copy=False)
    return fields.tobytes() + bytes(4), in_order.tobytes(order="F")


def _storable(data: Voxels) -> Voxels:
    """`data` in a type that every program reads: uint8, int16, int32 or float32.

    float64 only for whole numbers beyond 32 bits.
    """
    kind = data.dtype.kind
    if kind == "b" or data.dtype == np.uint8:
        return data.astype(np.uint8, copy=False)
    if kind == "f":
        return data.astype(np.float32, copy=False)
    if kind not in "iu":
        raise UsageError(
            f"Values of type {data.dtype} cannot be written as NIfTI.",
            hint="Give whole numbers, truth values or floats.",
        )
    low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
    for name in (np.int16, np.int32):
        limits = np.iinfo(name)
        if limits.min <= low and high <= limits.max:
            return data.astype(name, copy=False)
    return data.astype(np.float64)


def _like(header: bytes, grid: Grid) -> np.ndarray[tuple[()], np.dtype[np.void]] | None:
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
    if len(old.shape) > 3:  # one volume of a 4D file
        fields["dim"][0] = 3
        fields["dim"][4:] = 1
    return fields


def _fresh(grid: Grid) -> np.ndarray[tuple[()], np.dtype[np.void]]:
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
