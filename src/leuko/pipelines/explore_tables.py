"""An exploration as JSON (everything) or as a table (a row a case)."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from leuko.errors import UsageError
from leuko.exploration.facts import PERCENTS, Case, Facts
from leuko.exploration.outliers_said import Outlier
from leuko.pipelines.explore import Exploration
from leuko.pipelines.outputs import write_whole

__all__ = ["ENDINGS", "SCHEMA", "require_ending", "to_json", "to_tsv", "write_exploration"]

SCHEMA = 1
ENDINGS = (".html", ".json", ".tsv")


def require_ending(path: str | os.PathLike[str]) -> None:
    """Raise UsageError (exit 2) unless the name ends with .html, .json or .tsv."""
    suffix = Path(path).suffix.lower()
    if suffix not in ENDINGS:
        raise UsageError(
            f"An exploration is written as {', '.join(ENDINGS)}, "
            f"not as {suffix or 'a file without suffix'}.",
            hint="Choose -o eda.html (a page), -o eda.json (everything), -o eda.tsv (a row a "
            "case).",
        )


def write_exploration(found: Exploration, path: str | os.PathLike[str]) -> None:
    """Write a page, JSON or a table, by the name's ending; whole or not at all."""
    require_ending(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".html":
        from leuko.pipelines.explore_page import page_of
        from leuko.report.exploration import exploration_page

        text = exploration_page(page_of(found))
    else:
        text = to_json(found) if suffix == ".json" else to_tsv(found)
    write_whole(Path(path), text.encode())


def to_json(found: Exploration) -> str:
    """Everything as JSON; lengths in mm and volumes in mm3 (pixels where no size is known)."""
    content = {
        "schema": SCHEMA,
        "name": found.name,
        "overview": asdict(found.overview),
        "remarks": [asdict(item) for item in found.remarks],
        "outliers": [asdict(item) for item in found.outliers],
        "suggestion": None if found.suggestion is None else asdict(found.suggestion),
        "names": {str(value): name for value, name in found.survey.names.items()},
        "percents": list(PERCENTS),
        "densities": [asdict(part) for part in found.survey.densities],
        "cases": [asdict(case) for case in found.survey.cases],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_tsv(found: Exploration) -> str:
    """A row a case; n/a where there is no number."""
    values = [row.value for row in found.overview.classes]
    rows = [_row(case, values, found.outliers) for case in found.survey.cases]
    heads = list(rows[0])
    lines = [heads, *([_cell(row[head]) for head in heads] for row in rows)]
    return "".join("\t".join(line) + "\n" for line in lines)


def _row(case: Case, values: Iterable[int], odd: Iterable[Outlier]) -> dict[str, Any]:
    facts = case.facts
    row: dict[str, Any] = {
        "case": case.name,
        "subject": case.subject,
        "site": case.site or None,
        "category": case.category or None,
        "unusual": ",".join(dict.fromkeys(item.code for item in odd if item.case == case.name)),
        "problem": case.problem or None,
        **_geometry(facts),
    }
    label = None if facts is None else facts.label
    row |= {
        "grid_mismatch": None if label is None else label.mismatch or None,
        "foreground_voxels": None if label is None else label.foreground,
        "background_share": None if label is None else label.background_share,
    }
    for value in values:
        found = None if label is None else label.of(value)
        row |= {
            f"class_{value}_mm3": found.mm3 if found else None if label is None else 0.0,
            f"class_{value}_components": found.components if found else None,
            f"class_{value}_right_share": found.right_share if found else None,
        }
    return row


def _geometry(facts: Facts | None) -> dict[str, Any]:
    axes = "xyz"
    first = None if facts is None else facts.channels[0]
    row: dict[str, Any] = {
        f"shape_{axis}": None if facts is None else facts.shape[number]
        for number, axis in enumerate(axes)
    }
    row |= {
        f"spacing_{axis}_mm": facts.spacing[number] if facts is not None and facts.sized else None
        for number, axis in enumerate(axes)
    }
    row |= {
        "orientation": None if facts is None else facts.orientation or None,
        "type": None if first is None else first.dtype,
        "scale": None if first is None else first.scale,
        "minimum": None if first is None else first.minimum,
        "maximum": None if first is None else first.maximum,
        "mean": None if first is None else first.mean,
    }
    for number, percent in enumerate(PERCENTS):
        row[f"p{percent:g}"] = None if first is None else first.percentiles[number]
    return row


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "n/a"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("\t", " ").replace("\n", " ") or "-"
