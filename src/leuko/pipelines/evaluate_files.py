"""The scores as files: JSON with everything, a table of cases, or a page; by the name's ending."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from leuko.errors import UsageError
from leuko.evaluation.aggregate import Summary
from leuko.evaluation.registry import METRICS
from leuko.pipelines.evaluate_groups import seen_and_unseen, site_summaries
from leuko.pipelines.evaluate_results import CaseScores, Evaluation
from leuko.pipelines.evaluate_volumes import volume_agreement
from leuko.pipelines.outputs import write_whole
from leuko.report.metric_words import definition, title, unit

__all__ = ["ENDINGS", "number", "require_score_file", "to_json", "to_tsv", "write_scores"]

ENDINGS = (".json", ".tsv", ".html", ".htm")


def require_score_file(path: str | os.PathLike[str]) -> None:
    """Raise UsageError (exit 2) unless the name ends with .json, .tsv or .html."""
    suffix = Path(path).suffix.lower()
    if suffix not in ENDINGS:
        raise UsageError(
            "Scores are written as .json, .tsv or .html, not as "
            f"{suffix or 'a file without suffix'}.",
            hint="Choose -o scores.json (everything), scores.tsv (a row a case) or scores.html "
            "(the page).",
        )


def write_scores(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    *,
    images: Path | None = None,
    worst: int = 6,
) -> None:
    """Write `.json`, `.tsv` or `.html`, by the name's ending; whole or not at all.

    `images` (a folder, a pattern or one file) and `worst` are for the page: what its pictures of
    the `worst` cases are drawn on.
    """
    require_score_file(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".tsv":
        text = to_tsv(evaluation)
    elif suffix == ".json":
        text = to_json(evaluation)
    else:
        from leuko.pipelines.evaluate_page import page

        text = page(evaluation, images=images, worst=worst)
    write_whole(Path(path), text.encode())


def to_json(evaluation: Evaluation) -> str:
    """Everything as JSON; null where a metric has no value."""
    names = list(dict.fromkeys([*evaluation.summary, *_label_metrics(evaluation)]))
    content: dict[str, object] = {
        "cases": [_case(case) for case in evaluation.cases],
        "mean": {name: number(item.mean) for name, item in evaluation.summary.items()},
        "summary": _summary(evaluation.summary),
    }
    if evaluation.labels:
        content["labels"] = {
            str(label): {"name": name, **_means(evaluation.label_summary(label))}
            for label, name in evaluation.labels.items()
        }
    if sites := site_summaries(evaluation):
        content["sites"] = {
            site: {"cases": count, **_means(summary)} for site, (count, summary) in sites.items()
        }
    if compared := seen_and_unseen(evaluation):
        content["seen_and_unseen"] = {
            "cases_seen": compared.seen_cases,
            "cases_unseen": compared.unseen_cases,
            "metrics": {name: plain(asdict(drop)) for name, drop in compared.drops.items()},
        }
    content |= {
        "volumes": [plain(asdict(item)) for item in volume_agreement(evaluation)],
        "definitions": {
            name: {
                "title": title(name, sized=evaluation.sized),
                "unit": unit(name, sized=evaluation.sized),
                "better": METRICS[name].better,
                "definition": definition(name),
            }
            for name in names
        },
        "failed": [asdict(failure) for failure in evaluation.failures],
        "only_in_reference": list(evaluation.only_reference),
        "only_in_prediction": list(evaluation.only_prediction),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_tsv(evaluation: Evaluation) -> str:
    """A row a case, with labels a row a case and label; n/a where a metric has no value."""
    if evaluation.labels:
        names = list(dict.fromkeys(_label_metrics(evaluation)))
        rows = [["case", "label", "name", *names]]
        for case in evaluation.cases:
            for label, values in case.labels.items():
                texts = (_text(values[name]) for name in names)
                rows.append([case.case, str(label), evaluation.labels[label], *texts])
    else:
        names = list(evaluation.summary)
        sites = ["site"] if any(case.site for case in evaluation.cases) else []
        rows = [["case", *sites, *names]]
        for case in evaluation.cases:
            head = [case.case, case.site] if sites else [case.case]
            rows.append([*head, *(_text(case.values[name]) for name in names)])
    return "".join("\t".join(map(_cell, row)) + "\n" for row in rows)


def number(value: float) -> float | None:
    """The value, or None (null in JSON) where there is none."""
    return value if math.isfinite(value) else None


def plain(value: object) -> object:
    """`value` with None for every number that is not finite, at any depth."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def _case(case: CaseScores) -> dict[str, object]:
    content: dict[str, object] = {
        "id": case.case,
        "metrics": {name: number(value) for name, value in case.values.items()},
    }
    if case.labels:
        content["labels"] = {str(label): plain(values) for label, values in case.labels.items()}
    if case.pieces:
        content["images"] = list(case.pieces)
    if case.site:
        content["site"] = case.site
    if case.seen is not None:
        content["seen"] = case.seen
    content |= {"rule": case.rule, "findings": [asdict(finding) for finding in case.findings]}
    return content


def _means(summary: Mapping[str, Summary]) -> dict[str, object]:
    return {
        "mean": {name: number(item.mean) for name, item in summary.items()},
        "summary": _summary(summary),
    }


def _summary(summary: Mapping[str, Summary]) -> dict[str, object]:
    return {name: plain(asdict(item)) for name, item in summary.items()}


def _label_metrics(evaluation: Evaluation) -> list[str]:
    rows = [values for case in evaluation.cases for values in case.labels.values()]
    return list(rows[0]) if rows else []


def _text(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.6g}"


def _cell(text: str) -> str:
    return " ".join(text.split()) if {"\t", "\n", "\r"} & set(text) else text
