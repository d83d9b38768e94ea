"""Where a point of the fixed image lies in the moving one: linear maps and chains of maps.

Every transform maps world points (RAS, mm) of the fixed image to world points of the moving image.
That is the direction in which an image is resampled: for each voxel of the fixed grid the value is
looked up in the moving image.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

__all__ = ["Affine", "Composite", "Points", "Transform", "compose"]

Points = npt.NDArray[np.float64]

RIGID_TOLERANCE = 1e-6
ITERATIONS = 100  # of the matrix square root; it doubles its digits with each
ROOT_TOLERANCE = 1e-13


class Transform(ABC):
    """A map of world points (RAS, mm), fixed to moving."""

    __slots__ = ()

    @abstractmethod
    def apply_to_points(self, points: npt.ArrayLike) -> Points:
        """Moving-image points, shape (..., 3), of fixed-image points of shape (..., 3)."""

    @abstractmethod
    def inverse(self) -> Transform:
        """The map back, moving to fixed."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine(Transform):
    """A linear map as a 4x4 matrix: translation, rigid or affine."""

    matrix: Points

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.array_equal(matrix[3], (0, 0, 0, 1)):
            raise ValueError("an affine transform needs a 4x4 matrix whose last row is 0 0 0 1")
        if not np.isfinite(matrix).all() or np.linalg.det(matrix[:3, :3]) == 0.0:
            raise ValueError("the matrix of an affine transform must be finite and invertible")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Affine) and bool(np.array_equal(self.matrix, other.matrix))

    def __hash__(self) -> int:
        return hash(self.matrix.tobytes())

    def __repr__(self) -> str:
        shift = ", ".join(f"{value:.2f}" for value in self.matrix[:3, 3])
        kind = "rigid" if self.is_rigid else "affine"
        return f"Affine({kind}, {self.angle_degrees:.2f} degrees, shift {shift} mm)"

    @classmethod
    def identity(cls) -> Affine:
        """The map that moves nothing."""
        return cls(np.eye(4))

    @classmethod
    def translation(cls, shift: npt.ArrayLike) -> Affine:
        """A shift by (x, y, z) mm."""
        matrix = np.eye(4)
        matrix[:3, 3] = shift
        return cls(matrix)

    @classmethod
    def rigid(
        cls,
        *,
        degrees: npt.ArrayLike = (0.0, 0.0, 0.0),
        shift: npt.ArrayLike = (0.0, 0.0, 0.0),
        centre: npt.ArrayLike = (0.0, 0.0, 0.0),
    ) -> Affine:
        """Rotations about x, then y, then z through `centre` (mm), then a shift (mm)."""
        x, y, z = (_turn(axis, angle) for axis, angle in enumerate(np.radians(degrees).tolist()))
        middle = np.asarray(centre, dtype=np.float64)
        matrix = np.eye(4)
        matrix[:3, :3] = z @ y @ x
        matrix[:3, 3] = middle - matrix[:3, :3] @ middle + np.asarray(shift, dtype=np.float64)
        return cls(matrix)

    @property
    def is_rigid(self) -> bool:
        """Whether lengths and handedness are kept, within 1e-6."""
        linear = self.matrix[:3, :3]
        straight = np.abs(linear.T @ linear - np.eye(3)).max() <= RIGID_TOLERANCE
        return bool(straight and np.linalg.det(linear) > 0)

    @property
    def angle_degrees(self) -> float:
        """How far the closest rotation turns."""
        u, _, v = np.linalg.svd(self.matrix[:3, :3])
        cosine = (np.trace(u @ v) * np.sign(np.linalg.det(u @ v)) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))

    @property
    def shift_mm(self) -> tuple[float, float, float]:
        """Where the world's origin goes."""
        x, y, z = self.matrix[:3, 3].tolist()
        return (x, y, z)

    def apply_to_points(self, points: npt.ArrayLike) -> Points:
        """Moving-image points, shape (..., 3), of fixed-image points of shape (..., 3)."""
        given = np.asarray(points, dtype=np.float64)
        return np.asarray(given @ self.matrix[:3, :3].T + self.matrix[:3, 3])

    def inverse(self) -> Affine:
        """The map back; of a rigid map exactly rigid."""
        matrix = np.eye(4)
        linear = self.matrix[:3, :3]
        matrix[:3, :3] = linear.T if self.is_rigid else np.linalg.inv(linear)
        matrix[:3, 3] = -matrix[:3, :3] @ self.matrix[:3, 3]
        return Affine(matrix)

    def half(self) -> Affine:
        """The map that, done twice, is this one: the way to the space half-way between two scans.

        Denman-Beavers iteration of the matrix square root. Raises ValueError where there is none
        (a rotation by 180 degrees, a mirror image).
        """
        root, other = self.matrix, np.eye(4)
        for _ in range(ITERATIONS):
            try:
                following = (root + np.linalg.inv(other)) / 2
                other = (other + np.linalg.inv(root)) / 2
            except np.linalg.LinAlgError:
                break
            done = np.abs(following - root).max() <= ROOT_TOLERANCE * np.abs(following).max()
            root = following
            if done:
                break
        scale = np.abs(self.matrix).max()
        if not (np.isfinite(root).all() and np.abs(root @ root - self.matrix).max() < 1e-6 * scale):
            raise ValueError("this transform has no half-way: it mirrors, or turns by 180 degrees")
        root = np.array(root)
        root[3] = (0, 0, 0, 1)
        return Affine(root)


@dataclass(frozen=True, slots=True)
class Composite(Transform):
    """Maps done one after the other: the first of `parts` first."""

    parts: tuple[Transform, ...]

    def apply_to_points(self, points: npt.ArrayLike) -> Points:
        """Moving-image points, shape (..., 3), of fixed-image points of shape (..., 3)."""
        start = np.array(points, dtype=np.float64)
        return reduce(lambda where, part: part.apply_to_points(where), self.parts, start)

    def inverse(self) -> Composite:
        """The map back: the inverses in reverse order."""
        return Composite(tuple(part.inverse() for part in reversed(self.parts)))


def compose(first: Transform, *then: Transform) -> Transform:
    """`first` and `then` one after the other; neighbouring linear maps become one matrix."""
    parts: list[Transform] = []
    for transform in (first, *then):
        for part in transform.parts if isinstance(transform, Composite) else (transform,):
            before = parts[-1] if parts else None
            if isinstance(part, Affine) and isinstance(before, Affine):
                parts[-1] = Affine(part.matrix @ before.matrix)
            else:
                parts.append(part)
    return parts[0] if len(parts) == 1 else Composite(tuple(parts))


def _turn(axis: int, angle: float) -> Points:
    """Rotation matrix by `angle` (radians) about a world axis."""
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[one, one] = matrix[two, two] = np.cos(angle)
    matrix[two, one] = np.sin(angle)
    matrix[one, two] = -matrix[two, one]
    return matrix
