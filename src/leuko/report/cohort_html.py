"""The page of a cohort as one HTML file without any external resource, on screen and on paper."""

from __future__ import annotations

from markupsafe import Markup

from leuko.report.cohort_values import CohortPage
from leuko.report.html import asset, drawn_chart, environment, only_script
from leuko.report.wording import cohort_words

__all__ = ["cohort_html"]


def cohort_html(page: CohortPage) -> str:
    """The page; every text is escaped. Its one script sorts and filters the table of scans."""
    script = asset("assets", "sort.js") + asset("assets", "cohort.js")
    return (
        environment()
        .get_template("cohort.html")
        .render(
            p=page,
            t=cohort_words(),
            style=Markup(asset("assets", "report.css") + asset("assets", "cohort.css")),
            script=Markup(script),
            policy=only_script(script),
            drawn=drawn_chart,
        )
    )
