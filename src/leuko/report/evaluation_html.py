"""The page of scores as one HTML file without any external resource, on screen and on paper."""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup

from leuko.report import palette
from leuko.report.evaluation_values import ScorePage
from leuko.report.html import asset, drawn_chart, environment

__all__ = ["score_page"]


def score_page(page: ScorePage) -> str:
    """The page; every text is escaped, and the one script it allows is the sorting of tables."""
    script = asset("assets", "sort.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        environment()
        .get_template("evaluation.html")
        .render(
            p=page,
            palette=palette,
            style=Markup(asset("assets", "report.css") + asset("assets", "evaluation.css")),
            script=Markup(script),
            digest=digest,
            drawn=drawn_chart,
        )
    )
