"""Colour pixels as luminance (ITU-R BT.601), knowingly: it is said, and no scan of anatomy."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np

from leuko.dicom.compressed import PREFERRED
from leuko.dicom.elements import UNDEFINED
from leuko.dicom.frame import Frame, Instance
from leuko.dicom.part10 import DEFLATED
from leuko.dicom.pixels import Array, file_bytes, name_of, require_possible
from leuko.errors import ReadError

__all__ = ["luminance"]

_WEIGHTS = np.array([0.299, 0.587, 0.114])


def luminance(
    groups: Sequence[tuple[Instance, list[tuple[int, Frame]]]], shape: tuple[int, ...]
) -> tuple[list[bytes], Array]:
    """Digests of the files and all frames as float32 luminance. Raises ReadError."""
    digests = []
    for instance, _ in groups:
        require_possible(instance)
        _require_there(instance)
    target = np.empty(shape, dtype=np.float32)
    for instance, places in groups:
        content, digest = file_bytes(instance)
        digests.append(digest)
        frames = _rgb(instance, bytes(content))
        for where, frame in places:
            target[where] = frames[frame.nth] @ _WEIGHTS
    return digests, target


def _require_there(instance: Instance) -> None:
    """Bytes for every pixel that a file without compression claims, before memory is asked for."""
    claimed = instance.rows * instance.columns * instance.frames * instance.allocated // 8
    plain = instance.pixels[2] != UNDEFINED and instance.syntax != DEFLATED
    if plain and claimed > instance.size:
        raise ReadError(
            f"The colour pixels of {name_of(instance)} are cut: it claims {claimed:,} bytes.",
            hint="Copy or export the file again.",
        )


def _rgb(instance: Instance, content: bytes) -> Array:
    """All frames of a file as RGB, shape (frames, rows, columns, 3)."""
    import pydicom
    from pydicom.pixels.processing import apply_color_lut

    try:
        data = pydicom.dcmread(BytesIO(content), force=True)
        data.pixel_array_options(decoding_plugin=PREFERRED.get(instance.syntax, ""))
        pixels = data.pixel_array
        if instance.photometric.startswith("PALETTE"):
            pixels = apply_color_lut(pixels, data)
            if pixels.dtype.itemsize == 2:
                pixels = pixels / 256.0  # 16-bit tables hold 8-bit colours in their upper byte
    except (MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the RLE codec panics, which is no Exception
        raise ReadError(
            f"The colour pixels of {name_of(instance)} cannot be read.",
            hint="Export the series again, uncompressed if you can.",
        ) from error
    return np.asarray(pixels).reshape(instance.frames, instance.rows, instance.columns, -1)[..., :3]
