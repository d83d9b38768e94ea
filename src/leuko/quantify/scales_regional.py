"""Scales that are rated part by part: ARWMC-like and Scheltens-like.

ARWMC: Wahlund et al., Stroke 32:1318, 2001. Scheltens et al., J Neurol Sci 114:7, 1993. Both ask
for focal lesions and confluence; which lengths and widths stand for these is ours, as in
`scales_fazekas`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from leuko.anatomy.lobes import LOBE_VALUES, Lobe
from leuko.models.classes import Tissue
from leuko.quantify.scales_fazekas import (
    BAND_MM,
    BROAD_MM,
    HALO_MM,
    LARGE_MM,
    PUNCTATE_MM,
    WIDE_MM,
)
from leuko.quantify.scales_geometry import (
    LesionGeometry,
    in_plane_lengths,
    lengths_by_lesion,
    wide_parts,
)
from leuko.quantify.scales_grades import Grade, Measured

__all__ = [
    "ARWMC_RULE",
    "NO_LOBES",
    "SCHELTENS_DEEP_RULE",
    "SCHELTENS_PERIVENTRICULAR_RULE",
    "Parts",
    "arwmc",
    "scheltens_deep",
    "scheltens_periventricular",
]

BoolArray = npt.NDArray[np.bool_]

NO_LOBES = "The lobes were not asked for (--lobes), or the head did not land on the template."
NOT_ORIENTED = "The file does not say where front and back are."
FOCAL_MM = 5.0
DIFFUSE_PERCENT = 10.0
SEVERAL_ML = 0.13  # two balls of 5 mm
SMALL_MM, FEW = 4.0, 5  # Scheltens: up to 3 mm, 4 to 10 mm; up to five lesions
FRONT, BACK = 0.1, 0.15  # of the ventricles' length: where the horns end
CAP_ML, THICK_ML = 0.1, 0.25

ARWMC_RULE = (
    "ARWMC-like: frontal, parieto-occipital, temporal, basal ganglia (with the insula) and "
    "infratentorial, left and right, 0 to 3 each; the sum, 0 to 30. Lesions up to 5 mm from the "
    "ventricles (caps and bands) don't count. White matter and infratentorial: 1 where a piece is "
    "5 mm long or more (focal); 2 where a piece at least 5 mm wide is longer than 10 mm, in white "
    "matter further than 10 mm from the ventricles (beginning confluence); 3 where moreover a "
    "piece at least 10 mm wide is longer than 20 mm and, of a lobe, all lesions take 10 % of its "
    "white matter (diffuse). Basal ganglia: 1 one focal lesion of 5 mm; 2 more than one (such "
    "lesions of 0.13 ml together, two balls of 5 mm); 3 confluent (a piece at least 5 mm wide is "
    "longer than 10 mm)."
)
SCHELTENS_PERIVENTRICULAR_RULE = (
    "Scheltens-like, periventricular: frontal caps (lesions that reach the ventricles, before the "
    "last tenth of the ventricles' length), occipital caps (behind the last 15 %) and bands (all "
    "between), 0 to 2 each: 0 below 0.1 ml; 2 where 0.25 ml or more lies further than 5 mm from "
    "the ventricles; else 1. The sum, 0 to 6."
)
SCHELTENS_DEEP_RULE = (
    "Scheltens-like, deep white matter: frontal, parietal, occipital and temporal, 0 to 6 each, of "
    "lesions further than 5 mm from the ventricles, by their length in slices: 1 all below 4 mm, "
    "five at most; 2 all below 4 mm, six or more; 3 some of 4 to 10 mm, five at most; 4 six or "
    "more; 5 one longer than 10 mm; 6 confluent (at least 5 mm wide and longer than 20 mm). The "
    "sum, 0 to 24. The scale counts lesions: where several grow into one it can fall. Its scores "
    "of basal ganglia and below the tentorium are not estimated."
)

_ARWMC: Mapping[str, tuple[Lobe, ...]] = MappingProxyType(
    {
        "frontal": (Lobe.FRONTAL,),
        "parieto_occipital": (Lobe.PARIETAL, Lobe.OCCIPITAL),
        "temporal": (Lobe.TEMPORAL,),
        "basal_ganglia": (Lobe.BASAL_GANGLIA, Lobe.INSULAR),
        "infratentorial": (Lobe.INFRATENTORIAL,),
    }
)
_SCHELTENS = (Lobe.FRONTAL, Lobe.PARIETAL, Lobe.OCCIPITAL, Lobe.TEMPORAL)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of a brain on the voxels of its lesions: all arrays of the scan's shape.

    `lobes` has values of `LOBE_VALUES`, `right` says which voxels lie on the right, `anatomy` has
    values of `Tissue`.
    """

    lobes: npt.NDArray[np.uint8]
    right: BoolArray
    anatomy: npt.NDArray[np.uint8]

    def of(self, lobes: tuple[Lobe, ...]) -> BoolArray:
        """Where these lobes are."""
        return np.isin(self.lobes, [LOBE_VALUES[lobe] for lobe in lobes])


def arwmc(lesions: LesionGeometry | None, *, parts: Parts) -> Grade:
    """The sum of ten regions; `lesions` are all of a scan, infratentorial ones too."""
    found = []
    for name, lobes in _ARWMC.items():
        where = parts.of(lobes)
        for side, here in (("left", where & ~parts.right), ("right", where & parts.right)):
            grade = 0 if lesions is None else _region(lesions, name, here=here, parts=parts)
            found.append(Grade(f"{name}_{side}", grade, 3, ""))
    total = sum(part.grade or 0 for part in found)
    return Grade("arwmc", total, 30, ARWMC_RULE, parts=tuple(found))


def _region(lesions: LesionGeometry, name: str, *, here: BoolArray, parts: Parts) -> int:
    inside = here[lesions.box][tuple(lesions.indices.T)]
    below = name == "infratentorial"  # the ventricle there has no caps
    outside_band = lesions.mask(inside & ((lesions.distance_mm > BAND_MM) | below))
    if _longest(outside_band, lesions) < FOCAL_MM:
        return 0
    if name == "basal_ganglia":
        if _longest(outside_band, lesions, width_mm=WIDE_MM) > PUNCTATE_MM:
            return 3
        return 1 + (_focal_ml(outside_band, lesions) >= SEVERAL_ML)
    far = lesions.mask(inside & ((lesions.distance_mm > HALO_MM) | below))
    if _longest(far, lesions, width_mm=WIDE_MM) <= PUNCTATE_MM:
        return 1
    if _longest(far, lesions, width_mm=BROAD_MM) <= LARGE_MM:
        return 2
    white = int(np.count_nonzero((parts.anatomy == Tissue.WHITE_MATTER) & here))
    held = int(np.count_nonzero(inside))
    return 3 if below or held >= DIFFUSE_PERCENT / 100 * max(white, 1) else 2


def _longest(mask: BoolArray, lesions: LesionGeometry, *, width_mm: float = 0.0) -> float:
    spacing, across = lesions.spacing, lesions.across
    if width_mm:
        mask = wide_parts(mask, spacing=spacing, across=across, width_mm=width_mm)
    return float(in_plane_lengths(mask, spacing=spacing, across=across).max(initial=0.0))


def _focal_ml(mask: BoolArray, lesions: LesionGeometry) -> float:
    """The volume of the lesions in a mask that are focal: 5 mm long or more."""
    lengths, sizes = lengths_by_lesion(mask, spacing=lesions.spacing, across=lesions.across)
    return float(sizes[lengths >= FOCAL_MM].sum() * lesions.voxel_ml)


def scheltens_deep(lesions: LesionGeometry | None, *, parts: Parts) -> Grade:
    """The sum of four lobes, both sides together; `lesions` are the supratentorial ones."""
    found = []
    for lobe in _SCHELTENS:
        grade = 0
        if lesions is not None:
            inside = parts.of((lobe,))[lesions.box][tuple(lesions.indices.T)]
            grade = _counted(lesions.mask(inside & (lesions.distance_mm > BAND_MM)), lesions)
        found.append(Grade(lobe.value, grade, 6, ""))
    total = sum(part.grade or 0 for part in found)
    return Grade("scheltens_deep", total, 24, SCHELTENS_DEEP_RULE, parts=tuple(found))


def _counted(mask: BoolArray, lesions: LesionGeometry) -> int:
    lengths, _ = lengths_by_lesion(mask, spacing=lesions.spacing, across=lesions.across)
    if not len(lengths):
        return 0
    if _longest(mask, lesions, width_mm=WIDE_MM) > LARGE_MM:
        return 6
    if lengths.max() > PUNCTATE_MM:
        return 5
    many = int(np.count_nonzero(lengths >= SMALL_MM)) or len(lengths)
    return (1 if lengths.max() < SMALL_MM else 3) + (many > FEW)


def scheltens_periventricular(
    lesions: LesionGeometry | None, *, ventricles: BoolArray, oriented: bool
) -> Grade:
    """The sum of frontal caps, occipital caps and bands, both sides together."""
    name, rule = "scheltens_periventricular", SCHELTENS_PERIVENTRICULAR_RULE
    if not oriented:
        return Grade(name, None, 6, rule, why_not=NOT_ORIENTED)
    planes = np.flatnonzero(ventricles.any(axis=(0, 2)))
    length = planes[-1] - planes[0] + 1
    front, back = planes[-1] - FRONT * length, planes[0] + BACK * length
    found = []
    for part in ("frontal_caps", "occipital_caps", "bands"):
        grade = 0
        measured: tuple[Measured, ...] = ()
        if lesions is not None:
            place = lesions.indices[:, 1] + lesions.box[1].start
            here = {
                "frontal_caps": place > front,
                "occipital_caps": place < back,
                "bands": (place <= front) & (place >= back),
            }[part]
            grade, measured = _thick(lesions, here & lesions.joined)
        found.append(Grade(part, grade, 2, "", measured))
    total = sum(part.grade or 0 for part in found)
    return Grade(name, total, 6, rule, parts=tuple(found))


def _thick(lesions: LesionGeometry, here: BoolArray) -> tuple[int, tuple[Measured, ...]]:
    volume, thick = lesions.ml(here), lesions.ml(here & (lesions.distance_mm > BAND_MM))
    grade = 0 if volume < CAP_ML else 1 + (thick >= THICK_ML)
    return grade, (
        Measured("volume_ml", volume, "ml", "lesions there that reach the ventricles"),
        Measured("thick_ml", thick, "ml", "of these, further than 5 mm from the ventricles"),
    )
