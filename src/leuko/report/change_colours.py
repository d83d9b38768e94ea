"""A colour for each class of change; they stay apart in every form of colour blindness.

After Okabe and Ito, lightened for lines on dark pictures.
"""

from __future__ import annotations

from types import MappingProxyType

from leuko.change.classes import ChangeClass

__all__ = ["COLOURS", "colour_name"]

COLOURS = MappingProxyType(
    {
        "new": "#f0503c",
        "enlarging": "#f2a900",
        "stable": "#56b4e9",
        "shrinking": "#1fb88a",
        "disappeared": "#d987b8",
    }
)


def colour_name(kind: ChangeClass) -> str:
    """The entry of COLOURS for a class: merged lesions count as enlarging, split ones as shrinking.

    Of lesions that one visit does not show: stable, which says least.
    """
    if kind is ChangeClass.MERGED:
        return "enlarging"
    if kind is ChangeClass.SPLIT:
        return "shrinking"
    return "stable" if kind is ChangeClass.NOT_SEEN else kind.value
