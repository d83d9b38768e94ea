"""Cuts, pads, flips and permutations by whole voxels: nothing moves in the world."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.errors import UnusableInput, UsageError
from leuko.image.crop import fitted, framed
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.image.reorient import reorient, reoriented_grid
from leuko.image.resample import resample

CODES = [
    "".join(letters)
    for axes in itertools.permutations(("RL", "AP", "SI"))
    for letters in itertools.product(*axes)
]


def oblique() -> Image:
    affine = np.array(
        [[0.9, 0.1, -0.2, 3.0], [-0.1, 1.1, 0.3, -7.0], [0.2, -0.3, 2.0, 5.0], [0, 0, 0, 1]]
    )
    data = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
    return Image(data, Grid((5, 6, 7), affine))


def places(image: Image) -> dict[int, tuple[float, ...]]:
    """World place of each value; values are unique."""
    world = image.grid.to_world(np.moveaxis(np.indices(image.grid.shape), 0, -1)).round(4) + 0.0
    flat = zip(image.data.ravel().tolist(), world.reshape(-1, 3).tolist(), strict=True)
    return {value: tuple(place) for value, place in flat}


@pytest.mark.parametrize("code", CODES)
def test_every_orientation_is_reached_and_no_voxel_moves(code: str) -> None:
    image = oblique()
    found = reorient(image, to=code)
    assert code == found.grid.orientation.code
    assert found.grid == reoriented_grid(image.grid, to=code)
    assert places(image) == places(found)
    back = reorient(found, to=image.grid.orientation.code)
    assert np.array_equal(image.data, back.data)


def test_a_fourth_axis_stays_the_last() -> None:
    image = oblique()
    series = Image(np.stack([image.data, image.data + 1000], axis=-1), image.grid)
    found = reorient(series, to="SLP")
    assert found.volumes == 2
    assert np.array_equal(reorient(image, to="SLP").data, found.data[..., 0])


@pytest.mark.parametrize("code", ["RAX", "RAR", "RA", "RASL", ""])
def test_letters_that_name_no_orientation_are_refused(code: str) -> None:
    with pytest.raises(UsageError, match="names no orientation"):
        reorient(oblique(), to=code)


def test_an_image_without_orientation_cannot_be_reoriented() -> None:
    image = Image(np.zeros((2, 2, 2)), Grid((2, 2, 2), np.eye(4), oriented=False))
    with pytest.raises(UnusableInput, match="does not say how it lies"):
        reorient(image)


@given(
    start=st.tuples(*[st.integers(-4, 8)] * 3),
    shape=st.tuples(*[st.integers(1, 9)] * 3),
)
@settings(max_examples=50, deadline=None)
def test_a_box_equals_resampling_onto_its_grid(
    start: tuple[int, int, int], shape: tuple[int, int, int]
) -> None:
    image = oblique()
    found = framed(image, start=start, shape=shape, fill=-1)
    expected = resample(image, onto=found.grid, kernel="nearest", fill=-1)
    assert np.array_equal(expected.data, found.data)
    assert found.data.dtype == image.data.dtype


def test_fitting_cuts_and_pads_around_the_middle() -> None:
    image = oblique()
    found = fitted(image, shape=(3, 8, 7), fill=-1)
    assert np.array_equal(image.data[1:4], found.data[:, 1:7])
    assert (found.data[:, [0, 7]] == -1).all()
    assert fitted(found, shape=(3, 6, 7)).grid.corner_distance(
        framed(image, start=(1, 0, 0), shape=(3, 6, 7)).grid
    ) == pytest.approx(0, abs=1e-9)


def test_the_extra_voxel_is_at_the_end() -> None:
    image = Image(np.arange(5.0)[:, None, None], Grid((5, 1, 1), np.eye(4)))
    assert fitted(image, shape=(4, 1, 1)).data.ravel().tolist() == [1, 2, 3, 4]
    assert fitted(image, shape=(6, 1, 1)).data.ravel().tolist() == [0, 1, 2, 3, 4, 0]


@pytest.mark.parametrize("shape", [(0, 1, 1), (1, 1), (10**5,) * 3])
def test_impossible_boxes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError):
        framed(oblique(), start=(0, 0, 0), shape=shape)
