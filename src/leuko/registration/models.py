"""Families of linear maps with a few parameters in mm: translation, rigid, affine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from leuko.image.grid import Grid
from leuko.registration.transforms import Points

__all__ = ["LINEAR_METHODS", "LinearMethod", "Model"]

LinearMethod = Literal["translation", "rigid", "affine"]
LINEAR_METHODS: tuple[LinearMethod, ...] = ("translation", "rigid", "affine")
Vector = npt.NDArray[np.float64]

LEVER_MM = 70.0  # a rotation or stretch of 1/70 moves the edge of a head by a mm


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Changes of a linear map around `centre` (RAS mm, fixed space).

    Every parameter is worth about a mm at the edge of a head, so that one step length fits all.
    `axes` (3, 3) are unit vectors as columns: rotations and shifts are along them. In `flat`
    models (one slice) nothing leaves the plane of the first two.
    """

    method: LinearMethod
    centre: Points
    axes: Points
    flat: bool = False

    @classmethod
    def of(cls, method: LinearMethod, *, centre: Points, fixed: Grid) -> Model:
        """The family for a fixed image on `fixed`; of a single slice, only what is in its plane."""
        thin = [axis for axis in range(3) if fixed.shape[axis] == 1]
        if not thin:
            return cls(method, centre, np.eye(3))
        unit = fixed.affine[:3, :3] / np.linalg.norm(fixed.affine[:3, :3], axis=0)
        order = [axis for axis in range(3) if axis != thin[0]]
        normal = np.cross(unit[:, order[0]], unit[:, order[1]])
        second = np.cross(normal, unit[:, order[0]])
        axes = np.stack([unit[:, order[0]], second, normal], axis=1)
        return cls(method, centre, axes, flat=True)

    @property
    def count(self) -> int:
        """Number of parameters."""
        full = {"translation": 3, "rigid": 6, "affine": 12}
        flat = {"translation": 2, "rigid": 3, "affine": 6}
        return (flat if self.flat else full)[self.method]

    def matrix(self, parameters: Vector) -> Points:
        """The change as a 4x4 matrix; no change where all parameters are 0."""
        return self._placed(self._local(parameters)[0])

    def matrix_with_slopes(self, parameters: Vector) -> tuple[Points, Points]:
        """The matrix and its derivative for each parameter, (count, 4, 4)."""
        local, slopes = self._local(parameters)
        return self._placed(local), np.stack([self._placed(one, slope=True) for one in slopes])

    def _placed(self, local: Points, *, slope: bool = False) -> Points:
        """A 4x4 change in the model's own axes around its centre, in the world."""
        frame = np.eye(4)
        frame[:3, :3] = self.axes
        frame[:3, 3] = self.centre
        back = np.eye(4)
        back[:3, :3] = self.axes.T
        back[:3, 3] = -self.axes.T @ self.centre
        placed = frame @ local @ back
        placed[3] = (0, 0, 0, 0 if slope else 1)
        return np.asarray(placed)

    def _local(self, parameters: Vector) -> tuple[Points, list[Points]]:
        width = 2 if self.flat else 3
        shifts, rest = parameters[:width], parameters[width:]
        if self.method == "rigid":
            local, slopes = _rotation([2] if self.flat else [0, 1, 2], rest / LEVER_MM)
        else:
            local, slopes = np.eye(4), []
            pairs = [(i, j) for i in range(width) for j in range(width)] if rest.size else []
            for (i, j), value in zip(pairs, rest.tolist(), strict=True):
                local[i, j] += value / LEVER_MM
                slope = np.zeros((4, 4))
                slope[i, j] = 1 / LEVER_MM
                slopes.append(slope)
        moved = []
        for axis in range(width):
            slope = np.zeros((4, 4))
            slope[axis, 3] = 1.0
            moved.append(slope)
            local[axis, 3] = shifts[axis]
        return local, [*moved, *slopes]


def _rotation(axes: list[int], angles: Vector) -> tuple[Points, list[Points]]:
    """The product of rotations about `axes`, the first done first, and its derivatives."""
    turns, slopes = [], []
    for axis, angle in zip(axes, angles.tolist(), strict=True):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        cosine, sine = np.cos(angle), np.sin(angle)
        turn, slope = np.eye(4), np.zeros((4, 4))
        turn[one, one] = turn[two, two] = cosine
        turn[two, one], turn[one, two] = sine, -sine
        slope[one, one] = slope[two, two] = -sine / LEVER_MM
        slope[two, one], slope[one, two] = cosine / LEVER_MM, -cosine / LEVER_MM
        turns.append(turn)
        slopes.append(slope)
    results = []
    for changed in [None, *range(len(turns))]:
        product = np.eye(4)
        for k, turn in enumerate(turns):
            product = (slopes[k] if k == changed else turn) @ product
        results.append(product)
    return results[0], results[1:]
