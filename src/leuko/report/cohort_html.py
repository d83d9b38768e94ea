"""The page of a cohort as one HTML file without any external resource, on screen and on paper."""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup, escape

from leuko.report import palette
from leuko.report.cohort_values import CohortPage, Plot
from leuko.report.drawing import svg
from leuko.report.html import asset, environment
from leuko.report.wording import cohort_words

__all__ = ["cohort_html"]


def cohort_html(page: CohortPage) -> str:
    """The page; every text is escaped. Its one script sorts and filters the table of scans."""
    script = asset("assets", "sort.js") + asset("assets", "cohort.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        environment()
        .get_template("cohort.html")
        .render(
            p=page,
            t=cohort_words(),
            palette=palette,
            style=Markup(asset("assets", "report.css") + asset("assets", "cohort.css")),
            script=Markup(script),
            digest=digest,
            drawn=_drawn,
            breakable=_breakable,
        )
    )


def _drawn(plot: Plot) -> Markup:
    return Markup(svg(plot.drawing, label=plot.title))


def _breakable(name: str) -> Markup:
    """A name that may be broken behind its underscores and dots."""
    text = str(escape(name))
    return Markup(text.replace("_", "_<wbr>").replace(".", ".<wbr>"))
