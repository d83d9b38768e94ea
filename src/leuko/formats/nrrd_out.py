"""Writing NRRD, attached (.nrrd) and detached (.nhdr with .raw.gz), and 3D Slicer's segmentations.

Space is left, posterior, superior, as ITK and 3D Slicer write it. Source: "Definition of NRRD File
Format" of the Teem project; the segment fields are those of 3D Slicer's .seg.nrrd.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leuko.errors import UsageError
from leuko.formats.labels import LabelTable
from leuko.formats.outgoing import OutFile, Outgoing, flat_bytes, storable
from leuko.formats.placement import LPS_TO_RAS
from leuko.formats.voxels import Voxels
from leuko.image.grid import Grid

__all__ = ["NRRD_TYPES", "write_nrrd"]

NRRD_TYPES = ("u1", "i2", "u2", "i4", "u4", "i1", "f4", "f8", "i8", "u8")
_SEGMENTATION = ".seg.nrrd"
_GZIP_LEVEL = 1


def write_nrrd(out: Outgoing) -> tuple[OutFile, ...]:
    """The file, or for a name in .nhdr the header and its voxels. Raises UsageError (exit 2)."""
    name = out.name
    segments = name.lower().endswith(_SEGMENTATION)
    data = _segmentation(out.data) if segments else out.data
    stored = storable(data, types=NRRD_TYPES, format="NRRD", exact=out.exact)
    stored = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    lines = ["NRRD0004" if not segments else "NRRD0005", "# made by leuko"]
    lines += _fields(stored, out.grid, out.seconds)
    if segments:
        table = out.names.completed(int(v) for v in np.unique(stored) if v > 0)
        lines += _segment_keys(stored, table)
    if name.lower().endswith(".nhdr"):
        voxels = f"{name[: -len('.nhdr')]}.raw.gz"
        text = "\n".join([*lines, f"data file: {voxels}", ""])
        return OutFile(voxels, (flat_bytes(stored),)), OutFile(name, (text.encode("utf-8"),))
    text = "\n".join([*lines, "", ""])
    return (OutFile(name, _attached(text, stored)),)


def _attached(text: str, stored: Voxels) -> Iterator[bytes]:
    from isal import isal_zlib

    yield text.encode("utf-8")
    packer = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, 31)
    yield packer.compress(flat_bytes(stored))
    yield packer.flush()


def _fields(stored: Voxels, grid: Grid, seconds: float | None) -> list[str]:
    """The header's fields, those of space in the words of `grid`."""
    kinds = ["domain"] * 3 + ["list"] * (stored.ndim - 3)
    name = {"i": "int", "u": "uint", "f": "float"}[stored.dtype.kind]
    bits = 8 * stored.dtype.itemsize
    kind = {"float32": "float", "float64": "double"}.get(f"{name}{bits}", f"{name}{bits}")
    lines = [f"type: {kind}", f"dimension: {stored.ndim}"]
    if grid.oriented:
        lines.append("space: left-posterior-superior")
    lines.append(f"sizes: {' '.join(map(str, stored.shape))}")
    affine = grid.affine
    if grid.oriented:
        columns = (LPS_TO_RAS @ affine[:3, :3]).T
        vectors = [_vector(column) for column in columns] + ["none"] * (stored.ndim - 3)
        lines.append(f"space directions: {' '.join(vectors)}")
    elif grid.sized:
        lengths = [*np.linalg.norm(affine[:3, :3], axis=0)]
        if stored.ndim == 4:
            lengths.append(np.nan if seconds is None else seconds)
        lines.append(f"spacings: {' '.join(_number(length) for length in lengths)}")
    lines.append(f"kinds: {' '.join(kinds)}")
    if stored.ndim == 4 and seconds is not None:
        if grid.oriented:
            lines.append(f"spacings: nan nan nan {_number(seconds)}")
        if grid.oriented or grid.sized:
            lines.append('units: "" "" "" "s"' if grid.oriented else 'units: "mm" "mm" "mm" "s"')
    lines += ["endian: little", "encoding: gzip"]
    if grid.oriented:
        lines.append('space units: "mm" "mm" "mm"')
        lines.append(f"space origin: {_vector(LPS_TO_RAS @ affine[:3, 3])}")
    return lines


def _vector(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return f"({','.join(_number(value) for value in values)})"


def _number(value: float) -> str:
    return repr(float(value) + 0.0)  # never -0.0


def _segmentation(data: Voxels) -> Voxels:
    """Whole, positive values, as small as they can be. Raises UsageError (exit 2) for others."""
    if data.ndim != 3:
        raise UsageError(
            "A segmentation has one volume, this image has several.", hint="Choose one of them."
        )
    low, high = (float(data.min()), float(data.max())) if data.size else (0.0, 0.0)
    whole = data.dtype.kind in "biu" or bool(np.all(data == np.rint(data)))
    if not whole or low < 0 or high >= 2**15:
        raise UsageError(
            "A .seg.nrrd holds labels from 0 to 32767, which these values are not.",
            hint="Write it as .nrrd, or give a label map.",
        )
    return data.astype(np.uint8 if high < 256 else np.int16)


def _segment_keys(stored: Voxels, table: LabelTable) -> list[str]:
    """A segment for each label, as 3D Slicer writes them, all in one layer."""
    lines = []
    for number, label in enumerate(table):
        red, green, blue = (part / 255 for part in label.colour)
        about = {
            "Color": f"{red:.6g} {green:.6g} {blue:.6g}",
            "ColorAutoGenerated": "0",
            "Extent": " ".join(map(str, _extent(stored == label.value))),
            "ID": f"Segment_{label.value}",
            "LabelValue": str(label.value),
            "Layer": "0",
            "Name": label.name,
            "NameAutoGenerated": "0",
            "Tags": "Segmentation.Status:completed|",
        }
        lines += [f"Segment{number}_{key}:={value}" for key, value in about.items()]
    return [
        *lines,
        "Segmentation_ContainedRepresentationNames:=Binary labelmap|",
        "Segmentation_ConversionParameters:=",
        "Segmentation_MasterRepresentation:=Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset:=0 0 0",
        "Segmentation_SourceRepresentation:=Binary labelmap",
    ]


def _extent(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[int]:
    """First and last index along each axis; an empty segment ends before it begins."""
    ends = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        places = np.flatnonzero(mask.any(axis=others))
        ends += [int(places[0]), int(places[-1])] if len(places) else [0, -1]
    return ends
