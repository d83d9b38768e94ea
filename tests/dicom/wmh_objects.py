"""What tests of our DICOM objects share: a mask of one segment, makers, ways to lie in space."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from leuko.dicom import codes
from leuko.dicom.identity import Maker, encode, uid_of
from leuko.dicom.seg import Algorithm, Segment, segmentation
from leuko.image.grid import Grid
from leuko.image.image import Image

WHEN = datetime(2026, 3, 4, 5, 6, 7)
MAKER = Maker(version="0.1.0", serial="0123abcd")
ALGORITHM = Algorithm("leuko", "0.1.0", "threshold=0.5")
SIGNED_ORDERS = [
    (axes, signs)
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def wmh_segment(value: int = 1) -> Segment:
    return Segment(
        value,
        "White matter hyperintensities",
        codes.MORPHOLOGICALLY_ABNORMAL,
        codes.WMH,
        (230, 60, 60),
        "WMH",
        uid_of("tracking", "WMH"),
        site=codes.WHITE_MATTER,
    )


def wmh_object(mask: Image, headers: list[Dataset], **settings: Any) -> Dataset:
    given: dict[str, Any] = {
        "segments": [wmh_segment()], "algorithm": ALGORITHM, "maker": MAKER, "when": WHEN,
    }  # fmt: skip
    return segmentation(mask, headers=headers, **(given | settings))


def saved(dataset: Dataset, path: Path) -> Path:
    path.write_bytes(encode(dataset))
    return path


def speckled(grid: Grid, *, seed: int = 0) -> Image:
    """A mask without any symmetry."""
    random = np.random.default_rng(seed)
    return Image((random.random(grid.shape) > 0.8).astype(np.uint8), grid)


def reordered(image: Image, axes: tuple[int, int, int], signs: tuple[int, int, int]) -> Image:
    """The same image with its array axes permuted and flipped, and the affine that goes with it."""
    data = image.data.transpose(axes)
    affine = image.grid.affine.copy()
    affine[:3, :3] = affine[:3, list(axes)]
    for axis, sign in enumerate(signs):
        if sign < 0:
            data = np.flip(data, axis)
            affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
            affine[:3, axis] *= -1
    shape = (data.shape[0], data.shape[1], data.shape[2])
    return Image(np.ascontiguousarray(data), Grid(shape, affine))


def affine_of(
    rotation: npt.NDArray[np.float64], spacing: tuple[float, float, float]
) -> npt.NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = rotation * spacing
    affine[:3, 3] = (-31.5, 12.25, 40.125)
    return affine


def turned(x: float, y: float, z: float) -> npt.NDArray[np.float64]:
    """A rotation by degrees about the three axes."""
    made = np.eye(3)
    for axis, degrees in enumerate((x, y, z)):
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        one = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        one[i, i], one[i, j], one[j, i], one[j, j] = c, -s, s, c
        made = one @ made
    return made


# Columns: where a row, a column and the stack run, in RAS.
AXIAL = np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]])
SAGITTAL = np.array([[0, 0, -1.0], [-1.0, 0, 0], [0, -1.0, 0]])
CORONAL = np.array([[-1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
ORIENTATIONS = {
    "axial": AXIAL,
    "axial from above": AXIAL * (1, 1, -1),
    "sagittal": SAGITTAL,
    "coronal": CORONAL,
    "oblique": turned(17, -8, 5) @ AXIAL,
    "doubly oblique sagittal": turned(9, 21, -13) @ SAGITTAL,
}
SPACINGS = {"thick with gaps": (0.9, 0.9, 6.6), "fine": (0.45, 0.5, 0.7)}
