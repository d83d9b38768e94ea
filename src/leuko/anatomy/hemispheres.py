"""Left and right: the mid-sagittal plane, fitted to the mirror symmetry of a head's own anatomy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.anatomy.symmetry import fit_mirror

__all__ = [
    "LEFT",
    "MIDLINE",
    "MIDLINE_MM",
    "RIGHT",
    "UNKNOWN",
    "MidsagittalPlane",
    "fit_midsagittal_plane",
    "right_of_plane",
    "sides",
]

UNKNOWN, LEFT, RIGHT, MIDLINE = 0, 1, 2, 3  # values of the array of sides
MIDLINE_MM = 1.5  # voxel centres this near to the plane belong to neither side

Triple = tuple[float, float, float]
Labels = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MidsagittalPlane:
    """The plane x = a + b y + c z, in mm along the canonical axes from the first voxel's centre.

    x rises to the patient's right. `asymmetry` is the mean squared difference of the tissue maps
    and their mirror images, 0 for a perfectly symmetric head.
    """

    a: float
    b: float
    c: float
    asymmetry: float

    def distance_mm(self, shape: tuple[int, ...], *, spacing: Triple) -> FloatArray:
        """Signed distance in mm of every voxel of a canonical array; positive on the right."""
        x, plane = self._places(shape, spacing)
        scale = np.float32(1.0 / np.sqrt(1.0 + self.b**2 + self.c**2))
        return (x - plane) * scale

    def right_of(self, shape: tuple[int, ...], *, spacing: Triple) -> npt.NDArray[np.bool_]:
        """Where the distance is above 0, without computing it."""
        x, plane = self._places(shape, spacing)
        return x > plane

    def _places(self, shape: tuple[int, ...], spacing: Triple) -> tuple[FloatArray, FloatArray]:
        """Voxels in mm along x, (X, 1, 1), and where the plane lies there, (Y, Z)."""
        x, y, z = (
            np.arange(size, dtype=np.float32) * np.float32(step)
            for size, step in zip(shape, spacing, strict=True)
        )
        plane = np.float32(self.a) + np.float32(self.b) * y[:, None] + np.float32(self.c) * z
        return x[:, None, None], plane


def sides(
    anatomy: Labels, spacing: Triple, *, plane: MidsagittalPlane | None = None
) -> npt.NDArray[np.uint8]:
    """The side of every voxel: 1 left, 2 right, 3 within 1.5 mm of the mid-sagittal plane.

    Voxels outside the brain have a side as well, so that volumes by side add up; everything is 0
    (unknown) where no plane can be fitted.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes: the first rises to the right.
        spacing: mm between voxels along each axis.
        plane: the fitted plane where it is known already.
    """
    plane = plane or fit_midsagittal_plane(anatomy, spacing=spacing)
    if plane is None:
        return np.zeros(anatomy.shape, dtype=np.uint8)
    distance = plane.distance_mm(anatomy.shape, spacing=spacing)
    found = np.add(distance > MIDLINE_MM, np.uint8(LEFT), dtype=np.uint8)  # 1 left, 2 right
    found[np.abs(distance) <= MIDLINE_MM] = MIDLINE
    return found


def right_of_plane(
    shape: tuple[int, ...], *, spacing: Triple, plane: MidsagittalPlane
) -> npt.NDArray[np.bool_]:
    """Which voxels of a canonical array lie on the right, without a midline between."""
    return plane.right_of(shape, spacing=spacing)


def fit_midsagittal_plane(anatomy: Labels, *, spacing: Triple) -> MidsagittalPlane | None:
    """The mid-sagittal plane of a head; None where there is too little brain to tell.

    Args:
        anatomy: tissues (values of `Tissue`), canonical axes: the first rises to the right.
        spacing: mm between voxels along each axis.
    """
    mirror = fit_mirror(anatomy, spacing=spacing)
    if mirror is None:
        return None
    return MidsagittalPlane(
        a=round(mirror.a, 4),
        b=round(mirror.b, 6),
        c=round(mirror.c, 6),
        asymmetry=round(mirror.asymmetry, 6),
    )
