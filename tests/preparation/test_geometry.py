from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.preparation.geometry import Geometry, plan, to_pixels, to_voxels

SPACINGS = [
    (1.0, 1.0, 1.0),
    (0.9, 0.9, 6.5),
    (0.5, 0.5, 3.0),
    (0.43, 0.61, 5.0),
    (2.0, 2.0, 2.0),
    (4.0, 0.7, 0.9),
    (0.8, 5.0, 0.8),
]


def geometry_for(
    spacing: tuple[float, float, float],
    *,
    shape: tuple[int, int, int] | None = None,
    box: tuple[tuple[int, int], ...] | None = None,
) -> Geometry:
    if shape is None:
        shape = (round(90 / spacing[0]), round(100 / spacing[1]), round(80 / spacing[2]))
    widest = int(np.argmax(spacing)) if max(spacing) > 2.5 else 2
    if box is None:
        box = tuple((0, n) for n in shape)
    return plan(shape, spacing=spacing, slice_axis=widest, box=box, pixel_mm=0.8)


def blob(
    geometry: Geometry, centre_mm: tuple[float, float, float], width_mm: float
) -> npt.NDArray[np.float64]:
    """A Gaussian around a point in mm (voxel 0 at 0 mm)."""
    axes = [
        np.exp(-(((np.arange(n) * mm - c) / width_mm) ** 2) / 2)
        for n, mm, c in zip(geometry.shape, geometry.spacing, centre_mm, strict=True)
    ]
    return axes[0][:, None, None] * axes[1][:, None] * axes[2]


def centre_mm(image: npt.NDArray[np.floating], spacing: tuple[float, ...]) -> np.ndarray:
    grids = np.meshgrid(*(np.arange(n) * mm for n, mm in zip(image.shape, spacing, strict=True)),
                        indexing="ij", sparse=True)  # fmt: skip
    return np.array([float((g * image).sum() / image.sum()) for g in grids])


@given(
    spacing=st.sampled_from(SPACINGS),
    offset=st.tuples(*[st.floats(-8.0, 8.0)] * 3),
    box=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_blob_comes_back_to_its_place(
    spacing: tuple[float, float, float], offset: tuple[float, float, float], box: bool
) -> None:
    """Half a voxel of mistake anywhere would be 0.2 mm and more."""
    geometry = geometry_for(spacing)
    if box:
        cut = tuple((max(0, round(n * 0.08)), n - round(n * 0.11)) for n in geometry.shape)
        geometry = geometry_for(spacing, box=cut)
    middle = [(n - 1) / 2 * mm for n, mm in zip(geometry.shape, spacing, strict=True)]
    place = (middle[0] + offset[0], middle[1] + offset[1], middle[2] + offset[2])
    there = to_pixels(blob(geometry, place, 4.0), geometry, kernel="cubic")
    back = to_voxels(there, geometry, kernel="linear")
    before = centre_mm(blob(geometry, place, 4.0), spacing)
    in_plane = [axis for axis in range(3) if axis != geometry.slice_axis]
    np.testing.assert_allclose(
        centre_mm(back.astype(float), spacing)[in_plane], before[in_plane], atol=0.02
    )


@pytest.mark.parametrize("spacing", SPACINGS)
def test_pixels_show_what_lies_at_their_place(spacing: tuple[float, float, float]) -> None:
    """The blob's centre in the stack, by the axes' own arithmetic, is where it was put."""
    geometry = geometry_for(spacing)
    middle = [(n - 1) / 2 * mm for n, mm in zip(geometry.shape, spacing, strict=True)]
    stack = to_pixels(
        blob(geometry, (middle[0] + 3, middle[1] - 5, middle[2]), 5.0), geometry, kernel="cubic"
    )
    slice_mm = spacing[geometry.slice_axis]
    found = centre_mm(stack.astype(float), (slice_mm, 1.0, 1.0))[1:]
    rows, columns = (a for a in range(3) if a != geometry.slice_axis)
    expected = np.array([middle[0] + 3, middle[1] - 5, middle[2]])[[rows, columns]]
    voxels = [
        float(axis.voxel_of(np.array([pixel]))[0]) * spacing[a]
        for axis, pixel, a in zip(
            (geometry.rows, geometry.columns), found, (rows, columns), strict=True
        )
    ]
    np.testing.assert_allclose(voxels, expected, atol=0.02)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9, 0.9, 6.5), (0.5, 0.5, 3.0)])
def test_small_lesions_survive_the_way_there_and_back(
    spacing: tuple[float, float, float],
) -> None:
    geometry = geometry_for(spacing)
    random = np.random.default_rng(3)
    mask = np.zeros(geometry.shape)
    side = max(2, round(2.5 / spacing[0]))
    for _ in range(30):
        i, j, k = (int(random.integers(8, n - 8)) if n > 20 else int(random.integers(n))
                   for n in geometry.shape)  # fmt: skip
        mask[i : i + side, j : j + side, k] = 1.0
    back = to_voxels(to_pixels(mask, geometry, kernel="linear"), geometry, kernel="linear")
    recovered = back > 0.4
    dice = 2 * (recovered & (mask > 0)).sum() / (recovered.sum() + mask.sum())
    assert dice > 0.85


def test_labels_come_back_as_they_were() -> None:
    geometry = geometry_for((1.0, 1.0, 1.0))
    labels = np.zeros(geometry.shape, dtype=np.uint8)
    labels[10:50, 20:70, :] = 4
    labels[20:30, 30:40, :] = 7
    stack = to_pixels(labels, geometry, kernel="nearest")
    assert set(np.unique(stack)) == {0.0, 4.0, 7.0}
    np.testing.assert_array_equal(to_voxels(stack, geometry, kernel="nearest"), labels)


def test_the_stack_has_multiples_of_sixteen_and_the_slices_of_the_box() -> None:
    geometry = geometry_for((0.9, 0.9, 6.5), box=((10, 90), (5, 100), (1, 9)))
    n, height, width = geometry.stack_shape
    assert 8 == n
    assert (0, 0) == (height % 16, width % 16)
    assert height * 0.8 >= 80 * 0.9
    assert to_pixels(np.ones(geometry.shape), geometry, kernel="linear").shape == (n, height, width)


def test_padding_shows_the_scan_and_beyond_it_nothing() -> None:
    geometry = geometry_for((0.8, 0.8, 3.0), shape=(70, 60, 5), box=((20, 50), (0, 60), (0, 5)))
    stack = to_pixels(np.ones(geometry.shape), geometry, kernel="cubic")
    assert (stack[:, :, 2:-2] == 1.0).all()  # rows: more scan; columns: 60 of 64 pixels
    assert not stack[:, :, :2].any()
    assert not stack[:, :, -2:].any()


def test_nothing_is_found_beyond_the_stack() -> None:
    geometry = geometry_for((1.0, 1.0, 1.0), box=((30, 50), (30, 60), (10, 20)))
    back = to_voxels(np.ones(geometry.stack_shape), geometry, kernel="linear")
    assert back[30:50, 30:60, 10:20].min() == pytest.approx(1.0)
    assert not back[:, :, :10].any()
    assert not back[:, :, 20:].any()
    assert not back[:15].any()
