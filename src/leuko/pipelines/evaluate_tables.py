"""Tables and charts of scores for the pages of `leuko evaluate` and `leuko compare`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from leuko.evaluation.aggregate import Summary
from leuko.evaluation.registry import METRICS
from leuko.pipelines.evaluate_results import CaseScores, Evaluation
from leuko.report.charts import WIDTH
from leuko.report.evaluation_charts import Point, Strip, strip_chart
from leuko.report.metric_words import BRIEF, definition, title, unit
from leuko.report.sections import Cell, Chart, Column, Definition, Table
from leuko.report.wording import evaluation_words

__all__ = ["CHARTED", "cases_table", "definitions", "labels_table", "metric_cell", "shown_value",
           "strips", "summary_table"]  # fmt: skip

MISSING = "n/a"
COUNTS = ("reference_lesions", "predicted_lesions")
# Metrics with a chart and a column, the most telling first.
CHARTED = ("dice", "h95", "avd", "lesion_recall", "lesion_f1", "lesion_f1_strict", "hd95_surface",
           "nsd", "assd", "iou")  # fmt: skip
IN_TABLE = ("dice", "iou", "h95", "hd95_surface", "avd", "lesion_recall", "lesion_f1",
            "lesion_f1_strict", "reference_ml", "prediction_ml")  # fmt: skip
MOST_STRIPS = 14


def shown_value(value: float, name: str) -> str:
    """A metric's value in as many digits as mean something."""
    if math.isnan(value):
        return MISSING
    if name in COUNTS:
        return f"{value:.0f}" if value == round(value) else f"{value:.1f}"
    if METRICS[name].unit == "" and METRICS[name].better == "higher":
        return f"{value:.3f}"
    if name == "avd":
        return f"{value:.1f}"
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return text.replace("-", "−")


def metric_cell(value: float, name: str, *, strong: bool = False) -> Cell:
    """A value as a cell that sorts by the number."""
    return Cell(shown_value(value, name), None if math.isnan(value) else value, strong)


def summary_table(summary: Mapping[str, Summary], *, sized: bool, heading: str = "") -> Table:
    """A row a metric: mean, interval, spread, median, quartiles, cases."""
    if all(item.count + item.skipped <= 1 for item in summary.values()):
        return _values_table(summary, sized=sized, heading=heading)
    words = evaluation_words()
    columns = (
        Column("Metric", number=False),
        Column("Mean", explained=words("aggregate.mean")),
        Column("95 % interval", explained=words("aggregate.interval")),
        Column("SD", explained=words("aggregate.sd")),
        Column("Median", explained=words("aggregate.quartiles")),
        Column("Quartiles", explained=words("aggregate.quartiles")),
        Column("Cases"),
        Column("n/a"),
        Column("Better", number=False),
    )
    rows = []
    for name, item in summary.items():
        measure = unit(name, sized=sized)
        interval = _range(item.interval_low, item.interval_high, name)
        rows.append(
            (
                Cell(title(name, sized=sized) + (f" ({measure})" if measure else "")),
                Cell(shown_value(item.mean, name), strong=True),
                Cell(interval),
                Cell(shown_value(item.standard_deviation, name)),
                Cell(shown_value(item.median, name)),
                Cell(_range(item.quartile_low, item.quartile_high, name)),
                Cell(str(item.count)),
                Cell(str(item.skipped or "")),
                Cell(
                    {"zero": "near 0", "none": ""}.get(METRICS[name].better, METRICS[name].better)
                ),
            )
        )
    return Table(columns, tuple(rows), title=heading)


def _values_table(summary: Mapping[str, Summary], *, sized: bool, heading: str) -> Table:
    """A row a metric of a single case."""
    rows = []
    for name, item in summary.items():
        measure, better = unit(name, sized=sized), METRICS[name].better
        rows.append(
            (
                Cell(title(name, sized=sized)),
                Cell(f"{shown_value(item.mean, name)} {measure}".rstrip(), strong=True),
                Cell({"zero": "near 0", "none": ""}.get(better, better)),
            )
        )
    columns = (Column("Metric", number=False), Column("Value"), Column("Better", number=False))
    return Table(columns, tuple(rows), title=heading)


def cases_table(evaluation: Evaluation) -> Table:
    """Every case with its main scores, sortable; with labels also the Dice of each."""
    names = [
        name
        for name in IN_TABLE
        if name in evaluation.summary and (evaluation.sized or unit(name) != "ml")
    ]
    names = names or list(evaluation.summary)[: len(IN_TABLE)]
    sited = any(case.site for case in evaluation.cases)
    labels = list(evaluation.labels)[:8] if len(evaluation.labels) > 1 else []
    per_label = "dice" if "dice" in evaluation.summary else ""
    columns = [Column("Case", number=False)]
    columns += [Column("Site", number=False)] if sited else []
    for name in names:
        measure = unit(name, sized=evaluation.sized)
        brief = BRIEF.get(name, title(name, sized=evaluation.sized))
        columns.append(
            Column(f"{brief} ({measure})" if measure else brief, explained=definition(name))
        )
    if per_label:
        columns += [Column(f"Dice {evaluation.labels[label]}") for label in labels]
    rows = []
    for case in evaluation.cases:
        row = [Cell(case.case), *([Cell(case.site)] if sited else [])]
        row += [metric_cell(case.values[name], name) for name in names]
        if per_label:
            row += [_label_cell(case, label) for label in labels]
        rows.append(tuple(row))
    return Table(tuple(columns), tuple(rows), sortable=True)


def labels_table(evaluation: Evaluation) -> Table:
    """A row a label: the means of the main metrics over the cases that hold it."""
    by_label = {label: evaluation.label_summary(label) for label in evaluation.labels}
    known = next(iter(by_label.values()), {})
    amounts = ("reference_ml", "prediction_ml") if evaluation.sized else ()
    names = [name for name in (*CHARTED, *amounts) if name in known]
    columns = [Column("Label", number=False), Column("Cases")]
    for name in names:
        measure = unit(name, sized=evaluation.sized)
        brief = BRIEF.get(name, title(name))
        columns.append(Column(f"{brief} ({measure})" if measure else brief,
                              explained=definition(name)))  # fmt: skip
    rows = []
    for label, summary in by_label.items():
        cells = [
            Cell(f"{shown_value(summary[name].mean, name)}", summary[name].mean) for name in names
        ]
        count = sum(label in case.labels for case in evaluation.cases)
        rows.append((Cell(evaluation.labels[label]), Cell(str(count), count), *cells))
    note = "Means over the cases that hold the label in the reference or in the prediction."
    return Table(tuple(columns), tuple(rows), title="By label", note=note, sortable=True)


def strips(
    groups: Mapping[str, Sequence[Mapping[str, float]]],
    summaries: Mapping[str, Mapping[str, Summary]],
    *,
    cases: Mapping[str, Sequence[str]],
    sized: bool,
    colours: Mapping[str, str],
    wide: bool = False,
    names: Iterable[str] = CHARTED,
) -> tuple[Chart, ...]:
    """A strip chart for each of the metrics `names` with a row for each group ('' for one row).

    `groups` holds rows of values, `cases` their names in the same order.
    """
    shown = list(groups)[:MOST_STRIPS]
    charts = []
    for name in names:
        rows = []
        for group in shown:
            values = groups[group]
            if name not in summaries[group] or not summaries[group][name].count:
                continue
            item = summaries[group][name]
            points = tuple(
                Point(case, row[name])
                for case, row in zip(cases[group], values, strict=True)
                if math.isfinite(row[name])
            )
            rows.append(
                Strip(
                    group,
                    points,
                    item.mean,
                    (item.interval_low, item.interval_high),
                    colours.get(group, "#0f5c7c"),
                )
            )
        if rows:
            better, measure = f"{METRICS[name].better} is better", unit(name, sized=sized)
            bounded = METRICS[name].better == "higher" and METRICS[name].unit == ""
            drawing = strip_chart(
                rows,
                unit=f"{measure}, {better}" if measure else better,
                bounded=bounded,
                **({"width": WIDTH} if wide else {}),
            )
            charts.append(Chart(title(name, sized=sized), drawing, wide=wide))
    return tuple(charts)


def definitions(names: Iterable[str], *, sized: bool, more: Iterable[tuple[str, str]] = ()) -> (
    tuple[Definition, ...]
):  # fmt: skip
    """The definition of every metric, then of what is made of them; `more` is (name, key)."""
    words = evaluation_words()
    found = [Definition(f"{title(name, sized=sized)} ({name})", definition(name)) for name in names]
    return (*found, *(Definition(label, words(key)) for label, key in more))


def _label_cell(case: CaseScores, label: int) -> Cell:
    values = case.labels.get(label)
    return Cell("–", None) if values is None else metric_cell(values["dice"], "dice")


def _range(low: float, high: float, name: str) -> str:
    if math.isnan(low):
        return MISSING
    return f"{shown_value(low, name)} to {shown_value(high, name)}"
