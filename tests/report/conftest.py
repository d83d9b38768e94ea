"""A small head with known lesions, in any order of axes, and everything a report is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leuko.findings import Finding, Severity
from leuko.image.grid import Grid
from leuko.image.image import Image, Source, from_canonical
from leuko.progress import Step
from leuko.quantify.burden import Burden, SizeShare, SliceBurden
from leuko.quantify.lesions import Lesion, Side, SizeClass
from leuko.report.compose import document
from leuko.report.document import Document

SHAPE = (60, 72, 40)  # canonical: right, anterior, superior
SPACING = (2.0, 2.0, 3.0)
NO_SHARE = SizeShare(0, 0.0, 0.0)


@dataclass(frozen=True)
class Case:
    """The arguments of `document`."""

    image: Image
    rest: dict[str, Any]

    def document(self, **changes: Any) -> Document:
        return document(self.image, **{**self.rest, **changes})


def affine(code: str) -> npt.NDArray[np.float64]:
    """The affine of a grid of the head whose array axes run towards the letters of `code`."""
    canonical_origin = -np.array(SPACING) * (np.array(SHAPE) - 1) / 2
    matrix = np.eye(4)
    origin = canonical_origin.copy()
    for axis, letter in enumerate(code):
        world = "RLAPSI".index(letter) // 2
        sign = 1 if letter in "RAS" else -1
        matrix[:3, axis] = 0
        matrix[world, axis] = sign * SPACING[world]
        if sign < 0:
            origin[world] = -canonical_origin[world]
    matrix[:3, 3] = origin
    return matrix


def grid(code: str, *, oriented: bool = True) -> Grid:
    lengths = [SHAPE["RLAPSI".index(letter) // 2] for letter in code]
    return Grid((lengths[0], lengths[1], lengths[2]), affine(code), oriented)


def head() -> npt.NDArray[np.float32]:
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    return np.where(radius < 0.95, 100 + 10 * np.cos(9 * y), 0).astype(np.float32)


def build(
    *boxes: tuple[slice, slice, slice],
    code: str = "RAS",
    oriented: bool = True,
    anatomy: bool = True,
) -> Case:
    """A head with a lesion in each canonical box, stored with the axes of `code`."""
    space = grid(code, oriented=oriented)
    values, labels = head(), np.zeros(SHAPE, np.int32)
    ordered = sorted(boxes, key=lambda box: -labels[box].size)
    for number, box in enumerate(ordered, start=1):
        labels[box] = number
        values[box] = 190

    def stored(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.ascontiguousarray(from_canonical(array, space) if oriented else array)

    image = Image(stored(values), space, Source("case.nii.gz", "nifti", "ab" * 32))
    table = tuple(_lesion(labels, number, space) for number in range(1, len(boxes) + 1))
    rest: dict[str, Any] = {
        "mask": image.with_data(stored((labels > 0).astype(np.uint8))),
        "labels": image.with_data(stored(labels)),
        "anatomy": image.with_data(stored((head() > 0).astype(np.uint8))) if anatomy else None,
        "table": table,
        "burden": _burden(stored(labels), table, space, anatomy=anatomy),
        "findings": (),
        "steps": (Step("threshold", 0.0123, {"threshold": 0.45, "voxels": 12}),),
        "provenance": {
            "version": "1.2.3",
            "time": "2026-11-21T03:12:44+00:00",
            "weights_sha256": "cd" * 32,
            "parameters": {"min_lesion_mm3": 3.0},
        },
        "definition": "vascular",
    }
    return Case(image, rest)


def _lesion(labels: npt.NDArray[np.int32], number: int, space: Grid) -> Lesion:
    where = np.argwhere(labels == number)
    centre = space.canonical().to_world(where.mean(axis=0))
    volume = len(where) * space.voxel_mm3
    size = SizeClass.SMALL if volume < 10 else SizeClass.MEDIUM if volume < 100 else SizeClass.LARGE
    side = Side.UNKNOWN if not space.oriented else Side.RIGHT if centre[0] > 0 else Side.LEFT
    return Lesion(
        label=number,
        volume_mm3=volume,
        voxels=len(where),
        centre_mm=(float(centre[0]), float(centre[1]), float(centre[2])),
        size_class=size,
        side=side,
        region="deep",
        distance_to_ventricles_mm=None,
        mean_z=2.5,
        confidence=0.9,
    )


def _burden(
    labels: npt.NDArray[np.int32], table: tuple[Lesion, ...], space: Grid, *, anatomy: bool
) -> Burden:
    axis = space.orientation.axes[2] if space.oriented else 2
    others = tuple(other for other in range(3) if other != axis)
    slices = []
    for index, voxels in enumerate(np.count_nonzero(labels, axis=others)):
        centre = [(length - 1) / 2 for length in space.shape]
        centre[axis] = index
        position = float(space.to_world(centre)[2])
        slices.append(
            SliceBurden(index, position, int(voxels), float(voxels * space.voxel_mm3 / 1000))
        )
    count, total = len(table), sum(lesion.volume_mm3 for lesion in table) / 1000

    def share(size: SizeClass) -> SizeShare:
        held = [lesion.volume_mm3 for lesion in table if lesion.size_class is size]
        return SizeShare(len(held), len(held) / count if count else 0.0, sum(held) / 1000)

    def side(name: Side) -> float | None:
        if not (space.oriented and anatomy):
            return None
        return float(sum(lesion.volume_mm3 for lesion in table if lesion.side is name) / 1000)

    return Burden(
        volume_ml=total,
        volume_mm3=total * 1000,
        volume_voxels=int(np.count_nonzero(labels)),
        lesion_count=count,
        lesion_count_6_connected=count,
        small=share(SizeClass.SMALL),
        medium=share(SizeClass.MEDIUM),
        large=share(SizeClass.LARGE),
        left_ml=side(Side.LEFT),
        right_ml=side(Side.RIGHT),
        midline_ml=0.0 if side(Side.LEFT) is not None else None,
        white_matter_percent=100 * total / 500 if anatomy else None,
        brain_percent=100 * total / 1200 if anatomy else None,
        icv_percent=None,
        white_matter_ml=500.0 if anatomy else None,
        brain_ml=1200.0 if anatomy else None,
        ventricles_ml=31.26 if anatomy else None,
        icv_ml=None,
        most_affected_slice=max(slices, key=_most) if count else None,
        slice_axis=axis,
        slices=tuple(slices),
        largest_lesion_mm3=table[0].volume_mm3 if table else 0.0,
        region_ml=(("periventricular", 0.0), ("deep", total)) if anatomy else (),
    )


def _most(item: SliceBurden) -> tuple[int, float]:
    """Most voxels; of equal slices the lower one, whatever the order in the file."""
    return (item.voxels, -item.position_mm)


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    """A head with a lesion in each canonical box (slices of right, anterior, superior axes)."""
    return build


@pytest.fixture(scope="session")
def left_box() -> tuple[slice, slice, slice]:
    """A lesion of the patient's left, in front of and above the middle."""
    return (slice(10, 16), slice(44, 52), slice(25, 28))


@pytest.fixture(scope="session")
def some_case(left_box: tuple[slice, slice, slice]) -> Case:
    """A head with three lesions, two of them on the left."""
    return build(left_box, (slice(40, 42), slice(20, 22), slice(22, 23)), (slice(20, 21),) * 3)


@pytest.fixture(scope="session")
def some_page(some_case: Case) -> Document:
    return some_case.document()


@pytest.fixture(scope="session")
def empty_case() -> Case:
    """A head without a lesion."""
    return build()


@pytest.fixture(scope="session")
def empty_page(empty_case: Case) -> Document:
    return empty_case.document()


@pytest.fixture(scope="session")
def warning() -> Finding:
    return Finding("scan.cut", Severity.WARNING, "The top of the brain is cut.", "Scan it again.")
