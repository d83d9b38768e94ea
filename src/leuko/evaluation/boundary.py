"""Agreement of the surfaces of two masks. All functions take a Pair and return a number.

Surfaces are voxel centres, unweighted, at any spacing; those of a single slice are its outlines.
Lengths are mm, in pictures without a size pixels.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from leuko.evaluation.pair import Pair
from leuko.evaluation.surfaces import worse_percentile

__all__ = [
    "assd",
    "boundary_f1",
    "boundary_precision",
    "boundary_recall",
    "hausdorff",
    "hd95_surface",
    "nsd",
]

FloatArray = npt.NDArray[np.float64]

NSD_TOLERANCE_MM = 2.0
ROUNDING_MM = 1e-6  # a distance of exactly the tolerance is inside it


def hausdorff(pair: Pair) -> float:
    """Largest distance from a surface voxel of one mask to the surface of the other, in mm."""
    return worse_percentile(*pair.surface_distances, percent=100.0, when_missing=_missing(pair))


def hd95_surface(pair: Pair) -> float:
    """95th percentile of the surface distances of each way, the larger of the two, in mm."""
    return worse_percentile(*pair.surface_distances, percent=95.0, when_missing=_missing(pair))


def assd(pair: Pair) -> float:
    """Mean of the surface distances of both ways pooled, in mm."""
    pooled = np.concatenate(pair.surface_distances)
    return float(pooled.mean()) if pooled.size else _missing(pair)


def nsd(pair: Pair, *, tolerance_mm: float = NSD_TOLERANCE_MM) -> float:
    """Share of both surfaces within `tolerance_mm` of the other (normalised surface Dice)."""
    pooled = np.concatenate(pair.surface_distances)
    if not pooled.size:
        return _score_of_empty(pair)
    return float((pooled <= tolerance_mm + ROUNDING_MM).mean())


def boundary_f1(pair: Pair, *, tolerance_mm: float | None = None) -> float:
    """F1 of `boundary_precision` and `boundary_recall`; 1 where both masks are empty."""
    precision = boundary_precision(pair, tolerance_mm=tolerance_mm)
    recall = boundary_recall(pair, tolerance_mm=tolerance_mm)
    if math.isnan(precision) or math.isnan(recall):
        return _score_of_empty(pair)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def boundary_precision(pair: Pair, *, tolerance_mm: float | None = None) -> float:
    """Share of the prediction's surface within `tolerance_mm` of the reference's.

    The default tolerance is one voxel in plane: the middle one of the three spacings.
    """
    if not pair.prediction_voxels:
        return math.nan
    return _within(pair.surface_distances[1], pair, tolerance_mm)


def boundary_recall(pair: Pair, *, tolerance_mm: float | None = None) -> float:
    """Share of the reference's surface within `tolerance_mm` of the prediction's, as above."""
    if not pair.reference_voxels:
        return math.nan
    return _within(pair.surface_distances[0], pair, tolerance_mm)


def _within(distances: FloatArray, pair: Pair, tolerance_mm: float | None) -> float:
    if tolerance_mm is None:
        tolerance_mm = sorted(pair.grid.spacing)[1]
    return float((distances <= tolerance_mm + ROUNDING_MM).mean()) if distances.size else 0.0


def _missing(pair: Pair) -> float:
    return math.nan if pair.reference_voxels or pair.prediction_voxels else 0.0


def _score_of_empty(pair: Pair) -> float:
    return 0.0 if pair.reference_voxels or pair.prediction_voxels else 1.0
