"""Lesions, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Lesion", "LesionTable", "Side", "SizeClass"]


class Side(StrEnum):
    """Anatomical side; UNKNOWN where the file has no orientation."""

    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"
    UNKNOWN = "unknown"


class SizeClass(StrEnum):
    """Small v < 10 mm3, medium 10 <= v < 100 mm3, large v >= 100 mm3."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Lesion:
    """A 26-connected component of the mask; `label` is its value in lesions.nii.gz."""

    label: int  # 1 is the largest; ties in canonical voxel order
    volume_mm3: float
    voxels: int
    centre_mm: tuple[float, float, float]  # centre of mass, RAS mm
    size_class: SizeClass
    side: Side  # the side that holds most of its voxels
    region: str  # periventricular, deep, infratentorial or unknown
    distance_to_ventricles_mm: float | None  # nearest voxel; None without ventricles
    mean_z: float | None  # intensity in robust standard deviations of normal white matter
    confidence: float | None  # mean probability in it; None for a foreign mask


LesionTable = tuple[Lesion, ...]
