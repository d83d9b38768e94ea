"""Lesions, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from leuko.anatomy import hemispheres
from leuko.anatomy.levels import white_matter_level
from leuko.anatomy.regions import classify_regions
from leuko.image.grid import Grid
from leuko.masks.components import connected_components
from leuko.masks.distance import nearest_distance
from leuko.masks.morphology import border
from leuko.models.classes import Tissue
from leuko.quantify.voxels import LesionVoxels, lesion_voxels

__all__ = [
    "Lesion",
    "LesionTable",
    "Side",
    "SizeClass",
    "label_lesions",
    "measure_lesions",
    "size_class",
    "volume_of",
]

Labels = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float64]

MEDIUM_FROM_MM3, LARGE_FROM_MM3 = 10.0, 100.0
VOLUME_DECIMALS = 6  # mm3: ten voxels of 1 mm3 are 10 mm3, however a header rounds


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
    confidence: float | None  # probability that an expert calls it a lesion; None: not measured
    ms_region: str = "unknown"  # a value of `places.MsRegion`, for multiple sclerosis
    distance_to_cortex_mm: float | None = None  # nearest voxel; None without cortex
    confluency: float | None = None  # 0 is a ball, more is more branched or elongated
    mean_probability: float | None = None  # the network's, over its voxels; None for a given mask
    peak_probability: float | None = None  # the highest


LesionTable = tuple[Lesion, ...]


def volume_of(voxels: int, *, voxel_mm3: float) -> float:
    """Volume in mm3, rounded to 1e-6 so that limits of size classes do not wobble."""
    return round(voxels * voxel_mm3, VOLUME_DECIMALS)


def size_class(volume_mm3: float) -> SizeClass:
    """The size class of a lesion: 10 mm3 is medium, 100 mm3 is large."""
    if volume_mm3 < MEDIUM_FROM_MM3:
        return SizeClass.SMALL
    return SizeClass.MEDIUM if volume_mm3 < LARGE_FROM_MM3 else SizeClass.LARGE


def label_lesions(mask: npt.NDArray[np.bool_]) -> tuple[Labels, int]:
    """Number the 26-connected lesions of a canonical mask, and count them.

    1 is the largest; lesions of one size are in the order of their first voxels.
    """
    found = connected_components(mask)
    return found.labels, found.count


def measure_lesions(
    labels: Labels,
    *,
    grid: Grid,
    anatomy: npt.NDArray[np.uint8] | None = None,
    ventricles: npt.NDArray[np.bool_] | None = None,
    sides: npt.NDArray[np.uint8] | None = None,
    image: npt.NDArray[np.generic] | None = None,
    probability: npt.NDArray[np.float32] | None = None,
) -> LesionTable:
    """A row for each lesion, in the order of their labels; no lesion, no row.

    Side: where most of its voxels lie; as many left as right is midline. Distance: from its voxel
    nearest to the ventricles. Intensity: mean in robust standard deviations of normal white matter
    (median and 1.4826 MAD of white matter outside all lesions). The confidence is left open.

    Args:
        labels: 0 outside, 1..n with no number missing, canonical axes like all arrays here.
        grid: of those arrays, for volumes and world coordinates.
        anatomy: tissues; without them region, distance and intensity are not known.
        ventricles: those that distances are measured to; without them all of the anatomy.
        sides: as `anatomy.hemispheres.sides` gives them; without them sides are unknown.
        image: intensities in any unit.
        probability: 0..1.
    """
    voxels = lesion_voxels(labels)
    if voxels.count == 0:
        return ()
    sizes = voxels.sizes.tolist()
    voxel_mm3 = grid.voxel_mm3
    volumes = [volume_of(size, voxel_mm3=voxel_mm3) for size in sizes]
    centres = grid.to_world(
        np.stack([voxels.means(voxels.indices[:, axis]) for axis in range(3)], axis=1)
    )
    if ventricles is None and anatomy is not None:
        ventricles = anatomy == Tissue.VENTRICLES
    distances = _distances_to_ventricles(voxels, labels, ventricles, grid)
    regions = classify_regions(
        labels, anatomy=anatomy, ventricle_mm=distances, spacing=grid.spacing
    )
    lesion_sides = _sides(voxels, sides)
    z = _mean_z(voxels, labels, image, anatomy)
    values = None if probability is None else voxels.values(probability)
    mean = None if values is None else voxels.means(values)
    peak = None if values is None else voxels.peaks(values)
    return tuple(
        Lesion(
            label=index + 1,
            volume_mm3=volumes[index],
            voxels=sizes[index],
            centre_mm=(
                centres[index, 0].item(),
                centres[index, 1].item(),
                centres[index, 2].item(),
            ),
            size_class=size_class(volumes[index]),
            side=lesion_sides[index],
            region=regions[index].value,
            distance_to_ventricles_mm=(
                float(distances[index]) if np.isfinite(distances[index]) else None
            ),
            mean_z=None if z is None else float(z[index]),
            confidence=None,
            mean_probability=None if mean is None else float(mean[index]),
            peak_probability=None if peak is None else float(peak[index]),
        )
        for index in range(voxels.count)
    )


def _distances_to_ventricles(
    voxels: LesionVoxels, labels: Labels, ventricles: npt.NDArray[np.bool_] | None, grid: Grid
) -> FloatArray:
    """Distance of each lesion's nearest voxel in mm; inf without ventricles."""
    if ventricles is None:
        return np.full(voxels.count, np.inf)
    # Only voxels at the border of a lesion, or in a ventricle, can be the nearest.
    edge = border(voxels.inside(labels) > 0)[tuple((voxels.indices - voxels.origin).T)]
    candidates = edge | voxels.values(ventricles)
    distance = nearest_distance(voxels.indices[candidates], to=ventricles, spacing=grid.spacing)
    nearest = np.full(voxels.count, np.inf)
    np.minimum.at(nearest, voxels.labels[candidates] - 1, distance)
    return nearest


def _sides(voxels: LesionVoxels, sides: npt.NDArray[np.uint8] | None) -> list[Side]:
    if sides is None:
        return [Side.UNKNOWN] * voxels.count
    of_voxel = voxels.values(sides)
    counts = np.stack(
        [
            np.bincount(voxels.labels[of_voxel == side], minlength=voxels.count + 1)[1:]
            for side in (hemispheres.LEFT, hemispheres.RIGHT, hemispheres.MIDLINE)
        ],
        axis=1,
    )
    return [_side(*row) for row in counts.tolist()]


def _side(left: int, right: int, midline: int) -> Side:
    """Of the sides that hold most voxels the one that is not a tie between left and right."""
    most = max(left, right, midline)
    if most == 0:
        return Side.UNKNOWN
    if left == most and right < most:
        return Side.LEFT
    if right == most and left < most:
        return Side.RIGHT
    return Side.MIDLINE


def _mean_z(
    voxels: LesionVoxels,
    labels: Labels,
    image: npt.NDArray[np.generic] | None,
    anatomy: npt.NDArray[np.uint8] | None,
) -> FloatArray | None:
    if image is None or anatomy is None:
        return None
    level = white_matter_level(image, anatomy=anatomy, mask=labels > 0)
    if level is None or level.deviation == 0:
        return None
    return np.asarray((voxels.means(voxels.values(image)) - level.median) / level.deviation)
