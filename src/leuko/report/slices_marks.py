"""What is written on pictures of slices: letters, scale bar, legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw

from leuko.report.palette import rgb
from leuko.report.sheet import letter_font
from leuko.report.viewer_layers import HEAT
from leuko.report.viewer_scene import OBLIQUE_DEGREES, Scene
from leuko.report.wording import english

__all__ = ["Canvas", "Line", "legend_lines", "scale_bar"]

INK, FAINT, SIDE = (222, 229, 235), (139, 152, 165), (255, 212, 121)
LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
MOST_NAMED = 16  # labels in a legend
MAP_COLOUR = HEAT[2][1]


@dataclass(frozen=True, slots=True)
class Line:
    """A text of the legend, with a swatch before it where it has a colour."""

    text: str
    colour: str = ""
    strong: bool = False
    heat: bool = False  # a swatch of the colours of a map


@dataclass(slots=True)
class Canvas:
    """A picture and the size of what is written on it, in pixels."""

    picture: Pictures.Image
    size: int

    def write(self, text: str, *, corner: str, strong: bool = False) -> None:
        """Letters at a side of the picture: 'left bottom', 'right middle', 'centre top' ..."""
        across, down = corner.split()
        edge = self.size * 0.6
        x = {"left": edge, "centre": self.picture.width / 2, "right": self.picture.width - edge}
        y = {"top": edge, "middle": self.picture.height / 2, "bottom": self.picture.height - edge}
        anchor = {"left": "l", "centre": "m", "right": "r"}[across]
        anchor += {"top": "t", "middle": "m", "bottom": "b"}[down]
        size = round(self.size * (1.15 if strong else 0.85))
        ImageDraw.Draw(self.picture).text(
            (x[across], y[down]), written(text), SIDE if strong else INK, letter_font(size), anchor,
            stroke_width=2, stroke_fill=(0, 0, 0),
        )  # fmt: skip

    def legend(self, lines: Sequence[Line], *, room: tuple[int, int, int, int]) -> None:
        """Lines below each other within (left, top, width, height); what has no room is cut off."""
        left, top, width, height = room
        for line in lines:
            size = self.size if line.strong else round(self.size * 0.85)
            if top + size > room[1] + height:
                return
            self._line(line, left, top, size, width)
            top += round(size * (1.9 if line.strong else 1.55))

    def flow(self, lines: Sequence[Line], *, left: int, top: int, width: int) -> None:
        """Lines beside each other, in as many rows as they need."""
        for line, (x, y) in zip(lines, self._places(lines, width), strict=True):
            self._line(line, left + x, top + y, round(self.size * 0.85), width)

    def flow_height(self, lines: Sequence[Line], *, width: int) -> int:
        """How high `flow` will be."""
        return max((y for _, y in self._places(lines, width)), default=0) + self.size

    def _places(self, lines: Sequence[Line], width: int) -> list[tuple[int, int]]:
        places, x, y = [], 0, 0
        for line in lines:
            needed = round(letter_font(round(self.size * 0.85)).getlength(written(line.text)))
            needed += _swatch_width(line, round(self.size * 0.85))
            if x and x + needed > width:
                x, y = 0, y + round(self.size * 1.5)
            places.append((x, y))
            x += needed + round(self.size * 1.3)
        return places

    def _swatch(self, line: Line, left: float, top: float, size: int) -> None:
        pen = ImageDraw.Draw(self.picture)
        if not line.heat:
            pen.rectangle((left, top + 2, left + size - 3, top + size - 1), rgb(line.colour))
            return
        stops = [stop for stop, _ in HEAT]
        colours = np.array([rgb(colour) for _, colour in HEAT])
        for x in range(4 * size):
            at = [round(float(np.interp(x / (4 * size), stops, colours[:, k]))) for k in range(3)]
            pen.line((left + x, top + 2, left + x, top + size - 1), fill=(at[0], at[1], at[2]))

    def _line(self, line: Line, left: float, top: float, size: int, width: int) -> None:
        pen = ImageDraw.Draw(self.picture)
        if line.colour:
            self._swatch(line, left, top, size)
            left += _swatch_width(line, size)
            width -= _swatch_width(line, size)
        text = written(line.text)
        while text and letter_font(size).getlength(text) > width:
            text = text[:-4] + "..." if len(text) > 4 else ""
        colour = INK if line.strong or line.colour else FAINT
        pen.text((left, top + size / 2), text, colour, letter_font(size), "lm")


def _swatch_width(line: Line, size: int) -> int:
    """How much room a line's swatch takes, in pixels."""
    return 0 if not line.colour else 4 * size + 8 if line.heat else size + 5


def scale_bar(canvas: Canvas, *, pixels_per_unit: float, sized: bool) -> None:
    """A bar of a round length at the right bottom, in mm (pixels where no size is known)."""
    most = min(150.0, 0.3 * canvas.picture.width)
    fitting = [length for length in LENGTHS if length * pixels_per_unit <= most]
    if not fitting:
        return
    length = fitting[-1] * pixels_per_unit
    edge = canvas.size * 0.6
    right, bottom = canvas.picture.width - edge, canvas.picture.height - edge
    pen = ImageDraw.Draw(canvas.picture)
    points = [(right - length, bottom - 5), (right - length, bottom), (right, bottom),
              (right, bottom - 5)]  # fmt: skip
    pen.line(points, fill=(0, 0, 0), width=4)
    pen.line(points, fill=INK, width=2)
    text = f"{fitting[-1]} {'mm' if sized else 'px'}"
    font = letter_font(max(10, round(canvas.size * 0.75)))
    pen.text((right - length / 2, bottom - 8), text, INK, font, "mb", stroke_width=2,
             stroke_fill=(0, 0, 0))  # fmt: skip


def legend_lines(
    shown: Scene,
    *,
    slices: Iterable[tuple[int, int]],
    volume: int,
    point: tuple[int, int, int] | None = None,
) -> list[Line]:
    """What a picture of `slices` (shown axis, index) shows: file, window, sides, place, labels."""
    lines = [Line(shown.name, strong=True)]
    if shown.volumes > 1:
        lines.append(Line(f"Volume {volume} (0 to {shown.volumes - 1})"))
    low, high = shown.window.low, shown.window.high
    unit = " HU" if shown.hounsfield else ""
    lines.append(Line(f"Level {_short((low + high) / 2)}, width {_short(high - low)}{unit}"))
    if shown.grid.oriented:
        side = "left" if shown.neurological else "right"
        name = "Neurological" if shown.neurological else "Radiological"
        lines.append(Line(f"{name}: the patient's left is on the {side}"))
        if shown.degrees >= OBLIQUE_DEGREES:
            lines.append(Line(f"Oblique by {shown.degrees:.1f} degrees"))
        if point is not None:
            x, y, z = shown.affine()[:3, :3] @ point + shown.affine()[:3, 3]
            lines.append(Line(f"RAS {x:.1f}, {y:.1f}, {z:.1f} mm"))
    lines.append(Line(english()("research_use")))
    lines.extend(_named(shown, tuple(slices)))
    return lines


def _named(shown: Scene, slices: Sequence[tuple[int, int]]) -> list[Line]:
    """The labels that can be seen on the slices, and the maps."""
    lines = []
    for layer in shown.layers:
        if layer.is_map:
            low, high = layer.limits
            lines.append(Line(f"{layer.name}: {low:.3g} to {high:.3g}", MAP_COLOUR, heat=True))
            continue
        seen: set[int] = set()
        for axis, index in slices:
            seen.update(np.unique(np.take(layer.values, index, axis)).tolist())
        lines.extend(
            Line(label.name, label.colour)
            for ordinal, label in enumerate(layer.labels, start=1)
            if ordinal in seen
        )
    if len(lines) <= MOST_NAMED:
        return lines
    return [*lines[: MOST_NAMED - 1], Line(f"and {len(lines) - MOST_NAMED + 1} more")]


def written(text: str) -> str:
    """The text in letters that the built-in typeface has."""
    return text.replace("–", "-").encode("ascii", "replace").decode()


def _short(value: float) -> str:
    """Four digits, but never a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
