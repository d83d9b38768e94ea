"""Slices that were lost are found, and bridged for whoever cannot do with a gap."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.preparation.missing_slices import bridged, missing_slices


def scan() -> np.ndarray:
    """Slices of air outside; in the third to ninth of ten the pixels are n and 2 n."""
    data = np.zeros((4, 5, 10), dtype=np.int16)
    for index in range(2, 9):
        data[:2, :, index], data[2:, :, index] = 10 * index, 20 * index
    return data


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_only_slices_between_others_are_missing(axis: int) -> None:
    data = scan()
    data[..., [4, 6, 7]] = 0
    turned = np.moveaxis(data, 2, axis)
    assert missing_slices(turned, axis=axis) == (4, 6, 7)
    assert missing_slices(np.moveaxis(scan(), 2, axis), axis=axis) == ()


def test_an_image_without_signal_misses_nothing() -> None:
    assert missing_slices(np.zeros((3, 3, 3)), axis=1) == ()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_missing_slices_are_drawn_between_their_neighbours(axis: int) -> None:
    data = scan()
    data[..., [4, 6, 7]] = 3
    turned = np.moveaxis(data, 2, axis)
    assert np.allclose(
        np.moveaxis(scan(), 2, axis), bridged(turned, planes=(4, 6, 7), axis=axis), atol=1e-4
    )
    assert (np.moveaxis(turned, axis, 2)[..., 4] == 3).all()  # the scan itself stays as it is
