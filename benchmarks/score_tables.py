"""The tables that accuracy.py prints: Markdown that fits a terminal of 120 columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from leuko.evaluation.aggregate import summarise
from scan_sets import ScanSet
from scoring import (
    BIAS,
    COLUMNS,
    SIZE_LIMITS_MM3,
    Row,
    Share,
    case_bias,
    means,
    size_share,
    volume_bias,
)

__all__ = ["brief", "grid_table", "markdown", "report", "seen_note", "set_table"]

HEADINGS = ("Dice", "H95 mm", "AVD %", "recall", "F1", "strict F1")
DECIMALS = {
    "h95": 1, "avd": 0, "reference_ml": 1, "prediction_ml": 1, "volume_difference_ml": 1,
    "reference_lesions": 0, "predicted_lesions": 0, BIAS: 0,
}  # fmt: skip
SIZES = ("< 15 mm3", "15-50", "50-200", "200-1000", "> 1000")
NAME = 24  # letters of a method's name that a table shows
FEW = 10  # scans below which an interval is no more than a hint
INTERVAL = "  95 %"


def report(entry: ScanSet, rows: Sequence[Row], *, ours: str, seen: Sequence[str] = ()) -> str:
    """The section of a set: its tables, then the cases of the method called `ours`."""
    own = [row for row in rows if row.method == ours]
    scans = f"{len(own)} scan{'s' if len(own) > 1 else ''}"
    parts = [f"## {entry.key} ({entry.definition}, {scans}): {entry.title}"]
    parts += seen_note(seen)
    if entry.truth is not None and len(own) < FEW:
        parts.append(
            f"Intervals are drawn over {scans}: too few to be sure of, and nothing about other "
            "scanners."
        )
    parts.append(set_table(entry, rows))
    if entry.truth is not None and own:
        parts.append(_case_table(own))
    return "\n\n".join(parts) + "\n"


def set_table(entry: ScanSet, rows: Sequence[Row]) -> str:
    """Two lines a method: means over the set and their intervals; lesions found and true by size.

    Of heads free of lesions a line a case: what is false.
    """
    if entry.truth is None:
        return _false_table(rows)
    methods = {name: [row for row in rows if row.method == name] for name in _names(rows)}
    parts = [
        markdown(
            ("method", *HEADINGS, "bias %", "per case"),
            [line for name, own in methods.items() for line in _mean_lines(name, own)],
        )
    ]
    if entry.definition != "ventricles":
        for title, precision in (("found of", False), ("true of", True)):
            lines = [
                line
                for name, own in methods.items()
                for line in _size_lines(name, own, precision=precision)
            ]
            parts.append(markdown((title, *SIZES), lines))
    return "\n".join(parts)


def seen_note(seen: Sequence[str]) -> list[str]:
    """A warning where a set is no test: cases that the weights were trained on."""
    if not seen:
        return []
    return [f"**Trained on {len(seen)} of these scans ({', '.join(seen)}): not a test.**"]


def brief(entry: ScanSet, rows: Sequence[Row], *, seen: Sequence[str]) -> str:
    """One line on a set for a quick look; `*` where the weights were trained on its scans."""
    name = f"{entry.key}{'*' if seen else ''}"
    if entry.truth is None:
        cases = [f"{row.case} {row.values['prediction_ml']:.2f} ml" for row in rows]
        return f"{name:18} false: {', '.join(cases)}"
    mean = means(rows)
    return (
        f"{name:18} Dice {mean['dice']:.3f}  strict F1 {mean['lesion_f1_strict']:.3f}  "
        f"recall {mean['lesion_recall']:.3f}  AVD {mean['avd']:3.0f} %  "
        f"bias {volume_bias(rows).value:+4.0f} %"
    )


def grid_table(entry: ScanSet, tried: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """A line a combination with its means over the set; the best Dice is bold."""
    if entry.truth is None:
        amounts = ("prediction_ml", "predicted_lesions")
        lines = [
            (text, *(f"{value:.2f}" for value in means(rows, amounts).values()))
            for text, rows in tried
        ]
        return markdown(("parameters", "false positive ml", "lesions"), lines)
    names = (*COLUMNS, "lesion_precision")
    found = [(text, means(rows, names), volume_bias(rows).value) for text, rows in tried]
    best = max((mean["dice"] for _, mean, _ in found), default=math.nan)
    lines = []
    for text, mean, bias in found:
        cells = [_text(name, mean[name]) for name in names]
        if mean["dice"] == best:
            cells[0] = f"**{cells[0]}**"
        lines.append((text, *cells, _signed(bias)))
    return markdown(("parameters", *HEADINGS, "precision", "bias %"), lines)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
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


def _false_table(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        found = [str(one.predicted) for one in row.sizes]
        lines.append((_short(row.method), row.case, f"{row.values['prediction_ml']:.2f}", *found))
    return markdown(("method", "case", "false ml", *(f"lesions {SIZES[0]}", *SIZES[1:])), lines)


def _case_table(rows: Sequence[Row]) -> str:
    names = (
        *COLUMNS, "reference_ml", "prediction_ml", BIAS, "reference_lesions", "predicted_lesions",
    )  # fmt: skip
    headings = ("case", *HEADINGS, "truth ml", "mask ml", "bias %", "lesions", "predicted")
    lines = [(row.case, *(_text(name, row.values[name]) for name in names)) for row in rows]
    return markdown(headings, lines)


def _mean_lines(method: str, rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Means of a method, and below them their intervals."""
    summaries = {name: summarise(row.values[name] for row in rows) for name in COLUMNS}
    biases = (volume_bias(rows), case_bias(rows))
    return [
        (
            _short(method),
            *(_text(name, one.mean) for name, one in summaries.items()),
            *(_signed(one.value) for one in biases),
        ),
        (
            INTERVAL,
            *(_range(name, one.interval_low, one.interval_high) for name, one in summaries.items()),
            *(_range(BIAS, one.low, one.high) for one in biases),
        ),
    ]


def _size_lines(method: str, rows: Sequence[Row], *, precision: bool) -> list[tuple[str, ...]]:
    shares = [
        size_share(rows, size, precision=precision) for size in range(len(SIZE_LIMITS_MM3) + 1)
    ]
    return [
        (_short(method), *(_share_text(one) for one in shares)),
        (INTERVAL, *(_range("recall", one.low, one.high) for one in shares)),
    ]


def _share_text(one: Share) -> str:
    return f"{one.value:.2f} of {one.of:.0f}" if one.of else "none"


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.method for row in rows))


def _short(name: str) -> str:
    """A name that fits the column: its middle left out."""
    return name if len(name) <= NAME else f"{name[: NAME - 9]}..{name[-7:]}"


def _text(name: str, value: float) -> str:
    if math.isnan(value):
        return "n/a"
    return _signed(value) if name == BIAS else f"{value:.{DECIMALS.get(name, 3)}f}"


def _signed(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:+.0f}"


def _range(name: str, low: float, high: float) -> str:
    """An interval as `.65-.72`, `4.1-9.8`, `-20..+4`; empty without one."""
    if math.isnan(low):
        return ""
    if name == BIAS:
        return f"{low:+.0f}..{high:+.0f}"
    decimals = DECIMALS.get(name, 2)
    texts = [f"{value:.{decimals}f}" for value in (low, high)]
    if name not in DECIMALS:
        texts = [text.removeprefix("0") for text in texts]
    return "-".join(texts)
