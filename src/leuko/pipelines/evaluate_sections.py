"""Sections of an evaluation's page: volumes, lesion sizes, sites."""

from __future__ import annotations

import math
from collections.abc import Iterator

from leuko.evaluation.aggregate import Summary
from leuko.evaluation.diagnosis import wilson_interval
from leuko.evaluation.registry import CHALLENGE
from leuko.pipelines.evaluate_groups import seen_and_unseen, site_summaries
from leuko.pipelines.evaluate_results import Evaluation
from leuko.pipelines.evaluate_tables import (
    shown_value,
    strips,
)
from leuko.pipelines.evaluate_volumes import VolumeAgreement, volume_agreement
from leuko.report.agreement_charts import bland_altman_chart, identity_chart
from leuko.report.evaluation_charts import SERIES, Point, Share, shares_chart
from leuko.report.metric_words import title, unit
from leuko.report.palette import SIZE
from leuko.report.sections import Cell, Chart, Column, Section, Table
from leuko.report.wording import evaluation_words

__all__ = ["HEADLINE", "sites", "sizes", "volumes"]

HEADLINE = (*CHALLENGE, "lesion_f1_strict", "iou", "hd95_surface", "nsd", "assd")
FEW_CASES = 8


def volumes(evaluation: Evaluation) -> Iterator[Section]:
    """Volumes against the reference: identity and Bland-Altman plots, agreement in a table."""
    agreements = volume_agreement(evaluation)
    if not agreements:
        return
    measure = unit("reference_ml", sized=evaluation.sized)
    charts: list[Chart] = []
    for item in agreements[:6]:
        triples = zip(item.cases, item.reference, item.prediction, strict=True)
        points = tuple(Point(case, x, y) for case, x, y in triples)
        found = item.bland_altman
        name = f"{item.label}: " if item.label else ""
        charts.append(
            Chart(
                f"{name}Volume against the reference",
                identity_chart(points, unit=measure),
                "line: equal volumes",
            )
        )
        drawing = bland_altman_chart(
            points,
            bias=found.bias,
            limits=(found.low, found.high),
            intervals=(found.bias_interval, found.low_interval, found.high_interval),
            unit=measure,
        )
        note = "whiskers: 95 % intervals of bias and limits"
        charts.append(Chart(f"{name}Bland-Altman", drawing, note))
    table = _volumes_table(agreements, measure)
    yield Section("volumes", "Volumes", charts=tuple(charts), tables=(table,))


def _volumes_table(agreements: tuple[VolumeAgreement, ...], measure: str) -> Table:
    """A row a number, a column a label."""
    columns = [Column("", number=False)]
    columns += [Column(item.label or "Value (95 % interval)") for item in agreements]
    found = [item.bland_altman for item in agreements]
    rows: list[tuple[str, list[str]]] = [
        ("Cases", [str(item.count) for item in found]),
        (f"Bias ({measure})", [f"{_signed(i.bias)}{_interval(i.bias_interval)}" for i in found]),
        (f"Lower limit of agreement ({measure})",
         [f"{_signed(i.low)}{_interval(i.low_interval)}" for i in found]),
        (f"Upper limit of agreement ({measure})",
         [f"{_signed(i.high)}{_interval(i.high_interval)}" for i in found]),
        ("ICC(2,1), agreement", [_coefficient(i.icc.icc21, i.icc.icc21_interval)
                                 for i in agreements]),
        ("ICC(3,1), consistency", [_coefficient(i.icc.icc31, i.icc.icc31_interval)
                                   for i in agreements]),
        ("Concordance (Lin)", [_coefficient(i.concordance.value, i.concordance.interval)
                               for i in agreements]),
        ("Pearson", [_coefficient(i.pearson.value, i.pearson.interval) for i in agreements]),
        ("Spearman", [_coefficient(i.spearman.value, i.spearman.interval) for i in agreements]),
    ]  # fmt: skip
    cells = tuple((Cell(name), *(Cell(text) for text in texts)) for name, texts in rows)
    note = "In brackets: 95 % intervals."
    return Table(tuple(columns), cells, note=note if agreements[0].label else "")


def sizes(evaluation: Evaluation) -> Iterator[Section]:
    """Recall and precision by the size of lesions, over all cases."""
    measured = [case.sizes for case in evaluation.cases if case.sizes]
    if not measured:
        return
    words, measure = evaluation_words(), "mm³" if evaluation.sized else "px"
    ranges = (f"below 10 {measure}", f"10 to 100 {measure}", f"from 100 {measure}")
    recall, precision = [], []
    for number, name in enumerate(SIZE):
        rows = [sizes[number] for sizes in measured]
        found, of = sum(row.found for row in rows), sum(row.reference for row in rows)
        true, all_predicted = sum(row.true for row in rows), sum(row.predicted for row in rows)
        recall.append(_share(ranges[number], found, of, SIZE[name]))
        precision.append(_share(ranges[number], true, all_predicted, SIZE[name]))
    yield Section(
        "sizes",
        "Lesions by size",
        note=words("sizes.pooled"),
        charts=(
            Chart("Lesion recall by size in the reference", shares_chart(recall)),
            Chart("Lesion precision by size in the prediction", shares_chart(precision)),
        ),
    )


def sites(evaluation: Evaluation) -> Iterator[Section]:
    """Means per site, and seen sites against unseen ones."""
    by_site = site_summaries(evaluation)
    if not by_site:
        return
    words = evaluation_words()
    names = [name for name in HEADLINE if name in evaluation.summary][:6]
    columns = [Column("Site", number=False), Column("Cases")]
    for name in names:
        measure = unit(name, sized=evaluation.sized)
        columns.append(Column(title(name) + (f" ({measure})" if measure else "")))
    rows = tuple(
        (
            Cell(site),
            Cell(str(count), count),
            *(Cell(_with_spread(summary[name], name), summary[name].mean) for name in names),
        )
        for site, (count, summary) in by_site.items()
    )
    note = "Mean ± standard deviation."
    tables = [Table(tuple(columns), rows, note=note, sortable=True)]
    if compared := seen_and_unseen(evaluation):
        head = (
            Column("Metric", number=False),
            Column(f"Seen ({compared.seen_cases})"),
            Column(f"Unseen ({compared.unseen_cases})"),
            Column("Change"),
            Column("", number=False),
        )
        body = []
        for name, drop in compared.drops.items():
            if name not in HEADLINE or math.isnan(drop.change):
                continue
            points = drop.unit == "points"
            change = f"{_signed(100 * drop.change if points else drop.change)} {drop.unit}"
            body.append(
                (
                    Cell(title(name, sized=evaluation.sized)),
                    Cell(shown_value(drop.seen, name)),
                    Cell(shown_value(drop.unseen, name)),
                    Cell(change),
                    Cell("clear drop" if drop.clear else "", strong=True),
                )
            )
        tables.append(Table(head, tuple(body), title="Sites seen in training against unseen ones",
                            note=words("sites.drop")))  # fmt: skip
    groups = {s: [c.values for c in evaluation.cases if c.site == s] for s in by_site}
    cases = {s: [c.case for c in evaluation.cases if c.site == s] for s in by_site}
    charts = strips(
        groups,
        {site: summary for site, (_, summary) in by_site.items()},
        cases=cases,
        sized=evaluation.sized,
        colours={site: SERIES[k % len(SERIES)] for k, site in enumerate(by_site)},
        names=names[:2],
    )
    yield Section("sites", "By site", charts=charts, tables=tuple(tables))


def _share(label: str, part: int, whole: int, colour: str) -> Share:
    value = part / whole if whole else math.nan
    text = f"{value:.2f} ({part}/{whole})" if whole else "none"
    return Share(label, value, wilson_interval(part, whole), text, colour)


def _with_spread(item: Summary, name: str) -> str:
    mean = shown_value(item.mean, name)
    if math.isnan(item.standard_deviation):
        return mean
    return f"{mean} ± {shown_value(item.standard_deviation, name)}"


def _coefficient(value: float, interval: tuple[float, float]) -> str:
    if math.isnan(value):
        return "n/a"
    return f"{value:.3f}".replace("-", "−") + _interval(interval, decimals=2)


def _interval(interval: tuple[float, float], *, decimals: int = 0) -> str:
    if math.isnan(interval[0]):
        return ""
    texts = [f"{v:.{decimals}f}" if decimals else _signed(v) for v in interval]
    return f" ({texts[0]} to {texts[1]})".replace("-", "−")


def _signed(value: float) -> str:
    """Three digits with a sign; n/a where there is no value."""
    if math.isnan(value):
        return "n/a"
    return f"{value:+.3g}".replace("-", "−")
