"""Text of a header in its character set, or with replacements: never an error (PS3.5 6.1)."""

from __future__ import annotations

import warnings

__all__ = ["decoded"]

_DELIMITERS = {ord(mark) for mark in "\\^="}
_CODECS = {
    "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk", "ISO_IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2", "ISO_IR 109": "iso8859-3", "ISO_IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5", "ISO_IR 127": "iso8859-6", "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8", "ISO_IR 148": "iso8859-9", "ISO_IR 203": "iso8859-15",
    "ISO_IR 13": "shift_jis", "ISO_IR 166": "tis-620", "ISO_IR 149": "euc_kr",
    "ISO_IR 58": "gb2312",
}  # fmt: skip


def decoded(value: bytes, encodings: tuple[str, ...]) -> str:
    """Text in the file's character set; what cannot be decoded is replaced, never an error."""
    names = [name for name in encodings if name] or ["ISO_IR 6"]
    if names[0] in ("ISO_IR 192", "GB18030", "GBK") or b"\x1b" not in value:
        codec = _CODECS.get(names[0].replace("ISO 2022 IR", "ISO_IR"), "latin-1")
        return value.decode(codec, errors="replace")
    from pydicom.charset import convert_encodings, decode_bytes

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(decode_bytes(value, convert_encodings(names), _DELIMITERS))
        except (LookupError, ValueError):
            return value.decode("latin-1")
