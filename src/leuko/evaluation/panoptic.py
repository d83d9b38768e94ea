"""Panoptic quality: how well instances (lesions, cells) are found and how well outlined.

An instance of the reference and one of the prediction match where their IoU exceeds 1/2; no
instance can have two matches. Source: Kirillov et al. 2019.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.evaluation.labels import label_array
from leuko.evaluation.matching import overlaps
from leuko.evaluation.pair import Pair
from leuko.image.grid import require_same_grid
from leuko.image.image import Image

__all__ = [
    "Panoptic",
    "instance_scores",
    "panoptic_quality",
    "recognition_quality",
    "segmentation_quality",
]

FloatArray = npt.NDArray[np.float64]

MATCH = 0.5  # IoU above which two instances are the same one


@dataclass(frozen=True, slots=True)
class Panoptic:
    """PQ = SQ x RQ, and how many instances are matched, only predicted, only in the reference."""

    pq: float
    sq: float
    rq: float
    matched: int
    false_positive: int
    false_negative: int


def instance_scores(reference: Image, prediction: Image) -> Panoptic:
    """Panoptic quality of two instance masks: 0 is background, each instance has its number.

    The numbers of one mask mean nothing in the other. Raises GridMismatch (exit 5) where the grids
    differ and UnusableInput (exit 4) where a value is no whole number.
    """
    require_same_grid(
        reference.grid, prediction.grid, what="the reference", other_what="the prediction"
    )
    truth = label_array(reference, "the reference")
    found = label_array(prediction, "the prediction")
    shared = overlaps(truth, found)
    return _panoptic(shared.iou, references=shared.first_count, predictions=shared.second_count)


def panoptic_quality(pair: Pair) -> float:
    """Segmentation quality times recognition quality of the lesions; 1 where both are empty."""
    return _of_pair(pair).pq


def segmentation_quality(pair: Pair) -> float:
    """Mean IoU of the lesions that match one of the other mask (IoU above 1/2)."""
    return _of_pair(pair).sq


def recognition_quality(pair: Pair) -> float:
    """F1 of the lesions, found where they match (IoU above 1/2); 1 where both are empty."""
    return _of_pair(pair).rq


def _of_pair(pair: Pair) -> Panoptic:
    shared = pair.lesion_overlaps
    return _panoptic(shared.iou, references=shared.first_count, predictions=shared.second_count)


def _panoptic(iou: FloatArray, *, references: int, predictions: int) -> Panoptic:
    matched = iou[iou > MATCH]
    total = references + predictions
    if not total:
        return Panoptic(1.0, 1.0, 1.0, 0, 0, 0)
    quality = float(matched.mean()) if matched.size else math.nan
    recognised = 2 * matched.size / total
    return Panoptic(
        pq=quality * recognised if matched.size else 0.0,
        sq=quality,
        rq=recognised,
        matched=matched.size,
        false_positive=predictions - matched.size,
        false_negative=references - matched.size,
    )
