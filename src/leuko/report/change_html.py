"""The page of a comparison of visits: one HTML file that needs nothing else."""

from __future__ import annotations

from markupsafe import Markup

from leuko.report.change_colours import COLOURS
from leuko.report.change_document import ChangeDocument
from leuko.report.drawing import svg
from leuko.report.html import QUIET, asset, environment
from leuko.report.wording import change_words

__all__ = ["change_html"]


def change_html(document: ChangeDocument) -> str:
    """The report as one page without any external resource or script; every text is escaped."""
    words = change_words(document.language)
    timeline = document.timeline
    return (
        environment()
        .get_template("change.html")
        .render(
            d=document,
            t=words,
            colours=COLOURS,
            style=Markup(asset("assets", "report.css") + asset("assets", "change.css")),
            timeline=Markup(svg(timeline, label=words("section.timeline"))) if timeline else "",
            pictures={picture.name: picture for picture in document.pictures},
            policy=Markup(QUIET),
        )
    )
