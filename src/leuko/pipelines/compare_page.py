"""A comparison of methods as a page: ranking, scores side by side, tests, pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from leuko.evaluation.registry import METRICS
from leuko.pipelines.compare import Comparison
from leuko.pipelines.compare_gallery import figures, images_of
from leuko.pipelines.compare_texts import CLEAR, care, counted, lead, more
from leuko.pipelines.evaluate_page import notices
from leuko.pipelines.evaluate_tables import definitions, shown_value, strips
from leuko.pipelines.pairing import partners
from leuko.pipelines.provenance import now, program_version
from leuko.report.document import Notice
from leuko.report.evaluation_charts import SERIES, Share, ranks_chart
from leuko.report.evaluation_html import score_page
from leuko.report.evaluation_pictures import LABEL_LEGEND, LEGEND
from leuko.report.evaluation_values import ScorePage
from leuko.report.metric_words import BRIEF, definition, title, unit
from leuko.report.provenance import time_of
from leuko.report.sections import Cell, Chart, Column, Section, Table
from leuko.report.wording import english, evaluation_words

__all__ = ["comparison_page", "comparison_values"]

VOLUMES = ("reference_ml", "prediction_ml")


def comparison_page(comparison: Comparison, *, images: Path | None = None, worst: int = 4) -> str:
    """The page as HTML, with the `worst` cases (where methods differ most) on their `images`."""
    return score_page(comparison_values(comparison, images=images, worst=worst))


def comparison_values(
    comparison: Comparison,
    *,
    images: Path | None = None,
    scans: Mapping[str, Path] | None = None,
    worst: int = 4,
) -> ScorePage:
    """What the page says, decided and rounded; `scans` are known images by case."""
    words = evaluation_words()
    if images is not None and scans is None:
        scans = partners(images_of(comparison), images=images)
    shown, troubles = figures(comparison, scans=scans, worst=worst)
    sections = [_scores(comparison), _ranking(comparison), _strips(comparison)]
    sections += _tests(comparison)
    if shown:
        labelled = any(item.labels for item in comparison.evaluations.values())
        sections.append(
            Section(
                "worst",
                "Where the methods differ most",
                note="The slice with the most voxels in error over all methods.",
                figures=shown,
                legend=LABEL_LEGEND if labelled else LEGEND,
            )
        )
    sections.append(_cases(comparison))
    said = _notices(comparison)
    if said:
        sections.append(Section("findings", "Findings", notices=said))
    sections.append(_definitions(comparison))
    return ScorePage(
        title=words("title.compare"),
        subject=f"{len(comparison.methods)} methods, {counted(comparison)}",
        created=time_of(now()),
        version=program_version(),
        lead=lead(comparison),
        more=more(comparison),
        care=(*care(comparison), *troubles[:6]),
        headline=(),
        sections=tuple(sections),
        research_use=english()("research_use"),
    )


def _scores(comparison: Comparison) -> Section:
    """A row a method: means with standard deviations, the best in bold."""
    found = comparison.evaluations
    names = [n for n in next(iter(found.values())).summary if n not in VOLUMES]
    best = {name: _best(comparison, name) for name in names}
    columns = [Column("Method", number=False)]
    for name in names:
        measure = unit(name, sized=comparison.sized)
        brief = BRIEF.get(name, title(name, sized=comparison.sized))
        columns.append(
            Column(f"{brief} ({measure})" if measure else brief, explained=definition(name))
        )
    columns += [Column("Formula"), Column("Mean rank")]
    ranking, rows = comparison.ranking, []
    for method in ranking.order:
        cells = []
        for name in names:
            item = found[method].summary[name]
            text = shown_value(item.mean, name)
            if not math.isnan(item.standard_deviation):
                text += f" ± {shown_value(item.standard_deviation, name)}"
            order = None if math.isnan(item.mean) else item.mean
            cells.append(Cell(text, order, strong=item.mean == best[name]))
        formula, mean_rank = ranking.formula[method], ranking.ranks[method]
        rows.append((Cell(method), *cells, Cell(f"{formula:.3f}", formula),
                     Cell(f"{mean_rank:.2f}", mean_rank)))  # fmt: skip
    note = "Mean ± standard deviation over the cases; the best mean in bold."
    table = Table(tuple(columns), tuple(rows), sortable=True, note=note)
    return Section("scores", "Scores", tables=(table,))


def _best(comparison: Comparison, name: str) -> float:
    means = [item.summary[name].mean for item in comparison.evaluations.values()]
    known = [mean for mean in means if not math.isnan(mean)]
    if not known or METRICS[name].better == "none":
        return math.inf
    chosen = {"higher": max(known), "lower": min(known)}
    return chosen.get(METRICS[name].better, min(known, key=abs))


def _ranking(comparison: Comparison) -> Section:
    words, ranking = evaluation_words(), comparison.ranking
    colours = _colours(comparison)
    shares = []
    for method in ranking.order_by_rank:
        place = ranking.bootstrap[method]
        first = "" if math.isnan(place.first) else f"first in {100 * place.first:.0f} %"
        shares.append(
            Share(method, ranking.ranks[method], (place.low, place.high), first, colours[method])
        )
    charts = (
        Chart("Mean rank, and the places in resamples of the cases",
              ranks_chart(shares, last=len(shares)),
              f"{words('rank.aggregate')} Band: {words('rank.bootstrap')}", wide=True),
    )  # fmt: skip
    columns = [Column("Method", number=False)]
    columns += [Column(BRIEF.get(name, title(name))) for name in comparison.metrics]
    rows = [
        (Cell(m), *(Cell(str(comparison.wins[n][m]), comparison.wins[n][m])
                    for n in comparison.metrics))
        for m in ranking.order
    ]  # fmt: skip
    wins = Table(tuple(columns), tuple(rows), title=f"Wins in {counted(comparison)}",
                 note=words("wins"), sortable=True)  # fmt: skip
    return Section("ranking", "Ranking", charts=charts, tables=(wins,))


def _strips(comparison: Comparison) -> Section:
    found = comparison.evaluations
    groups: dict[str, list[Mapping[str, float]]] = {
        name: [case.values for case in found[name].cases] for name in comparison.ranking.order
    }
    drawn = strips(
        groups,
        {name: item.summary for name, item in found.items()},
        cases=dict.fromkeys(found, comparison.cases),
        sized=comparison.sized,
        colours=_colours(comparison),
    )
    if len(comparison.cases) < 2:
        return Section("distributions", "")
    return Section("distributions", "Every case at a glance",
                   note=evaluation_words()("strip.reading"), charts=drawn)  # fmt: skip


def _tests(comparison: Comparison) -> Iterator[Section]:
    if len(comparison.cases) < 2:
        return
    names = comparison.metrics
    columns = [Column("Pair", number=False)]
    columns += [Column(BRIEF.get(name, title(name))) for name in names]
    pairs = dict.fromkeys((test.first, test.second) for test in comparison.tests)
    known = {(test.first, test.second, test.metric): test for test in comparison.tests}
    rows = []
    for first, second in pairs:
        cells = []
        for name in names:
            test = known[first, second, name]
            if math.isnan(test.test.p):
                cells.append(Cell("n/a"))
                continue
            median = test.test.median
            shown = shown_value(median, name)
            sign = "+" if median > 0 and any(digit in shown for digit in "123456789") else ""
            text = f"{sign}{shown}, p {_p(test.p_holm)}".replace("-", "−")
            cells.append(Cell(text, test.p_holm, strong=test.p_holm < CLEAR))
        rows.append((Cell(f"{first} − {second}"), *cells))
    note = "Median of the differences, p after Holm's correction."
    if len(comparison.cases) < 6:
        note += " With fewer than 6 cases no difference can reach p < 0.05."
    yield Section("tests", "Pairs of methods", note=evaluation_words()("wilcoxon"),
                  tables=(Table(tuple(columns), tuple(rows), note=note),))  # fmt: skip


def _cases(comparison: Comparison) -> Section:
    """Every case: the first ranked metric of each method, sortable."""
    name = comparison.metrics[0]
    columns = [Column("Case", number=False), *(Column(method) for method in comparison.methods)]
    rows = []
    for index, case in enumerate(comparison.cases):
        cells = []
        for item in comparison.evaluations.values():
            value = item.cases[index].values[name]
            cells.append(Cell(shown_value(value, name), None if math.isnan(value) else value))
        rows.append((Cell(case), *cells))
    measure = unit(name, sized=comparison.sized)
    heading = title(name, sized=comparison.sized) + (f" ({measure})" if measure else "")
    table = Table(tuple(columns), tuple(rows), title=heading, sortable=True)
    return Section("cases", "Every case", note="A click on a heading sorts.", tables=(table,))


def _notices(comparison: Comparison) -> tuple[Notice, ...]:
    cases = (case for item in comparison.evaluations.values() for case in item.cases)
    return notices(tuple(cases))


def _definitions(comparison: Comparison) -> Section:
    names = next(iter(comparison.evaluations.values())).summary
    more = (
        ("Formula", "rank.formula"),
        ("Mean rank", "rank.aggregate"),
        ("Places in resamples", "rank.bootstrap"),
        ("Wilcoxon's test", "wilcoxon"),
        ("Standard deviation", "aggregate.sd"),
        ("95 % interval", "aggregate.interval"),
    )
    found = definitions(names, sized=comparison.sized, more=more)
    return Section("definitions", "What the numbers mean", definitions=found)


def _colours(comparison: Comparison) -> dict[str, str]:
    return {name: SERIES[k % len(SERIES)] for k, name in enumerate(comparison.methods)}


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
