"""A comparison as files: JSON with everything, a table of cases and methods, or a page."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path

from leuko.evaluation.registry import METRICS
from leuko.pipelines.compare import Comparison
from leuko.pipelines.evaluate_files import number, plain, require_score_file
from leuko.pipelines.outputs import write_whole
from leuko.report.metric_words import definition, title, unit

__all__ = ["comparison_json", "comparison_tsv", "write_comparison"]


def write_comparison(
    comparison: Comparison,
    path: str | os.PathLike[str],
    *,
    images: Path | None = None,
    worst: int = 4,
) -> None:
    """Write `.json`, `.tsv` or `.html`, by the name's ending; whole or not at all.

    `images` and `worst` are for the page: what its pictures of the `worst` cases are drawn on.
    """
    require_score_file(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        text = comparison_json(comparison)
    elif suffix == ".tsv":
        text = comparison_tsv(comparison)
    else:
        from leuko.pipelines.compare_page import comparison_page

        text = comparison_page(comparison, images=images, worst=worst)
    write_whole(Path(path), text.encode())


def comparison_json(comparison: Comparison) -> str:
    """Everything as JSON; null where there is no value."""
    found = comparison.evaluations
    names = list(next(iter(found.values())).summary)
    ranking = comparison.ranking
    content = {
        "methods": list(comparison.methods),
        "cases": [
            {
                "id": case,
                "metrics": {
                    name: plain(dict(item.cases[index].values)) for name, item in found.items()
                },
            }
            for index, case in enumerate(comparison.cases)
        ],
        "mean": {
            name: {metric: number(value.mean) for metric, value in item.summary.items()}
            for name, item in found.items()
        },
        "summary": {
            name: {metric: plain(asdict(value)) for metric, value in item.summary.items()}
            for name, item in found.items()
        },
        "ranking": {"metrics": list(comparison.metrics), **_plain_dict(asdict(ranking))},
        "wins": {metric: dict(wins) for metric, wins in comparison.wins.items()},
        "wilcoxon": [plain(asdict(test)) for test in comparison.tests],
        "left_out": {name: list(cases) for name, cases in comparison.left_out.items()},
        "failed": {
            name: [asdict(failure) for failure in item.failures]
            for name, item in found.items()
            if item.failures
        },
        "definitions": {
            name: {
                "title": title(name, sized=comparison.sized),
                "unit": unit(name, sized=comparison.sized),
                "better": METRICS[name].better,
                "definition": definition(name),
            }
            for name in names
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def comparison_tsv(comparison: Comparison) -> str:
    """A row a case and method, a column a metric; n/a where there is no value."""
    names = list(next(iter(comparison.evaluations.values())).summary)
    rows = [["case", "method", *names]]
    for index, case in enumerate(comparison.cases):
        for method, item in comparison.evaluations.items():
            values = item.cases[index].values
            texts = ("n/a" if math.isnan(values[n]) else f"{values[n]:.6g}" for n in names)
            rows.append([case, method, *texts])
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)


def _plain_dict(values: dict[str, object]) -> dict[str, object]:
    return {name: plain(value) for name, value in values.items()}
