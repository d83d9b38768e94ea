"""Scores of classes from counted voxels, and their means.

A class that neither map holds is skipped in every mean, and named. Source of the means: Long et
al. 2015 (fully convolutional networks); kappa: Cohen 1960.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.evaluation.pair import Pair

__all__ = [
    "ClassScore",
    "MulticlassScores",
    "frequency_weighted_iou",
    "from_confusion",
    "kappa",
    "mean_accuracy",
    "mean_dice",
    "mean_dice_foreground",
    "mean_iou",
    "mean_iou_foreground",
]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class against all others, in voxels. `accuracy` is the share of it that is found.

    Values are nan where neither map holds the class; precision and accuracy also where the
    prediction, or the reference, does not.
    """

    label: int
    name: str
    dice: float
    iou: float
    precision: float
    accuracy: float
    reference_voxels: int
    prediction_voxels: int


@dataclass(frozen=True, slots=True)
class MulticlassScores:
    """All classes (background, label 0, first) and the means over them.

    `mean_accuracy` is over the classes the reference holds, the other means over those that either
    map holds, with background unless the name says foreground. `skipped` names classes that neither
    holds. A mean over nothing is nan, and so is kappa where only one class occurs.
    """

    classes: tuple[ClassScore, ...]
    mean_iou: float
    mean_iou_foreground: float
    mean_dice: float
    mean_dice_foreground: float
    mean_accuracy: float
    accuracy: float
    frequency_weighted_iou: float
    kappa: float
    skipped: tuple[str, ...]


def from_confusion(
    table: npt.ArrayLike, *, labels: Iterable[int], names: Mapping[int, str]
) -> MulticlassScores:
    """Scores from voxel counts: `table[i][j]` have the i-th label in the reference, the j-th found.

    `names` says which labels are classes; the label 0 is background.
    """
    counts = np.asarray(table, dtype=np.float64)
    truth, found, agreed = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    rows = [
        ClassScore(
            label=label,
            name=names[label],
            dice=_ratio(2 * agreed[i], truth[i] + found[i]),
            iou=_ratio(agreed[i], truth[i] + found[i] - agreed[i]),
            precision=_ratio(agreed[i], found[i]),
            accuracy=_ratio(agreed[i], truth[i]),
            reference_voxels=int(truth[i]),
            prediction_voxels=int(found[i]),
        )
        for i, label in enumerate(labels)
        if label in names
    ]
    front = [row for row in rows if row.label != 0]
    total = counts.sum()
    chance = _ratio(float((truth * found).sum()), total**2)
    accuracy = _ratio(float(agreed.sum()), total)
    weights = sum(row.reference_voxels for row in rows)
    weighted = sum(row.reference_voxels * row.iou for row in rows if row.reference_voxels)
    return MulticlassScores(
        classes=tuple(rows),
        mean_iou=_mean(row.iou for row in rows),
        mean_iou_foreground=_mean(row.iou for row in front),
        mean_dice=_mean(row.dice for row in rows),
        mean_dice_foreground=_mean(row.dice for row in front),
        mean_accuracy=_mean(row.accuracy for row in rows),
        accuracy=accuracy,
        frequency_weighted_iou=_ratio(weighted, weights),
        kappa=_ratio(accuracy - chance, 1 - chance),
        skipped=tuple(
            row.name for row in rows if not (row.reference_voxels or row.prediction_voxels)
        ),
    )


def mean_accuracy(pair: Pair) -> float:
    """Mean of sensitivity and specificity: of background and lesion, the share that is found."""
    return _two_classes(pair).mean_accuracy


def mean_iou(pair: Pair) -> float:
    """Mean IoU of background and lesion."""
    return _two_classes(pair).mean_iou


def mean_iou_foreground(pair: Pair) -> float:
    """IoU of the lesion, as a mean over classes has it: nan where both masks are empty."""
    return _two_classes(pair).mean_iou_foreground


def mean_dice(pair: Pair) -> float:
    """Mean Dice of background and lesion."""
    return _two_classes(pair).mean_dice


def mean_dice_foreground(pair: Pair) -> float:
    """Dice of the lesion, as a mean over classes has it: nan where both masks are empty."""
    return _two_classes(pair).mean_dice_foreground


def frequency_weighted_iou(pair: Pair) -> float:
    """IoU of background and lesion, weighted by their voxels in the reference."""
    return _two_classes(pair).frequency_weighted_iou


def kappa(pair: Pair) -> float:
    """Cohen's kappa of the voxels: agreement beyond chance; nan where only one class occurs."""
    return _two_classes(pair).kappa


def _two_classes(pair: Pair) -> MulticlassScores:
    """The pair as a label map of two classes, over the whole grid."""
    missed = pair.reference_voxels - pair.common_voxels
    wrong = pair.prediction_voxels - pair.common_voxels
    rest = pair.total_voxels - missed - wrong - pair.common_voxels
    table = [[rest, wrong], [missed, pair.common_voxels]]
    return from_confusion(table, labels=(0, 1), names={0: "background", 1: "lesion"})


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan


def _mean(values: Iterable[float]) -> float:
    kept = [value for value in values if not math.isnan(value)]
    return sum(kept) / len(kept) if kept else math.nan
