"""A comparison of methods as a page: ranking, scores side by side, tests, pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from leuko.evaluation.registry import METRICS
from leuko.pipelines.compare import Comparison
from leuko.pipelines.evaluate_gallery import error_codes, scan_of, shown_image
from leuko.pipelines.evaluate_page import notices
from leuko.pipelines.evaluate_tables import definitions, shown_value, strips
from leuko.pipelines.pairing import partners
from leuko.pipelines.provenance import now, program_version
from leuko.report.document import Notice
from leuko.report.evaluation_charts import SERIES, Share, ranks_chart
from leuko.report.evaluation_html import score_page
from leuko.report.evaluation_pictures import LABEL_LEGEND, LEGEND, compared_picture
from leuko.report.evaluation_values import ScorePage
from leuko.report.metric_words import BRIEF, definition, title, unit
from leuko.report.provenance import time_of
from leuko.report.sections import Cell, Chart, Column, Figure, Section, Table
from leuko.report.wording import english, evaluation_words

__all__ = ["comparison_page", "comparison_values"]

PICTURE_WIDTH = 1500
CLEAR = 0.05
LEVEL = 5e-4  # what three decimals show as equal
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
        scans = partners(_images(comparison), images=images)
    figures, troubles = _figures(comparison, scans=scans, worst=worst)
    sections = [_scores(comparison), _ranking(comparison), _strips(comparison)]
    sections += _tests(comparison)
    if figures:
        labelled = any(item.labels for item in comparison.evaluations.values())
        sections.append(
            Section(
                "worst",
                "Where the methods differ most",
                note="The slice with the most voxels in error over all methods.",
                figures=figures,
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
        subject=f"{len(comparison.methods)} methods, {_cases_text(comparison)}",
        created=time_of(now()),
        version=program_version(),
        lead=_lead(comparison),
        more=_more(comparison),
        care=(*_care(comparison), *troubles[:6]),
        headline=(),
        sections=tuple(sections),
        research_use=english()("research_use"),
    )


# ---------------------------------------------------------------- the top


def _lead(comparison: Comparison) -> str:
    ranking = comparison.ranking
    first, by_rank = ranking.order[0], ranking.order_by_rank[0]
    over = _over(comparison)
    level = [m for m in ranking.order if ranking.formula[m] - ranking.formula[first] < LEVEL]
    if len(level) > 1:
        both = (
            f"{', '.join(level[:-1])} and {level[-1]} share the first place {over} by the formula"
        )
        ranks = ranking.ranks
        if sum(ranks[method] - ranks[by_rank] < LEVEL for method in level) == len(level):
            return f"{both}, and by the mean of ranks."
        return f"{both}; {by_rank} comes first by the mean of ranks."
    if first == by_rank:
        return f"{first} comes first {over}, by both ways of ranking."
    return f"{first} comes first {over} by the formula, {by_rank} by the mean of ranks."


def _cases_text(comparison: Comparison) -> str:
    count = len(comparison.cases)
    return f"{count} {comparison.counted}" if count > 1 else "one case"


def _over(comparison: Comparison) -> str:
    count = len(comparison.cases)
    return f"on {count} {comparison.counted}" if count > 1 else "on one case"


def _more(comparison: Comparison) -> str:
    best = comparison.ranking.order_by_rank[0]
    share = comparison.ranking.bootstrap[best].first
    metrics = ", ".join(BRIEF.get(name, title(name)) for name in comparison.metrics)
    text = f"Ranked by {metrics}."
    if not math.isnan(share):
        text += f" {best} is first in {100 * share:.0f} % of resamples of the cases."
    if len(comparison.cases) < 2:
        return text
    clear = [test for test in comparison.tests if test.p_holm < CLEAR]
    tested = len(comparison.tests)
    text += f" Differences with p < 0.05 after correction: {len(clear)} of {tested}"
    return text + (": the order may be chance." if tested and not clear else ".")


def _care(comparison: Comparison) -> Iterator[str]:
    for method, cases in comparison.left_out.items():
        listed = ", ".join(cases[:5]) + (" ..." if len(cases) > 5 else "")
        yield (
            f"{method} has no scores for {listed} ({len(cases)}); these cases are left out for "
            "every method."
        )


# ---------------------------------------------------------------- sections


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
    wins = Table(tuple(columns), tuple(rows), title=f"Wins in {_cases_text(comparison)}",
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


# ---------------------------------------------------------------- pictures


def _figures(
    comparison: Comparison, *, scans: Mapping[str, Path] | None, worst: int
) -> tuple[tuple[Figure, ...], list[str]]:
    """The cases on which the first ranked metric differs most between the methods."""
    name = comparison.metrics[0]
    columns = [comparison.values(method, name) for method in comparison.methods]
    spreads = []
    for index, row in enumerate(zip(*columns, strict=True)):
        known = [value for value in row if not math.isnan(value)]
        spreads.append((max(known) - min(known) if known else 0.0, -index))
    chosen = [-index for _, index in sorted(spreads, reverse=True)[:worst]]
    figures, troubles = [], []
    for index in chosen:
        case = comparison.cases[index]
        figure, trouble = _figure(comparison, case, index, scans or {})
        figures.append(figure)
        if scans is not None and trouble:
            troubles.append(trouble)
    return tuple(figures), troubles


def _figure(
    comparison: Comparison, case: str, index: int, scans: Mapping[str, Path]
) -> tuple[Figure, str]:
    name, codes, on, titles, said = comparison.metrics[0], [], None, [], []
    image = _images(comparison)[index]
    for method, item in comparison.evaluations.items():
        one, on = error_codes(item.files[image], labels=bool(item.labels), only=tuple(item.labels))
        value = shown_value(item.cases[index].values[name], name)
        codes.append(one)
        titles.append(method)
        said.append(f"{method} {value}")
    assert on is not None  # there are at least two methods
    scan, trouble = scan_of(image, scans=scans, on=on)
    picture = compared_picture(
        on if scan is None else scan,
        codes,
        titles=titles,
        bare=scan is None,
        name=case,
        width=PICTURE_WIDTH,
    )
    text = f"{BRIEF.get(name, title(name))}: {', '.join(said)}"
    if image != case:
        text += f"; shown: {image}, the image with most in error"
    return Figure(case, text, picture, wide=True), trouble


def _images(comparison: Comparison) -> list[str]:
    """The image that shows each case."""
    found = comparison.evaluations.values()
    return [
        shown_image([item.cases[index] for item in found]) for index in range(len(comparison.cases))
    ]
