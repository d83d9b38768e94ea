"""Which format a file has, from its first bytes and never from its name."""

from __future__ import annotations

import re
import struct

__all__ = ["HEAD_BYTES", "recognise"]

HEAD_BYTES = 1024  # enough for every signature below

# (format, offset, bytes): the first match wins.
_SIGNATURES: tuple[tuple[str, int, bytes], ...] = (
    ("nrrd", 0, b"NRRD000"),
    ("nrrd", 0, b"NRRD00.01"),
    ("minc1", 0, b"CDF\x01"),
    ("minc1", 0, b"CDF\x02"),
    ("minc2", 0, b"\x89HDF\r\n\x1a\n"),
    ("zip", 0, b"PK\x03\x04"),
    ("zip", 0, b"PK\x05\x06"),
    ("7z", 0, b"7z\xbc\xaf\x27\x1c"),
    ("rar", 0, b"Rar!\x1a\x07"),
    ("bzip2", 0, b"BZh"),
    ("xz", 0, b"\xfd7zXZ\x00"),
    ("zstd", 0, b"\x28\xb5\x2f\xfd"),
    ("tar", 257, b"ustar"),
    ("png", 0, b"\x89PNG\r\n\x1a\n"),
    ("jpeg", 0, b"\xff\xd8\xff"),
    ("jpeg2000", 0, b"\x00\x00\x00\x0cjP  "),
    ("jpeg2000", 0, b"\xff\x4f\xff\x51"),
    ("tiff", 0, b"II*\x00"),
    ("tiff", 0, b"MM\x00*"),
    ("tiff", 0, b"II+\x00"),
    ("tiff", 0, b"MM\x00+"),
    ("gif", 0, b"GIF8"),
    ("webp", 8, b"WEBP"),
    ("heif", 4, b"ftypavif"),
    ("heif", 4, b"ftyphei"),
    ("heif", 4, b"ftypmif1"),
    ("pdf", 0, b"%PDF"),
    ("numpy", 0, b"\x93NUMPY"),
    ("matlab", 0, b"MATLAB 5.0"),
    ("git-lfs", 0, b"version https://git-lfs"),
)
_TEXTS: tuple[tuple[str, bytes], ...] = (
    ("metaimage", b"objecttype"),
    ("metaimage", b"ndims"),
    ("afni", b"type"),
    ("markup", b"<!doctype"),
    ("markup", b"<html"),
    ("markup", b"<?xml"),
)
# MetaImage may begin with any of its fields: a comment, a name.
_METAIMAGE = re.compile(
    rb"\s*[a-z]+[ \t]*[=:][^\0]*?\n[ \t]*(objecttype[ \t]*[=:][ \t]*image|ndims[ \t]*[=:])",
    re.IGNORECASE,
)
_NETPBM = re.compile(rb"P[1-6]\s+(#[^\n]*\n\s*)*\d+\s+(#[^\n]*\n\s*)*\d+\s")
_MGH_TYPES = frozenset(range(11))  # uint8, int32, float32, int16 and rarer ones
_DICOM_FIRST_GROUPS = frozenset({0x0002, 0x0008})


def recognise(head: bytes) -> str | None:
    """Name of the format (a key of `registry.FORMATS`) of a file that begins with `head`.

    `head` holds the first `HEAD_BYTES` bytes after decompression of gzip, or the whole file where
    that is shorter. None: nothing leuko knows.
    """
    if head[128:132] == b"DICM":  # first: what fills the preamble before it is free
        return "dicom"
    name = _nifti(head)
    if name:
        return name
    for name, offset, signature in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return name
    text = head[:64].lstrip().lower()
    for name, start in _TEXTS:
        if text.startswith(start) and (name != "afni" or b"=" in text):
            return name
    if _NETPBM.match(head):
        return "netpbm"
    if _METAIMAGE.match(head):
        return "metaimage"
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "bmp"
    if _is_mgh(head):
        return "mgh"
    return "dicom" if _is_bare_dicom(head) else None


def _nifti(head: bytes) -> str | None:
    """NIfTI and Analyze begin with the size of their header, in either byte order."""
    for order in ("<", ">"):
        if len(head) >= 348 and struct.unpack_from(order + "i", head)[0] == 348:
            return "nifti1" if head[344:348] in (b"n+1\x00", b"ni1\x00") else "analyze"
        if len(head) >= 540 and struct.unpack_from(order + "i", head)[0] == 540:
            return "nifti2" if head[4:8] in (b"n+2\x00", b"ni2\x00") else None
    return None


def _is_mgh(head: bytes) -> bool:
    """Version 1 (above its byte, what it is meant for), four dimensions, a type: big-endian."""
    if len(head) < 284:
        return False
    version, *dims, kind = struct.unpack_from(">6i", head)
    return (
        version & 0xFF == 1
        and 0 < version < 1 << 16
        and all(0 < n < 1 << 20 for n in dims)
        and kind in _MGH_TYPES
    )


def _is_bare_dicom(head: bytes) -> bool:
    """DICOM without its 128-byte preamble begins with an element of group 0002 or 0008."""
    if len(head) < 16:
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    for order in ("<", ">"):
        group, element, length = struct.unpack_from(order + "HHI", head)
        if group in _DICOM_FIRST_GROUPS and element < 0x0100:
            return explicit or (order == "<" and 0 < length < 1024)
    return False
