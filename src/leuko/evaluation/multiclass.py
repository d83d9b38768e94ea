"""Agreement of label maps: every class by itself, and means over the classes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.evaluation.class_means import ClassScore, MulticlassScores, from_confusion
from leuko.evaluation.labels import label_array, label_boxes
from leuko.evaluation.pair import Pair, named
from leuko.evaluation.registry import METRICS
from leuko.evaluation.scores import metric_function, scores
from leuko.image.grid import Grid, require_same_grid
from leuko.image.image import Image
from leuko.masks.box import Box, grow_box

__all__ = [
    "ClassScore",
    "MulticlassScores",
    "from_confusion",
    "label_pairs",
    "label_scores",
    "multiclass_scores",
    "pooled_scores",
]

IntArray = npt.NDArray[np.int64]
BACKGROUND = "background"


def multiclass_scores(
    reference: Image, prediction: Image, *, classes: Mapping[int, str] | None = None
) -> MulticlassScores:
    """Scores of a label map against a reference on the same grid.

    `classes` maps labels to names; without it they are all labels that occur. Voxels of labels
    that are not named count as wrong where the other map has a named one, and form no class.
    Raises GridMismatch (exit 5) where the grids differ and UnusableInput (exit 4) where a value is
    no whole number.
    """
    return pooled_scores([(reference, prediction)], classes=classes)


def pooled_scores(
    pieces: Iterable[tuple[Image, Image]], *, classes: Mapping[int, str] | None = None
) -> MulticlassScores:
    """As `multiclass_scores`, of the voxels of all `pieces` (reference and prediction) together."""
    arrays = [_label_arrays(reference, prediction) for reference, prediction in pieces]
    boxes = [(label_boxes(truth), label_boxes(found)) for truth, found in arrays]
    present = sorted({0, *(label for sides in boxes for side in sides for label in side)})
    names = _names(present, classes, background=True)
    labels = np.array(sorted({*present, *names}))
    table = np.zeros((labels.size, labels.size), dtype=np.int64)
    for (truth, found), (own, other) in zip(arrays, boxes, strict=True):
        inside = 0
        if own or other:
            box = _union([*own.values(), *other.values()])
            joint = _numbers(truth[box], labels) * labels.size + _numbers(found[box], labels)
            table += np.bincount(joint.ravel(), minlength=table.size).reshape(table.shape)
            inside = joint.size
        table[0, 0] += truth.size - inside  # all the rest is background in both
    return from_confusion(table, labels=labels.tolist(), names=names)


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
        if label not in boxes and label not in other_boxes:
            result[name] = dict.fromkeys(wanted, math.nan)
            continue
        pair = _label_pair(truth, found, label, (boxes, other_boxes), grid=reference.grid)
        result[name] = scores(pair, names=wanted)
    return result


def label_pairs(reference: Image, prediction: Image, *, labels: Iterable[int]) -> dict[int, Pair]:
    """Each of `labels` as a pair of masks, empty where neither map holds it; raises as above."""
    truth, found = _label_arrays(reference, prediction)
    boxes = label_boxes(truth), label_boxes(found)
    return {label: _label_pair(truth, found, label, boxes, grid=reference.grid) for label in labels}


def _label_pair(
    truth: IntArray,
    found: IntArray,
    label: int,
    boxes: tuple[Mapping[int, Box], Mapping[int, Box]],
    *,
    grid: Grid,
) -> Pair:
    held = [side[label] for side in boxes if label in side]
    around = _union(held) if held else (slice(0, 1), slice(0, 1), slice(0, 1))
    box = grow_box(around, by=(1, 1, 1), shape=grid.shape)
    return Pair(
        reference=np.ascontiguousarray(truth[box] == label),
        prediction=np.ascontiguousarray(found[box] == label),
        grid=grid,
        origin=(box[0].start, box[1].start, box[2].start),
    )


def _label_arrays(reference: Image, prediction: Image) -> tuple[IntArray, IntArray]:
    what = [
        image.source.name if image.source is not None else fallback
        for image, fallback in ((reference, "the reference"), (prediction, "the prediction"))
    ]
    require_same_grid(
        reference.grid,
        prediction.grid,
        what=named(reference, "The reference"),
        other_what=named(prediction, "the prediction"),
    )
    return label_array(reference, what[0]), label_array(prediction, what[1])


def _numbers(values: IntArray, labels: IntArray) -> IntArray:
    """The place of each value in `labels`, which hold all of them in rising order."""
    if labels[-1] > np.iinfo(np.uint16).max:
        return np.searchsorted(labels, values)
    table = np.zeros(int(labels[-1]) + 1, dtype=np.int64)
    table[labels] = np.arange(labels.size)
    return np.asarray(table[values])


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
