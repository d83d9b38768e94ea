"""A grid: where the voxels of an array lie in the world (RAS, mm)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from leuko.errors import GridMismatch

__all__ = ["Grid", "Orientation", "require_same_grid"]

FloatArray = npt.NDArray[np.float64]
SPACING_DECIMALS = 4  # mm: header rounding must not decide a mask
SAME_GRID_TOLERANCE_MM = 1e-3
AFFINES = 64  # whose orientation is remembered: it is asked for everywhere


@dataclass(frozen=True, slots=True)
class Orientation:
    """Which array axis runs along each anatomical axis (x: left-right, y: post-ant, z: inf-sup).

    `axes[k]` is the array axis closest to world axis k; `flipped[k]` says that its index falls
    while the world coordinate rises.
    """

    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @property
    def code(self) -> str:
        """Three letters, one an array axis, e.g. 'LPS': towards what the index rises."""
        letters = ["?", "?", "?"]
        for world, (axis, flip) in enumerate(zip(self.axes, self.flipped, strict=True)):
            letters[axis] = ("RL", "AP", "SI")[world][int(flip)]
        return "".join(letters)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Shape and affine of a 3D array; the affine maps voxel centres (i, j, k) to RAS mm.

    `oriented` is False where the file does not say how the array lies in the body: spacing is
    then real, but left and right are not known. `sized` is False where not even the size of a
    pixel in mm is known (a picture): lengths then count pixels.
    """

    shape: tuple[int, int, int]
    affine: FloatArray
    oriented: bool = True
    sized: bool = True

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4):
            raise ValueError(f"affine must be 4x4, got {affine.shape}")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    @classmethod
    def from_spacing(cls, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Grid:
        """A RAS-aligned grid with its first voxel's centre at the origin."""
        return cls(shape, np.diag([*spacing, 1.0]))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Grid)
            and self.shape == other.shape
            and self.oriented == other.oriented
            and self.sized == other.sized
            and bool(np.array_equal(self.affine, other.affine))
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.affine.tobytes(), self.oriented, self.sized))

    def __repr__(self) -> str:
        size = "x".join(map(str, self.shape))
        spacing = "x".join(f"{s:g}" for s in self.spacing)
        code = self.orientation.code if self.oriented else "orientation unknown"
        return f"Grid({size}, {spacing} {'mm' if self.sized else 'pixels'}, {code})"

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance in mm between neighbouring voxels along each array axis, rounded to 1e-4."""
        lengths = np.round(np.linalg.norm(self.affine[:3, :3], axis=0), SPACING_DECIMALS)
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]))

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel in mm3 (the product of the spacings unless the affine shears)."""
        product = float(np.prod(sorted(self.spacing)))  # the same for every order of axes
        exact = float(abs(np.linalg.det(self.affine[:3, :3])))
        return product if abs(exact - product) <= 1e-3 * product else exact

    @property
    def orientation(self) -> Orientation:
        """The assignment of array axes to anatomical axes with the largest summed cosines.

        Cosines are rounded to 1e-4. Ties (an axis at 45 degrees) are broken by how the axes lie
        in the body, never by their order in the array: every flip and permutation of an array has
        the same canonical order.
        """
        return _orientation(self.affine[:3, :3].tobytes())

    def canonical(self) -> Grid:
        """This grid with its axes permuted and flipped to run closest to right, anterior, superior.

        A grid without orientation is its own canonical grid.
        """
        if not self.oriented:
            return self
        orientation = self.orientation
        affine = self.affine.copy()
        shape = tuple(self.shape[axis] for axis in orientation.axes)
        columns = affine[:3, list(orientation.axes)]
        origin = affine[:3, 3].copy()
        for world, flip in enumerate(orientation.flipped):
            if flip:
                origin = origin + columns[:, world] * (shape[world] - 1)
                columns[:, world] = -columns[:, world]
        affine[:3, :3] = columns
        affine[:3, 3] = origin
        return Grid((shape[0], shape[1], shape[2]), affine, self.oriented, self.sized)

    def from_canonical_index(self, axis: int, index: int) -> tuple[int, int]:
        """The array axis of this grid that runs along canonical `axis`, and the index on it."""
        if not self.oriented:
            return axis, index
        orientation = self.orientation
        own = orientation.axes[axis]
        return own, self.shape[own] - 1 - index if orientation.flipped[axis] else index

    def to_world(self, voxels: npt.ArrayLike) -> FloatArray:
        """World coordinates (RAS mm), shape (..., 3), of voxel coordinates of shape (..., 3)."""
        points = np.asarray(voxels, dtype=np.float64)
        return np.asarray(points @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_voxel(self, world: npt.ArrayLike) -> FloatArray:
        """Voxel coordinates, shape (..., 3), of world coordinates (RAS mm) of shape (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        points = np.asarray(world, dtype=np.float64)
        return np.asarray(points @ inverse[:3, :3].T + inverse[:3, 3])

    def corner_distance(self, other: Grid) -> float:
        """Largest distance in mm between the eight corresponding corners of two grids."""
        corners = np.array(list(itertools.product(*((0, n - 1) for n in self.shape))))
        return float(np.linalg.norm(self.to_world(corners) - other.to_world(corners), axis=1).max())


@lru_cache(AFFINES)
def _orientation(directions: bytes) -> Orientation:
    """The orientation of the three columns of an affine (3x3 float64, row by row)."""
    matrix = np.frombuffer(directions).reshape(3, 3)
    cosines = np.round(matrix / np.linalg.norm(matrix, axis=0), 4)

    def rank(axes: tuple[int, ...]) -> tuple[float, tuple[tuple[float, ...], ...]]:
        total = sum(abs(float(cosines[world, axis])) for world, axis in enumerate(axes))
        lines = (_facing(cosines[:, axis], world)[0] for world, axis in enumerate(axes))
        return round(total, 4), tuple(lines)

    first, second, third = max(itertools.permutations(range(3)), key=rank)
    return Orientation(
        axes=(first, second, third),
        flipped=(
            _facing(cosines[:, first], 0)[1],
            _facing(cosines[:, second], 1)[1],
            _facing(cosines[:, third], 2)[1],
        ),
    )


def _facing(direction: FloatArray, world: int) -> tuple[tuple[float, ...], bool]:
    """A direction turned to rise along world axis `world`, and whether that turned it round."""
    signs = [float(direction[axis]) for axis in (world, 0, 1, 2)]
    flip = next(sign for sign in signs if sign) < 0
    return tuple(float(-c if flip else c) + 0.0 for c in direction), flip


def require_same_grid(grid: Grid, other: Grid, *, what: str, other_what: str) -> None:
    """Raise GridMismatch (exit 5) unless both agree in shape and, within 1e-3 mm, in place."""
    if grid.shape != other.shape:
        raise GridMismatch(
            f"{what} has {grid.shape} voxels, {other_what} has {other.shape}.",
            hint="Both must lie on one grid; resample one onto the other first.",
        )
    distance = grid.corner_distance(other)
    if distance > SAME_GRID_TOLERANCE_MM:
        raise GridMismatch(
            f"{what} and {other_what} lie up to {distance:.3g} mm apart{_axes(grid, other)}.",
            hint="Both must lie on one grid; resample one onto the other first "
            "(leuko convert --like).",
        )


def _axes(grid: Grid, other: Grid) -> str:
    """That the arrays run in other directions, which alone sets equal voxels apart."""
    if not (grid.oriented and other.oriented):
        return ""
    codes = grid.orientation.code, other.orientation.code
    return "" if codes[0] == codes[1] else f", as their axes run to {codes[0]} and {codes[1]}"
