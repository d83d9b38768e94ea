"""Recommended display colours: from sRGB to the CIELab integers of DICOM (PS3.3 C.10.7.1.1)."""

from __future__ import annotations

import numpy as np

__all__ = ["cielab"]

# sRGB (IEC 61966-2-1) to XYZ under D50, the white of DICOM's profile connection space.
TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
WHITE = np.array([0.9642, 1.0, 0.8251])
EPSILON, KAPPA = 216 / 24389, 24389 / 27  # CIE 15


def cielab(red: int, green: int, blue: int) -> list[int]:
    """L*, a* and b* of an sRGB colour (0..255 each) as three 16-bit integers."""
    signal = np.array([red, green, blue]) / 255
    linear = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    ratio = TO_XYZ @ linear / WHITE
    x, y, z = np.where(ratio > EPSILON, np.cbrt(ratio), (KAPPA * ratio + 16) / 116)
    lightness, a, b = 116 * y - 16, 500 * (x - y), 200 * (y - z)
    scaled = (lightness / 100, (a + 128) / 255, (b + 128) / 255)
    return [round(65535 * min(1.0, max(0.0, float(value)))) for value in scaled]
