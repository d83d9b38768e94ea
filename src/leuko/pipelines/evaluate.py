"""Masks against their reference: two images, two files, or two folders paired by name."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from leuko.errors import LeukoError, UsageError
from leuko.evaluation.aggregate import Summary, summarise
from leuko.evaluation.pair import pair_images
from leuko.evaluation.registry import METRICS
from leuko.evaluation.scores import metric_function, scores
from leuko.findings import Finding, Severity
from leuko.formats.read import read_mask
from leuko.image.image import Image
from leuko.pipelines.outputs import write_whole
from leuko.pipelines.pairing import PathPair, pair_paths

__all__ = [
    "CaseScores",
    "Evaluation",
    "Failure",
    "evaluate",
    "evaluate_paths",
    "require_score_file",
    "to_json",
    "to_tsv",
    "write_scores",
]


@dataclass(frozen=True, slots=True)
class CaseScores:
    """The metrics of one case by name; nan where a metric has no value.

    `rule` says which voxels of the prediction counted, `findings` what was peculiar.
    """

    case: str
    values: Mapping[str, float]
    rule: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that could not be scored, and why."""

    case: str
    what: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Cases scored, cases failed, summaries over those scored, and names without a partner."""

    cases: tuple[CaseScores, ...]
    failures: tuple[Failure, ...]
    summary: Mapping[str, Summary]
    only_reference: tuple[str, ...] = ()
    only_prediction: tuple[str, ...] = ()


def evaluate(
    reference: Image,
    prediction: Image,
    *,
    metrics: Iterable[str] | None = None,
    case: str = "",
) -> CaseScores:
    """Score `prediction` against `reference`, two images on one grid.

    `metrics` are names from `leuko.evaluation.registry.METRICS`, all of them by default.
    Raises GridMismatch (exit 5) where the grids differ by more than 1e-3 mm, UnusableInput
    (exit 4) where a file does not hold real numbers, UsageError (exit 2) for an unknown metric.
    """
    pair = pair_images(reference, prediction)
    return CaseScores(
        case=case or (prediction.source.name if prediction.source else ""),
        values=MappingProxyType(scores(pair, names=metrics)),
        rule=pair.rule,
        findings=(*_doubts(reference), *_doubts(prediction), *pair.findings),
    )


def evaluate_paths(
    reference: str | os.PathLike[str],
    prediction: str | os.PathLike[str],
    *,
    metrics: Iterable[str] | None = None,
) -> Evaluation:
    """Score two files, or the files of two folders paired by name (see `pipelines.pairing`).

    Of two files an error is raised; among several cases it is kept as a Failure and the others go
    on.
    """
    names = tuple(METRICS if metrics is None else metrics)
    for name in names:
        metric_function(name)  # an unknown name fails here, before the first case is read
    pairing = pair_paths(Path(reference), Path(prediction))
    alone = not Path(reference).is_dir()
    done: list[CaseScores] = []
    failures: list[Failure] = []
    for pair in pairing.pairs:
        try:
            done.append(_score(pair, names))
        except LeukoError as error:
            if alone:
                raise
            failures.append(Failure(pair.case, error.what, error.hint, error.exit_code))
    return Evaluation(
        cases=tuple(done),
        failures=tuple(failures),
        summary=MappingProxyType(
            {name: summarise(case.values[name] for case in done) for name in names}
        ),
        only_reference=pairing.only_reference,
        only_prediction=pairing.only_prediction,
    )


def require_score_file(path: str | os.PathLike[str]) -> None:
    """Raise UsageError (exit 2) unless the name ends with .json or .tsv."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".tsv"):
        raise UsageError(
            f"Scores are written as .json or .tsv, not as {suffix or 'a file without suffix'}.",
            hint="Choose -o scores.json (everything) or -o scores.tsv (a row a case).",
        )


def write_scores(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write `.json` (everything) or `.tsv` (a row a case), by the name's ending; whole or not."""
    require_score_file(path)
    as_text = to_tsv if Path(path).suffix.lower() == ".tsv" else to_json
    write_whole(Path(path), as_text(evaluation).encode())


def to_json(evaluation: Evaluation) -> str:
    """Everything as JSON; null where a metric has no value."""
    names = list(evaluation.summary)
    content = {
        "metrics": {
            name: {
                "title": METRICS[name].title,
                "unit": METRICS[name].unit,
                "better": METRICS[name].better,
            }
            for name in names
        },
        "cases": [
            {
                "case": case.case,
                "prediction_rule": case.rule,
                "scores": {name: _number(case.values[name]) for name in names},
                "findings": [asdict(finding) for finding in case.findings],
            }
            for case in evaluation.cases
        ],
        "summary": {
            name: {key: _number(value) for key, value in asdict(summary).items()}
            for name, summary in evaluation.summary.items()
        },
        "failed": [asdict(failure) for failure in evaluation.failures],
        "only_in_reference": list(evaluation.only_reference),
        "only_in_prediction": list(evaluation.only_prediction),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_tsv(evaluation: Evaluation) -> str:
    """A row a case and a column a metric; n/a where a metric has no value."""
    names = list(evaluation.summary)
    rows = [["case", *names]]
    for case in evaluation.cases:
        numbers = (case.values[name] for name in names)
        rows.append([case.case, *("n/a" if math.isnan(x) else f"{x:.6g}" for x in numbers)])
    return "".join("\t".join(row) + "\n" for row in rows)


def _score(pair: PathPair, names: tuple[str, ...]) -> CaseScores:
    reference = read_mask(pair.reference)
    prediction = read_mask(pair.prediction)
    return evaluate(reference, prediction, metrics=names, case=pair.case)


def _doubts(image: Image) -> tuple[Finding, ...]:
    """What reading the image has raised doubts about; plain notes are left out."""
    return tuple(finding for finding in image.findings if finding.severity != Severity.NOTE)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
