"""The header of NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes), as bytes and as values.

Source: nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from leuko.errors import ReadError

__all__ = [
    "COLOURS",
    "COMPLEX",
    "STORED_TYPES",
    "TYPE_NAMES",
    "NiftiHeader",
    "header_dtype",
    "parse_header",
]

Order = Literal["<", ">"]
_ORDERS: tuple[Order, ...] = ("<", ">")

_NIFTI1 = [
    ("sizeof_hdr", "i4"), ("data_type", "S10"), ("db_name", "S18"), ("extents", "i4"),
    ("session_error", "i2"), ("regular", "S1"), ("dim_info", "u1"), ("dim", "i2", (8,)),
    ("intent_p", "f4", (3,)), ("intent_code", "i2"), ("datatype", "i2"), ("bitpix", "i2"),
    ("slice_start", "i2"), ("pixdim", "f4", (8,)), ("vox_offset", "f4"), ("scl_slope", "f4"),
    ("scl_inter", "f4"), ("slice_end", "i2"), ("slice_code", "u1"), ("xyzt_units", "u1"),
    ("cal_max", "f4"), ("cal_min", "f4"), ("slice_duration", "f4"), ("toffset", "f4"),
    ("glmax", "i4"), ("glmin", "i4"), ("descrip", "S80"), ("aux_file", "S24"),
    ("qform_code", "i2"), ("sform_code", "i2"), ("quatern", "f4", (3,)), ("qoffset", "f4", (3,)),
    ("srow", "f4", (3, 4)), ("intent_name", "S16"), ("magic", "S4"),
]  # fmt: skip
_NIFTI2 = [
    ("sizeof_hdr", "i4"), ("magic", "S8"), ("datatype", "i2"), ("bitpix", "i2"),
    ("dim", "i8", (8,)), ("intent_p", "f8", (3,)), ("pixdim", "f8", (8,)), ("vox_offset", "i8"),
    ("scl_slope", "f8"), ("scl_inter", "f8"), ("cal_max", "f8"), ("cal_min", "f8"),
    ("slice_duration", "f8"), ("toffset", "f8"), ("slice_start", "i8"), ("slice_end", "i8"),
    ("descrip", "S80"), ("aux_file", "S24"), ("qform_code", "i4"), ("sform_code", "i4"),
    ("quatern", "f8", (3,)), ("qoffset", "f8", (3,)), ("srow", "f8", (3, 4)),
    ("slice_code", "i4"), ("xyzt_units", "i4"), ("intent_code", "i4"), ("intent_name", "S16"),
    ("dim_info", "u1"), ("unused", "S15"),
]  # fmt: skip

STORED_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8",
    256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
COLOURS = {128: 3, 2304: 4}  # RGB and RGBA: bytes a voxel
COMPLEX = {32: "c8", 1792: "c16"}
TYPE_NAMES = {
    1: "single bits", 1536: "128-bit floats", 2048: "complex numbers of 256 bits",
}  # fmt: skip


def header_dtype(version: int, order: Order = "<") -> np.dtype[np.void]:
    """The header's layout; `order` is '<' (little-endian) or '>' (big-endian)."""
    return np.dtype(_NIFTI1 if version == 1 else _NIFTI2).newbyteorder(order)


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """What a NIfTI header says, unchecked except for its dimensions.

    `shape` has the declared number of axes; lengths are in the file's own units; `raw` is the
    header byte for byte.
    """

    version: int
    order: Order
    single: bool  # header and voxels in one file
    shape: tuple[int, ...]
    datatype: int
    bitpix: int
    pixdim: npt.NDArray[np.float64]
    vox_offset: int
    slope: float
    inter: float
    units: int
    time_units: int
    intent: int
    qform_code: int
    sform_code: int
    quatern: npt.NDArray[np.float64]
    qoffset: npt.NDArray[np.float64]
    srow: npt.NDArray[np.float64]
    raw: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of the header itself."""
        return 348 if self.version == 1 else 540


def parse_header(head: bytes, *, name: str) -> NiftiHeader:
    """The header at the start of `head`, which `detect.recognise` has found to be NIfTI.

    Raises ReadError (exit 3) where its dimensions make no sense; `name` is the file's name.
    """
    for version, size in ((1, 348), (2, 540)):
        for order in _ORDERS:
            raw = head[:size]
            fields = np.frombuffer(raw, dtype=header_dtype(version, order))[0]
            if int(fields["sizeof_hdr"]) == size:
                return _values(fields, version=version, order=order, raw=raw, name=name)
    raise ReadError(f"{name} is not a NIfTI image.", hint="Give a NIfTI file (.nii or .nii.gz).")


def _values(fields: np.void, *, version: int, order: Order, raw: bytes, name: str) -> NiftiHeader:
    dim = [int(n) for n in fields["dim"]]
    shape = tuple(dim[1 : dim[0] + 1]) if 1 <= dim[0] <= 7 else ()
    if not shape or min(shape) < 1:
        raise ReadError(
            f"{name} has a damaged NIfTI header: its dimensions are {dim}.",
            hint="Copy or download the file again; if it stays so, export the scan again.",
        )
    return NiftiHeader(
        version=version,
        order=order,
        single=bytes(fields["magic"])[:1] == b"n" and bytes(fields["magic"])[1:2] == b"+",
        shape=shape,
        datatype=int(fields["datatype"]),
        bitpix=int(fields["bitpix"]),
        pixdim=np.array(fields["pixdim"], dtype=np.float64),
        vox_offset=_whole(fields["vox_offset"]),
        slope=float(fields["scl_slope"]),
        inter=float(fields["scl_inter"]),
        units=int(fields["xyzt_units"]) & 0x07,
        time_units=int(fields["xyzt_units"]) & 0x38,
        intent=int(fields["intent_code"]),
        qform_code=int(fields["qform_code"]),
        sform_code=int(fields["sform_code"]),
        quatern=np.array(fields["quatern"], dtype=np.float64),
        qoffset=np.array(fields["qoffset"], dtype=np.float64),
        srow=np.array(fields["srow"], dtype=np.float64),
        raw=raw,
    )


def _whole(value: np.generic) -> int:
    """A byte offset as a whole number; -1 where the header holds none."""
    number = float(value)
    return int(number) if np.isfinite(number) and 0 <= number < 2**62 else -1
