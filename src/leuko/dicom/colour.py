"""Colour pixels as luminance (ITU-R BT.601), knowingly: it is said, and no scan of anatomy."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np

from leuko.dicom.compressed import PREFERRED
from leuko.dicom.frame import Frame, Instance
from leuko.dicom.pixels import Array, file_bytes, name_of
from leuko.errors import ReadError

__all__ = ["luminance"]

_WEIGHTS = np.array([0.299, 0.587, 0.114])


def luminance(
    groups: Sequence[tuple[Instance, list[tuple[int, Frame]]]], shape: tuple[int, ...]
) -> tuple[list[bytes], Array]:
    """Digests of the files and all frames as float32 luminance. Raises ReadError."""
    digests = []
    target = np.empty(shape, dtype=np.float32)
    for instance, places in groups:
        content, digest = file_bytes(instance)
        digests.append(digest)
        frames = _rgb(instance, bytes(content))
        for where, frame in places:
            target[where] = frames[frame.nth] @ _WEIGHTS
    return digests, target


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
