"""Slices mean the body: flips and permutations of the file change nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from leuko.datasets.slices import Axis, from_slices, slice_at, slice_count, slices, stack
from leuko.errors import UsageError
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.image.reorient import reorient
from leuko.preparation.case import CasePlan, prepare_case

SHAPE = (4, 5, 6)  # right, anterior, superior
AXES: tuple[Axis, ...] = ("axial", "coronal", "sagittal")
CODES = [
    "".join(letters)
    for order in itertools.permutations(("RL", "AP", "SI"))
    for letters in itertools.product(*order)
]


def body() -> Image:
    """A value says where it is: 100 towards the top, 10 to the front, 1 to the right."""
    right, front, top = np.indices(SHAPE)
    data = (100 * top + 10 * front + right).astype(np.int16)
    return Image(data, Grid(SHAPE, np.diag([1.0, 2.0, 3.0, 1.0])))


@pytest.mark.parametrize("code", CODES)
def test_a_slice_is_the_same_whatever_the_order_of_the_file(code: str) -> None:
    image = reorient(body(), to=code)
    front, right = np.mgrid[0:5, 0:4]
    assert np.array_equal(slice_at(image, 2, axis="axial").data, 200 + 10 * front + right)
    top, right = np.mgrid[0:6, 0:4]
    assert np.array_equal(slice_at(image, 3, axis="coronal").data, 30 + 100 * top + right)
    top, front = np.mgrid[0:6, 0:5]
    assert np.array_equal(slice_at(image, 1, axis="sagittal").data, 1 + 100 * top + 10 * front)


@pytest.mark.parametrize("code", ["RAS", "LPS", "PIR"])
def test_counts_and_spacings_are_those_of_the_body(code: str) -> None:
    image = reorient(body(), to=code)
    assert [slice_count(image, axis=axis) for axis in AXES] == [6, 5, 4]
    spacings = [slice_at(image, 0, axis=axis).spacing for axis in AXES]
    assert spacings == [(2.0, 1.0), (3.0, 1.0), (3.0, 2.0)]
    assert [one.index for one in slices(image, axis="coronal")] == list(range(5))


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("code", ["RAS", "LPS", "PIR", "ILA"])
def test_slices_become_the_volume_again_in_the_files_own_axes(axis: Axis, code: str) -> None:
    image = reorient(body(), to=code)
    back = from_slices(stack(image, axis=axis), like=image, axis=axis)
    assert back.grid == image.grid
    assert np.array_equal(image.data, back.data)


@pytest.mark.parametrize("axis", AXES)
def test_slices_are_those_that_a_network_sees(axis: Axis) -> None:
    image = reorient(body(), to="PIR")
    case = prepare_case([image], plan=CasePlan(axis=axis, intensity="none"))
    assert np.array_equal(stack(image, axis=axis), case.image[0])


def test_a_series_has_its_volumes_first() -> None:
    image = body()
    series = Image(np.stack([image.data, image.data + 1000], axis=-1), image.grid)
    assert stack(series, axis="coronal").shape == (2, 5, 6, 4)
    one = slice_at(series, 3, axis="coronal")
    assert one.data.shape == (2, 6, 4)
    assert one.data[1, 0, 0] == 1030


def test_without_orientation_there_are_the_files_own_slices_only() -> None:
    image = Image(body().data, Grid(SHAPE, np.eye(4), oriented=False))
    assert np.array_equal(slice_at(image, 2, axis="axial").data, image.data[:, :, 2].T)
    with pytest.raises(UsageError, match="no coronal slices"):
        slice_at(image, 2, axis="coronal")


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError, match="slice 6 of 6 across the axial axis"):
        slice_at(body(), 6, axis="axial")
    with pytest.raises(UsageError, match="no axis 'oblique'"):
        slice_at(body(), 0, axis="oblique")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="do not make"):
        from_slices(np.zeros((4, 5, 6)), like=body(), axis="axial")
