"""Label maps against their reference: every label for itself, and all classes together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from leuko.evaluation.multiclass import label_scores, multiclass_scores
from leuko.evaluation.pair import named
from leuko.evaluation.registry import METRICS
from leuko.findings import Finding, Severity
from leuko.image.grid import require_same_grid
from leuko.image.image import Image
from leuko.pipelines.evaluate_masks import as_labels, labels_in
from leuko.pipelines.evaluate_results import CaseScores

__all__ = ["LABELS_RULE", "LABEL_METRICS", "LESIONWISE", "evaluate_labels", "metric_kinds",
           "over_labels", "overall_metrics"]  # fmt: skip

LABELS_RULE = "labels: each against the same value in the reference"
LESIONWISE = ("lesion", "recall_", "precision_", "reference_lesions", "predicted_lesions",
              "panoptic_", "segmentation_quality", "recognition_")  # fmt: skip
AMOUNTS = ("volume_difference_ml", "reference_ml", "prediction_ml")
OVER_CLASSES = ("accuracy", "mean_accuracy", "mean_iou", "mean_iou_foreground", "mean_dice",
                "mean_dice_foreground", "frequency_weighted_iou", "kappa")  # fmt: skip
LABEL_METRICS = tuple(name for name in METRICS if not name.startswith(LESIONWISE))
"""What is computed of every label by default: all but the metrics that count lesions."""


def evaluate_labels(
    reference: Image,
    prediction: Image,
    *,
    metrics: Iterable[str] | None,
    case: str,
    doubts: tuple[Finding, ...],
) -> CaseScores:
    """Score every label of two label maps for itself; `doubts` are findings about the images.

    Arguments and errors as in `evaluate`.
    """
    require_same_grid(
        reference.grid,
        prediction.grid,
        what=named(reference, "The reference"),
        other_what=named(prediction, "the prediction"),
    )
    names = LABEL_METRICS if metrics is None else tuple(metrics)
    reference, prediction = as_labels(reference), as_labels(prediction)
    of_reference, of_prediction = labels_in(reference.data), labels_in(prediction.data)
    classes = {label: str(label) for label in sorted({*of_reference, *of_prediction})}
    single, joint = metric_kinds(names)
    found = label_scores(reference, prediction, classes=classes, metrics=single)
    values = {label: MappingProxyType(found[text]) for label, text in classes.items()}
    overall = over_labels(values, single)
    if joint:
        whole = multiclass_scores(reference, prediction)
        overall |= {name: getattr(whole, name) for name in joint}
    unknown = sorted(set(of_prediction) - set(of_reference))
    if unknown:
        listed = ", ".join(map(str, unknown[:5]))
        what = f"The prediction holds labels that the reference does not: {listed}."
        doubts += (Finding("evaluation.unknown_label", Severity.NOTE, what),)
    return CaseScores(
        case=case,
        values=MappingProxyType({name: overall[name] for name in names if name in overall}),
        rule=LABELS_RULE,
        findings=doubts,
        labels=MappingProxyType(values),
        sized=reference.grid.sized,
    )


def metric_kinds(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The metrics that each label has by itself, and those of all classes together."""
    single = [name for name in names if name not in OVER_CLASSES or name == "accuracy"]
    return single, [name for name in names if name in OVER_CLASSES]


def over_labels(values: Mapping[int, Mapping[str, float]], names: list[str]) -> dict[str, float]:
    """The mean of each metric over the labels; volumes have no mean worth the name."""
    return {name: _mean(values.values(), name) for name in names if name not in AMOUNTS}


def overall_metrics(names: tuple[str, ...], *, labels: bool) -> tuple[str, ...]:
    """The metrics that a case has as a whole: with labels, not the volumes."""
    return tuple(name for name in names if not (labels and name in AMOUNTS))


def _mean(rows: Iterable[Mapping[str, float]], name: str) -> float:
    kept = [row[name] for row in rows if not math.isnan(row[name])]
    return sum(kept) / len(kept) if kept else math.nan
