"""What the words and numbers on the page of a data set mean; only those that are used there."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.exploration.intensities import AIR_SHARE, BELOW_HU, MEDIAN_HU
from leuko.exploration.overview import Overview
from leuko.exploration.robust import FEWEST, LIMIT, TO_SD
from leuko.report.sections import Definition

__all__ = ["definitions"]


def definitions(view: Overview) -> tuple[Definition, ...]:
    """The terms that apply to a data set."""
    return tuple(_all(view))


def _all(view: Overview) -> Iterator[Definition]:
    if view.readable >= FEWEST:
        yield Definition(
            "Robust z-score",
            f"(value − median) / ({TO_SD} × median absolute deviation), of the logarithm for "
            "volumes, lengths, ranges and pieces. Unlike mean and standard deviation, median and "
            "median absolute deviation are not moved by the outliers themselves. Beyond "
            f"±{LIMIT} a case is named (Iglewicz and Hoaglin, How to detect and handle outliers, "
            "1993). What more than a fifth of the cases have is no exception and is said of all.",
        )
    if "hounsfield" in view.scales:
        yield Definition(
            "Hounsfield unit (HU)",
            "1000 × (μ − μ of water) / μ of water, with μ the attenuation of X-rays: air −1000, "
            "water 0, cortical bone above 700. The values are taken as HU where the DICOM "
            f"modality is CT, else where at least {100 * AIR_SHARE:.0f} % of the voxels are below "
            f"{BELOW_HU:.0f} and half are below {MEDIAN_HU:.0f}.".replace("-", "−"),
        )
    if "arbitrary" in view.scales:
        yield Definition(
            "No fixed unit",
            "The values of magnetic resonance images depend on scanner, coil and scaling: the same "
            "tissue has other values in another image. They are compared as z-scores, each image "
            "by itself.",
        )
    if view.background_share is not None:
        yield Definition(
            "Background, β",
            "The mean, over the masks, of the share of voxels that belong to no class. β is the "
            "weight of class-balanced cross-entropy: the foreground weighs β, the background "
            "1 − β, so that the rare class counts as much as the common one.",
        )
        yield Definition(
            "Volume and pieces",
            "Voxels of the class times the volume of a voxel (from the affine). Pieces are "
            "connected components: voxels that touch in a face, an edge or a corner (26 "
            "neighbours, 8 in a picture)."
            if view.sized
            else "Pixels of the class; pictures have no size in mm. Pieces are connected "
            "components: pixels that touch in an edge or a corner (8 neighbours).",
        )
    if view.classes and view.sized:
        yield Definition(
            "Right of middle",
            "The share of a class on the patient's right of the middle of the image, by the "
            "affine. The middle of the image is not that of the body.",
        )
    if view.sized and view.pictures < view.readable:
        yield Definition(
            "Orientation",
            "Towards what the index of each axis of the array rises: R or L (right, left), A or P "
            "(front, back), S or I (head, feet). RAS: to the right, to the front, to the head.",
        )
    yield Definition(
        "Duplicates",
        "Cases whose images have the same size and the same values (SHA-256 of the voxels, not of "
        "the file).",
    )
