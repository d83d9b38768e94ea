"""The page of a data set as one HTML file without any external resource, on screen and paper."""

from __future__ import annotations

from markupsafe import Markup, escape

from leuko.report import palette
from leuko.report.drawing import svg
from leuko.report.exploration_values import ExplorationPage, Plot
from leuko.report.html import asset, environment

__all__ = ["exploration_page"]


def exploration_page(page: ExplorationPage) -> str:
    """The page; every text is escaped, and no script is allowed."""
    template = environment().get_template("exploration.html")
    return template.render(
        p=page,
        palette=palette,
        style=Markup(asset("assets", "report.css") + asset("assets", "exploration.css")),
        drawn=_drawn,
        breakable=_breakable,
    )


def _drawn(plot: Plot) -> Markup:
    return Markup(svg(plot.drawing, label=plot.title))


def _breakable(name: str) -> Markup:
    """A name that may be broken behind its underscores and dots."""
    text = str(escape(name))
    return Markup(text.replace("_", "_<wbr>").replace(".", ".<wbr>"))
