"""Any image as what a trained network takes, and its answer back on the image's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.image.grid import Grid, require_same_grid
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.image.place import placed
from leuko.image.resample import Kernel, resample
from leuko.image.resample_grids import with_spacing
from leuko.masks.morphology import dilate
from leuko.preparation.scaling import Intensity, scaled

__all__ = ["CasePlan", "PreparedCase", "prepare_case", "restore"]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Axis = Literal["axial", "coronal", "sagittal"]
Length = Annotated[float, msgspec.Meta(gt=0.0)]
# Canonical axes (right, anterior, superior) in the order slices, rows, columns.
SAME_MM = 1e-4
ORDER: dict[Axis, tuple[int, int, int]] = {
    "axial": (2, 1, 0),
    "coronal": (1, 2, 0),
    "sagittal": (0, 2, 1),
}


class CasePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How images become input of a network; part of the recipe, and of the trained model's card."""

    dims: Literal[2, 3] = 2
    axis: Axis = "axial"  # of the slices of a volume, by anatomy; 3D networks: always axial
    # In mm along right, anterior, superior; null, for one or for all: as the file has it.
    spacing: tuple[Length | None, Length | None, Length | None] | None = None
    neighbours: Annotated[int, msgspec.Meta(ge=0, le=8)] = 0  # slices on either side, as channels
    intensity: Intensity = "zscore"
    window: tuple[float, float] | None = None  # what `window` scales to 0..1, in HU for CT
    region_mm: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0  # by which the region is dilated
    size: tuple[int, ...] = (256, 256)  # crop in training, window in prediction: (H, W), (S, H, W)

    def __post_init__(self) -> None:
        if len(self.size) != self.dims or any(edge < 1 for edge in self.size):
            raise ValueError(f"size needs {self.dims} numbers above 0, got {list(self.size)}")
        if self.neighbours and self.dims == 3:
            raise ValueError("neighbours are for dims: 2; a 3D network sees its neighbours anyway")
        if (self.intensity == "window") != (self.window is not None):
            raise ValueError("intensity: window and window: [low, high] go together")
        if self.window is not None and self.window[0] >= self.window[1]:
            raise ValueError(f"window {list(self.window)} must rise")

    def axes(self) -> tuple[int, int, int]:
        """The canonical axes of a prepared array's (S, H, W)."""
        return ORDER[self.axis if self.dims == 2 else "axial"]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCase:
    """An example in the axes of its plan: `image` (C, S, H, W), the others (S, H, W).

    `spacing` is in mm along (S, H, W). `native` is the grid of the first image's file, `working`
    the canonical grid of the arrays, which differs from it where the plan sets a spacing.
    """

    image: FloatArray
    label: npt.NDArray[np.int16] | None
    region: BoolArray | None
    spacing: tuple[float, float, float]
    native: Grid
    working: Grid
    axes: tuple[int, int, int]


def prepare_case(
    images: Sequence[Image],
    *,
    plan: CasePlan,
    label: Image | None = None,
    region: Image | None = None,
) -> PreparedCase:
    """Bring channels, truth and region onto one grid, scale intensities, order the axes.

    Channels whose grid is another than the first's are resampled onto it in world space. A single
    slice (one voxel along the file's third axis, as pictures have) keeps the file's rows and
    columns. A mask stored with its axes in another order is turned. Raises GridMismatch (exit 5)
    where truth or region do not lie on the first image's grid, UnusableInput (exit 4) for series,
    labels that are no whole numbers or an empty region.
    """
    if not images:
        raise UsageError("An example needs at least one image.", hint="Give one file a channel.")
    native = images[0].grid
    for image in images:
        _require_volume(image)
    label = None if label is None else _laid(label, native, images[0], what="its mask")
    region = None if region is None else _laid(region, native, images[0], what="its region")
    channels = [_onto(image, native) for image in images]
    working = _working(native, plan)
    axes = (2, 1, 0) if _is_slice(native) else plan.axes()

    def ordered(data: Array, kernel: Kernel) -> Array:
        moved = _moved(data, native, working, kernel)
        return np.ascontiguousarray(moved.transpose(axes))

    inside = None
    if region is not None:
        inside = ordered(np.greater(region.data, 0).astype(np.uint8), "nearest") > 0
        if not inside.any():
            raise UnusableInput(
                f"The region of {_named(images[0])} is empty.", hint="Give a mask with voxels of 1."
            )
        spacing = _spacing(working, axes)
        if plan.region_mm:
            inside = dilate(inside, spacing=spacing, radius_mm=plan.region_mm)
    stacked = np.stack(
        [
            scaled(
                ordered(data, "linear").astype(np.float32),
                how=plan.intensity,
                window=plan.window,
                region=inside,
            )
            for data in channels
        ]
    )
    return PreparedCase(
        image=stacked,
        label=None if label is None else ordered(_whole(label), "label").astype(np.int16),
        region=inside,
        spacing=_spacing(working, axes),
        native=native,
        working=working,
        axes=axes,
    )


def restore(values: FloatArray, *, case: PreparedCase, kernel: Kernel = "linear") -> FloatArray:
    """Values (K, S, H, W) of a prepared case as (K, X, Y, Z) in the file axes of its first image.

    Where the plan resampled, values go back with `kernel`.
    """
    inverse = np.argsort(case.axes)
    found = []
    for plane in values:
        canonical = plane.transpose(inverse)
        if case.working == case.native.canonical() or _is_slice(case.native):
            placed = from_canonical(canonical, _as_filed(case.native))
        else:
            image = Image(np.ascontiguousarray(canonical), case.working)
            placed = _edge_kept(image, case.native, kernel)
        found.append(placed)
    return np.ascontiguousarray(np.stack(found), dtype=np.float32)


def _edge_kept(image: Image, native: Grid, kernel: Kernel) -> Array:
    """Resampled, without a rim of zeros where rounding made the working box a little smaller."""
    wider = np.pad(image.data, 1, mode="edge")
    affine = image.grid.affine.copy()
    affine[:3, 3] -= affine[:3, :3].sum(axis=1)
    shape = (wider.shape[0], wider.shape[1], wider.shape[2])
    grid = Grid(shape, affine, image.grid.oriented, image.grid.sized)
    return resample(Image(wider, grid), onto=native, kernel=kernel).data


def _working(native: Grid, plan: CasePlan) -> Grid:
    if _is_slice(native):
        return native
    canonical = native.canonical()
    own = canonical.spacing
    wanted = own if plan.spacing is None else plan.spacing
    # An axis that has the wanted spacing already keeps its voxels where they are.
    other = [
        None if mm is None or abs(mm - has) <= SAME_MM else mm
        for mm, has in zip(wanted, own, strict=True)
    ]
    return canonical if other == [None] * 3 else with_spacing(canonical, other)


def _moved(data: Array, native: Grid, working: Grid, kernel: Kernel) -> Array:
    """File axes to the working grid's."""
    if _is_slice(native):
        return data
    if working == native.canonical():
        return to_canonical(data, native)
    return resample(Image(data, native), onto=working, kernel=kernel).data


def _onto(image: Image, native: Grid) -> Array:
    """A channel on the first one's grid."""
    near = image.grid.shape == native.shape and image.grid.corner_distance(native) <= 1e-3
    if near:
        return image.data
    if not (native.sized and image.grid.sized):
        raise GridMismatch(
            f"{_named(image)} has {image.grid.shape} pixels, the first channel {native.shape}.",
            hint="Pictures of one example need one size.",
        )
    return resample(image, onto=native, kernel="linear").data


def _laid(other: Image, native: Grid, image: Image, *, what: str) -> Image:
    """A mask in the order of the image's axes; it may be stored in another one."""
    _require_volume(other)
    turned = other.grid.shape != native.shape or other.grid.corner_distance(native) > 1e-3
    alike = sorted(other.grid.shape) == sorted(native.shape)
    if turned and alike and native.sized and native.oriented and other.grid.oriented:
        moved = placed(other, onto=native, what=f"The mask of {_named(image)}")
        return Image(np.ascontiguousarray(moved), native, other.source, other.findings)
    require_same_grid(native, other.grid, what=_named(image), other_what=what)
    return other


def _whole(label: Image) -> Array:
    """Labels as whole numbers from 0; UnusableInput where they are not."""
    data = label.data
    rounded: Array = np.rint(data)
    if np.issubdtype(data.dtype, np.floating) and not np.allclose(data, rounded, atol=1e-3):
        raise UnusableInput(
            f"The mask {_named(label)} holds values that are no whole numbers.",
            hint="A mask holds labels: 0 background, 1, 2 ... Cut probabilities at 0.5 first.",
        )
    if rounded.min(initial=0) < 0 or rounded.max(initial=0) > np.iinfo(np.int16).max:
        raise UnusableInput(
            f"The mask {_named(label)} holds labels from {rounded.min():g} to {rounded.max():g}.",
            hint="Labels count from 0 (background) up.",
        )
    return np.asarray(rounded, dtype=np.int16)


def _require_volume(image: Image) -> None:
    if image.volumes > 1:
        raise UnusableInput(
            f"{_named(image)} holds {image.volumes} volumes; a network takes one.",
            hint="Take one volume out with leuko convert --volume, or list them as channels.",
        )


def _is_slice(grid: Grid) -> bool:
    return grid.shape[2] == 1


def _as_filed(grid: Grid) -> Grid:
    """A single slice is never turned: rows and columns are the file's."""
    return Grid(grid.shape, grid.affine, oriented=False) if _is_slice(grid) else grid


def _spacing(grid: Grid, axes: tuple[int, int, int]) -> tuple[float, float, float]:
    first, second, third = (grid.spacing[axis] for axis in axes)
    return first, second, third


def _named(image: Image) -> str:
    return image.source.name if image.source is not None else "the image"
