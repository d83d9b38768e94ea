"""The viewer inside a report: the scan in 8 bits with its mask, started by a click.

What lies outside the head is left black: it compresses to nothing, and every index stays that of
the file. Very fine scans are shown by means of blocks of voxels, so that the page stays small.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from leuko.image.image import Image
from leuko.quantify.lesions import LesionTable
from leuko.quantify.voxels import lesion_voxels
from leuko.report.palette import SIZE
from leuko.report.planes import Scan, Window
from leuko.report.viewer import embed
from leuko.report.viewer_layers import Label, Layer
from leuko.report.viewer_scene import Scene, Turn, turn_of
from leuko.report.viewer_volumes import reduction
from leuko.report.viewer_windows import Preset
from leuko.report.wording import Wording

__all__ = ["embedded_viewer", "lesion_places"]

MOST = 14_000_000  # voxels on a page
LEVELS = 255
ABOVE = 1.2  # of the window's upper end: brighter values are told apart no more
ROOM = 2  # voxels around the head

Place = tuple[int, int, int]


def embedded_viewer(
    image: Image, *, mask: Image, labels: Image | None, table: LesionTable, words: Wording
) -> Markup:
    """Trusted markup for `report.html.html`: the viewer of a scan with its mask.

    All lie on one grid, file axes; `labels` (values of `Lesion.label`) tell where a row of the
    table leads. Of several volumes the first is shown.
    """
    first = image.volume(0)
    box, window = _head(first)
    data, scale = _in_eight_bits(first.data, box=box, white=window.high)
    turn = turn_of(first.grid)
    name = Label(1, words("viewer.mask"), SIZE["large"], int(np.count_nonzero(mask.data)))
    values = turn.shown(np.asarray(mask.data != 0).view(np.uint8))
    places = {} if labels is None else lesion_places(labels, table=table, turn=turn)
    shown = Scene(
        name=first.source.name if first.source else "",
        data=turn.shown(data),
        grid=first.grid,
        turn=turn,
        layers=(Layer("wmh", values, (name,)),),
        window=window,
        presets=(
            Preset("auto", "Automatic", window),
            Preset("full", "Full range", Window(scale[1], scale[1] + LEVELS * scale[0])),
        ),
        start=places.get(1) or _middle(turn.shown(data)),
        header=first.source.header
        if first.source and first.source.format.startswith("nifti")
        else b"",
        scale=scale,
    )
    return embed(
        shown,
        fitted=reduction(shown.shape, shown.spacing, volumes=1, most=MOST),
        places=places,
        words=words,
    )


def lesion_places(labels: Image, *, table: LesionTable, turn: Turn) -> dict[int, Place]:
    """For each lesion its voxel nearest to its centre of mass, in shown axes."""
    voxels = lesion_voxels(np.asarray(labels.data, np.int32))
    if not voxels.count:
        return {}
    points = voxels.indices[:, list(turn.axes)]
    for axis, (own, flipped) in enumerate(zip(turn.axes, turn.flipped, strict=True)):
        if flipped:
            points[:, axis] = labels.grid.shape[own] - 1 - points[:, axis]
    spacing = [labels.grid.spacing[own] for own in turn.axes]
    order = np.argsort(voxels.labels, kind="stable")
    ends = np.cumsum(voxels.sizes)
    places = {}
    for lesion in table:
        if lesion.label <= voxels.count:
            own_points = points[order[ends[lesion.label - 1] - voxels.sizes[lesion.label - 1] :]]
            own_points = own_points[: voxels.sizes[lesion.label - 1]]
            offsets = (own_points - own_points.mean(axis=0)) * spacing
            x, y, z = own_points[np.argmin((offsets**2).sum(axis=1))].tolist()
            places[lesion.label] = (x, y, z)
    return places


def _head(image: Image) -> tuple[tuple[slice, ...], Window]:
    """The box of the head, in file axes, and the window that suits it."""
    nothing = np.broadcast_to(np.uint8(0), image.grid.shape)
    scan = Scan.of(
        image.data, labels=nothing, classes=np.zeros(1, np.uint8), brain=None, grid=image.grid
    )
    own = [slice(None)] * 3
    orientation = image.grid.orientation
    for axis, (first, last) in enumerate(scan.box):
        place = orientation.axes[axis] if image.grid.oriented else axis
        length = image.grid.shape[place]
        flipped = image.grid.oriented and orientation.flipped[axis]
        low, high = (length - 1 - last, length - 1 - first) if flipped else (first, last)
        own[place] = slice(max(low - ROOM, 0), high + 1 + ROOM)
    return tuple(own), scan.window


def _in_eight_bits(
    data: npt.NDArray[np.generic], *, box: tuple[slice, ...], white: float
) -> tuple[npt.NDArray[np.uint8], tuple[float, float]]:
    """The values within `box` as bytes, with slope and intercept; nothing outside."""
    inside = np.asarray(data[box], np.float32)
    low = min(0.0, float(inside.min(initial=0)))
    high = max(ABOVE * white, low + 1e-6)
    slope = (high - low) / LEVELS
    scaled = (inside - np.float32(low)) * np.float32(1 / slope)
    np.clip(scaled, 0, LEVELS, out=scaled)
    stored = np.zeros(data.shape, np.uint8)
    stored[box] = scaled + np.float32(0.5)
    return stored, (slope, low)


def _middle(data: npt.NDArray[np.uint8]) -> Place:
    return (data.shape[0] // 2, data.shape[1] // 2, data.shape[2] // 2)
