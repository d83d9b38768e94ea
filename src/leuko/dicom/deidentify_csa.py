"""Siemens' CSA header with nothing but numbers in it: what the geometry of a mosaic needs.

The header as the scanner writes it holds free text, protocols, and what happened to lie in memory.
Here it is written anew, from the values of a few names, and only where these are numbers.
"""

from __future__ import annotations

import re
import struct

from leuko.dicom.csa import parse_csa

__all__ = ["CSA_CREATOR", "CSA_ELEMENT", "CSA_GROUP", "bare_csa"]

CSA_GROUP, CSA_CREATOR, CSA_ELEMENT = 0x0029, "SIEMENS CSA HEADER", 0x10
_KINDS = {
    "NumberOfImagesInMosaic": ("US", 10), "SliceNormalVector": ("FD", 4),
    "MosaicRefAcqTimes": ("FD", 4), "SliceMeasurementDuration": ("DS", 3),
    "ProtocolSliceNumber": ("IS", 6), "PhaseEncodingDirectionPositive": ("IS", 6),
    "BandwidthPerPixelPhaseEncode": ("FD", 4), "RealDwellTime": ("IS", 6),
    "B_value": ("IS", 6), "B_matrix": ("FD", 4), "DiffusionGradientDirection": ("FD", 4),
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?\d{1,10}(\.\d{1,12})?([eE][+-]?\d{1,3})?")
_LEAST_ITEMS = 6  # as scanners write them: the rest is empty
_MOST_ITEMS = 1024


def bare_csa(raw: bytes) -> bytes:
    """A header in the newer layout (SV10) with the known names that hold numbers; b'' if none."""
    values = parse_csa(raw, wanted=frozenset(_KINDS))
    kept = {
        name: tuple(value for value in listed if value)[:_MOST_ITEMS]
        for name, listed in values.items()
        if any(listed) and all(_NUMBER.fullmatch(value) for value in listed if value)
    }
    if not kept:
        return b""
    parts = [b"SV10\4\3\2\1", struct.pack("<II", len(kept), 77)]
    for name, numbers in kept.items():
        vr, kind = _KINDS[name]
        count = max(len(numbers), _LEAST_ITEMS)
        parts.append(
            struct.pack("<64si4siii", name.encode(), len(numbers), vr.encode(), kind, count, 77)
        )
        parts += [_item(number) for number in numbers]
        parts += [struct.pack("<4i", 0, 0, 77, 0)] * (count - len(numbers))
    return b"".join(parts) + bytes(4)


def _item(number: str) -> bytes:
    content = number.encode() + b"\0"
    head = struct.pack("<4i", len(content), len(content), 77, len(content))
    return head + content + bytes(-len(content) % 4)
