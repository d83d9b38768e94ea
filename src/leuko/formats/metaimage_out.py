"""Writing MetaImage: .mha, or .mhd with its voxels in .zraw, placed as ITK does (LPS)."""

from __future__ import annotations

import numpy as np

from leuko.formats.metaimage import METAIMAGE_TYPES
from leuko.formats.outgoing import OutFile, Outgoing, flat_bytes, storable
from leuko.formats.placement import LPS_TO_RAS

__all__ = ["METAIMAGE_OUT", "write_metaimage"]

METAIMAGE_OUT = ("u1", "i2", "u2", "i4", "u4", "i1", "f4", "f8", "i8", "u8")
_NAMES = {kind: name for name, kind in METAIMAGE_TYPES.items() if "ONG" not in name} | {
    "i8": "MET_LONG_LONG",
    "u8": "MET_ULONG_LONG",
}
_ZLIB_LEVEL = 1
_FROM = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}


def write_metaimage(out: Outgoing) -> tuple[OutFile, ...]:
    """The file, or for a name in .mhd the header and its voxels. Raises UsageError (exit 2)."""
    stored = storable(out.data, types=METAIMAGE_OUT, format="MetaImage", exact=out.exact)
    stored = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    packed = _packed(flat_bytes(stored))
    lines = [
        "ObjectType = Image",
        f"NDims = {stored.ndim}",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {sum(map(len, packed))}",
        *_place(out, stored.ndim),
        f"DimSize = {_row(stored.shape)}",
        f"ElementType = {_NAMES[stored.dtype.str[1:]]}",
    ]
    if out.name.lower().endswith(".mhd"):
        voxels = f"{out.name[: -len('.mhd')]}.zraw"
        text = "\n".join([*lines, f"ElementDataFile = {voxels}", ""])
        return OutFile(voxels, packed), OutFile(out.name, (text.encode("utf-8"),))
    text = "\n".join([*lines, "ElementDataFile = LOCAL", ""])
    return (OutFile(out.name, (text.encode("utf-8"), *packed)),)


def _place(out: Outgoing, axes: int) -> list[str]:
    """Matrix, offset and spacing; without orientation no matrix, without size nothing at all."""
    grid = out.grid
    if not grid.sized:
        return []
    lengths = np.linalg.norm(grid.affine[:3, :3], axis=0)
    # ITK gives a volume the spacing 1 where nobody knows it.
    spacing = [*lengths, 1.0 if out.seconds is None else out.seconds][:axes]
    if not grid.oriented:
        return [f"ElementSpacing = {_row(spacing)}"]
    matrix, offset = np.eye(axes), np.zeros(axes)
    matrix[:3, :3] = (LPS_TO_RAS @ grid.affine[:3, :3] / lengths).T
    offset[:3] = LPS_TO_RAS @ grid.affine[:3, 3]
    code = "".join(_FROM[letter] for letter in grid.orientation.code)
    return [
        f"TransformMatrix = {_row(matrix.ravel())}",
        f"Offset = {_row(offset)}",
        f"CenterOfRotation = {_row([0] * axes)}",
        *([f"AnatomicalOrientation = {code}"] if axes == 3 else []),
        f"ElementSpacing = {_row(spacing)}",
    ]


def _row(values: object) -> str:
    numbers = np.asarray(values)
    if numbers.dtype.kind == "f":
        return " ".join(repr(float(value) + 0.0) for value in numbers)
    return " ".join(str(int(value)) for value in numbers)


def _packed(content: memoryview) -> tuple[bytes, bytes]:
    from isal import isal_zlib

    packer = isal_zlib.compressobj(_ZLIB_LEVEL, isal_zlib.DEFLATED, 15)
    return packer.compress(content), packer.flush()
