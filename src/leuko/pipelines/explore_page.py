"""The page of a data set, put together from words, tables, pictures and charts."""

from __future__ import annotations

import datetime

from leuko.findings import Severity
from leuko.pipelines.explore import Exploration
from leuko.pipelines.explore_definitions import definitions
from leuko.pipelines.explore_pictures import pictures_of
from leuko.pipelines.explore_plots import plots_of
from leuko.pipelines.explore_rows import (
    cases_table,
    classes_table,
    grids_table,
    sites_table,
    suggestion_table,
)
from leuko.pipelines.explore_texts import (
    MOST_UNUSUAL,
    headline,
    pictures_note,
    recipe_of,
    summary_of,
    unusual_note,
)
from leuko.pipelines.provenance import program_version
from leuko.report.document import Notice
from leuko.report.exploration_tiles import class_colours
from leuko.report.exploration_values import ExplorationPage, Unusual

__all__ = ["page_of"]

MOST_LEGEND = 8


def page_of(found: Exploration, *, created: str = "") -> ExplorationPage:
    """The page; up to 24 cases are read again for their pictures."""
    pictures = pictures_of(found)
    classes = tuple(row.value for row in found.overview.classes)
    colours = class_colours(classes)
    known = {row.value: row.name for row in found.overview.classes}
    return ExplorationPage(
        name=found.name,
        created=created or datetime.datetime.now().astimezone().strftime("%d %B %Y"),
        version=program_version(),
        summary=summary_of(found),
        headline=tuple(headline(found)),
        notices=tuple(
            Notice(item.severity.value, "", item.code, item.what, item.hint)
            for item in found.remarks
        ),
        unusual=tuple(
            Unusual(item.case, item.what, item.code, item.severity is Severity.WARNING)
            for item in found.outliers[:MOST_UNUSUAL]
        ),
        unusual_note=unusual_note(found),
        pictures=pictures,
        pictures_note=pictures_note(found, len(pictures)),
        plots=plots_of(found),
        classes=classes_table(found),
        sites=sites_table(found),
        grids=grids_table(found),
        suggestion=None if found.suggestion is None else suggestion_table(found.suggestion),
        recipe="" if found.suggestion is None else recipe_of(found.suggestion),
        cases=cases_table(found),
        definitions=definitions(found.overview),
        legend=tuple((colours[value], known[value]) for value in classes[:MOST_LEGEND])
        if 1 < len(classes) <= MOST_LEGEND
        else (),
    )
