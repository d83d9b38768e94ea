"""A drawing of six kinds of shapes, for charts: once drawn, it becomes SVG or part of a PDF.

Lengths are points, the origin is at the bottom left and y rises, as in a PDF.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

__all__ = ["Anchor", "Area", "Bar", "Curve", "Dot", "Drawing", "Rule", "Shape", "Text", "svg"]

Anchor = Literal["start", "middle", "end"]
ANCHORS: dict[Anchor, str] = {
    "start": "",
    "middle": ' text-anchor="middle"',
    "end": ' text-anchor="end"',
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle from its left bottom corner."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str
    width: float


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; (x, y) is the start, middle or end of its base line."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: Anchor = "start"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    colour: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle with a thin white edge; `title` is shown on a page under the pointer."""

    x: float
    y: float
    radius: float
    colour: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points; a `closed` one ends where it begins."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float
    closed: bool = False


Shape = Bar | Rule | Text | Area | Dot | Curve


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes, the later ones on top."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


def svg(drawing: Drawing, *, label: str) -> str:
    """Inline SVG in the page's own typeface, without identifiers; `label` is read aloud."""
    body = "".join(_element(shape, drawing.height) for shape in drawing.shapes)
    return (
        f'<svg class="chart" viewBox="0 0 {_number(drawing.width)} {_number(drawing.height)}" '
        f'role="img" aria-label="{escape(label)}">{body}</svg>'
    )


def _element(shape: Shape, height: float) -> str:
    match shape:
        case Bar():
            return (
                f'<rect x="{_number(shape.x)}" y="{_number(height - shape.y - shape.height)}" '
                f'width="{_number(shape.width)}" height="{_number(shape.height)}" '
                f'fill="{shape.colour}"/>'
            )
        case Rule():
            return (
                f'<line x1="{_number(shape.x1)}" y1="{_number(height - shape.y1)}" '
                f'x2="{_number(shape.x2)}" y2="{_number(height - shape.y2)}" '
                f'stroke="{shape.colour}" stroke-width="{_number(shape.width)}"/>'
            )
        case Text():
            weight = ' font-weight="600"' if shape.bold else ""
            return (
                f'<text x="{_number(shape.x)}" y="{_number(height - shape.y)}" '
                f'font-size="{_number(shape.size)}"{weight}{ANCHORS[shape.anchor]} '
                f'fill="{shape.colour}">{escape(shape.text)}</text>'
            )
        case Area():
            return f'<polygon points="{_points(shape.points, height)}" fill="{shape.colour}"/>'
        case Curve():
            name = "polygon" if shape.closed else "polyline"
            return (
                f'<{name} points="{_points(shape.points, height)}" fill="none" '
                f'stroke="{shape.colour}" stroke-width="{_number(shape.width)}"/>'
            )
        case Dot():
            title = f"<title>{escape(shape.title)}</title>" if shape.title else ""
            return (
                f'<circle cx="{_number(shape.x)}" cy="{_number(height - shape.y)}" '
                f'r="{_number(shape.radius)}" fill="{shape.colour}" stroke="#ffffff" '
                f'stroke-width="0.5">{title}</circle>'
            )


def _points(points: tuple[tuple[float, float], ...], height: float) -> str:
    return " ".join(f"{_number(x)},{_number(height - y)}" for x, y in points)


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
