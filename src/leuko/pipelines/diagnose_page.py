"""A diagnosis as a page: from numbers to a `ScorePage`, and to HTML."""

from __future__ import annotations

import math
from collections.abc import Iterator

from leuko.pipelines.diagnose import Diagnosis, OperatingPoint
from leuko.pipelines.diagnose_texts import (
    best_interval,
    care,
    heading,
    lead,
    more,
    percent,
    threshold,
    with_interval,
    written,
    written_range,
)
from leuko.pipelines.provenance import now, program_version
from leuko.report.diagnosis_charts import (
    Mark,
    ReliabilityBin,
    posterior_chart,
    reliability_chart,
    roc_chart,
    scores_chart,
)
from leuko.report.document import Measure
from leuko.report.evaluation_html import score_page
from leuko.report.evaluation_values import ScorePage
from leuko.report.provenance import time_of
from leuko.report.sections import Cell, Chart, Column, Definition, Section, Table
from leuko.report.wording import diagnosis_words, english

__all__ = ["page", "page_values"]

RATES = (
    ("sensitivity", "Sensitivity"),
    ("specificity", "Specificity"),
    ("ppv", "PPV"),
    ("npv", "NPV"),
    ("lr_positive", "LR+"),
    ("lr_negative", "LR−"),
)


def page(found: Diagnosis) -> str:
    """The page as one HTML file without any external resource."""
    return score_page(page_values(found))


def page_values(found: Diagnosis) -> ScorePage:
    """What the page says, decided and rounded."""
    words = diagnosis_words()
    return ScorePage(
        title=words("title"),
        subject=found.cases.source
        + (f": {found.cases.condition}" if found.cases.condition else ""),
        created=time_of(now()),
        version=program_version(),
        lead=lead(found),
        more=more(found),
        care=tuple(care(found)),
        headline=tuple(_headline(found)),
        sections=(
            _curves(found),
            _decisions(found),
            _bayes(found),
            *_reliability(found),
            *_folds(found),
            _definitions(found),
        ),
        research_use=english()("research_use"),
    )


def _headline(found: Diagnosis) -> Iterator[Measure]:
    table, drawn = found.points[0].confusion, found.points[0].clustered
    interval, _ = best_interval(found)
    yield Measure(
        "auc", "Area under the curve", written(found.roc.auc), "", written_range(interval)
    )
    for name, label in (*RATES[:2], *RATES[4:]):
        ends = getattr(drawn, name) if drawn else getattr(table, f"{name}_interval")
        yield Measure(name, label, written(getattr(table, name)), "", written_range(ends))


def _curves(found: Diagnosis) -> Section:
    words, curve = diagnosis_words(), found.roc
    steps = [(1 - b, a) for a, b in zip(curve.sensitivity, curve.specificity, strict=True)]
    marks = [
        Mark(1 - point.confusion.specificity, point.confusion.sensitivity, _mark(point),
             hollow=index > 0)
        for index, point in enumerate(found.points)
    ]  # fmt: skip
    real = list(zip(found.cases.scores, found.cases.truth, strict=True))
    spread = scores_chart(
        [score for score, yes in real if yes],
        [score for score, yes in real if not yes],
        thresholds=list(found.points[0].thresholds.values()),
    )
    return Section(
        "curves",
        "The test in pictures",
        charts=(
            Chart("ROC curve", roc_chart(steps, marks), words("roc.reading")),
            Chart("Scores", spread, words("scores.reading")),
            _before_and_after(found),
            *_reliability_chart(found),
        ),
    )


def _mark(point: OperatingPoint) -> str:
    if point.rule == "chosen on other cases":
        return "chosen on other cases"
    return "Youden (optimistic)" if point.optimistic else f"at {point.name}"


def _decisions(found: Diagnosis) -> Section:
    words = diagnosis_words()
    point = found.points[0]
    table = point.confusion
    counts = Table(
        (Column("", number=False), Column("condition"), Column("no condition"), Column("all")),
        (
            _row("called positive", table.true_positive, table.false_positive),
            _row("called negative", table.false_negative, table.true_negative),
            _row("all", table.positives, table.negatives),
        ),
        title=f"Decisions at {threshold(point)}",
    )
    columns = [Column("", number=False)]
    columns += [Column(heading(one), explained=threshold(one)) for one in found.points]
    rows = [(Cell("Threshold"), *(Cell(threshold(one)) for one in found.points))]
    for name, label in RATES:
        rows.append((Cell(label), *(Cell(with_interval(one, name)) for one in found.points)))
        if found.clustered and hasattr(found.clustered, name):
            ends = (getattr(one.clustered, name) for one in found.points)
            rows.append((Cell("… drawing people"), *(Cell(written_range(end)) for end in ends)))
    rows.append(
        (
            Cell("Right calls"),
            *(Cell(written(one.confusion.accuracy, percent=True)) for one in found.points),
        )
    )
    rates = Table(
        tuple(columns),
        tuple(rows),
        title="Rates and likelihood ratios",
        note="In brackets: 95 % intervals that count cases."
        + (" Below: those that draw whole people." if found.clustered else ""),
    )
    note = words("caution.prevalence", share=written(found.prevalence, percent=True))
    return Section("decisions", "Decisions", note=note, tables=(counts, rates))


def _row(label: str, first: int, second: int) -> tuple[Cell, ...]:
    return Cell(label), Cell(f"{first}"), Cell(f"{second}"), Cell(f"{first + second}", strong=True)


def _before_and_after(found: Diagnosis) -> Chart:
    point = found.points[0]
    table = point.confusion
    marks = [(after.prior, after.positive, after.negative) for after in point.posteriors]
    drawing = posterior_chart(table.lr_positive, table.lr_negative, marks=marks)
    return Chart("Before and after the test", drawing, diagnosis_words()("posterior.reading"))


def _bayes(found: Diagnosis) -> Section:
    point = found.points[0]
    table = point.confusion
    columns = (
        Column("Probability before", number=True),
        Column("Odds before"),
        Column("Odds after +"),
        Column("Probability after +"),
        Column("Odds after −"),
        Column("Probability after −"),
    )
    rows = tuple(
        (
            Cell(written(after.prior, percent=True)),
            Cell(written(after.prior / (1 - after.prior) if after.prior < 1 else math.inf)),
            Cell(written(after.positive_odds)),
            Cell(percent(after.positive, after.positive_interval)),
            Cell(written(after.negative_odds)),
            Cell(percent(after.negative, after.negative_interval)),
        )
        for after in point.posteriors
    )
    note = (
        f"LR+ {written(table.lr_positive)}, LR− {written(table.lr_negative)} at "
        f"{threshold(point)}. In brackets: 95 % intervals of the likelihood ratios, prior fixed; "
        + ("they draw whole people." if point.clustered else "they count cases.")
    )
    return Section(
        "bayes",
        "What a result means for a person",
        tables=(Table(columns, rows, note=note),),
    )


def _reliability_chart(found: Diagnosis) -> Iterator[Chart]:
    if found.calibration is None:
        return
    bins = [
        ReliabilityBin(one.predicted, one.observed, one.observed_interval, one.count)
        for one in found.calibration.bins
    ]
    yield Chart("Reliability", reliability_chart(bins), diagnosis_words()("reliability.reading"))


def _reliability(found: Diagnosis) -> Iterator[Section]:
    held = found.calibration
    if held is None:
        return
    reference = found.prevalence * (1 - found.prevalence)
    table = Table(
        (Column("", number=False), Column("Value"), Column("", number=False)),
        (
            (Cell("Brier score"), Cell(written(held.brier)),
             Cell(f"prevalence alone: {written(reference)}")),
            (Cell("Expected calibration error"), Cell(written(held.ece)), Cell("10 bins")),
        ),
    )  # fmt: skip
    yield Section(
        "reliability",
        "Do the probabilities mean what they say?",
        tables=(table,),
    )


def _folds(found: Diagnosis) -> Iterator[Section]:
    if not found.folds:
        return
    words = diagnosis_words()
    rows = tuple(
        (
            Cell(fold.fold),
            Cell(f"{fold.positives + fold.negatives}"),
            Cell(f"{fold.positives}"),
            Cell(f"{written(fold.auc)} ({written_range(fold.auc_interval)})"),
            Cell(written(found.points[0].thresholds[fold.fold])),
        )
        for fold in found.folds
    )
    columns = (Column("Fold", number=False), Column("Cases"), Column("With the condition"),
               Column("AUC (DeLong)"), Column("Threshold"))  # fmt: skip
    note = words("caution.folds", folds=len(found.folds))
    yield Section("folds", "Fold by fold", note=note, tables=(Table(columns, rows),))


def _definitions(found: Diagnosis) -> Section:
    words = diagnosis_words()
    names = [("Area under the curve", "auc"), ("Sensitivity", "sensitivity"),
             ("Specificity", "specificity"), ("PPV", "ppv"), ("NPV", "npv"),
             ("LR+", "lr_positive"), ("LR−", "lr_negative"), ("Odds after", "posterior"),
             ("Youden's threshold", "youden")]  # fmt: skip
    if found.clustered:
        names.append(("Drawing people", "subjects"))
    items = [Definition(label, words(f"define.{name}")) for label, name in names]
    if found.calibration:
        reference = written(found.prevalence * (1 - found.prevalence))
        items.append(Definition("Brier score", words("define.brier", reference=reference)))
        items.append(Definition("Expected calibration error", words("define.ece")))
    return Section("definitions", "What the numbers mean", definitions=tuple(items))
