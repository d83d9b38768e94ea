"""An evaluation as a page: from scores to a `ScorePage`, and to HTML."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from leuko.evaluation.aggregate import Summary
from leuko.findings import Finding
from leuko.pipelines.evaluate_gallery import gallery
from leuko.pipelines.evaluate_results import CaseScores, Evaluation
from leuko.pipelines.evaluate_sections import HEADLINE, sites, sizes, volumes
from leuko.pipelines.evaluate_tables import (
    cases_table,
    definitions,
    labels_table,
    shown_value,
    strips,
    summary_table,
)
from leuko.pipelines.evaluate_volumes import volume_agreement
from leuko.pipelines.provenance import now, program_version
from leuko.report.document import Measure, Notice
from leuko.report.evaluation_charts import SERIES
from leuko.report.evaluation_html import score_page
from leuko.report.evaluation_pictures import LABEL_LEGEND, LEGEND
from leuko.report.evaluation_values import ScorePage
from leuko.report.metric_words import title, unit
from leuko.report.provenance import time_of
from leuko.report.sections import Section
from leuko.report.wording import english, evaluation_words

__all__ = ["notices", "page", "page_values"]

MAIN = (*HEADLINE, "precision", "sensitivity", "mean_dice_foreground", "reference_ml",
        "prediction_ml", "volume_difference_ml")  # fmt: skip
SPOKEN = {"dice": "Dice", "h95": "H95", "avd": "AVD", "hd95_surface": "H95 of the surface"}
MANY_LABELS = 4  # from here on the labels have one table together
FEW_CASES = 8


def page(evaluation: Evaluation, *, images: Path | None = None, worst: int = 6) -> str:
    """The page as HTML: summary, charts, volumes, sites, the `worst` cases on their `images`."""
    return score_page(page_values(evaluation, images=images, worst=worst))


def page_values(evaluation: Evaluation, *, images: Path | None = None, worst: int = 6) -> ScorePage:
    """What the page says, decided and rounded."""
    words = evaluation_words()
    figures, troubles = gallery(evaluation, images=images, worst=worst)
    sections = [
        _summary(evaluation),
        _distributions(evaluation),
        *volumes(evaluation),
        *sizes(evaluation),
        *sites(evaluation),
    ]
    if figures:
        oriented = "gallery.reading" if evaluation.sized else "gallery.reading.unoriented"
        by = "Dice" if "dice" in evaluation.summary else title(next(iter(evaluation.summary)))
        several = len(evaluation.cases) > 1
        sections.append(
            Section(
                "worst",
                "The worst cases" if several else "Where they differ",
                note=words(oriented, metric=by) if several else "",
                figures=figures if several else (replace(figures[0], title="", wide=True),),
                legend=LABEL_LEGEND if evaluation.labels else LEGEND,
            )
        )
    if len(evaluation.cases) > 1:
        note = "A click on a heading sorts."
        sections.append(
            Section("cases", "Every case", note=note, tables=(cases_table(evaluation),))
        )
    sections += _all_metrics(evaluation)
    said = notices(evaluation.cases)
    if said:
        sections.append(Section("findings", "Findings", notices=said))
    sections.append(_definitions(evaluation))
    return ScorePage(
        title=words("title"),
        subject=_subject(evaluation),
        created=time_of(now()),
        version=program_version(),
        lead=_lead(evaluation),
        more=_more(evaluation),
        care=(*_care(evaluation), *troubles[:8]),
        headline=tuple(_headline(evaluation)),
        sections=tuple(sections),
        research_use=english()("research_use"),
    )


def notices(cases: tuple[CaseScores, ...]) -> tuple[Notice, ...]:
    """The findings of all cases, equal codes together, the gravest first."""
    grouped: dict[str, list[tuple[str, Finding]]] = {}
    for case in cases:
        for finding in dict.fromkeys(case.findings):
            grouped.setdefault(finding.code, []).append((case.case, finding))
    words, found = english(), []
    for code, rows in grouped.items():
        name, first = rows[0]
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        found.append(
            Notice(
                severity=first.severity.value,
                severity_label=words(f"severity.{first.severity}"),
                code=code,
                what=f"{name}{more}: {first.what}",
                hint=first.hint,
            )
        )
    order = ("refusal", "warning", "note")
    return tuple(sorted(found, key=lambda notice: order.index(notice.severity)))


# ---------------------------------------------------------------- the top


def _subject(evaluation: Evaluation) -> str:
    count = len(evaluation.cases)
    if count == 1:
        pair = evaluation.files.get(evaluation.cases[0].case)
        return f"{pair.prediction.name} against {pair.reference.name}" if pair else ""
    labels = f", {len(evaluation.labels)} labels" if evaluation.labels else ""
    images = sum(len(case.pieces) for case in evaluation.cases)
    pooled = f" ({images} images)" if images else ""
    return f"{count} {evaluation.counted}{pooled}{labels}"


def _lead(evaluation: Evaluation) -> str:
    count, summary = len(evaluation.cases), evaluation.summary
    if not count:
        return "No case could be scored."
    over = f"Over {count} {evaluation.counted}" if count > 1 else "On one case"
    mean = " on average over the labels" if evaluation.labels else ""
    parts: list[str] = []
    for name, spoken in SPOKEN.items():
        if name in summary and not math.isnan(summary[name].mean) and len(parts) < 3:
            item = summary[name]
            measure = unit(name, sized=evaluation.sized)
            text = f"{spoken} {shown_value(item.mean, name)} {measure}".strip()
            if not math.isnan(item.interval_low) and not parts:
                low = shown_value(item.interval_low, name)
                text += f" (95 % interval {low} to {shown_value(item.interval_high, name)})"
            parts.append(text)
    if not parts:
        name = next(iter(summary))
        parts = [f"{title(name)} {shown_value(summary[name].mean, name)}"]
    return f"{over} the prediction reaches{mean} {', '.join(parts)}."


def _more(evaluation: Evaluation) -> str:
    if not evaluation.cases:
        return ""
    rules = sorted({part for case in evaluation.cases for part in case.rule.split("; ")})
    parts = [f"How voxels counted: {'; '.join(rules)}."]
    if any(case.pieces for case in evaluation.cases):
        parts.append("The images of a subject are counted together.")
    if evaluation.both_empty:
        parts.append(f"{_empty(evaluation)}.")
    if not evaluation.sized:
        parts.append("Pictures have no size: lengths are in pixels.")
    if 1 < len(evaluation.cases) < FEW_CASES:
        parts.append("With so few cases, every interval is a rough one.")
    return " ".join(parts)


def _empty(evaluation: Evaluation) -> str:
    count, of = evaluation.both_empty, len(evaluation.cases)
    return (
        f"In {count} of {of} {evaluation.counted} both masks are empty, which is Dice 1 and IoU 1"
    )


def _care(evaluation: Evaluation) -> Iterator[str]:
    failures = evaluation.failures
    if failures:
        named = "; ".join(f"{f.case}: {f.what}" for f in failures[:3])
        more = f" And {len(failures) - 3} more." if len(failures) > 3 else ""
        verb = "case was" if len(failures) == 1 else "cases were"
        yield f"{len(failures)} {verb} not scored. {named}{more}"
    for side, names in (
        ("the reference", evaluation.only_reference),
        ("the prediction", evaluation.only_prediction),
    ):
        if names:
            listed = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
            yield f"Only in {side}, not scored: {listed} ({len(names)})."


def _headline(evaluation: Evaluation) -> Iterator[Measure]:
    shown = [name for name in HEADLINE if name in evaluation.summary][:6]
    for name in shown:
        item = evaluation.summary[name]
        several = not math.isnan(item.standard_deviation)
        note = f"± {shown_value(item.standard_deviation, name)}" if several else ""
        yield Measure(
            name=name,
            label=title(name, sized=evaluation.sized),
            value=shown_value(item.mean, name),
            unit=unit(name, sized=evaluation.sized),
            note=note,
        )


# ---------------------------------------------------------------- sections


def _summary(evaluation: Evaluation) -> Section:
    tables = [labels_table(evaluation)] if len(evaluation.labels) > 1 else []
    repeated = () if evaluation.labels else ("mean_dice_foreground",)  # Dice itself
    main = {
        name: evaluation.summary[name]
        for name in MAIN
        if name in evaluation.summary
        and name not in repeated
        and (evaluation.sized or unit(name) != "ml")
    }
    heading = "All labels" if tables else ""
    tables.append(
        summary_table(main or evaluation.summary, sized=evaluation.sized, heading=heading)
    )
    return Section("summary-table", "Summary", tables=tuple(tables))


def _all_metrics(evaluation: Evaluation) -> Iterator[Section]:
    """Every metric that was computed, where the summary has not shown all."""
    heading = "All labels" if len(evaluation.labels) > 1 else ""
    tables = [summary_table(evaluation.summary, sized=evaluation.sized, heading=heading)]
    if 1 < len(evaluation.labels) <= MANY_LABELS:
        for label, name in evaluation.labels.items():
            summary = evaluation.label_summary(label)
            tables.append(summary_table(summary, sized=evaluation.sized, heading=name))
    if len(tables) > 1 or any(name not in MAIN for name in evaluation.summary):
        yield Section("all-metrics", "Every metric", tables=tuple(tables))


def _distributions(evaluation: Evaluation) -> Section:
    words = evaluation_words()
    groups: dict[str, list[Mapping[str, float]]] = {}
    cases: dict[str, list[str]] = {}
    if len(evaluation.labels) > 1:
        for label, name in evaluation.labels.items():
            held = [case for case in evaluation.cases if label in case.labels]
            groups[name] = [case.labels[label] for case in held]
            cases[name] = [case.case for case in held]
        found = {n: evaluation.label_summary(v) for v, n in evaluation.labels.items()}
    else:
        groups[""] = [case.values for case in evaluation.cases]
        cases[""] = [case.case for case in evaluation.cases]
        found = {"": evaluation.summary}
    colours = {name: SERIES[k % len(SERIES)] for k, name in enumerate(groups)}
    drawn = () if len(evaluation.cases) < 2 else strips(
        groups, found, cases=cases, sized=evaluation.sized, colours=colours
    )  # fmt: skip
    return Section("distributions", "Every case at a glance" if drawn else "",
                   note=words("strip.reading") if drawn else "", charts=drawn)  # fmt: skip


def _definitions(evaluation: Evaluation) -> Section:
    labelled: Mapping[str, Summary] = {}
    if evaluation.labels:
        labelled = evaluation.label_summary(next(iter(evaluation.labels)))
    names = dict.fromkeys([*evaluation.summary, *labelled])
    more = [
        ("Mean, n/a", "aggregate.mean"),
        ("Standard deviation (SD)", "aggregate.sd"),
        ("Median, quartiles", "aggregate.quartiles"),
        ("95 % interval", "aggregate.interval"),
    ]
    if evaluation.labels:
        more.insert(0, ("Values of a case with labels", "label_means"))
    if volume_agreement(evaluation):
        more += [
            ("Bias, limits of agreement", "volumes.bias"),
            ("ICC", "volumes.icc"),
            ("Concordance", "volumes.ccc"),
            ("Pearson, Spearman", "volumes.correlation"),
        ]
    return Section(
        "definitions",
        "What the numbers mean",
        definitions=definitions(names, sized=evaluation.sized, more=more),
    )


# ---------------------------------------------------------------- texts


def _with_spread(item: Summary, name: str) -> str:
    mean = shown_value(item.mean, name)
    if math.isnan(item.standard_deviation):
        return mean
    return f"{mean} ± {shown_value(item.standard_deviation, name)}"
