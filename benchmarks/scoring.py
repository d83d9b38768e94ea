"""Scores of masks on a set of scans, and the tables accuracy.py prints and writes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from leuko.evaluation.aggregate import summarise
from leuko.evaluation.lesionwise import SizeScore, by_size
from leuko.evaluation.pair import Pair, pair_images
from leuko.evaluation.registry import CHALLENGE, METRICS
from leuko.evaluation.scores import scores
from leuko.image.image import Image
from scan_sets import Case, ScanSet

__all__ = [
    "COLUMNS",
    "Row",
    "case_table",
    "grid_table",
    "means",
    "report",
    "row_record",
    "score",
    "seen_note",
    "set_table",
    "summary_record",
    "uncut",
]

COLUMNS = (*CHALLENGE, "lesion_f1_strict")
ALWAYS = (
    *COLUMNS, "lesion_precision", "volume_difference_ml", "reference_ml", "prediction_ml",
    "reference_lesions", "predicted_lesions",
)  # fmt: skip
HEADINGS = ("Dice", "H95 mm", "AVD %", "recall", "F1", "strict F1")
DECIMALS = {"h95": 1, "avd": 0, "reference_ml": 1, "prediction_ml": 1, "volume_difference_ml": 1,
            "reference_lesions": 0, "predicted_lesions": 0}  # fmt: skip
SIZES = ("< 10 mm3", "10-99", ">= 100")


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one case of one set."""

    method: str
    set: str
    case: str
    values: dict[str, float]
    sizes: tuple[SizeScore, ...]


def score(
    entry: ScanSet, case: Case, mask: Image, *, method: str, everything: bool
) -> tuple[Row, Pair]:
    """Score one mask; `everything` adds the metrics that need the 3D surfaces."""
    truth = entry.truth(case) if entry.truth else mask.with_data(np.zeros_like(mask.data))
    pair = pair_images(truth, mask)
    values = scores(pair, names=METRICS if everything else ALWAYS)
    return Row(method, entry.key, case.name, values, by_size(pair)), pair


def means(rows: Iterable[Row], names: Sequence[str] = COLUMNS) -> dict[str, float]:
    """Mean of every metric over the cases that have a value."""
    listed = list(rows)
    return {name: _mean([row.values[name] for row in listed]) for name in names}


def set_table(entry: ScanSet, rows: Sequence[Row]) -> str:
    """Markdown: a line a method with the means over the set, lesions found and true by size."""
    if entry.truth is None:
        return _table(
            ("method", "case", "false positive ml", "lesions"),
            [
                (
                    row.method,
                    row.case,
                    f"{row.values['prediction_ml']:.2f}",
                    f"{row.values['predicted_lesions']:.0f}",
                )
                for row in rows
            ],
        )
    by_method: dict[str, list[Row]] = {}
    for row in rows:
        by_method.setdefault(row.method, []).append(row)
    main, sizes = [], []
    for method, own in by_method.items():
        mean = means(own, (*COLUMNS, "volume_difference_ml"))
        main.append((method, str(len(own)), *(_text(name, mean[name]) for name in mean)))
        found = [_pooled(own, index, "found", "reference") for index in range(3)]
        true = [_pooled(own, index, "true", "predicted") for index in range(3)]
        sizes.append((method, *found, *true))
    headings = ("method", "n", *HEADINGS, "volume error ml")
    text = _table(headings, main)
    if entry.definition != "ventricles":
        head = ("method", *(f"found {s}" for s in SIZES), *(f"true {s}" for s in SIZES))
        text += "\n" + _table(head, sizes)
    return text


def case_table(rows: Sequence[Row]) -> str:
    """Markdown: a line a case."""
    names = (*COLUMNS, "reference_ml", "prediction_ml", "reference_lesions", "predicted_lesions")
    return _table(
        ("method", "case", *HEADINGS, "truth ml", "mask ml", "lesions", "predicted"),
        [
            (row.method, row.case, *(_text(name, row.values[name]) for name in names))
            for row in rows
        ],
    )


def seen_note(seen: Sequence[str]) -> list[str]:
    """A warning where a set is no test: cases that the weights were trained on."""
    if not seen:
        return []
    return [f"**Trained on {len(seen)} of these scans ({', '.join(seen)}): not a test.**"]


def report(entry: ScanSet, rows: Sequence[Row], *, ours: str, seen: Sequence[str] = ()) -> str:
    """The section of a set: its table, then the cases of the method called `ours`."""
    own = [row for row in rows if row.method == ours]
    title = f"## {entry.key} ({entry.definition}): {entry.title}"
    parts = [title, *seen_note(seen), set_table(entry, rows)]
    if entry.truth is not None and own:
        parts.append(case_table(own))
    return "\n\n".join(parts) + "\n"


def grid_table(entry: ScanSet, tried: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """Markdown: a line a combination with its means over the set; the best Dice is bold."""
    if entry.truth is None:
        amounts = ("prediction_ml", "predicted_lesions")
        lines = [
            (text, *(f"{value:.2f}" for value in means(rows, amounts).values()))
            for text, rows in tried
        ]
        return _table(("parameters", "false positive ml", "lesions"), lines)
    names = (*COLUMNS, "lesion_precision", "prediction_ml")
    found = [(text, means(rows, names)) for text, rows in tried]
    best = max((mean["dice"] for _, mean in found), default=math.nan)
    lines = []
    for text, mean in found:
        cells = [_text(name, mean[name]) for name in names]
        if mean["dice"] == best:
            cells[0] = f"**{cells[0]}**"
        lines.append((text, *cells))
    return _table(("parameters", *HEADINGS, "precision", "mask ml"), lines)


def uncut(pair: Pair) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Truth and mask of a pair on the whole grid, file axes."""
    box = tuple(
        slice(start, start + size)
        for start, size in zip(pair.origin, pair.reference.shape, strict=True)
    )
    whole = np.zeros((2, *pair.grid.shape), dtype=bool)
    whole[0][box], whole[1][box] = pair.reference, pair.prediction
    return whole[0], whole[1]


def row_record(row: Row) -> dict[str, object]:
    """A row for JSON; None where a metric has no value."""
    record = asdict(row)
    record["values"] = {name: _number(value) for name, value in row.values.items()}
    return record


def summary_record(rows: Sequence[Row]) -> dict[str, object]:
    """Mean, spread and interval of the main metrics over the rows, for JSON."""
    return {
        name: {
            key: _number(value)
            for key, value in asdict(summarise(row.values[name] for row in rows)).items()
        }
        for name in COLUMNS
    }


def _pooled(rows: Sequence[Row], size: int, hit: str, all_: str) -> str:
    """Share over all lesions of a size class in the set, with the number it is a share of."""
    hits = sum(getattr(row.sizes[size], hit) for row in rows)
    total = sum(getattr(row.sizes[size], all_) for row in rows)
    return f"{hits / total:.2f} of {total}" if total else "none"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up in plain text too."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join(
        "-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)
    )
    return "\n".join([line(header), rule + "|", *(line(row) for row in rows)]) + "\n"


def _mean(values: Sequence[float]) -> float:
    kept = [value for value in values if not math.isnan(value)]
    return sum(kept) / len(kept) if kept else math.nan


def _number(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(name: str, value: float) -> str:
    if math.isnan(value):
        return "n/a"
    return f"{value:.{DECIMALS.get(name, 3)}f}"
