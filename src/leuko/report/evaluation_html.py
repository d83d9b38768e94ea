"""The page of scores as one HTML file without any external resource, on screen and on paper."""

from __future__ import annotations

from markupsafe import Markup

from leuko.report.evaluation_values import ScorePage
from leuko.report.html import asset, drawn_chart, environment, only_script

__all__ = ["score_page"]


def score_page(page: ScorePage) -> str:
    """The page; every text is escaped, and the one script it allows is the sorting of tables."""
    script = asset("assets", "sort.js")
    return (
        environment()
        .get_template("evaluation.html")
        .render(
            p=page,
            style=Markup(asset("assets", "report.css") + asset("assets", "evaluation.css")),
            script=Markup(script),
            policy=only_script(script),
            drawn=drawn_chart,
        )
    )
