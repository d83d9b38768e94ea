"""Which slices stand beside a slice as its channels."""

import numpy as np

from leuko.preparation.neighbours import with_neighbours


def numbered(channels: int, slices: int) -> np.ndarray:
    """An image (C, S, 1, 1) whose values are 10 * channel + slice."""
    values = 10 * np.arange(channels)[:, None] + np.arange(slices)
    return values.astype(np.float32)[:, :, None, None]


def test_each_channel_brings_its_neighbours_in_rising_order() -> None:
    found = with_neighbours(numbered(2, 5), 2, neighbours=1)
    assert found[:, 0, 0].tolist() == [1, 2, 3, 11, 12, 13]


def test_beyond_the_ends_the_outermost_slice_is_repeated() -> None:
    image = numbered(1, 3)
    assert with_neighbours(image, 0, neighbours=2)[:, 0, 0].tolist() == [0, 0, 0, 1, 2]
    assert with_neighbours(image, 2, neighbours=2)[:, 0, 0].tolist() == [0, 1, 2, 2, 2]


def test_without_neighbours_the_slice_itself_is_given() -> None:
    assert with_neighbours(numbered(2, 3), 1, neighbours=0)[:, 0, 0].tolist() == [1, 11]
