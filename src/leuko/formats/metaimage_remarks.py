"""What a MetaImage header says beyond, or against, the geometry that is taken from it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leuko.findings import Finding, Severity

__all__ = ["orientation_disagrees", "remarks", "sizes_odd"]

_FROM = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "I": (2, 1), "S": (2, -1)}


def remarks(fields: dict[str, str]) -> list[Finding]:
    """What the header says beyond what any program goes by: another scaling, another unit."""
    found = []
    slope = _number(fields.get("elementtointensityfunctionslope", ""), usual=1.0)
    shift = _number(fields.get("elementtointensityfunctionoffset", ""), usual=0.0)
    if (slope, shift) != (1.0, 0.0):
        found.append(
            Finding(
                "metaimage.scaling_ignored",
                Severity.WARNING,
                "The header tells a scaling to intensities; the stored values are used, as in ITK.",
                "Where the values themselves matter, scale them first.",
            )
        )
    unit = fields.get("distanceunits", "").lower()
    if unit not in ("", "?", "mm"):
        found.append(
            Finding(
                "metaimage.units_ignored",
                Severity.WARNING,
                "The header names a unit of length other than the millimetre; millimetres are "
                "assumed, as in ITK.",
                "Check the voxel size: every volume depends on it.",
            )
        )
    return found


def sizes_odd(spacing: npt.NDArray[np.float64] | None) -> list[Finding]:
    """No voxel size, or a negative one: ITK takes that for an axis that runs the other way."""
    if spacing is not None and not np.any(spacing[:3] < 0):
        return []
    if spacing is not None:
        return [
            Finding(
                "metaimage.negative_spacing",
                Severity.WARNING,
                "The header holds a negative voxel size; its axis is taken to run the other way, "
                "as ITK does.",
                "Other software may ignore the sign: check left and right in your viewer.",
            )
        ]
    return [
        Finding(
            "metaimage.spacing_missing",
            Severity.REFUSAL,
            "The header does not give the voxel size; 1 would have to be assumed.",
            "Export the scan again, or set ElementSpacing in the header.",
        )
    ]


def orientation_disagrees(columns: npt.NDArray[np.float64], named: str) -> list[Finding]:
    """AnatomicalOrientation tells where each axis comes from; the matrix decides."""
    if len(named) != 3 or any(letter not in _FROM for letter in named):
        return []
    meant = np.zeros((3, 3))
    for axis, letter in enumerate(named):
        world, sign = _FROM[letter]
        meant[world, axis] = sign
    turned = np.abs(columns) >= np.abs(columns).max(axis=0) - 1e-6
    if np.all(np.any((np.sign(columns) == meant) & turned & (meant != 0), axis=0)):
        return []
    return [
        Finding(
            "metaimage.orientation_disagrees",
            Severity.WARNING,
            f"The header calls the orientation {named}, which its matrix does not say; "
            "the matrix is used.",
            "Compare left and right with the scan in your viewer before you rely on it.",
        )
    ]


def _number(text: str, *, usual: float) -> float:
    """The number that a field holds; `usual` where it holds none."""
    try:
        return float(text)
    except ValueError:
        return usual
