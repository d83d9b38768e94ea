"""The pixels of one file: read once, checked against what the header claims, bits put right.

Stored values come out as integers (or floats, for float pixel data) of shape (frames, rows,
columns). Bits above the stored ones are dropped, the sign is extended (PS3.5 8.1.1).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from leuko.dicom.compressed import decode
from leuko.dicom.elements import PIXELS, UNDEFINED
from leuko.dicom.frame import Instance
from leuko.dicom.part10 import DEFLATED, read_header
from leuko.errors import ReadError

__all__ = [
    "Array",
    "Content",
    "file_bytes",
    "name_of",
    "require_possible",
    "stored_planes",
    "stored_type",
]

Array = npt.NDArray[Any]
Content: TypeAlias = "bytes | memoryview[int]"
_AGAIN = "Copy the file again, or export it again from the archive."
_MOST_RATIO = 2000  # pixels a compressed byte may stand for before the claim is not believed
_SMALL = 1 << 26


def name_of(instance: Instance) -> str:
    """The file's name without its folder."""
    return os.path.basename(instance.path)  # noqa: PTH119


def stored_type(instance: Instance) -> np.dtype[Any]:
    """The smallest type that holds every stored value."""
    if instance.pixels[0] == PIXELS[0]:
        return np.dtype(np.float32)
    if instance.pixels[0] == PIXELS[1]:
        return np.dtype(np.float64)
    size = next((bytes_ for bytes_ in (1, 2, 4, 8) if instance.stored <= 8 * bytes_), 8)
    return np.dtype(f"{'i' if instance.signed else 'u'}{size}")


def file_bytes(instance: Instance, *, room: bytearray | None = None) -> tuple[Content, bytes]:
    """The content of the file and its SHA-256; in `room`, where it fits. Raises ReadError.

    Memory that is new for each file costs as much as reading: `room` is used again.
    """
    content: Content
    try:
        with open(instance.path, "rb", buffering=0) as file:  # noqa: PTH123
            if room is None or os.fstat(file.fileno()).st_size > len(room):
                content = file.read()
            else:
                view = memoryview(room)
                filled = 0
                while step := file.readinto(view[filled:]):
                    filled += step
                content = view[:filled]
    except OSError as error:
        raise ReadError(f"{name_of(instance)} cannot be read.", hint=_AGAIN) from error
    return content, hashlib.sha256(content).digest()


def stored_planes(instance: Instance, content: Content, indices: Sequence[int]) -> Array:
    """Frames `indices` of a file, shape (frames, rows, columns), as stored.

    Raises ReadError for pixel data that is cut, damaged, of a kind nobody can decode,
    or claimed to be more than the file can hold.
    """
    require_possible(instance)
    tag, start, length = instance.pixels
    if length == UNDEFINED:
        planes = decode(instance, bytes(content[start:]), indices)
    else:
        if instance.syntax == DEFLATED:
            content, start, length = _inflated(instance)
        planes = _native(instance, content, start, length, indices)
    if tag not in PIXELS[:2]:
        planes = _bits(planes, instance)
    return planes


def require_possible(instance: Instance) -> None:
    """A claim of many pixels needs some bytes to stand on, before memory is asked for."""
    claimed = instance.rows * instance.columns * instance.samples * instance.frames
    claimed *= max(instance.allocated // 8, 1)
    available = instance.size - instance.pixels[1]
    deflated = instance.syntax == DEFLATED
    if (deflated or instance.pixels[2] == UNDEFINED) and claimed > _SMALL:
        available *= _MOST_RATIO
        if claimed > available:
            raise ReadError(
                f"{name_of(instance)} claims {claimed / 1e9:.3g} GB of pixels, which its "
                f"{instance.size / 1e6:.3g} MB cannot hold.",
                hint=_AGAIN,
            )


def _inflated(instance: Instance) -> tuple[bytes, int, int]:
    """The content of a deflated file, and where its pixels lie in it."""
    data = read_header(instance.path).elements
    _, start, length = data.places[instance.pixels[0]]
    return data.buffer, start, length


def _native(
    instance: Instance, content: Content, start: int, length: int, indices: Sequence[int]
) -> Array:
    """Uncompressed frames; views of `content` where that is possible."""
    count = instance.rows * instance.columns
    kind = _cell(instance)
    if instance.allocated == 1:
        bits = np.unpackbits(np.frombuffer(content, np.uint8, offset=start), bitorder="little")
        _require_bytes(instance, len(bits), count * instance.frames)
        return np.stack([bits[k * count : (k + 1) * count] for k in indices]).reshape(
            -1, instance.rows, instance.columns
        )
    frame = count * kind.itemsize
    available = min(len(content) - start, length)
    _require_bytes(instance, available, frame * instance.frames)
    planes = np.frombuffer(content, kind, count * instance.frames, start)
    planes = planes.reshape(-1, instance.rows, instance.columns)
    if len(indices) == 1:
        return planes[indices[0] : indices[0] + 1]
    return planes if list(indices) == list(range(instance.frames)) else planes[list(indices)]


def _cell(instance: Instance) -> np.dtype[Any]:
    """How one number lies in the file."""
    order = "<" if instance.little else ">"
    if instance.pixels[0] in PIXELS[:2]:
        return np.dtype(order + ("f4" if instance.pixels[0] == PIXELS[0] else "f8"))
    if instance.allocated not in (1, 8, 16, 32, 64):
        raise ReadError(
            f"{name_of(instance)} packs its pixels into {instance.allocated} bits, which no "
            "current scanner does; it cannot be read.",
            hint="Export the series again in a current form.",
        )
    size = max(instance.allocated // 8, 1)
    return np.dtype(f"{order}{'i' if instance.signed else 'u'}{size}")


def _require_bytes(instance: Instance, available: int, needed: int) -> None:
    if available >= needed:
        return
    raise ReadError(
        f"{name_of(instance)} is truncated: it holds {max(available, 0)} of {needed} bytes of "
        "pixels.",
        hint=_AGAIN,
    )


def _bits(planes: Array, instance: Instance) -> Array:
    """Drop what is not the value (rubbish or overlays in unused bits), extend the sign."""
    wide = planes.dtype.itemsize * 8
    signed = planes.dtype.kind == "i"
    stored = min(instance.stored, wide)
    if not planes.dtype.isnative:
        planes = planes.astype(planes.dtype.newbyteorder("="))
    if stored <= 0 or stored == wide:
        return planes
    values = np.asarray(planes)
    spare = wide - stored
    lift = (
        max(wide - 1 - instance.high_bit, 0) if stored <= instance.high_bit + 1 <= wide else spare
    )
    if lift == spare and _within(values, stored, signed=signed):
        return values
    # To the top and back: what lies above the value falls off, what lies below too.
    return np.asarray(np.right_shift(np.left_shift(values, lift), spare))


def _within(values: Array, stored: int, *, signed: bool) -> bool:
    if signed:
        half = 1 << (stored - 1)
        return bool(values.min() >= -half and values.max() < half)
    return bool(values.max() < 1 << stored)
