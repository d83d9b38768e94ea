from __future__ import annotations

import itertools

import numpy as np
import pytest

from leuko.image.grid import Grid
from leuko.image.image import to_canonical
from leuko.models.channels import neighbour_distances
from leuko.preparation.prepare import head_box, prepare, slice_axis


def scan(shape: tuple[int, int, int] = (100, 120, 24)) -> np.ndarray:
    random = np.random.default_rng(5)
    axes = [np.linspace(-1.4, 1.4, n) for n in shape]
    inside = sum(g**2 for g in np.meshgrid(*axes, indexing="ij", sparse=True)) < 1
    return np.where(inside, random.normal(500.0, 40.0, shape), random.rayleigh(8.0, shape))


@pytest.mark.parametrize(
    ("spacing", "axis"),
    [
        ((1.0, 1.0, 1.0), 2),
        ((0.9, 0.9, 6.5), 2),
        ((5.0, 0.9, 0.9), 0),
        ((0.5, 4.0, 0.5), 1),
        ((1.2, 1.0, 1.0), 2),
        ((1.0, 1.0, 0.5), 2),
        ((2.0, 2.0, 2.0), 2),
    ],
)
def test_slices_lie_along_the_clearly_largest_spacing(
    spacing: tuple[float, float, float], axis: int
) -> None:
    assert axis == slice_axis(spacing)


@pytest.mark.parametrize(("mm", "slices"), [(1.0, 3), (0.7, 4), (2.0, 2), (3.0, 1), (8.0, 1)])
def test_neighbours_lie_at_a_physical_distance(mm: float, slices: int) -> None:
    assert (slices,) == neighbour_distances(mm, neighbours_mm=(3.0,))


def test_brain_becomes_one_and_slices_lead() -> None:
    prepared = prepare(scan(), spacing=(0.9, 0.9, 5.0), pixel_mm=0.8, neighbours_mm=(3.0,))
    assert prepared.slices.dtype == np.float32
    assert prepared.slices.shape == prepared.geometry.stack_shape
    middle = prepared.slices[len(prepared.slices) // 2]
    assert float(np.median(middle[middle > 0.5])) == pytest.approx(1.0, rel=0.03)
    assert prepared.slices.min() >= 0.0
    assert (2, (1,)) == (prepared.slice_axis, prepared.neighbours)


def test_the_box_holds_the_head_with_a_margin() -> None:
    data = scan((100, 120, 60))
    spacing = (1.0, 1.0, 2.0)
    box = head_box(data, spacing=spacing, level=500.0)
    head = np.argwhere(data > 300)
    for axis, (start, stop) in enumerate(box):
        assert start <= max(0, head[:, axis].min() - 6 / spacing[axis])
        assert stop >= min(data.shape[axis], head[:, axis].max() + 6 / spacing[axis])
    assert np.prod([stop - start for start, stop in box]) < 0.75 * data.size


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_an_image_of_one_value_is_prepared_whole(value: float) -> None:
    prepared = prepare(
        np.full((30, 30, 10), value), spacing=(1.0, 1.0, 4.0), pixel_mm=0.8, neighbours_mm=(3.0,)
    )
    assert 10 == len(prepared.slices)
    assert np.isfinite(prepared.slices).all()


def test_every_order_and_direction_of_the_files_axes_gives_the_same_stack() -> None:
    data = scan((40, 48, 12)).astype(np.float32)
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    expected = prepare(data, spacing=(1.0, 1.0, 4.0), pixel_mm=0.8, neighbours_mm=(3.0,))
    for axes in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            turned = data.transpose(axes)
            matrix = affine[:, [*axes, 3]].copy()
            for axis, flip in enumerate(flips):
                if flip:
                    turned = np.flip(turned, axis)
                    matrix[:3, 3] += matrix[:3, axis] * (turned.shape[axis] - 1)
                    matrix[:3, axis] *= -1
            shape = (turned.shape[0], turned.shape[1], turned.shape[2])
            grid = Grid(shape, matrix)
            found = prepare(
                to_canonical(np.ascontiguousarray(turned), grid),
                spacing=grid.canonical().spacing,
                pixel_mm=0.8,
                neighbours_mm=(3.0,),
            )
            assert expected.geometry == found.geometry
            np.testing.assert_array_equal(found.slices, expected.slices)


def test_sagittal_slices_show_the_other_two_axes_in_rising_order() -> None:
    data = np.zeros((6, 50, 40))
    data[3, 10:40, 5:35] = 100.0
    data[3, 30:40, 5:10] = 150.0
    prepared = prepare(
        data, spacing=(6.0, 1.0, 1.0), pixel_mm=1.0, neighbours_mm=(3.0,), level=100.0
    )
    assert 0 == prepared.slice_axis
    shown = prepared.slices[3 - prepared.geometry.first]
    bright = np.argwhere(shown > 1.3).mean(axis=0)
    all_of_it = np.argwhere(shown > 0.5).mean(axis=0)
    assert bright[0] > all_of_it[0]  # towards the front: rows
    assert bright[1] < all_of_it[1]  # low: columns
