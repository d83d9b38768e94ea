"""Agreement of the 3D surfaces of two masks. All functions take a Pair and return a number.

Surfaces are voxel centres, unweighted, at any spacing.
"""

from __future__ import annotations

import math

import numpy as np

from leuko.evaluation.pair import Pair
from leuko.evaluation.surfaces import worse_percentile

__all__ = ["assd", "boundary_f1", "hausdorff", "hd95_surface", "nsd"]

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
    """F1 of the shares of either surface within `tolerance_mm` of the other.

    The default tolerance is one voxel in plane: the middle one of the three spacings.
    """
    if tolerance_mm is None:
        tolerance_mm = sorted(pair.grid.spacing)[1]
    there, back = pair.surface_distances
    if not there.size:
        return _score_of_empty(pair)
    recall = float((there <= tolerance_mm + ROUNDING_MM).mean())
    precision = float((back <= tolerance_mm + ROUNDING_MM).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _missing(pair: Pair) -> float:
    return math.nan if pair.reference_voxels or pair.prediction_voxels else 0.0


def _score_of_empty(pair: Pair) -> float:
    return 0.0 if pair.reference_voxels or pair.prediction_voxels else 1.0
