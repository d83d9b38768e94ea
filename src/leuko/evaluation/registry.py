"""Every metric leuko computes on a pair of masks: name, unit, direction and where it lives.

A plain dictionary that loads neither numpy nor scipy; `leuko.evaluation.scores` imports the
functions. Each takes a `leuko.evaluation.pair.Pair` and returns a float.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["CHALLENGE", "METRICS", "Direction", "Metric", "title_of", "unit_of"]

Direction = Literal["higher", "lower", "zero", "none"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `better` says which values are good, `empty` what it is without voxels.

    `empty` holds the value for (both masks empty, only the reference empty, only the prediction
    empty); None means that the value depends on the masks.
    """

    name: str
    title: str
    unit: str
    better: Direction
    function: str
    empty: tuple[float | None, float | None, float | None]


_NAN = math.nan
_SCORE = (1.0, 0.0, 0.0)
_DISTANCE = (0.0, _NAN, _NAN)
_OF_REFERENCE = (_NAN, _NAN, 0.0)
_OF_PREDICTION = (_NAN, 0.0, _NAN)
_AMOUNT_REFERENCE = (0.0, 0.0, None)
_AMOUNT_PREDICTION = (0.0, None, 0.0)

_OVERLAP = "leuko.evaluation.overlap"
_BOUNDARY = "leuko.evaluation.boundary"
_LESIONS = "leuko.evaluation.lesionwise"
_CHALLENGE = "leuko.evaluation.challenge"
_CLASSES = "leuko.evaluation.class_means"
_PANOPTIC = "leuko.evaluation.panoptic"

_ENTRIES = (
    Metric("dice", "Dice", "", "higher", f"{_OVERLAP}:dice", _SCORE),
    Metric("h95", "H95 in plane", "mm", "lower", f"{_CHALLENGE}:h95", _DISTANCE),
    Metric("avd", "absolute volume difference", "%", "lower", f"{_CHALLENGE}:avd",
           (0.0, _NAN, 100.0)),
    Metric("lesion_recall", "lesion recall", "", "higher", f"{_LESIONS}:lesion_recall",
           _OF_REFERENCE),
    Metric("lesion_f1", "lesion F1", "", "higher", f"{_CHALLENGE}:lesion_f1", _SCORE),
    Metric("lesion_precision", "lesion precision", "", "higher", f"{_LESIONS}:lesion_precision",
           _OF_PREDICTION),
    Metric("lesion_f1_strict", "strict lesion F1", "", "higher", f"{_LESIONS}:lesion_f1_strict",
           _SCORE),
    Metric("recall_small", "recall, v < 10 mm3", "", "higher", f"{_LESIONS}:recall_small",
           (_NAN, _NAN, None)),
    Metric("recall_medium", "recall, 10 <= v < 100 mm3", "", "higher",
           f"{_LESIONS}:recall_medium", (_NAN, _NAN, None)),
    Metric("recall_large", "recall, v >= 100 mm3", "", "higher", f"{_LESIONS}:recall_large",
           (_NAN, _NAN, None)),
    Metric("precision_small", "lesion precision, v < 10 mm3", "", "higher",
           f"{_LESIONS}:precision_small", (_NAN, None, _NAN)),
    Metric("precision_medium", "lesion precision, 10 <= v < 100 mm3", "", "higher",
           f"{_LESIONS}:precision_medium", (_NAN, None, _NAN)),
    Metric("precision_large", "lesion precision, v >= 100 mm3", "", "higher",
           f"{_LESIONS}:precision_large", (_NAN, None, _NAN)),
    Metric("iou", "IoU (Jaccard)", "", "higher", f"{_OVERLAP}:iou", _SCORE),
    Metric("precision", "voxel precision", "", "higher", f"{_OVERLAP}:precision",
           _OF_PREDICTION),
    Metric("sensitivity", "voxel sensitivity", "", "higher", f"{_OVERLAP}:sensitivity",
           _OF_REFERENCE),
    Metric("specificity", "voxel specificity", "", "higher", f"{_OVERLAP}:specificity",
           (1.0, None, None)),
    Metric("accuracy", "voxel accuracy", "", "higher", f"{_OVERLAP}:accuracy",
           (1.0, None, None)),
    Metric("mean_accuracy", "mean accuracy of classes", "", "higher",
           f"{_CLASSES}:mean_accuracy", (1.0, None, 0.5)),
    Metric("mean_iou", "mean IoU of classes", "", "higher", f"{_CLASSES}:mean_iou",
           (1.0, None, None)),
    Metric("mean_iou_foreground", "mean IoU without background", "", "higher",
           f"{_CLASSES}:mean_iou_foreground", (_NAN, 0.0, 0.0)),
    Metric("mean_dice", "mean Dice of classes", "", "higher", f"{_CLASSES}:mean_dice",
           (1.0, None, None)),
    Metric("mean_dice_foreground", "mean Dice without background", "", "higher",
           f"{_CLASSES}:mean_dice_foreground", (_NAN, 0.0, 0.0)),
    Metric("frequency_weighted_iou", "frequency-weighted IoU", "", "higher",
           f"{_CLASSES}:frequency_weighted_iou", (1.0, None, None)),
    Metric("kappa", "Cohen's kappa", "", "higher", f"{_CLASSES}:kappa", (_NAN, 0.0, 0.0)),
    Metric("volume_similarity", "volume similarity", "", "higher",
           f"{_OVERLAP}:volume_similarity", _SCORE),
    Metric("hausdorff", "Hausdorff distance", "mm", "lower", f"{_BOUNDARY}:hausdorff",
           _DISTANCE),
    Metric("hd95_surface", "H95 of the 3D surface", "mm", "lower", f"{_BOUNDARY}:hd95_surface",
           _DISTANCE),
    Metric("assd", "mean surface distance", "mm", "lower", f"{_BOUNDARY}:assd", _DISTANCE),
    Metric("nsd", "surface Dice at 2 mm", "", "higher", f"{_BOUNDARY}:nsd", _SCORE),
    Metric("boundary_f1", "boundary F1 at one voxel", "", "higher",
           f"{_BOUNDARY}:boundary_f1", _SCORE),
    Metric("boundary_precision", "boundary precision at one voxel", "", "higher",
           f"{_BOUNDARY}:boundary_precision", _OF_PREDICTION),
    Metric("boundary_recall", "boundary recall at one voxel", "", "higher",
           f"{_BOUNDARY}:boundary_recall", _OF_REFERENCE),
    Metric("panoptic_quality", "panoptic quality of lesions", "", "higher",
           f"{_PANOPTIC}:panoptic_quality", _SCORE),
    Metric("segmentation_quality", "segmentation quality of lesions", "", "higher",
           f"{_PANOPTIC}:segmentation_quality", (1.0, _NAN, _NAN)),
    Metric("recognition_quality", "recognition quality of lesions", "", "higher",
           f"{_PANOPTIC}:recognition_quality", _SCORE),
    Metric("volume_difference_ml", "volume difference", "ml", "zero",
           f"{_OVERLAP}:volume_difference_ml", (0.0, None, None)),
    Metric("reference_ml", "reference volume", "ml", "none", f"{_OVERLAP}:reference_ml",
           _AMOUNT_REFERENCE),
    Metric("prediction_ml", "predicted volume", "ml", "none", f"{_OVERLAP}:prediction_ml",
           _AMOUNT_PREDICTION),
    Metric("reference_lesions", "reference lesions", "", "none",
           f"{_LESIONS}:reference_lesions", _AMOUNT_REFERENCE),
    Metric("predicted_lesions", "predicted lesions", "", "none",
           f"{_LESIONS}:predicted_lesions", _AMOUNT_PREDICTION),
)  # fmt: skip

METRICS = MappingProxyType({metric.name: metric for metric in _ENTRIES})

CHALLENGE = ("dice", "h95", "avd", "lesion_recall", "lesion_f1")


def unit_of(name: str, *, sized: bool = True) -> str:
    """The unit of metric `name`; lengths of pictures that tell no size are in pixels."""
    unit = METRICS[name].unit
    return unit if sized or unit != "mm" else "pixels"


def title_of(name: str, *, sized: bool = True) -> str:
    """What metric `name` is called, with pixels for mm and mm3 in pictures that tell no size."""
    title = METRICS[name].title
    return title if sized else title.replace("mm3", "pixels").replace("2 mm", "2 pixels")
