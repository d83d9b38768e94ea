"""Voxel-wise agreement of two masks. All functions take a Pair and return a number.

Without voxels to divide by, the value is nan, except where the table of empty masks in
`leuko.evaluation.registry` says otherwise. Volumes of pictures without a size are nan.
"""

from __future__ import annotations

import math

from leuko.evaluation.pair import Pair

__all__ = [
    "accuracy",
    "dice",
    "iou",
    "precision",
    "prediction_ml",
    "reference_ml",
    "sensitivity",
    "specificity",
    "volume_difference_ml",
    "volume_similarity",
]


def ratio(part: float, whole: float, *, empty: float = math.nan) -> float:
    """Quotient of part and whole, or `empty` where whole is zero."""
    return part / whole if whole else empty


def dice(pair: Pair) -> float:
    """2 |P and R| / (|P| + |R|); 1 where both are empty."""
    return ratio(
        2.0 * pair.common_voxels, pair.reference_voxels + pair.prediction_voxels, empty=1.0
    )


def iou(pair: Pair) -> float:
    """|P and R| / |P or R| (Jaccard); 1 where both are empty."""
    union = pair.reference_voxels + pair.prediction_voxels - pair.common_voxels
    return ratio(pair.common_voxels, union, empty=1.0)


def precision(pair: Pair) -> float:
    """Share of the prediction that is true (positive predictive value)."""
    return ratio(pair.common_voxels, pair.prediction_voxels)


def sensitivity(pair: Pair) -> float:
    """Share of the reference that is found (recall, true positive rate)."""
    return ratio(pair.common_voxels, pair.reference_voxels)


def specificity(pair: Pair) -> float:
    """Share of the voxels outside the reference that the prediction leaves out."""
    outside = pair.total_voxels - pair.reference_voxels
    false_positives = pair.prediction_voxels - pair.common_voxels
    return ratio(outside - false_positives, outside)


def accuracy(pair: Pair) -> float:
    """Share of all voxels of the grid on which both masks agree."""
    differing = pair.reference_voxels + pair.prediction_voxels - 2 * pair.common_voxels
    return ratio(pair.total_voxels - differing, pair.total_voxels)


def volume_similarity(pair: Pair) -> float:
    """1 - ||P| - |R|| / (|P| + |R|); 1 where both are empty."""
    difference = abs(pair.prediction_voxels - pair.reference_voxels)
    total = pair.prediction_voxels + pair.reference_voxels
    return 1.0 - ratio(difference, total, empty=0.0)


def reference_ml(pair: Pair) -> float:
    """Volume of the reference in ml."""
    return pair.reference_voxels * pair.voxel_ml


def prediction_ml(pair: Pair) -> float:
    """Volume of the prediction in ml."""
    return pair.prediction_voxels * pair.voxel_ml


def volume_difference_ml(pair: Pair) -> float:
    """Volume of the prediction minus that of the reference, in ml."""
    difference = pair.prediction_voxels - pair.reference_voxels
    return difference * pair.voxel_ml
