"""A head that moves while its slices are scanned, line by line of k-space.

The head takes a few poses, one after the other, at times drawn by chance. Each line is read from
the head in the pose of its time; all slices of a package (every other thick slice, or all of a
volume) share times. What is simulated is the motion within the planes.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from leuko.image.image import Image

__all__ = ["Order", "moved_stack", "moved_while_scanned"]

# In shots every 12th line is read at one time, as multi-slice scans do; else one after the other.
Order = Literal["shots", "rising"]
FloatArray = npt.NDArray[np.float64]

SHOTS = 12
POSES = 5  # that a head takes in a package
THICK_MM = 2.5
INSTANTS = 1000


def moved_while_scanned(
    image: Image, *, amount: float, axis: int, order: Order, seed: int
) -> Image:
    """A scan in canonical axes with slices along the third; lines follow each other along `axis`.

    `amount` is the root mean square of the shift in mm and of the turn in degrees. What is exactly
    0 stays so: where a scan was extracted, its motion was before that.
    """
    data = np.asarray(image.data, dtype=np.float32)
    moved = moved_stack(
        np.moveaxis(data, 2, 0),
        spacing=(image.grid.spacing[0], image.grid.spacing[1]),
        amount=amount,
        axis=axis,
        order=order,
        seed=seed,
        packages=2 if image.grid.spacing[2] > THICK_MM else 1,
    )
    return image.with_data(np.ascontiguousarray(np.moveaxis(moved, 0, 2)))


def moved_stack(
    planes: npt.NDArray[np.float32],
    *,
    spacing: tuple[float, float],
    amount: float,
    axis: int,
    order: Order,
    seed: int,
    packages: int,
) -> npt.NDArray[np.float32]:
    """`moved_while_scanned` for planes (planes, rows, columns); `axis` 0 is along rows."""
    turned = planes if axis == 0 else np.swapaxes(planes, 1, 2)
    sides = np.array(spacing if axis == 0 else spacing[::-1])
    poses = _poses(turned.shape[1], amount, order, seed, packages)
    out = np.empty(turned.shape, dtype=np.float32)
    for index, plane in enumerate(turned):
        out[index] = _read(plane, poses[index % packages], sides)
    moved = out if axis == 0 else np.swapaxes(out, 1, 2)
    if np.mean(planes == 0) > 0.3:
        moved = np.where(planes == 0, np.float32(0), moved)
    return np.ascontiguousarray(moved)


def _poses(lines: int, amount: float, order: Order, seed: int, packages: int) -> FloatArray:
    """Shifts in mm and turn in degrees (packages, lines, 3) for each line of k-space."""
    draw = np.random.default_rng(seed)
    count = POSES * packages
    changes = np.sort(draw.uniform(0, INSTANTS * packages, count - 1))
    pose = draw.normal(size=(count, 3))[np.searchsorted(changes, np.arange(INSTANTS * packages))]
    pose -= pose.mean(axis=0)
    pose *= amount / np.sqrt((pose**2).mean(axis=0)) * np.array([0.5**0.5, 0.5**0.5, 1.0])
    line = np.arange(lines)
    share = (line + 0.5) / lines if order == "rising" else (line % SHOTS + 0.5) / SHOTS
    instant = (share * INSTANTS).astype(np.intp)
    return np.stack([pose[package * INSTANTS + instant] for package in range(packages)])


def _read(
    plane: npt.NDArray[np.float32], poses: FloatArray, sides: FloatArray
) -> npt.NDArray[np.float64]:
    """One slice, its lines (along the first axis) read from the head in their poses."""
    order = np.fft.ifftshift(poses, axes=0)
    smooth = ndimage.spline_filter(plane, order=3, output=np.float32)
    centre = (np.array(plane.shape) - 1) / 2
    spectrum = np.zeros(plane.shape, dtype=np.complex64)
    for pose in np.unique(order, axis=0):
        lines = (order == pose).all(axis=1)
        angle = np.deg2rad(pose[2])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turn = turn * sides[None, :] / sides[:, None]
        seen = ndimage.affine_transform(
            smooth, turn, centre - turn @ centre + pose[:2] / sides, order=3, prefilter=False
        )
        spectrum[lines] = np.fft.fft2(seen)[lines]
    return np.asarray(np.abs(np.fft.ifft2(spectrum)))
