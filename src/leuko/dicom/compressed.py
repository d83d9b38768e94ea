"""Compressed pixel data: the codecs of pydicom's plugins, their failures as one sentence."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.dicom.frame import Instance
from leuko.dicom.twelve_bit import decode_frames
from leuko.errors import LeukoError, ReadError

__all__ = [
    "LOSSY",
    "PREFERRED",
    "codestream_sign",
    "decode",
    "sign_disagrees",
    "signed_pixels",
    "syntax_name",
]

Planes = npt.NDArray[Any]

LOSSY = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"})
PREFERRED = {
    # GDCM ends the whole process on some damaged data (an exception that nothing catches).
    **{f"1.2.840.10008.1.2.4.{number}": "pillow" for number in (50, 51)},
    **{f"1.2.840.10008.1.2.4.{number}": "pyjpegls" for number in (80, 81)},
    **{f"1.2.840.10008.1.2.4.{number}": "pylibjpeg" for number in (90, 91)},
}
_JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
_END_OF_IMAGE = b"\xff\xd9"
_J2K = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (90, 91, 92, 93, 201, 202, 203))


def decode(instance: Instance, encapsulated: bytes, indices: Sequence[int]) -> Planes:
    """Frames of one number per pixel, shape (frames, rows, columns), from fragments.

    Raises ReadError for a syntax without decoder and for damaged data.
    """
    name = os.path.basename(instance.path)  # noqa: PTH119
    if instance.syntax == _JPEG_EXTENDED and instance.stored > 8:
        shape = (instance.frames, instance.rows, instance.columns)
        frames = decode_frames(instance.path, shape=shape)
        if frames is None:
            raise _damaged(instance, name)
        return frames[list(indices)]
    decoder = _decoder(instance, name)
    # CharLS searches for the end of a cut stream for seconds, behind its end too.
    if instance.syntax in _JPEG_LS and encapsulated.count(_END_OF_IMAGE) < instance.frames:
        raise _damaged(instance, name)
    signed = signed_pixels(instance, encapsulated)
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
                encapsulated,
                indices=list(indices),
                raw=True,
                decoding_plugin=PREFERRED.get(instance.syntax, ""),
                **options,
            )
        ]
        result = np.stack(planes).reshape(len(indices), instance.rows, instance.columns)
    except (MemoryError, LeukoError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the RLE codec panics, which is no Exception
        if "does not support" in str(error):
            raise ReadError(
                f"{name} is compressed in a way that no decoder here supports "
                f"({syntax_name(instance.syntax)}, {instance.stored} bits).",
                hint="Export the series again, uncompressed.",
            ) from error
        raise _damaged(instance, name) from error
    if signed != instance.signed:
        return _likelier(result, instance)
    return result


def _damaged(instance: Instance, name: str) -> ReadError:
    return ReadError(
        f"The pixels of {name} are damaged: their {syntax_name(instance.syntax)} data cannot "
        "be decompressed.",
        hint="Export the series again, uncompressed if you can.",
    )


def sign_disagrees(instance: Instance) -> bool:
    """Whether header and JPEG 2000 codestream differ on whether numbers are signed."""
    if instance.syntax not in _J2K:
        return False
    try:
        with open(instance.path, "rb") as file:  # noqa: PTH123
            file.seek(instance.pixels[1])
            return signed_pixels(instance, file.read(1 << 16)) != instance.signed
    except OSError:
        return False


def _likelier(planes: Planes, instance: Instance) -> Planes:
    """Numbers as the codestream or as the header means them: the image with fewer steps.

    Wrapped round, air beside tissue becomes the brightest voxel; an image is smoother than that.
    """
    spare = planes.dtype.itemsize * 8 - instance.stored
    other = planes.astype(np.dtype(f"{'i' if instance.signed else 'u'}{planes.dtype.itemsize}"))
    other = np.right_shift(np.left_shift(other, spare), spare)
    steps = [float(np.abs(np.diff(image.astype(np.float64), axis=2)).sum()) for image in
             (planes, other)]  # fmt: skip
    return other if steps[1] < steps[0] else planes


def signed_pixels(instance: Instance, encapsulated: bytes) -> bool:
    """Whether stored numbers are signed: what a JPEG 2000 codestream says, else the header."""
    said = codestream_sign(encapsulated) if instance.syntax in _J2K else None
    return instance.signed if said is None else said


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


def _decoder(instance: Instance, name: str) -> Any:
    from pydicom.pixels.decoders.base import get_decoder

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
