"""Fazekas grades by geometry, the point they give for small vessel disease, and a check by volume.

Grades: Fazekas et al., AJR 149:351, 1987. Lengths in mm: periventricular 5 and 10 mm after
Scheltens et al., J Neurol Sci 114:7, 1993; deep 10 and 20 mm after the LADIS study (Pantoni et
al., Neuroepidemiology 24:51, 2005). How many ml or mm must be there before a limit counts as passed
is ours, so that single voxels decide nothing.
"""

from __future__ import annotations

import math

import numpy as np

from leuko.quantify.scales_geometry import LesionGeometry, in_plane_lengths, wide_parts
from leuko.quantify.scales_grades import Grade, Measured

__all__ = [
    "BAND_MM",
    "BROAD_MM",
    "CSVD_RULE",
    "DEEP_RULE",
    "HALO_MM",
    "LARGE_MM",
    "PERIVENTRICULAR_RULE",
    "PUNCTATE_MM",
    "TOTAL_RULE",
    "VOLUME_RULE",
    "WIDE_MM",
    "by_volume",
    "csvd_point",
    "fazekas_deep",
    "fazekas_periventricular",
    "fazekas_total",
    "reach_mm",
]

LEAST_ML, REACHING_ML = 0.1, 1.0
BAND_MM, HALO_MM = 5.0, 10.0  # from the ventricles: a lining, a halo
SPECK_MM, PUNCTATE_MM, LARGE_MM = 3.0, 10.0, 20.0  # long
WIDE_MM, BROAD_MM = 5.0, 10.0
VOLUME_CUTS_ML = (3.4, 9.6, 17.1)

PERIVENTRICULAR_RULE = (
    "Of the lesions that reach the ventricles: 0 below 0.1 ml (none); 1 where no more than 1 ml of "
    "them lies further than 5 mm from the ventricles (caps or pencil-thin lining); 2 where more "
    "than 1 ml lies further than 5 mm (halo); 3 where more than 1 ml lies further than 10 mm "
    "(irregular, extending into the deep white matter)."
)
DEEP_RULE = (
    "Of all supratentorial lesion away from the ventricles, as seen in the slices: 0 where further "
    "than 5 mm from them no piece is 3 mm long (none); 1 where some is (punctate); 2 where further "
    "than 10 mm a piece at least 5 mm wide is longer than 10 mm, or pieces joined by bridges are "
    "longer than 20 mm (beginning confluence); 3 where further than 10 mm a piece at least 10 mm "
    "wide is longer than 20 mm (large confluent areas)."
)
TOTAL_RULE = "Sum of the periventricular and the deep grade."
VOLUME_RULE = (
    "By volume alone: 0 below 3.4 ml, 1 below 9.6 ml, 2 below 17.1 ml, else 3. Cut-offs that "
    "separate Fazekas grades in 800 patients of a memory clinic (Joo et al., PLoS ONE 17:e0274562, "
    "2022); to be compared with the larger of the two Fazekas grades."
)
CSVD_RULE = (
    "1 where the periventricular grade is 3 or the deep grade is 2 or more, else 0: one of the "
    "four points of the small vessel disease score (Staals et al., Neurology 83:1228, 2014). The "
    "other three - lacunes, microbleeds, perivascular spaces - need other sequences."
)


def fazekas_periventricular(lesions: LesionGeometry | None) -> Grade:
    """0 none, 1 caps or lining, 2 halo, 3 extending into deep white matter."""
    volume, reach = 0.0, 0.0
    if lesions is not None:
        volume, reach = lesions.ml(lesions.joined), reach_mm(lesions, ml=REACHING_ML)
    grade = 0 if volume < LEAST_ML else 1 + (reach > BAND_MM) + (reach > HALO_MM)
    return Grade(
        "fazekas_periventricular",
        grade,
        3,
        PERIVENTRICULAR_RULE,
        (
            Measured("volume_ml", volume, "ml", "lesions that reach the ventricles"),
            Measured(
                "reach_mm",
                round(reach, 1),
                "mm",
                "1 ml of these lies further than this from the ventricles",
            ),
        ),
    )


def reach_mm(lesions: LesionGeometry, *, ml: float) -> float:
    """The distance from the ventricles beyond which more than `ml` of joined lesions lie; 0: none.

    Unlike a mean or a percentile it never falls where lesions grow.
    """
    distances = lesions.distance_mm[lesions.joined]
    beyond = math.floor(ml / lesions.voxel_ml + 1e-6)
    if len(distances) <= beyond:
        return 0.0
    return float(np.partition(distances, len(distances) - 1 - beyond)[len(distances) - 1 - beyond])


def fazekas_deep(lesions: LesionGeometry | None) -> Grade:
    """0 none, 1 punctate, 2 beginning confluence, 3 large confluent."""
    longest = bridged = confluent = large = 0.0
    if lesions is not None:
        longest = _longest(lesions, beyond_mm=BAND_MM)
        bridged = _longest(lesions, beyond_mm=HALO_MM)
        confluent = _longest(lesions, beyond_mm=HALO_MM, width_mm=WIDE_MM)
        large = _longest(lesions, beyond_mm=HALO_MM, width_mm=BROAD_MM)
    if large > LARGE_MM:
        grade = 3
    elif confluent > PUNCTATE_MM or bridged > LARGE_MM:
        grade = 2
    else:
        grade = int(longest >= SPECK_MM)
    return Grade(
        "fazekas_deep",
        grade,
        3,
        DEEP_RULE,
        (
            _length("longest_mm", longest, "longest piece further than 5 mm from the ventricles"),
            _length("bridged_mm", bridged, "longest piece further than 10 mm"),
            _length("confluent_mm", confluent, "the same, of what is at least 5 mm wide"),
            _length("large_mm", large, "the same, of what is at least 10 mm wide"),
        ),
    )


def _length(name: str, value: float, what: str) -> Measured:
    return Measured(name, round(value, 1), "mm", what)


def _longest(lesions: LesionGeometry, *, beyond_mm: float, width_mm: float = 0.0) -> float:
    """Length in mm of the longest piece in a slice, of what lies beyond and is wide enough."""
    mask = lesions.mask(lesions.distance_mm > beyond_mm)
    spacing, across = lesions.spacing, lesions.across
    if width_mm:
        mask = wide_parts(mask, spacing=spacing, across=across, width_mm=width_mm)
    return float(in_plane_lengths(mask, spacing=spacing, across=across).max(initial=0.0))


def fazekas_total(periventricular: Grade, deep: Grade) -> Grade:
    """The sum, 0 to 6."""
    both = (periventricular.grade, deep.grade)
    total = None if None in both else sum(grade for grade in both if grade is not None)
    why = periventricular.why_not or deep.why_not
    return Grade("fazekas_total", total, 6, TOTAL_RULE, why_not=why if total is None else "")


def by_volume(volume_ml: float) -> Grade:
    """The grade that the volume alone would give."""
    grade = sum(volume_ml >= cut for cut in VOLUME_CUTS_ML)
    measured = (Measured("volume_ml", round(volume_ml, 6), "ml", "volume of the whole mask"),)
    return Grade("by_volume", grade, 3, VOLUME_RULE, measured)


def csvd_point(periventricular: Grade, deep: Grade) -> Grade:
    """The white matter point of the small vessel disease score."""
    if periventricular.grade is None or deep.grade is None:
        why = periventricular.why_not or deep.why_not
        return Grade("csvd_point", None, 1, CSVD_RULE, why_not=why)
    return Grade("csvd_point", int(periventricular.grade == 3 or deep.grade >= 2), 1, CSVD_RULE)
