"""Compressed pixel data: the codecs of pydicom's plugins, their failures as one sentence."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from leuko.dicom.frame import Instance
from leuko.errors import LeukoError, ReadError

__all__ = ["LOSSY", "codestream_sign", "decode", "syntax_name"]

_DECODE_ERRORS = (Exception,)  # codecs raise what they like; each becomes one clear sentence
LOSSY = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"})
_J2K = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (90, 91, 92, 93, 201, 202, 203))


def decode(
    instance: Instance, encapsulated: bytes, indices: Sequence[int]
) -> npt.NDArray[np.generic]:
    """Frames of one number per pixel, shape (frames, rows, columns), from fragments.

    Raises ReadError for a syntax without decoder and for damaged data.
    """
    name = os.path.basename(instance.path)  # noqa: PTH119
    decoder = _decoder(instance, name)
    signed = instance.signed
    if instance.syntax in _J2K:
        said = codestream_sign(encapsulated)
        signed = instance.signed if said is None else said
    options = {
        "rows": instance.rows,
        "columns": instance.columns,
        "number_of_frames": instance.frames,
        "samples_per_pixel": 1,
        "bits_allocated": instance.allocated,
        "bits_stored": instance.stored,
        "pixel_representation": int(signed),
        "photometric_interpretation": instance.photometric,
        "pixel_keyword": "PixelData",
    }
    try:
        planes = [
            plane
            for plane, _ in decoder.iter_array(
                encapsulated, indices=list(indices), raw=True, **options
            )
        ]
        result = np.stack(planes).reshape(len(indices), instance.rows, instance.columns)
    except MemoryError:
        raise
    except LeukoError:
        raise
    except _DECODE_ERRORS as error:
        raise ReadError(
            f"The pixels of {name} are damaged: their {syntax_name(instance.syntax)} data cannot "
            "be decompressed.",
            hint="Export the series again, uncompressed if you can.",
        ) from error
    return result


def codestream_sign(encapsulated: bytes) -> bool | None:
    """Whether the first JPEG 2000 codestream says its numbers are signed (its SIZ marker)."""
    start = encapsulated.find(b"\xff\x4f\xff\x51")
    if start < 0 or start + 43 > len(encapsulated):
        return None
    precision: int = struct.unpack_from(">B", encapsulated, start + 42)[0]
    return bool(precision & 0x80)


def syntax_name(uid: str) -> str:
    """The name of a transfer syntax."""
    from pydicom.uid import UID

    name = UID(uid).name
    return name.split(" (")[0] if name != uid else f"unknown ({uid})"


def _decoder(instance: Instance, name: str):  # type: ignore[no-untyped-def]  # pydicom's Decoder
    from pydicom.pixels import get_decoder

    try:
        decoder = get_decoder(instance.syntax)
    except NotImplementedError:
        raise ReadError(
            f"{name} is compressed in a way that leuko cannot read "
            f"({syntax_name(instance.syntax)}).",
            hint="Export the series again, uncompressed.",
        ) from None
    if not decoder.is_available:
        raise ReadError(
            f"No decoder for {syntax_name(instance.syntax)} is installed, which {name} needs.",
            hint="Install leuko again with its dependencies: pip install --force-reinstall leuko",
        )
    return decoder
