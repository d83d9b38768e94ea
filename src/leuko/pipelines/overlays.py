"""Overlays: from a file or an image to a layer on the grid of the image that is looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.findings import Finding, Severity
from leuko.formats.labels import LabelTable, read_labels
from leuko.formats.read import read
from leuko.image.grid import SAME_GRID_TOLERANCE_MM, Grid
from leuko.image.image import Image
from leuko.image.resample import resample
from leuko.pipelines.label_names import names_in
from leuko.report.viewer import stem_of
from leuko.report.viewer_layers import Layer, layer
from leuko.report.viewer_scene import turn_of

__all__ = ["Overlay", "overlay_of", "overlay_path", "placed"]

NAMED = {
    "red": "#ff5a36", "blue": "#3db8f5", "yellow": "#f2d232", "green": "#4fd66a",
    "violet": "#c58cff", "pink": "#ff8ac0", "cyan": "#4fe0e0", "orange": "#ff9a36",
    "white": "#ffffff", "magenta": "#ff50e0",
}  # fmt: skip
COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Overlay:
    """A mask, label map or map over an image, with its name and colour, or those of its labels."""

    image: Image
    name: str = ""
    colour: str = ""
    names: Mapping[int, str] = field(default_factory=dict)
    colours: Mapping[int, str] = field(default_factory=dict)


def overlay_of(text: str, *, labels: Path | None = None) -> Overlay:
    """The overlay that 'FILE[:name[:colour]]' means, read from its file.

    `labels` is a table of names and colours by value (FreeSurfer's, ITK-SNAP's, BIDS' ...); without
    it several labels have the names that their file brings along. Raises UsageError (exit 2) for a
    colour that is none, and what `read` and `read_labels` raise.
    """
    path, name, colour = _parts(text)
    image = read(Path(path))
    table = names_in(image, Path(path)) if labels is None else read_labels(labels)
    if labels is None and len(table) < 2:  # one label is called as the overlay is
        table = LabelTable()
    return Overlay(
        image,
        name or stem_of(Path(path).name),
        colour_of(colour),
        {label.value: label.name for label in table},
        {label.value: "#{:02x}{:02x}{:02x}".format(*label.colour) for label in table},
    )


def overlay_path(text: str) -> Path:
    """The file that 'FILE[:name[:colour]]' names."""
    return Path(_parts(text)[0])


def _parts(text: str) -> tuple[str, str, str]:
    """File, name and colour; a file that is there may have a colon in its name."""
    if Path(text).exists():
        return text, "", ""
    path, _, rest = text.partition(":")
    name, _, colour = rest.partition(":")
    return path, name, colour


def colour_of(text: str) -> str:
    """A colour's '#rrggbb', from itself or from a name; '' stays ''."""
    key = text.strip().lower()
    found = NAMED.get(key, key)
    if found and not COLOUR.fullmatch(found):
        raise UsageError(
            f"'{text}' is no colour.", hint=f"Give #rrggbb, or one of: {', '.join(NAMED)}."
        )
    return found


def placed(given: Overlay, image: Image, *, order: int) -> tuple[Layer, tuple[Finding, ...]]:
    """The overlay as a layer on the image's grid, in shown axes."""
    name = given.name or (stem_of(given.image.source.name) if given.image.source else "overlay")
    if given.image.volumes > 1:
        raise UnusableInput(
            f"{name} holds {given.image.volumes} volumes; an overlay has one.",
            hint="Choose one: leuko convert --volume.",
        )
    mask, grid = given.image, image.grid
    if grid.oriented and mask.grid.oriented:
        if _same_place(grid, mask.grid):
            values = turn_of(mask.grid).shown(mask.data)
            return _made(values, name, given, order), ()
        moved = resample(mask, onto=grid, kernel="nearest" if _is_labels(mask) else "linear")
        if not moved.data.any() and mask.data.any():
            raise GridMismatch(
                f"{name} lies nowhere on the image.",
                hint="Both must be in one space; register one to the other first.",
            )
        said = Finding(
            "view.overlay_resampled",
            Severity.NOTE,
            f"{name} lies on another grid than the image: it is shown resampled.",
        )
        return _made(turn_of(grid).shown(moved.data), name, given, order), (said,)
    if mask.grid.shape != grid.shape:
        raise GridMismatch(
            f"{name} has {mask.grid.shape} voxels, the image {grid.shape}, and not both say how "
            "they lie in the body.",
            hint="Give an overlay on the image's own grid.",
        )
    return _made(turn_of(grid).shown(mask.data), name, given, order), ()


def _made(values: npt.NDArray[np.generic], name: str, given: Overlay, order: int) -> Layer:
    return layer(
        values,
        name=name,
        colour=given.colour,
        names=given.names,
        colours=given.colours,
        order=order,
    )


def _same_place(grid: Grid, other: Grid) -> bool:
    one, two = grid.canonical(), other.canonical()
    return one.shape == two.shape and one.corner_distance(two) <= SAME_GRID_TOLERANCE_MM


def _is_labels(mask: Image) -> bool:
    return mask.data.dtype.kind in "iub" or bool(np.array_equal(np.rint(mask.data), mask.data))
