"""From a canonical array to a picture: radiological convention, true proportions, grey values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.image.grid import Grid
from leuko.image.image import to_canonical

__all__ = ["Scan", "Window", "plane_letters", "plane_of", "window"]

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

MIDDLE = 0.6  # of the head's extent: inside the skull
SAMPLE = 4  # window and head box are measured on every fourth voxel in each direction


@dataclass(frozen=True, slots=True)
class Window:
    """Values shown black and white."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What pictures are made from, all in canonical axes (right, anterior, superior).

    `classes[label]` is 0 outside and 1, 2, 3 in small, medium and large lesions; `box` is the
    head: first and last index along each axis; `ends` are the first and last slices across each
    axis that hold enough brain to be worth a picture.
    """

    data: npt.NDArray[np.generic]
    labels: npt.NDArray[np.integer]
    classes: npt.NDArray[np.uint8]
    spacing: tuple[float, float, float]
    oriented: bool
    window: Window
    box: Box
    ends: Box

    @property
    def empty(self) -> bool:
        """There is no lesion to outline."""
        return not self.classes.any()

    @classmethod
    def of(
        cls,
        data: npt.NDArray[np.generic],
        *,
        labels: npt.NDArray[np.integer],
        classes: npt.NDArray[np.uint8],
        brain: npt.NDArray[np.generic] | None,
        grid: Grid,
    ) -> Scan:
        """From arrays with the file's axes; `brain` is not zero in the brain, or None."""
        canonical = to_canonical(data, grid)
        coarse = np.asarray(_coarse(canonical), dtype=np.float32)
        head = coarse > _head_threshold(coarse)
        box = _box(head, canonical.shape, share=0.02)
        inside = head if brain is None else _coarse(to_canonical(brain, grid)) != 0
        middle = head & _middle(box, canonical.shape) if brain is None else inside
        return cls(
            data=canonical,
            labels=to_canonical(labels, grid),
            classes=classes,
            spacing=grid.canonical().spacing,
            oriented=grid.oriented,
            window=window(coarse[middle] if middle.any() else coarse.ravel()),
            box=box,
            ends=_box(inside if inside.any() else head, canonical.shape, share=0.10),
        )


def plane_of(volume: npt.NDArray[np.generic], *, axis: int, index: int) -> npt.NDArray[np.generic]:
    """The slice at `index` of canonical `axis` as rows and columns of a picture.

    Both remaining axes run downwards and leftwards: axial and coronal pictures have the patient's
    left on their right, sagittal ones the front on their left; superior or anterior is on top.
    """
    where = tuple(index if other == axis else slice(None) for other in range(3))
    return volume[where][::-1, ::-1].T


def plane_letters(axis: int) -> tuple[str, str]:
    """What lies left and what lies right in a picture across canonical `axis`."""
    return ("anterior", "posterior") if axis == 0 else ("right", "left")


def window(values: npt.NDArray[np.float32]) -> Window:
    """Black at half of the brain's dark end, white a little above all but its brightest voxels."""
    if values.size == 0:
        return Window(0.0, 1.0)
    low, high = (float(value) for value in np.percentile(values, (1.0, 99.8)))
    low = low if low < 0 else 0.5 * low
    return Window(low, max(low + 1.1 * (high - low), low + 1e-6))


def _steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(SAMPLE if length >= 64 else 1 for length in shape)


def _coarse(volume: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return volume[tuple(slice(None, None, step) for step in _steps(volume.shape))]


def _middle(box: Box, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """An ellipsoid of the coarse grid that holds brain and little of skull and scalp."""
    squares: npt.NDArray[np.float64] = np.zeros((1, 1, 1))
    for axis, ((first, last), length, step) in enumerate(
        zip(box, shape, _steps(shape), strict=True)
    ):
        half = max(MIDDLE * (last - first + 1) / 2, 1.0)
        along = ((np.arange(0, length, step) - (first + last) / 2) / half) ** 2
        squares = squares + np.expand_dims(along, tuple(k for k in range(3) if k != axis))
    return squares <= 1


def _head_threshold(values: npt.NDArray[np.float32]) -> float:
    low, high = np.percentile(values, (1.0, 99.0))
    return float(low + 0.12 * (high - low))


def _box(head: npt.NDArray[np.bool_], shape: tuple[int, ...], *, share: float) -> Box:
    """First and last index along each axis where the plane holds `share` of the fullest one's."""
    ranges = []
    for axis, (step, length) in enumerate(zip(_steps(shape), shape, strict=True)):
        others = tuple(other for other in range(3) if other != axis)
        held = head.sum(axis=others)
        full = np.flatnonzero(held > share * held.max(initial=0))
        if full.size == 0:
            ranges.append((0, length - 1))
        else:
            first, last = int(full[0]) * step - step, int(full[-1]) * step + step
            ranges.append((max(first, 0), min(last, length - 1)))
    return (ranges[0], ranges[1], ranges[2])
