"""From a decoded picture to grey values: palettes, colour, alpha, odd depths, nothing clipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from leuko.errors import UnusableInput
from leuko.findings import Finding, Severity
from leuko.formats.voxels import Voxels

__all__ = ["grey"]

_WHOLE = ("L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 259, 262, 339  # TIFF 6.0
_WHITE_IS_ZERO, _SIGNED = 0, 2
_BAND = 1 << 22  # pixels turned to grey at once


def grey(picture: Pillow.Image, *, name: str) -> tuple[Voxels, list[Finding]]:
    """Grey values, shape (rows, columns), of a picture that was loaded, and what was changed.

    Grey keeps its type and values (bits become 0 and 255); colour becomes luminance (ITU-R
    BT.601), also through a palette; what is transparent is laid on black.
    """
    values, findings = _banded(picture, name=name)
    tags: Any = getattr(picture, "tag_v2", None)
    if tags is not None and picture.mode in _WHOLE:
        return _as_tiff_means(values, picture.mode, tags), findings
    return values, findings


def _banded(picture: Pillow.Image, *, name: str) -> tuple[Voxels, list[Finding]]:
    """As `_values`, some rows at a time: colour needs several copies of what is turned to grey."""
    width, height = picture.size
    if width * height <= _BAND or picture.mode in _WHOLE:
        return _values(picture, name=name)
    step = max(_BAND // width, 1)
    values = np.empty((height, width), np.uint8)  # whatever is colour or a bit becomes that
    findings: list[Finding] = []
    for top in range(0, height, step):
        end = min(top + step, height)
        values[top:end], found = _values(picture.crop((0, top, width, end)), name=name)
        findings += found
    return values, list(dict.fromkeys(findings))


def _values(picture: Pillow.Image, *, name: str) -> tuple[Voxels, list[Finding]]:
    if picture.mode == "1":
        return np.asarray(picture.convert("L")), []
    if picture.mode in _WHOLE:
        return np.asarray(picture), []
    if picture.mode in ("RGB", "RGBX", "CMYK", "YCbCr") and "transparency" not in picture.info:
        return _luminance(picture if picture.mode == "RGB" else picture.convert("RGB"), [])
    if picture.mode in ("P", "PA", "RGB", "RGBA", "LA", "RGBa", "La"):
        return _on_black(picture)
    raise UnusableInput(
        f"{name} holds colours of the kind {picture.mode}, not grey values.",
        hint="Save it as a grey picture, for example 16-bit PNG.",
    )


def _on_black(picture: Pillow.Image) -> tuple[Voxels, list[Finding]]:
    """Colour with transparency: every channel times its alpha."""
    coloured = picture.convert("RGBA")
    if coloured.getchannel("A").getextrema() == (255, 255):
        return _luminance(coloured.convert("RGB"), [])
    found = Finding(
        "picture.transparent",
        Severity.NOTE,
        "Parts of the picture are transparent; it was laid on black.",
    )
    black = Pillow.new("RGBA", coloured.size, (0, 0, 0, 255))
    return _luminance(Pillow.alpha_composite(black, coloured).convert("RGB"), [found])


def _luminance(picture: Pillow.Image, findings: list[Finding]) -> tuple[Voxels, list[Finding]]:
    channels = np.asarray(picture)
    red, green, blue = (channels[..., k] for k in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return np.ascontiguousarray(red), findings
    found = Finding(
        "picture.colour",
        Severity.WARNING,
        "The picture is coloured; its luminance (ITU-R BT.601) is used.",
        "Colours are no measured intensities: give the grey image if there is one.",
    )
    return np.asarray(picture.convert("L")), [*findings, found]


def _as_tiff_means(values: Voxels, mode: str, tags: Any) -> Voxels:
    """Signs and inversions that Pillow leaves to the reader."""
    sample = tags.get(_SAMPLE_FORMAT, (1,))[0]
    bits = tags.get(_BITS, (1,))[0]
    if mode == "L" and sample == _SIGNED and bits == 8:
        return values.view(np.int8)
    if mode == "I" and bits == 32 and sample == 1:
        return values.view(np.uint32)
    if mode == "I" and bits == 16:
        return values.astype(np.int16)
    if mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        whole: npt.NDArray[np.uint16] = values.astype(np.uint16)
        return np.uint16((1 << bits) - 1) - whole
    return values
