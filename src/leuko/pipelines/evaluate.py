"""Masks against their reference: two images, two files, or many files paired by name."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from leuko.errors import LeukoError
from leuko.evaluation.aggregate import Summary, summarise
from leuko.evaluation.lesionwise import SizeScore, by_size
from leuko.evaluation.multiclass import label_scores, multiclass_scores
from leuko.evaluation.pair import named, pair_images
from leuko.evaluation.pooled import LENGTHS
from leuko.evaluation.registry import METRICS
from leuko.evaluation.scores import metric_function, scores
from leuko.findings import Finding, Severity
from leuko.image.grid import require_same_grid
from leuko.image.image import Image
from leuko.pipelines.evaluate_masks import (
    as_labels,
    as_mask,
    labels_in,
    read_any_mask,
    read_pair,
    spoken_rule,
)
from leuko.pipelines.evaluate_sites import SiteRow, site_of
from leuko.pipelines.evaluate_subjects import (
    Pieces,
    missing_of,
    read_pieces,
    require_poolable,
    subjects_of,
)
from leuko.pipelines.label_names import names_in
from leuko.pipelines.pairing import Pairing, PathPair, is_single, pair_paths

__all__ = [
    "LABEL_METRICS",
    "CaseScores",
    "Evaluation",
    "Failure",
    "evaluate",
    "evaluate_paths",
    "summaries",
]

LABELS_RULE = "labels: each against the same value in the reference"
LESIONWISE = ("lesion", "recall_", "precision_", "reference_lesions", "predicted_lesions",
              "panoptic_", "segmentation_quality", "recognition_")  # fmt: skip
AMOUNTS = ("volume_difference_ml", "reference_ml", "prediction_ml")
OVER_CLASSES = ("accuracy", "mean_accuracy", "mean_iou", "mean_iou_foreground", "mean_dice",
                "mean_dice_foreground", "frequency_weighted_iou", "kappa")  # fmt: skip
LABEL_METRICS = tuple(name for name in METRICS if not name.startswith(LESIONWISE))
"""What is computed of every label by default: all but the metrics that count lesions."""


@dataclass(frozen=True, slots=True)
class CaseScores:
    """The metrics of one case by name; nan where a metric has no value.

    `rule` says which voxels of the prediction counted, `findings` what was peculiar. With labels,
    `labels` holds the metrics of every label and `values` their means over the labels (volumes,
    which have no mean worth the name, are in `labels` alone). `sized` is False for pictures, whose
    lengths count pixels. `sizes` counts lesions by size where a lesion-wise metric was asked for.
    `pieces` are the images that were counted together, each with its voxels in error; none where
    the case is one image.
    """

    case: str
    values: Mapping[str, float]
    rule: str
    findings: tuple[Finding, ...] = ()
    labels: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    site: str = ""
    seen: bool | None = None
    sized: bool = True
    sizes: tuple[SizeScore, ...] = ()
    pieces: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that could not be scored, and why."""

    case: str
    what: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Cases scored, cases failed, summaries over those scored, and names without a partner.

    `labels` holds the names of the labels by value where there are any, `files` the two files of
    each case (where the images of a subject are one case: of each image).
    """

    cases: tuple[CaseScores, ...]
    failures: tuple[Failure, ...]
    summary: Mapping[str, Summary]
    only_reference: tuple[str, ...] = ()
    only_prediction: tuple[str, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    files: Mapping[str, PathPair] = field(default_factory=dict)

    @property
    def sized(self) -> bool:
        """Whether lengths are mm; pictures have pixels."""
        return not self.cases or any(case.sized for case in self.cases)

    @property
    def counted(self) -> str:
        """What a case is, in the plural."""
        return "subjects" if any(case.pieces for case in self.cases) else "cases"

    @property
    def both_empty(self) -> int:
        """In how many cases both masks are empty, where Dice is 1 by definition."""
        rows = [case.values for case in self.cases]
        return sum(row.get("dice") == 1 and math.isnan(row.get("sensitivity", 0.0)) for row in rows)

    def label_summary(self, label: int) -> Mapping[str, Summary]:
        """The summary of one label's metrics over the cases that hold it."""
        return summaries([case.labels[label] for case in self.cases if label in case.labels])


def evaluate(
    reference: Image,
    prediction: Image,
    *,
    metrics: Iterable[str] | None = None,
    case: str = "",
    labels: bool = False,
) -> CaseScores:
    """Score `prediction` against `reference`, two images on one grid.

    `metrics` are names from `leuko.evaluation.registry.METRICS`, all of them by default. With
    `labels` both are label maps and every label is scored for itself; without, 1 is lesion and 2
    other pathology. Raises GridMismatch (exit 5) where the grids differ by more than 1e-3 mm,
    UnusableInput (exit 4) where a file does not hold what it should, UsageError (exit 2) for an
    unknown metric.
    """
    name = case or (prediction.source.name if prediction.source else "")
    if not labels:
        reference, prediction = as_mask(reference), as_mask(prediction)
    doubts = (*_doubts(reference), *_doubts(prediction))
    if labels:
        return _evaluate_labels(reference, prediction, metrics=metrics, case=name, doubts=doubts)
    pair = pair_images(reference, prediction)
    values = scores(pair, names=metrics)
    return CaseScores(
        case=name,
        values=MappingProxyType(values),
        rule=spoken_rule(pair.rule, reference=reference, prediction=prediction),
        findings=(*doubts, *pair.findings),
        sized=reference.grid.sized,
        sizes=by_size(pair) if any(known.startswith(LESIONWISE) for known in values) else (),
    )


def evaluate_paths(
    reference: str | os.PathLike[str],
    prediction: str | os.PathLike[str],
    *,
    metrics: Iterable[str] | None = None,
    labels: bool = False,
    names: Mapping[int, str] | None = None,
    sites: Mapping[str, SiteRow] | None = None,
    subject: str | None = None,
) -> Evaluation:
    """Score two files, or those of two folders or patterns paired by name (`pipelines.pairing`).

    `labels` scores every label for itself, or those that `names` names; `sites` is what
    `evaluate_sites.read_sites` returns. `subject` is a regular expression that finds the subject in
    a case's name (`evaluate_subjects.subjects_of`): the images of a subject are then one case, of
    which voxels and lesions are summed; distances between masks are left out. Of two files an
    error is raised; among several cases it is kept as a Failure and the others go on.
    """
    default = LABEL_METRICS if labels else tuple(METRICS)
    wanted = default if metrics is None else tuple(metrics)
    for name in wanted:
        metric_function(name)  # an unknown name fails here, before the first case is read
    if subject is not None:
        require_poolable(metrics or ())
        wanted = tuple(name for name in wanted if name not in LENGTHS)
    pairing = pair_paths(Path(reference), Path(prediction))
    alone = is_single(Path(reference))
    only = frozenset(names or ()) if labels else frozenset[int]()
    done: list[CaseScores] = []
    failures: list[Failure] = []
    missing = {} if subject is None else missing_of(pairing, pattern=subject)
    for case, pairs in _cases(pairing, subject).items():
        try:
            if subject is None:
                scored = _score(pairs[0], wanted, labels=labels, only=only)
            else:
                pieces = read_pieces(pairs, labels=labels, missing=missing.get(case, ()), only=only)
                scored = _score_pieces(pieces, wanted, labels=labels, case=case)
            done.append(_placed(scored, sites or {}))
        except LeukoError as error:
            if alone:
                raise
            failures.append(Failure(case, error.what, error.hint, error.exit_code))
    found = sorted({label for case in done for label in case.labels})
    called = _own_names(pairing.pairs) if found and not names else names or {}
    return Evaluation(
        cases=tuple(done),
        failures=tuple(failures),
        summary=summaries([case.values for case in done], names=_overall(wanted, labels=labels)),
        only_reference=pairing.only_reference,
        only_prediction=pairing.only_prediction,
        labels=MappingProxyType({v: called.get(v, f"label {v}") for v in found}),
        files=MappingProxyType({pair.case: pair for pair in pairing.pairs}),
    )


def summaries(
    rows: Sequence[Mapping[str, float]], *, names: Iterable[str] | None = None
) -> Mapping[str, Summary]:
    """The summary of every metric over `rows`, one a case; all metrics of the first by default."""
    chosen = tuple(rows[0] if rows else ()) if names is None else tuple(names)
    return MappingProxyType({name: summarise(row[name] for row in rows) for name in chosen})


def _own_names(pairs: Sequence[PathPair]) -> Mapping[int, str]:
    """The names that the first readable reference brings along."""
    for pair in pairs:
        try:
            reference = read_any_mask(pair.reference)
        except LeukoError:
            continue
        return {label.value: label.name for label in names_in(reference, pair.reference)}
    return {}


def _cases(pairing: Pairing, subject: str | None) -> Mapping[str, tuple[PathPair, ...]]:
    if subject is None:
        return {pair.case: (pair,) for pair in pairing.pairs}
    return subjects_of(pairing, pattern=subject)


def _score(
    pair: PathPair, names: tuple[str, ...], *, labels: bool, only: Collection[int]
) -> CaseScores:
    reference, prediction = read_pair(pair.reference, pair.prediction, labels=labels, only=only)
    return evaluate(reference, prediction, metrics=names, case=pair.case, labels=labels)


def _score_pieces(pieces: Pieces, names: tuple[str, ...], *, labels: bool, case: str) -> CaseScores:
    """The images of a subject as one case."""
    common = CaseScores(
        case, {}, "", pieces.findings, sized=pieces.sized, pieces=MappingProxyType(pieces.wrong)
    )
    if not labels:
        whole = pieces.whole
        return replace(
            common,
            values=MappingProxyType(scores(whole, names=names)),
            rule=pieces.rule,
            sizes=by_size(whole) if any(name.startswith(LESIONWISE) for name in names) else (),
        )
    single, joint = _kinds(names)
    values = {
        label: MappingProxyType(scores(pair, names=single))
        for label, pair in pieces.labels().items()
    }
    overall = _over_labels(values, single) | pieces.over_classes(joint)
    return replace(
        common,
        values=MappingProxyType({name: overall[name] for name in names if name in overall}),
        rule=LABELS_RULE,
        labels=MappingProxyType(values),
    )


def _placed(scored: CaseScores, sites: Mapping[str, SiteRow]) -> CaseScores:
    """The case with its site."""
    names = (scored.case, *scored.pieces)
    row = next((row for name in names if (row := site_of(name, sites=sites))), None)
    findings = scored.findings
    if row is None and sites:
        what = "The table of sites does not name this case."
        findings += (Finding("evaluation.no_site", Severity.WARNING, what, "Add a row for it."),)
    return replace(
        scored, findings=findings, site=row.site if row else "", seen=row.seen if row else None
    )


def _evaluate_labels(
    reference: Image,
    prediction: Image,
    *,
    metrics: Iterable[str] | None,
    case: str,
    doubts: tuple[Finding, ...],
) -> CaseScores:
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
    single, joint = _kinds(names)
    found = label_scores(reference, prediction, classes=classes, metrics=single)
    values = {label: MappingProxyType(found[text]) for label, text in classes.items()}
    overall = _over_labels(values, single)
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


def _kinds(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The metrics that each label has by itself, and those of all classes together."""
    single = [name for name in names if name not in OVER_CLASSES or name == "accuracy"]
    return single, [name for name in names if name in OVER_CLASSES]


def _over_labels(values: Mapping[int, Mapping[str, float]], names: list[str]) -> dict[str, float]:
    return {name: _mean(values.values(), name) for name in names if name not in AMOUNTS}


def _overall(names: tuple[str, ...], *, labels: bool) -> tuple[str, ...]:
    """The metrics that a case has as a whole: with labels, not the volumes."""
    return tuple(name for name in names if not (labels and name in AMOUNTS))


def _mean(rows: Iterable[Mapping[str, float]], name: str) -> float:
    kept = [row[name] for row in rows if not math.isnan(row[name])]
    return sum(kept) / len(kept) if kept else math.nan


def _doubts(image: Image) -> tuple[Finding, ...]:
    """What reading the image has raised doubts about; plain notes are left out."""
    return tuple(finding for finding in image.findings if finding.severity != Severity.NOTE)
