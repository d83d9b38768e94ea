"""What every report needs whatever the scan is, made before there is one to draw."""

from __future__ import annotations

from PIL import Image

from leuko.report import (  # noqa: F401  # what lays a report out
    compose,
    embedded,
    html,
    pdf,
    preview,
    readings,
    typefaces,
    viewer,
)

__all__ = ["make_ready"]


def make_ready() -> None:
    """Load the modules, templates, typefaces and scripts of a report; further calls cost nothing.

    Nothing depends on it: what it makes is kept where it would be made at first use.
    """
    Image.preinit()
    typefaces.register()
    html.environment().get_template("report.html")
    viewer.make_ready()
