"""Pictures of what goes wrong: where in the slice, the scan alone, the scan with thin outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from leuko.image.image import Image, to_canonical
from leuko.masks.components import connected_components
from leuko.preparation.intensity import brain_level
from overlays import BRIGHTEST
from small_png import save_small

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

__all__ = ["View", "draw", "view_of"]

Bools = npt.NDArray[np.bool_]
CROP_MM = 80.0
SCALE_MM = 20.0
FINER = 4  # outlines follow voxel edges: masks are drawn this many times finer
# Colours that colour-blind readers tell apart, bright on grey.
REFERENCE, OURS, FALSE, MISSED = "#00d79b", "#ffe14d", "#ff5a36", "#56c1ff"
KEY = (
    ("reference", REFERENCE),
    ("leuko", OURS),
    ("leuko, false", FALSE),
    ("reference, missed", MISSED),
)
LETTERS = {0: ("A", "P", "S", "I"), 1: ("R", "L", "S", "I"), 2: ("R", "L", "A", "P")}
PANEL_INCHES = 2.9
DPI = 100


@dataclass(frozen=True, slots=True)
class View:
    """One slice, rows from the top, columns from the left as a radiologist sees them.

    Letters are left, right, top and bottom; `centre` (row, column) is that of what is shown.
    """

    scan: npt.NDArray[np.float32]
    white: float
    truth: Bools
    mask: Bools
    hit_truth: Bools
    hit_mask: Bools
    spacing: tuple[float, float]  # of rows and columns, mm
    centre: tuple[float, float]
    letters: tuple[str, str, str, str]
    number: int  # of the slice, from 0 in file order of the canonical axis
    slices: int


def view_of(flair: Image, truth: Bools, mask: Bools, region: Bools) -> View:
    """The slice in plane of acquisition with most of the region; all have the FLAIR's axes."""
    grid = flair.grid
    scan = to_canonical(flair.data, grid).astype(np.float32)
    spacing = grid.canonical().spacing
    axis = int(np.argmax(spacing)) if max(spacing) > 1.5 * sorted(spacing)[1] else 2
    layers = [
        np.moveaxis(to_canonical(one, grid), axis, 0)
        for one in (truth, mask, *_hits(truth, mask), region)
    ]
    at = int(np.argmax(layers[-1].sum(axis=(1, 2))))
    shown = [_turned(layer[at]) for layer in layers]
    in_plane = [length for index, length in enumerate(spacing) if index != axis]
    where = np.argwhere(shown[-1])
    return View(
        scan=_turned(np.moveaxis(scan, axis, 0)[at]),
        white=BRIGHTEST * brain_level(scan),
        truth=shown[0],
        mask=shown[1],
        hit_truth=shown[2],
        hit_mask=shown[3],
        spacing=(in_plane[1], in_plane[0]),
        centre=(float(where[:, 0].mean()), float(where[:, 1].mean())),
        letters=LETTERS[axis],
        number=at,
        slices=len(layers[0]),
    )


def draw(views: Sequence[tuple[str, View]], *, path: Path) -> None:
    """Write a small PNG: a row a view under its title, three panels each."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    rows = len(views)
    figure, axes = plt.subplots(
        rows,
        3,
        figsize=(3 * PANEL_INCHES, rows * (PANEL_INCHES + 0.3) + 0.35),
        squeeze=False,
        facecolor="black",
    )
    for (title, view), (whole, plain, outlined) in zip(views, axes, strict=True):
        box = _box(view)
        for axis in (whole, plain, outlined):
            _scan(axis, view)
            _letters(axis, view.letters)
        _frame(whole, view)
        _square(whole, box)
        for axis in (plain, outlined):
            axis.set_xlim(box[2], box[3])
            axis.set_ylim(box[1], box[0])
        _outlines(outlined, view, box)
        _scale_bar(plain, box)
        whole.set_title(title, color="white", fontsize=9, loc="left", pad=4)
    figure.legend(
        handles=[Line2D([], [], color=colour, label=name) for name, colour in KEY],
        loc="lower center",
        ncols=len(KEY),
        fontsize=9,
        labelcolor="white",
        frameon=False,
        borderaxespad=0.2,
    )
    top, bottom = 1 - 0.25 / (rows * 3.2 + 0.35), 0.33 / (rows * 3.2 + 0.35)
    figure.subplots_adjust(0.005, bottom, 0.995, top, wspace=0.02, hspace=0.1)
    save_small(figure, path=path, dpi=DPI)
    plt.close(figure)


def _hits(truth: Bools, mask: Bools) -> tuple[Bools, Bools]:
    """The lesions of each mask that touch the other somewhere in the scan."""
    found = []
    for one, other in ((truth, mask), (mask, truth)):
        parts = connected_components(one, connectivity=26)
        touched = np.zeros(parts.count + 1, dtype=bool)
        touched[np.unique(parts.labels[one & other])] = True
        touched[0] = False
        found.append(touched[parts.labels])
    return found[0], found[1]


def _turned(layer: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A canonical slice (right, front) as rows from the front, columns from the right."""
    return np.ascontiguousarray(layer.T[::-1, ::-1])


def _box(view: View) -> tuple[float, float, float, float]:
    """Top, bottom, left and right of the crop in mm, inside the slice where it can be."""
    box: list[float] = []
    for centre, length, size in zip(view.centre, view.spacing, view.scan.shape, strict=True):
        middle, whole = (centre + 0.5) * length, size * length
        half = min(CROP_MM, whole) / 2
        middle = min(max(middle, half), whole - half)
        box += [middle - half, middle + half]
    return box[0], box[1], box[2], box[3]


def _extent(view: View) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of the slice in mm, rows downwards."""
    rows, columns = view.scan.shape
    return 0.0, columns * view.spacing[1], rows * view.spacing[0], 0.0


def _scan(axis: Axes, view: View) -> None:
    axis.imshow(
        view.scan,
        cmap="gray",
        vmin=0,
        vmax=view.white,
        extent=_extent(view),
        interpolation="bilinear",
    )
    axis.set_axis_off()


def _frame(axis: Axes, view: View) -> None:
    """Show the head and little else of the slice, in a square."""
    inside = view.scan > 0.1 * view.white
    bounds = []
    for along, length in ((1, view.spacing[0]), (0, view.spacing[1])):
        filled = np.flatnonzero(inside.mean(axis=along) > 0.03)
        ends = (filled[0], filled[-1] + 1) if filled.size else (0, inside.shape[1 - along])
        bounds.append((ends[0] * length, ends[1] * length))
    half = max(end - start for start, end in bounds) / 2 + 4
    (top, bottom), (left, right) = bounds
    axis.set_xlim((left + right) / 2 - half, (left + right) / 2 + half)
    axis.set_ylim((top + bottom) / 2 + half, (top + bottom) / 2 - half)


def _outlines(axis: Axes, view: View, box: tuple[float, float, float, float]) -> None:
    """Outlines along the edges of voxels, of those in the box only."""
    (first, last), (left, right) = (
        (int(box[2 * side] // length), int(box[2 * side + 1] // length) + 1)
        for side, length in enumerate(view.spacing)
    )
    for region, colour in (
        (view.hit_truth, REFERENCE),
        (view.hit_mask, OURS),
        (view.mask & ~view.hit_mask, FALSE),
        (view.truth & ~view.hit_truth, MISSED),
    ):
        seen = region[first:last, left:right]
        if seen.any():
            # A border of nothing, so that outlines close at the edge of what is drawn.
            fine = np.kron(np.pad(seen, 1), np.ones((FINER, FINER)))
            rows, columns = (
                ((np.arange(size) + 0.5) / FINER - 1 + start) * length
                for size, start, length in zip(fine.shape, (first, left), view.spacing, strict=True)
            )
            axis.contour(columns, rows, fine, levels=[0.5], colors=[colour], linewidths=1.2)


def _square(axis: Axes, box: tuple[float, float, float, float]) -> None:
    top, bottom, left, right = box
    axis.plot(
        [left, right, right, left, left],
        [top, top, bottom, bottom, top],
        color="white",
        linewidth=0.8,
    )


def _scale_bar(axis: Axes, box: tuple[float, float, float, float]) -> None:
    _, bottom, left, _ = box
    start, height = left + 4, bottom - 4
    axis.plot(
        [start, start + SCALE_MM], [height, height], color="white", linewidth=2, path_effects=_rim()
    )
    axis.text(
        start + SCALE_MM / 2,
        height - 1.5,
        f"{SCALE_MM:.0f} mm",
        color="white",
        fontsize=8,
        ha="center",
        va="bottom",
        path_effects=_rim(),
    )


def _letters(axis: Axes, letters: tuple[str, str, str, str]) -> None:
    for letter, (x, y) in zip(letters[:2], ((0.03, 0.5), (0.97, 0.5)), strict=True):
        axis.text(x, y, letter, color="white", fontsize=9, transform=axis.transAxes,
                  ha="center", va="center", path_effects=_rim())  # fmt: skip


def _rim() -> list[AbstractPathEffect]:
    """A dark rim around letters, which may lie on bright tissue."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.5, foreground="black")]
