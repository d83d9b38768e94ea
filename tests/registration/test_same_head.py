"""Two scans of one head: headers that are right, that are a little off, and that are no help."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leuko.formats.read import read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.registration.same_head import register_same_head


@pytest.fixture(scope="module")
def pair(shared_data: Path) -> tuple[Image, Image]:
    folder = shared_data / "wmh" / "tabriz" / "105465"
    return read_scan(folder / "flair.nii.gz"), read_scan(folder / "t1.nii.gz")


def moved(image: Image, matrix: np.ndarray) -> Image:
    return Image(image.data, Grid(image.grid.shape, matrix @ image.grid.affine))


def flipped(image: Image, axis: int) -> Image:
    """The same image stored the other way round along an array axis."""
    affine = image.grid.affine.copy()
    affine[:3, 3] += affine[:3, axis] * (image.grid.shape[axis] - 1)
    affine[:3, axis] *= -1
    return Image(np.flip(image.data, axis).copy(), Grid(image.grid.shape, affine))


def test_headers_that_are_right_are_believed(pair: tuple[Image, Image]) -> None:
    """The T1's array is mirrored against the FLAIR's: only the affines say how they lie."""
    flair, t1 = pair
    assert flair.grid.orientation.code != t1.grid.orientation.code
    found = register_same_head(flair, t1)
    assert found.how == "header"
    np.testing.assert_array_equal(found.transform.matrix, np.eye(4))
    assert found.findings == ()


def test_a_head_that_moved_between_the_scans_is_found_near_the_headers_word(
    pair: tuple[Image, Image],
) -> None:
    flair, t1 = pair
    shift = np.eye(4)
    shift[:3, 3] = (5.0, -3.0, 4.0)
    found = register_same_head(flair, moved(t1, shift))
    assert found.how == "near"
    np.testing.assert_allclose(found.transform.matrix, shift, atol=0.6)
    assert found.moved_mm == pytest.approx(np.sqrt(50), abs=0.6)
    assert found.findings == ()


def test_the_order_of_either_files_axes_changes_not_one_bit(pair: tuple[Image, Image]) -> None:
    flair, t1 = pair
    shift = np.eye(4)
    shift[:3, 3] = (5.0, -3.0, 4.0)
    away = moved(t1, shift)
    found = register_same_head(flair, away)
    again = register_same_head(flipped(flair, 2), flipped(flipped(away, 0), 1))
    np.testing.assert_array_equal(again.transform.matrix, found.transform.matrix)


def test_a_head_far_from_the_headers_word_is_searched_for(pair: tuple[Image, Image]) -> None:
    flair, t1 = pair
    shift = np.eye(4)
    shift[:3, 3] = (60.0, -80.0, 50.0)
    found = register_same_head(flair, moved(t1, shift))
    assert found.how == "search"
    np.testing.assert_allclose(found.transform.matrix, shift, atol=1.5)
    assert found.findings == ()
