"""The page of a data set as one HTML file without any external resource, on screen and paper."""

from __future__ import annotations

from markupsafe import Markup

from leuko.report.exploration_values import ExplorationPage
from leuko.report.html import QUIET, asset, drawn_chart, environment

__all__ = ["exploration_page"]


def exploration_page(page: ExplorationPage) -> str:
    """The page; every text is escaped, and no script is allowed."""
    template = environment().get_template("exploration.html")
    return template.render(
        p=page,
        policy=Markup(QUIET),
        style=Markup(asset("assets", "report.css") + asset("assets", "exploration.css")),
        drawn=drawn_chart,
    )
