"""A diagnosis as files: JSON with everything, a table of its numbers, or a page."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from leuko.errors import UsageError
from leuko.pipelines.diagnose import Diagnosis, OperatingPoint
from leuko.pipelines.evaluate_files import ENDINGS, number, plain
from leuko.pipelines.outputs import write_whole

__all__ = ["require_diagnosis_file", "to_json", "to_tsv", "write_diagnosis"]

COUNTS = ("true_positive", "false_positive", "false_negative", "true_negative")
RATES = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "lr_positive", "lr_negative")


def require_diagnosis_file(path: str | os.PathLike[str]) -> None:
    """Raise UsageError (exit 2) unless the name ends with .json, .tsv or .html."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise UsageError(
            f"{Path(path).name} has no ending that says what to write.",
            hint="Choose -o diagnosis.html (the page), .json (everything) or .tsv (the numbers).",
        )


def write_diagnosis(found: Diagnosis, path: str | os.PathLike[str]) -> None:
    """Write `.json`, `.tsv` or `.html`, by the name's ending; whole or not at all."""
    require_diagnosis_file(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".tsv":
        text = to_tsv(found)
    elif suffix == ".json":
        text = to_json(found)
    else:
        from leuko.pipelines.diagnose_page import page

        text = page(found)
    write_whole(Path(path), text.encode())


def to_json(found: Diagnosis) -> str:
    """Everything as JSON; null where a number does not exist, "inf" where it is infinite."""
    curve = found.roc
    clustered = found.clustered
    content = {
        "source": found.cases.source,
        "condition": found.cases.condition,
        "score": found.cases.score,
        "cases": len(found.cases.names),
        "positives": curve.positives,
        "negatives": curve.negatives,
        "subjects": found.subjects or None,
        "prevalence": found.prevalence,
        "auc": {
            "value": number(curve.auc),
            "interval_delong": plain(curve.auc_interval),
            "interval_subjects": plain(clustered.auc) if clustered else None,
        },
        "bootstrap": {"draws": found.draws, "seed": found.seed} if clustered else None,
        "folds": [plain(asdict(fold)) for fold in found.folds],
        "points": [_point(point) for point in found.points],
        "calibration": plain(asdict(found.calibration)) if found.calibration else None,
        "roc": {
            "thresholds": [_finite(value) for value in curve.thresholds.tolist()],
            "sensitivity": curve.sensitivity.tolist(),
            "specificity": curve.specificity.tolist(),
        },
        "left_out": list(found.cases.left_out),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_tsv(found: Diagnosis) -> str:
    """A row a number: threshold (its name), metric, value, the ends of its intervals."""
    curve, clustered = found.roc, found.clustered
    rows: list[tuple[str, str, float, tuple[float, float], tuple[float, float]]] = []
    none = (math.nan, math.nan)
    across = clustered.auc if clustered else none
    rows.append(("", "auc", curve.auc, curve.auc_interval, across))
    if found.calibration:
        rows.append(("", "ece", found.calibration.ece, none, none))
        rows.append(("", "brier", found.calibration.brier, none, none))
    for point in found.points:
        table, drawn = point.confusion, point.clustered
        rows += [(point.name, name, float(getattr(table, name)), none, none) for name in COUNTS]
        for name in RATES:
            people = getattr(drawn, name, none) if drawn else none
            interval = getattr(table, f"{name}_interval")
            rows.append((point.name, name, getattr(table, name), interval, people))
        for after in point.posteriors:
            prior = f"prior_{after.prior:g}"
            rows.append((point.name, f"odds_after_positive_{prior}", after.positive_odds, none,
                         none))  # fmt: skip
            rows.append((point.name, f"probability_after_positive_{prior}", after.positive,
                         after.positive_interval, none))  # fmt: skip
            rows.append((point.name, f"odds_after_negative_{prior}", after.negative_odds, none,
                         none))  # fmt: skip
            rows.append((point.name, f"probability_after_negative_{prior}", after.negative,
                         after.negative_interval, none))  # fmt: skip
    head = ("threshold", "metric", "value", "low", "high", "low_subjects", "high_subjects")
    lines = ["\t".join(head)]
    for threshold, name, value, interval, people in rows:
        lines.append("\t".join([threshold, name, *map(_text, (value, *interval, *people))]))
    return "\n".join(lines) + "\n"


def _point(point: OperatingPoint) -> dict[str, object]:
    table, drawn = point.confusion, point.clustered
    names = ("sensitivity", "specificity", "lr_positive", "lr_negative")
    subjects = {name: _ends(getattr(drawn, name)) for name in names} if drawn else None
    return {
        "name": point.name,
        "rule": point.rule,
        "optimistic": point.optimistic,
        "thresholds": {fold or "all": _finite(value) for fold, value in point.thresholds.items()},
        "counts": asdict(table),
        **{
            name: {
                "value": _finite(getattr(table, name)),
                "interval": plain(getattr(table, f"{name}_interval")),
            }
            for name in RATES
        },
        "intervals_subjects": subjects,
        "posteriors": [_deep(asdict(after)) for after in point.posteriors],
    }


def _ends(interval: tuple[float, float]) -> list[object]:
    return [_finite(value) for value in interval]


def _deep(values: Mapping[str, object]) -> dict[str, object]:
    return {
        key: _finite(value) if isinstance(value, float) else plain(value)
        for key, value in values.items()
    }


def _finite(value: float) -> float | str | None:
    return "inf" if math.isinf(value) and value > 0 else number(value)


def _text(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.6g}"
