"""Agreement of label maps: every class by itself, and means over the classes.

A class that neither map holds is skipped in every mean, and named. Source of the means: Long et
al. 2015 (fully convolutional networks); kappa: Cohen 1960.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.evaluation.labels import label_array, label_boxes
from leuko.evaluation.pair import Pair
from leuko.evaluation.registry import METRICS
from leuko.evaluation.scores import metric_function, scores
from leuko.image.grid import require_same_grid
from leuko.image.image import Image
from leuko.masks.box import Box, grow_box

__all__ = [
    "ClassScore",
    "MulticlassScores",
    "from_confusion",
    "label_scores",
    "multiclass_scores",
]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BACKGROUND = "background"


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


def multiclass_scores(
    reference: Image, prediction: Image, *, classes: Mapping[int, str] | None = None
) -> MulticlassScores:
    """Scores of a label map against a reference on the same grid.

    `classes` maps labels to names; without it they are all labels that occur. Voxels of labels
    that are not named count as wrong where the other map has a named one, and form no class.
    Raises GridMismatch (exit 5) where the grids differ and UnusableInput (exit 4) where a value is
    no whole number.
    """
    truth, found = _label_arrays(reference, prediction)
    present = sorted({0, *label_boxes(truth), *label_boxes(found)})
    names = _names(present, classes, background=True)
    labels = np.array(sorted({*present, *names}))
    rows = np.searchsorted(labels, truth.ravel())
    joint = np.bincount(rows * labels.size + np.searchsorted(labels, found.ravel()),
                        minlength=labels.size**2)  # fmt: skip
    table = joint.reshape(labels.size, labels.size)
    return from_confusion(table, labels=labels.tolist(), names=names)


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


def label_scores(
    reference: Image,
    prediction: Image,
    *,
    classes: Mapping[int, str] | None = None,
    metrics: Iterable[str] | None = None,
) -> dict[str, dict[str, float]]:
    """Metrics of the registry for every label by itself: class -> metric -> value.

    `classes` maps labels to names; without it they are all labels that either map holds, named by
    their number. Background (0) is no class here. A named class that neither map holds has nan
    throughout, so that means skip it. Raises as `multiclass_scores`, and UsageError (exit 2) for
    an unknown metric.
    """
    wanted = tuple(METRICS if metrics is None else metrics)
    for name in wanted:
        metric_function(name)  # an unknown name fails before the work
    truth, found = _label_arrays(reference, prediction)
    boxes, other_boxes = label_boxes(truth), label_boxes(found)
    names = _names(sorted({*boxes, *other_boxes}), classes, background=False)
    result: dict[str, dict[str, float]] = {}
    for label, name in names.items():
        held = [found_in[label] for found_in in (boxes, other_boxes) if label in found_in]
        if not held:
            result[name] = dict.fromkeys(wanted, math.nan)
            continue
        box = grow_box(_union(held), by=(1, 1, 1), shape=reference.grid.shape)
        pair = Pair(
            reference=np.ascontiguousarray(truth[box] == label),
            prediction=np.ascontiguousarray(found[box] == label),
            grid=reference.grid,
            origin=(box[0].start, box[1].start, box[2].start),
        )
        result[name] = scores(pair, names=wanted)
    return result


def _label_arrays(reference: Image, prediction: Image) -> tuple[IntArray, IntArray]:
    what = [
        image.source.name if image.source is not None else fallback
        for image, fallback in ((reference, "the reference"), (prediction, "the prediction"))
    ]
    require_same_grid(reference.grid, prediction.grid, what=what[0], other_what=what[1])
    return label_array(reference, what[0]), label_array(prediction, what[1])


def _names(
    present: Iterable[int], classes: Mapping[int, str] | None, *, background: bool
) -> dict[int, str]:
    """Names of the classes that are scored, by label."""
    if classes is None:
        names = {label: str(label) if label else BACKGROUND for label in present}
    else:
        names = {0: BACKGROUND, **classes}
        if len(set(names.values())) < len(names):
            raise UsageError("Two labels have one name.", hint="Give every label its own name.")
    return {label: name for label, name in sorted(names.items()) if background or label}


def _union(boxes: list[Box]) -> Box:
    x, y, z = (
        slice(min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*boxes, strict=True)
    )
    return x, y, z


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan


def _mean(values: Iterable[float]) -> float:
    kept = [value for value in values if not math.isnan(value)]
    return sum(kept) / len(kept) if kept else math.nan
