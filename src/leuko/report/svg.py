"""A reportlab drawing as SVG for a page: few shapes, no identifiers, the page's own typeface.

reportlab's own SVG writer sets text by its PDF metrics and repeats identifiers; a page with
several charts in the reader's typeface needs neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from leuko.report import typefaces

__all__ = ["svg"]

ANCHORS = {"start": "", "middle": ' text-anchor="middle"', "end": ' text-anchor="end"'}


def svg(drawing: Any, *, label: str) -> str:
    """Inline SVG of a `reportlab.graphics.shapes.Drawing`; `label` describes it to readers.

    Known shapes: Rect, Line, String, Polygon, PolyLine and groups of them without a transform.
    """
    width, height = drawing.width, drawing.height
    parts = "".join(_shapes(drawing.contents, height))
    return (
        f'<svg class="chart" viewBox="0 0 {_number(width)} {_number(height)}" role="img" '
        f'aria-label="{escape(label)}">{parts}</svg>'
    )


def _shapes(contents: list[Any], height: float) -> Iterator[str]:
    for shape in contents:
        match type(shape).__name__:
            case "Rect":
                yield (
                    f'<rect x="{_number(shape.x)}" y="{_number(height - shape.y - shape.height)}" '
                    f'width="{_number(shape.width)}" height="{_number(shape.height)}"'
                    f"{_round(shape)}{_paint(shape)}/>"
                )
            case "Line":
                yield (
                    f'<line x1="{_number(shape.x1)}" y1="{_number(height - shape.y1)}" '
                    f'x2="{_number(shape.x2)}" y2="{_number(height - shape.y2)}"{_paint(shape)}/>'
                )
            case "String":
                weight = ' font-weight="600"' if shape.fontName == typefaces.BOLD else ""
                yield (
                    f'<text x="{_number(shape.x)}" y="{_number(height - shape.y)}" '
                    f'font-size="{_number(shape.fontSize)}"{weight}{ANCHORS[shape.textAnchor]} '
                    f'fill="{_colour(shape.fillColor)}">{escape(shape.text)}</text>'
                )
            case "Polygon" | "PolyLine" as kind:
                pairs = zip(shape.points[::2], shape.points[1::2], strict=True)
                points = " ".join(f"{_number(x)},{_number(height - y)}" for x, y in pairs)
                yield f'<{kind.lower()} points="{points}"{_paint(shape)}/>'
            case "Group":
                yield from _shapes(shape.contents, height)
            case other:
                raise TypeError(f"no SVG is written for a {other}")


def _round(shape: Any) -> str:
    return f' rx="{_number(shape.rx)}"' if getattr(shape, "rx", 0) else ""


def _paint(shape: Any) -> str:
    fill = getattr(shape, "fillColor", None)
    stroke = shape.strokeColor
    text = f' fill="{_colour(fill)}"' if fill is not None else ' fill="none"'
    if stroke is not None:
        text += f' stroke="{_colour(stroke)}" stroke-width="{_number(shape.strokeWidth)}"'
    return text


def _colour(colour: Any) -> str:
    return f"#{colour.hexval()[2:]}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
