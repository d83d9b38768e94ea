"""A NIfTI file without the texts of its header, which may name a patient; voxels byte for byte."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from isal import isal_zlib

from leuko.errors import ReadError
from leuko.formats.byte_source import ByteSource
from leuko.formats.nifti_header import NiftiHeader, header_dtype, parse_header

__all__ = ["stripped"]

_TEXTS = ("data_type", "db_name", "descrip", "aux_file", "intent_name", "unused")
_MOST = 32 << 30


def stripped(path: Path) -> bytes:
    """The content of a NIfTI file (.nii, .nii.gz) without free text and without extensions.

    Emptied: description, names of other files and of the data base, intent name, unused fields.
    Extensions (DICOM headers, XML, comments) are dropped, as is what lies behind the voxels. A
    gzip file is packed anew, without the name and date that gzip keeps. Raises ReadError (exit 3)
    for what is broken and for pairs (.hdr and .img).
    """
    with ByteSource(path) as source:
        head = source.peek(540)
        header = parse_header(head, name=source.name)
        if not header.single:
            raise ReadError(
                f"{source.name} is one half of a pair (.hdr and .img).",
                hint="Convert it to a single file first: leuko convert IN OUT.nii.gz.",
            )
        gzipped = source.gzipped
        content = source.rest(_MOST)
    start = header.vox_offset if header.vox_offset >= header.size else header.size + 4
    length = math.prod(header.shape) * header.bitpix // 8
    if len(content) < start + length or length <= 0:
        raise ReadError(f"{path.name} is truncated.", hint="Copy or download the file again.")
    new = _without_texts(header)
    whole = new + content[start : start + length]
    return isal_zlib.compress(whole, 1, 31) if gzipped else whole


def _without_texts(header: NiftiHeader) -> bytes:
    """The header with empty texts, and the four bytes that say that no extension follows."""
    fields = np.frombuffer(bytearray(header.raw), dtype=header_dtype(header.version, header.order))
    for name in _TEXTS:
        if name in (fields.dtype.names or ()):
            fields[name] = b""
    size = header.size + 4
    padding = -size % 16
    fields["vox_offset"] = size + padding
    return fields.tobytes() + b"\0" * (4 + padding)
