"""Patches: they cover, they go back to the bit, they lie where the foreground is."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.datasets.patches import (
    extract,
    extract_all,
    foreground_centres,
    reassemble,
    sample_starts,
    weights,
    windows,
)
from leuko.errors import UsageError

edges = st.integers(1, 9)


@st.composite
def cuts(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """A shape of two or three axes, a size, and a stride of at most the size."""
    axes = draw(st.integers(2, 3))
    shape = tuple(draw(edges) for _ in range(axes))
    size = tuple(draw(edges) for _ in range(axes))
    return shape, size, tuple(draw(st.integers(1, edge)) for edge in size)


def test_windows_by_hand() -> None:
    assert windows((10,), size=(4,), stride=(3,)) == ((0,), (3,), (6,))
    assert windows((10,), size=(4,), stride=(4,)) == ((0,), (4,), (6,))
    assert windows((4, 3), size=(4, 2), stride=(2, 1)) == ((0, 0), (0, 1))
    assert windows((3,), size=(8,), stride=(8,)) == ((-2,),)


@given(cuts())
@settings(max_examples=80, deadline=None)
def test_patches_cover_every_voxel_and_stay_inside_where_they_can(cut):  # type: ignore[no-untyped-def]
    shape, size, stride = cut
    covered = np.zeros(shape, bool)
    for start in windows(shape, size=size, stride=stride):
        for first, edge, length in zip(start, size, shape, strict=True):
            assert (
                (0 <= first <= length - edge) if edge <= length else (edge - length) // 2 == -first
            )
        covered[tuple(slice(max(f, 0), f + e) for f, e in zip(start, size, strict=True))] = True
    assert covered.all()


@given(
    cuts(), st.sampled_from(["mean", "gaussian"]), st.sampled_from(["i2", "u1", "f4", "f8", "?"])
)
@settings(max_examples=80, deadline=None)
def test_the_way_back_gives_the_image_to_the_bit(cut, weight, kind):  # type: ignore[no-untyped-def]
    shape, size, stride = cut
    random = np.random.default_rng(0)
    image = (random.normal(size=(2, *shape)) * 100).astype(kind)
    starts = windows(shape, size=size, stride=stride)
    patches = extract_all(image, starts, size=size)
    back = reassemble(patches, starts, shape=shape, weight=weight)
    assert back.dtype == image.dtype
    assert np.array_equal(image, back)


def test_where_patches_disagree_they_are_averaged_by_weight() -> None:
    starts = ((0,), (2,))
    patches = [np.array([1, 1, 1, 1], np.uint8), np.array([4, 4, 4, 4], np.uint8)]
    mean = reassemble(patches, starts, shape=(6,))
    assert mean.dtype == np.float64
    assert mean.tolist() == [1, 1, 2.5, 2.5, 4, 4]
    single = reassemble([p.astype(np.float32) for p in patches], starts, shape=(6,))
    assert single.dtype == np.float32
    near, far = weights((4,), weight="gaussian")[[1, 0]].astype(float)
    blended = reassemble(patches, starts, shape=(6,), weight="gaussian")
    expected = [(near * 1 + far * 4) / (near + far), (far * 1 + near * 4) / (near + far)]
    assert blended[2:4] == pytest.approx(expected, rel=1e-6)


def test_the_middle_of_a_gaussian_patch_counts_most() -> None:
    found = weights((5, 8), weight="gaussian")
    assert found[2, 3] == found[2, 4] == found.max() == 1
    assert found.min() == np.float32(1e-3)
    assert np.array_equal(found, found[::-1, ::-1])


def test_beyond_the_image_a_patch_is_filled() -> None:
    image = np.array([[1, 2], [3, 4]])
    assert extract(image, (-1, 0), size=(3, 3), fill=9).tolist() == [
        [9, 9, 9],
        [1, 2, 9],
        [3, 4, 9],
    ]


def test_a_patch_is_a_copy() -> None:
    image = np.zeros((4, 4))
    extract(image, (0, 0), size=(2, 2))[:] = 1
    assert not image.any()


def test_putting_together_needs_the_result_a_weight_and_one_patch_of_memory() -> None:
    shape, size = (64, 128, 128), (32, 32, 32)
    starts = windows(shape, size=size, stride=(16, 16, 16))
    ones = np.ones(size, np.float32)
    tracemalloc.start()
    reassemble((ones * n for n, _ in enumerate(starts)), starts, shape=shape, weight="gaussian")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    voxels = int(np.prod(shape))
    assert peak < 2 * 4 * voxels + 12 * ones.nbytes


@pytest.mark.parametrize(
    ("shape", "size", "stride", "message"),
    [
        ((8, 8), (4,), (4,), "for each axis|do not fit"),
        ((8, 8), (4, 0), (4, 1), "cannot be"),
        ((8, 8), (4, 4), (4, 5), "A stride of 5 leaves gaps"),
    ],
)
def test_sizes_that_cannot_be_are_refused(
    shape: tuple[int, ...], size: tuple[int, ...], stride: tuple[int, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        windows(shape, size=size, stride=stride)


def test_missing_or_odd_patches_are_refused() -> None:
    one = np.ones((2, 2))
    with pytest.raises(UsageError, match="leave 12 voxels uncovered"):
        reassemble([one], [(0, 0)], shape=(4, 4))
    with pytest.raises(UsageError, match="There are no patches"):
        reassemble([], [], shape=(4, 4))
    with pytest.raises(UsageError, match="A patch has"):
        reassemble([one, np.ones((2, 3))], [(0, 0), (2, 0)], shape=(4, 4))
    with pytest.raises(UsageError, match="no weight 'median'"):
        weights((2, 2), weight="median")  # type: ignore[arg-type]


# ---------------------------------------------------------------- sampling


def label_with(*, large: int, small: int) -> np.ndarray:
    label = np.zeros((30, 30, 20), np.int16)
    label.ravel()[:large] = 1
    label.ravel()[-small:] = 2
    return label


def held(label: np.ndarray, start: tuple[int, ...], size: tuple[int, ...]) -> set[int]:
    return set(np.unique(extract(label, start, size=size)).tolist()) - {0}


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
@settings(max_examples=25, deadline=None)
def test_the_share_on_foreground_is_kept_and_patches_stay_inside(seed: int, share: float) -> None:
    label = np.zeros((30, 30, 20), np.int16)
    label[29, 29, 19] = 1  # one voxel in a corner: by chance next to no patch holds it
    size = (8, 8, 8)
    random = np.random.default_rng(seed)
    starts = sample_starts(label, size=size, count=16, foreground=share, random=random)
    on = sum(bool(held(label, start, size)) for start in starts)
    assert len(starts) == 16
    assert round(16 * share) <= on <= round(16 * share) + 2
    assert all(0 <= f <= n - 8 for start in starts for f, n in zip(start, label.shape, strict=True))


def test_small_classes_are_drawn_as_often_as_large_ones() -> None:
    label = label_with(large=6000, small=2)
    random = np.random.default_rng(5)
    starts = sample_starts(label, size=(4, 4, 4), count=400, foreground=1, random=random)
    small = sum(2 in held(label, start, (4, 4, 4)) for start in starts)
    assert 160 < small < 240


def test_the_same_generator_draws_the_same_patches() -> None:
    label = label_with(large=50, small=5)
    drawn = [
        sample_starts(
            label, size=(8, 8, 8), count=9, foreground=0.5, random=np.random.default_rng(seed)
        )
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_without_foreground_patches_lie_anywhere_and_a_large_one_is_centred() -> None:
    empty = np.zeros((9, 4), np.uint8)
    random = np.random.default_rng(0)
    starts = sample_starts(empty, size=(3, 8), count=50, foreground=0.5, random=random)
    assert {second for _, second in starts} == {-2}
    assert {first for first, _ in starts} == set(range(7))


@pytest.mark.parametrize(("count", "share"), [(0, 0.5), (1, 1.5), (1, -0.1)])
def test_samples_that_cannot_be_are_refused(count: int, share: float) -> None:
    random = np.random.default_rng(0)
    with pytest.raises(UsageError, match="cannot be"):
        sample_starts(np.ones((4, 4)), size=(2, 2), count=count, foreground=share, random=random)


def test_foreground_can_be_of_chosen_classes() -> None:
    label = np.array([[0, 1], [2, 1]])
    assert foreground_centres(label).tolist() == [[0, 1], [1, 0], [1, 1]]
    assert foreground_centres(label, classes=[2]).tolist() == [[1, 0]]
