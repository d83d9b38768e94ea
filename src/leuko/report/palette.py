"""The report's few colours; the three sizes stay apart in every form of colour blindness.

Sizes differ in lightness as well as in hue (blue, amber, vermilion after Okabe and Ito), and carry
enough contrast on dark pictures and on white paper.
"""

from __future__ import annotations

__all__ = ["ACCENT", "FAINT", "INK", "LINE", "MUTED", "SEVERITY", "SIZE", "TINT", "rgb"]

INK = "#17212b"
MUTED = "#5b6875"
FAINT = "#8b97a3"
LINE = "#dfe4e9"
TINT = "#f4f6f8"
ACCENT = "#0f5c7c"

SIZE = {"small": "#3fa9e0", "medium": "#f2a900", "large": "#e5532d"}
SEVERITY = {"note": "#5b6875", "warning": "#b26a00", "refusal": "#b3261e"}


def rgb(colour: str) -> tuple[int, int, int]:
    """'#rrggbb' as three numbers from 0 to 255."""
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))
