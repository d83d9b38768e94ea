"""A scene: an image with its overlays, turned the way it is looked at, for pages and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.report.planes import Window
from leuko.report.viewer_layers import Layer
from leuko.report.viewer_windows import Preset, is_hounsfield, presets, window_of

__all__ = ["Scene", "Turn", "scene", "turn_of"]

Scalar = TypeVar("Scalar", bound=np.generic)
FEW = 5  # labels; more of them lie all over the image
OBLIQUE_DEGREES = 1.0  # from where a scan is called oblique


@dataclass(frozen=True, slots=True)
class Turn:
    """How an array is turned for looking: shown axis k is array axis `axes[k]`, maybe backwards.

    The shown axes run closest to the patient's right, front and head. Where the file says nothing
    of the body they are the array's, and a flat picture is turned so that its first row is on top.
    """

    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    def shown(self, data: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """A view of `data` (file axes) in shown axes; a fourth axis stays where it is."""
        view = data.transpose((*self.axes, *range(3, data.ndim)))
        return view[tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is shown and how; `data` has shown axes (right, front, up) and maybe volumes after them.

    `header` is the header of the image's file, for masks that are drawn; `start` is the voxel
    (shown axes) to begin at. Data of bytes stand for `scale[0]` times their value plus `scale[1]`;
    windows and presets are in these real values.
    """

    name: str
    data: npt.NDArray[np.generic]
    grid: Grid
    turn: Turn
    layers: tuple[Layer, ...]
    window: Window
    presets: tuple[Preset, ...]
    start: tuple[int, int, int]
    hounsfield: bool = False
    neurological: bool = False
    seconds: float | None = None
    header: bytes = b""
    scale: tuple[float, float] = (1.0, 0.0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along the shown axes."""
        return (self.data.shape[0], self.data.shape[1], self.data.shape[2])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between voxels along the shown axes, in mm (pixels where no size is known)."""
        own = self.grid.spacing
        return (own[self.turn.axes[0]], own[self.turn.axes[1]], own[self.turn.axes[2]])

    @property
    def volumes(self) -> int:
        """How many volumes there are; 1 without a fourth axis."""
        return self.data.shape[3] if self.data.ndim == 4 else 1

    @property
    def flat_axis(self) -> int | None:
        """The shown axis across a single slice or picture; None for a volume."""
        thin = [axis for axis in range(3) if self.shape[axis] == 1]
        return thin[-1] if thin else None

    @property
    def slice_axis(self) -> int:
        """The shown axis that the slices were taken across: that of the largest spacing."""
        if self.flat_axis is not None:
            return self.flat_axis
        widest = max(self.spacing)
        return 2 if widest < 1.2 * min(self.spacing) else self.spacing.index(widest)

    @property
    def degrees(self) -> float:
        """How far the scan's axes lie from the body's, at most; 0 where nothing is known."""
        if not self.grid.oriented:
            return 0.0
        matrix = self.grid.affine[:3, :3] / np.linalg.norm(self.grid.affine[:3, :3], axis=0)
        cosines = [abs(float(matrix[world, own])) for world, own in enumerate(self.turn.axes)]
        return float(np.degrees(np.arccos(min(1.0, *cosines))))

    def affine(self) -> npt.NDArray[np.float64]:
        """From a voxel in shown axes to the world (RAS mm)."""
        matrix = np.eye(4)
        columns = self.grid.affine[:3, list(self.turn.axes)]
        origin = self.grid.affine[:3, 3].copy()
        for axis, flip in enumerate(self.turn.flipped):
            if flip:
                origin += columns[:, axis] * (self.shape[axis] - 1)
                columns[:, axis] *= -1
        matrix[:3, :3], matrix[:3, 3] = columns, origin
        return matrix


def turn_of(grid: Grid) -> Turn:
    """How to turn an array of `grid` for looking at it."""
    if grid.oriented:
        orientation = grid.orientation
        return Turn(orientation.axes, orientation.flipped)
    picture = not grid.sized or grid.shape[2] == 1  # rows run downwards
    return Turn((0, 1, 2), (picture, picture, False))


def scene(
    image: Image,
    *,
    layers: Sequence[Layer] = (),
    window: str = "",
    neurological: bool = False,
) -> Scene:
    """The scene of an image, whose layers stand in its own array axes already turned (`turn_of`).

    `window` is a preset's name, 'centre,width' or 'p1,p99' (see `viewer_windows`); by default one
    that suits the image. Raises UsageError for a window that says nothing.
    """
    turn = turn_of(image.grid)
    data = turn.shown(image.data)
    hounsfield = is_hounsfield(image.data)
    listed = presets(image, hounsfield=hounsfield)
    chosen = window_of(window, data=image.data, presets=listed) if window else listed[0].window
    shape = (data.shape[0], data.shape[1], data.shape[2])
    return Scene(
        name=image.source.name if image.source else "image",
        data=data,
        grid=image.grid,
        turn=turn,
        layers=tuple(layers),
        window=chosen,
        presets=listed,
        start=_start(shape, layers),
        hounsfield=hounsfield,
        neurological=neurological and image.grid.oriented,
        seconds=image.seconds,
        header=_nifti_header(image),
    )


def _start(shape: tuple[int, int, int], layers: Sequence[Layer]) -> tuple[int, int, int]:
    """In the fullest slice of the first layer; the middle of the image without one."""
    middle = (shape[0] // 2, shape[1] // 2, shape[2] // 2)
    first = next((layer for layer in layers if layer.values.any()), None)
    if first is None or len(first.labels) > FEW:
        return middle
    held = first.covered()
    if not held.any():
        return middle
    third = int(np.argmax(np.count_nonzero(held, axis=(0, 1))))
    inside = np.argwhere(held[:, :, third])
    centre = inside[np.argmin(((inside - inside.mean(axis=0)) ** 2).sum(axis=1))]
    return (int(centre[0]), int(centre[1]), third)


def _nifti_header(image: Image) -> bytes:
    source = image.source
    return source.header if source and source.format.startswith("nifti") else b""
