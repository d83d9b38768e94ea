"""The numbers, checked by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.anatomy import hemispheres
from leuko.anatomy.tissues import TissueVolumes, measure_tissues
from leuko.image.grid import Grid
from leuko.image.image import to_canonical
from leuko.models.classes import Tissue
from leuko.quantify.burden import Burden, measure_burden
from leuko.quantify.lesions import (
    LesionTable,
    Side,
    SizeClass,
    label_lesions,
    measure_lesions,
    size_class,
    volume_of,
)

Triple = tuple[float, float, float]


def measure(
    mask: np.ndarray,
    spacing: Triple = (1.0, 1.0, 1.0),
    *,
    file_grid: Grid | None = None,
    slice_axis: int = 2,
    sides: np.ndarray | None = None,
    tissues: TissueVolumes | None = None,
    **maps: np.ndarray,
) -> tuple[LesionTable, Burden]:
    """Table and burden of a canonical mask."""
    grid = file_grid.canonical() if file_grid else Grid.from_spacing(mask.shape, spacing)
    labels, count = label_lesions(mask)
    table = measure_lesions(labels, grid=grid, sides=sides, **maps)
    assert count == len(table)
    burden = measure_burden(
        labels,
        table=table,
        grid=grid,
        file_grid=file_grid or grid,
        slice_axis=slice_axis,
        sides=sides,
        tissues=tissues,
    )
    return table, burden


def scattered(sizes: list[int]) -> np.ndarray:
    """A mask with a lesion of each size in voxels, in planes of their own."""
    side = math.ceil(math.sqrt(max(sizes)))
    mask = np.zeros((2 * len(sizes), side, side), dtype=bool)
    for index, size in enumerate(sizes):
        mask[2 * index].flat[:size] = True
    return mask


def test_7350_voxels_of_a_cubic_millimetre_are_7_35_ml() -> None:
    mask = np.zeros((40, 40, 40), dtype=bool)
    mask.flat[:7350] = True
    _, burden = measure(mask)
    assert (7.35, 7350.0, 7350) == (burden.volume_ml, burden.volume_mm3, burden.volume_voxels)


def test_shares_of_the_size_classes() -> None:
    """50, 63 and 10 lesions are 40.7, 51.2 and 8.1 %."""
    _, burden = measure(scattered([5] * 50 + [50] * 63 + [150] * 10))
    assert 123 == burden.lesion_count
    classes = (burden.small, burden.medium, burden.large)
    assert [50, 63, 10] == [one.count for one in classes]
    assert [40.7, 51.2, 8.1] == [round(100 * one.share, 1) for one in classes]
    assert [0.25, 3.15, 1.5] == [one.volume_ml for one in classes]
    assert 150.0 == burden.largest_lesion_mm3


@pytest.mark.parametrize(
    ("voxels", "expected"),
    [(9, "small"), (10, "medium"), (99, "medium"), (100, "large")],
)
def test_ten_is_medium_and_a_hundred_is_large(voxels: int, expected: str) -> None:
    table, _ = measure(scattered([voxels]))
    assert (expected, float(voxels)) == (table[0].size_class, table[0].volume_mm3)


@pytest.mark.parametrize(
    "spacing",
    [(0.1, 0.1, 0.1), (0.5, 0.5, 0.4), (0.2, 0.5, 0.7), (1 / 3, 0.3, 1.0), (0.9375, 0.9375, 6.5)],
)
def test_the_limits_do_not_wobble(spacing: Triple) -> None:
    """Volumes that are 10 or 100 mm3 on paper are so whatever the floating point makes of it."""
    grid = Grid.from_spacing((1, 1, 1), spacing)
    exact = np.prod([round(s * 10_000) for s in grid.spacing], dtype=object)  # 1e-12 mm3
    for limit in (10, 100):
        border = -(-limit * 10**12 // exact)  # fewest voxels that reach the limit
        above = size_class(volume_of(int(border), voxel_mm3=grid.voxel_mm3))
        below = size_class(volume_of(int(border) - 1, voxel_mm3=grid.voxel_mm3))
        assert (SizeClass.MEDIUM if limit == 10 else SizeClass.LARGE) == above
        assert (SizeClass.SMALL if limit == 10 else SizeClass.MEDIUM) == below


def test_anisotropic_voxels() -> None:
    """Two voxels of 0.9375 x 0.9375 x 6.5 mm are 11.42578125 mm3: medium, not two."""
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[1, 1, 1:3] = True
    table, burden = measure(mask, (0.9375, 0.9375, 6.5))
    assert 11.425781 == table[0].volume_mm3
    assert SizeClass.MEDIUM is table[0].size_class
    assert (0.9375, 0.9375, 9.75) == table[0].centre_mm
    assert 0.011425781 == pytest.approx(burden.volume_ml, abs=1e-12)


def test_no_lesion_is_zero_not_null() -> None:
    anatomy = np.full((6, 6, 6), Tissue.WHITE_MATTER, dtype=np.uint8)
    mask = np.zeros(anatomy.shape, dtype=bool)
    sides = np.full(anatomy.shape, hemispheres.LEFT, dtype=np.uint8)
    tissues = measure_tissues(anatomy, mask=mask, voxel_mm3=1.0, whole_head=False)
    table, burden = measure(
        mask, sides=sides, tissues=tissues, anatomy=anatomy, image=np.ones(mask.shape)
    )
    assert () == table
    assert (0.0, 0.0, 0) == (burden.volume_ml, burden.volume_mm3, burden.volume_voxels)
    assert (0, 0, 0.0) == (
        burden.lesion_count,
        burden.lesion_count_6_connected,
        burden.largest_lesion_mm3,
    )
    for one in (burden.small, burden.medium, burden.large):
        assert (0, 0.0, 0.0) == (one.count, one.share, one.volume_ml)
    assert (0.0, 0.0, 0.0) == (burden.left_ml, burden.right_ml, burden.midline_ml)
    assert (0.0, 0.0) == (burden.white_matter_percent, burden.brain_percent)
    assert burden.icv_percent is None
    assert burden.most_affected_slice is None
    assert [0] * 6 == [one.voxels for one in burden.slices]
    assert (("periventricular", 0.0), ("deep", 0.0), ("infratentorial", 0.0)) == burden.region_ml


def test_without_anatomy_what_needs_it_is_not_measured() -> None:
    table, burden = measure(scattered([20]), probability=np.full((2, 5, 5), 0.75, np.float32))
    (lesion,) = table
    assert (Side.UNKNOWN, "unknown") == (lesion.side, lesion.region)
    assert lesion.distance_to_ventricles_mm is None
    assert lesion.mean_z is None
    assert 0.75 == lesion.mean_probability == lesion.peak_probability
    assert (None, None, None) == (burden.left_ml, burden.right_ml, burden.midline_ml)
    assert (None, None) == (burden.white_matter_percent, burden.white_matter_ml)
    assert () == burden.region_ml


def test_labels_are_by_size_then_by_place() -> None:
    table, _ = measure(scattered([3, 7, 3, 7]))
    assert [1, 2, 3, 4] == [lesion.label for lesion in table]
    assert [7, 7, 3, 3] == [lesion.voxels for lesion in table]
    assert [2.0, 6.0, 0.0, 4.0] == [lesion.centre_mm[0] for lesion in table]


def test_six_connected_counts_more() -> None:
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    _, burden = measure(mask)
    assert (1, 2) == (burden.lesion_count, burden.lesion_count_6_connected)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((5, 4, 0), "left"),
        ((4, 5, 0), "right"),
        ((4, 4, 0), "midline"),
        ((4, 3, 5), "midline"),
        ((4, 1, 4), "left"),
        ((1, 4, 4), "right"),
        ((0, 0, 0), "unknown"),
    ],
)
def test_the_side_holds_most_voxels(counts: tuple[int, int, int], expected: str) -> None:
    values = [hemispheres.LEFT, hemispheres.RIGHT, hemispheres.MIDLINE]
    of_voxel = np.repeat(values, counts) if any(counts) else np.zeros(3)
    sides = of_voxel.astype(np.uint8).reshape(-1, 1, 1)
    table, burden = measure(np.ones(sides.shape, dtype=bool), sides=sides)
    assert expected == table[0].side
    if any(counts):
        assert tuple(n / 1000 for n in counts) == (
            burden.left_ml,
            burden.right_ml,
            burden.midline_ml,
        )


def test_sides_add_up_to_the_volume() -> None:
    rng = np.random.default_rng(2)
    mask = rng.random((12, 9, 7)) < 0.3
    sides = rng.integers(1, 4, mask.shape).astype(np.uint8)
    _, burden = measure(mask, (0.9, 0.9, 3.0), sides=sides)
    assert burden.left_ml is not None
    assert burden.right_ml is not None
    assert burden.midline_ml is not None
    total = burden.left_ml + burden.right_ml + burden.midline_ml
    assert burden.volume_ml == pytest.approx(total, abs=1e-9)


def test_percentages_are_of_white_matter_with_lesions_counted_in() -> None:
    anatomy = np.full((10, 10, 10), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[5:] = Tissue.CORTEX
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[5] = True  # 100 voxels in what was called cortex
    tissues = measure_tissues(anatomy, mask=mask, voxel_mm3=1.0, whole_head=True)
    _, burden = measure(mask, tissues=tissues, anatomy=anatomy)
    assert 100 / 6 == pytest.approx(burden.white_matter_percent)
    assert (10.0, 10.0) == (burden.brain_percent, burden.icv_percent)
    assert (0.6, 1.0, 0.0, 1.0) == (
        burden.white_matter_ml,
        burden.brain_ml,
        burden.ventricles_ml,
        burden.icv_ml,
    )


def test_distance_intensity_and_probability_of_a_lesion() -> None:
    anatomy = np.full((30, 9, 9), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[:5] = Tissue.VENTRICLES
    image = 98.0 + 2 * (np.indices(anatomy.shape)[1] % 3)  # median 100, MAD 2
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[10:13, 3:6, 3:6] = True
    image[mask] = 100 + 7 * 1.4826 * 2
    probability = np.zeros(anatomy.shape, dtype=np.float32)
    probability[10, 3:6, 3:6], probability[11:13, 3:6, 3:6] = 0.5, 0.8
    spacing = (0.5, 0.5, 3.0)
    (lesion,), _ = measure(mask, spacing, anatomy=anatomy, image=image, probability=probability)
    assert 3.0 == lesion.distance_to_ventricles_mm  # from index 10 to index 4
    assert "deep" == lesion.region
    assert lesion.mean_z == pytest.approx(7.0)
    assert lesion.mean_probability == pytest.approx(0.7)
    assert lesion.peak_probability == pytest.approx(0.8)
    assert lesion.confidence is None


def test_a_lesion_over_ventricle_voxels_is_at_distance_zero() -> None:
    anatomy = np.full((9, 9, 9), Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[4, 4, 4] = Tissue.VENTRICLES
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[2:7, 2:7, 2:7] = True
    (lesion,), _ = measure(mask, anatomy=anatomy)
    assert (0.0, "periventricular") == (lesion.distance_to_ventricles_mm, lesion.region)


def test_without_ventricles_there_is_no_distance() -> None:
    anatomy = np.full((5, 5, 5), Tissue.WHITE_MATTER, dtype=np.uint8)
    mask = np.zeros(anatomy.shape, dtype=bool)
    mask[2, 2, 2] = True
    (lesion,), burden = measure(
        mask,
        anatomy=anatomy,
        tissues=measure_tissues(anatomy, mask=mask, voxel_mm3=1.0, whole_head=True),
    )
    assert lesion.distance_to_ventricles_mm is None
    assert (("infratentorial", 0.0), ("unknown", 0.001)) == burden.region_ml


def test_the_most_affected_slice_is_the_first_of_equals_with_the_index_of_the_file() -> None:
    mask = np.zeros((5, 5, 10), dtype=bool)
    mask[0, :3, 2] = mask[0, :3, 7] = mask[2, 2, 4] = True
    affine = np.diag([-2.0, 2.0, -3.0, 1.0])
    affine[:3, 3] = (10.0, 0.0, 50.0)
    file_grid = Grid((5, 5, 10), affine)
    _, burden = measure(mask, file_grid=file_grid)
    most = burden.most_affected_slice
    assert most is not None
    assert (7, 29.0, 3) == (most.index, most.position_mm, most.voxels)  # canonical 2 of 0..9
    assert 0.036 == most.volume_ml
    assert 2 == burden.slice_axis
    assert list(range(9, -1, -1)) == [one.index for one in burden.slices]
    assert sorted(one.position_mm for one in burden.slices) == [
        one.position_mm for one in burden.slices
    ]


def test_slices_lie_along_the_axis_of_the_file() -> None:
    mask = np.zeros((6, 5, 4), dtype=bool)  # canonical
    mask[:, 1, 3] = True
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    affine[0, 1], affine[1, 2], affine[2, 0] = 1.0, -1.0, 5.0  # axes: S, R, P
    file_grid = Grid((4, 6, 5), affine)
    assert "SRP" == file_grid.orientation.code
    _, burden = measure(mask, file_grid=file_grid, slice_axis=1)
    most = burden.most_affected_slice
    assert most is not None
    assert (2, 3, 6) == (burden.slice_axis, most.index, most.voxels)
    assert -3.0 == most.position_mm


def test_a_scan_without_orientation_counts_as_it_lies() -> None:
    mask = np.zeros((3, 4, 5), dtype=bool)
    mask[0, 0, 1] = True
    grid = Grid(mask.shape, np.diag([-1.0, 1.0, 1.0, 1.0]), oriented=False)
    _, burden = measure(mask, file_grid=grid)
    assert burden.most_affected_slice is not None
    assert (2, 1) == (burden.slice_axis, burden.most_affected_slice.index)


REORDERINGS = [
    (axes, flips)
    for axes in itertools.permutations(range(3))
    for flips in itertools.product((False, True), repeat=3)
]


@given(st.integers(0, 2**32 - 1), st.sampled_from(REORDERINGS))
@settings(deadline=None, max_examples=40)
def test_flipping_and_permuting_the_file_changes_no_number(
    seed: int, reordering: tuple[tuple[int, int, int], tuple[bool, bool, bool]]
) -> None:
    rng = np.random.default_rng(seed)
    shape = (9, 8, 6)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0] * 0.2 + np.eye(3)
    rotation /= np.linalg.norm(rotation, axis=0)
    affine = np.eye(4)
    affine[:3, :3] = rotation * (0.9375, 0.9, 3.0)
    affine[:3, 3] = rng.normal(size=3) * 50
    arrays = {
        "mask": rng.random(shape) < 0.25,
        "anatomy": rng.integers(0, 8, shape).astype(np.uint8),
        "sides": rng.integers(1, 4, shape).astype(np.uint8),
        "image": rng.normal(100, 10, shape).astype(np.float32),
        "probability": rng.random(shape).astype(np.float32),
    }
    grid = Grid(shape, affine)
    first = _through(grid, arrays)

    axes, flips = reordering
    moved = affine.copy()
    moved[:3, :3] = affine[:3, list(axes)]
    for axis, flip in enumerate(flips):
        if flip:
            moved[:3, 3] += moved[:3, axis] * (shape[axes[axis]] - 1)
            moved[:3, axis] *= -1
    step = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    turned = {
        name: np.ascontiguousarray(array.transpose(axes)[step]) for name, array in arrays.items()
    }
    second = _through(Grid(turned["mask"].shape, moved), turned)

    assert len(first[0]) == len(second[0])
    for one, other in zip(first[0], second[0], strict=True):
        assert one.centre_mm == pytest.approx(other.centre_mm, abs=1e-6)
        for name in one.__slots__:
            if name != "centre_mm":
                assert getattr(one, name) == getattr(other, name)
    for name in Burden.__slots__:
        if name not in ("most_affected_slice", "slices", "slice_axis"):
            assert getattr(first[1], name) == getattr(second[1], name)
    for one, other in zip(first[1].slices, second[1].slices, strict=True):
        assert (one.voxels, one.volume_ml) == (other.voxels, other.volume_ml)
        assert one.position_mm == pytest.approx(other.position_mm, abs=1e-6)
    # The index in the file names the same slice of voxels.
    most, burden = second[1].most_affected_slice, second[1]
    if most is not None:
        plane = np.moveaxis(turned["mask"], burden.slice_axis, 0)[most.index]
        assert most.voxels == plane.sum()


def _through(grid: Grid, arrays: dict[str, np.ndarray]) -> tuple[LesionTable, Burden]:
    """Measure arrays with the axes of a file."""
    maps = {name: to_canonical(array, grid) for name, array in arrays.items()}
    mask, sides = maps.pop("mask"), maps.pop("sides")
    tissues = measure_tissues(
        maps["anatomy"], mask=mask, voxel_mm3=grid.canonical().voxel_mm3, whole_head=True
    )
    return measure(mask, file_grid=grid, sides=sides, tissues=tissues, **maps)
