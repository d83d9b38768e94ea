"""The page: one HTML file that needs nothing else, on screen and on paper."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, select_autoescape
from markupsafe import Markup, escape

from leuko.report import charts, palette
from leuko.report.document import Document, Picture
from leuko.report.drawing import svg
from leuko.report.rounding import unbroken
from leuko.report.sections import Chart, Plot
from leuko.report.viewer import POLICY
from leuko.report.wording import wording

__all__ = ["QUIET", "asset", "drawn_chart", "environment", "html", "only_script"]

QUIET = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""The content security policy of a page without a script."""


def html(document: Document, *, viewer: Markup | None = None) -> str:
    """The report as one page without any external resource; every text of it is escaped.

    `viewer` is trusted markup of an embedded viewer; without one the page allows no script.
    """
    words = wording(document.language)
    drawn = {
        "sizes": svg(charts.sizes_chart(document.sizes, words=words), label=words("section.sizes")),
        "profile": svg(
            charts.profile_chart(document.profile, words=words), label=words("section.profile")
        )
        if document.profile.peak is not None
        else "",
        "sides": svg(charts.sides_chart(document.sides), label=words("section.sides"))
        if document.sides
        else "",
        "regions": svg(charts.bars_chart(document.regions), label=words("section.regions"))
        if document.regions
        else "",
    }
    template = environment().get_template("report.html")
    return template.render(
        d=document,
        t=words,
        style=Markup(asset("assets", "report.css") + asset("assets", "evaluation.css")),
        drawn=drawn_chart,
        charts={name: Markup(text) for name, text in drawn.items()},
        pictures={picture.name: picture for picture in document.pictures},
        viewer=viewer,
        policy=Markup(QUIET if viewer is None else POLICY),
    )


def only_script(script: str) -> Markup:
    """The content security policy of a page that runs this script, and no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Markup(f"{QUIET}; script-src 'sha256-{digest}'")


def drawn_chart(chart: Chart | Plot) -> Markup:
    """The chart as inline SVG; its heading, or what it explains, is read aloud."""
    return Markup(svg(chart.drawing, label=chart.title or chart.note))


class _Packaged(BaseLoader):
    """Templates that travel inside the package."""

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002  # jinja2's signature
        template: str,
    ) -> tuple[str, str, None]:
        """The text of a template."""
        try:
            return asset("templates", template), template, None
        except FileNotFoundError as error:
            raise TemplateNotFound(template) from error


@cache
def environment() -> Environment:
    """What renders the packaged templates; texts are escaped, unknown names are errors."""
    environment = Environment(
        loader=_Packaged(),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    environment.filters["data_uri"] = _data_uri
    environment.filters["unbroken"] = unbroken
    environment.globals["palette"] = palette
    return environment


@cache
def asset(folder: str, name: str) -> str:
    """A packaged text: a template, a style sheet, a script."""
    return resources.files("leuko.report").joinpath(folder, name).read_text(encoding="utf-8")


def _breakable(name: str) -> Markup:
    """A name that may be broken behind its underscores and dots."""
    text = str(escape(name))
    return Markup(text.replace("_", "_<wbr>").replace(".", ".<wbr>"))


def _data_uri(picture: Picture) -> str:
    return f"data:{picture.mime};base64,{base64.b64encode(picture.data).decode('ascii')}"
