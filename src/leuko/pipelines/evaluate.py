"""Masks against their reference: two images, two files, or many files paired by name."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from leuko.errors import LeukoError
from leuko.evaluation.lesionwise import by_size
from leuko.evaluation.pair import pair_images
from leuko.evaluation.pooled import LENGTHS
from leuko.evaluation.registry import METRICS
from leuko.evaluation.scores import metric_function, scores
from leuko.findings import Finding, Severity
from leuko.image.image import Image
from leuko.pipelines.evaluate_labels import (
    LABEL_METRICS,
    LABELS_RULE,
    LESIONWISE,
    evaluate_labels,
    metric_kinds,
    over_labels,
    overall_metrics,
)
from leuko.pipelines.evaluate_masks import (
    as_mask,
    read_any_mask,
    read_pair,
    spoken_rule,
)
from leuko.pipelines.evaluate_results import CaseScores, Evaluation, Failure, summaries
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

__all__ = ["evaluate", "evaluate_paths"]


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
        return evaluate_labels(reference, prediction, metrics=metrics, case=name, doubts=doubts)
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
        summary=summaries(
            [case.values for case in done], names=overall_metrics(wanted, labels=labels)
        ),
        only_reference=pairing.only_reference,
        only_prediction=pairing.only_prediction,
        labels=MappingProxyType({v: called.get(v, f"label {v}") for v in found}),
        files=MappingProxyType({pair.case: pair for pair in pairing.pairs}),
    )


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
    single, joint = metric_kinds(names)
    values = {
        label: MappingProxyType(scores(pair, names=single))
        for label, pair in pieces.labels().items()
    }
    overall = over_labels(values, single) | pieces.over_classes(joint)
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


def _doubts(image: Image) -> tuple[Finding, ...]:
    """What reading the image has raised doubts about; plain notes are left out."""
    return tuple(finding for finding in image.findings if finding.severity != Severity.NOTE)
