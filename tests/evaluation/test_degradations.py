"""benchmarks/degrade.py: identity at strength 0, volume kept, flips that go back exactly."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical, to_canonical

SHAPE = (24, 30, 20)
AFFINE = np.array([[1.0, 0, 0, -10], [0, 1.0, 0, 7], [0, 0, 1.0, 30], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def degrade(repository: Path) -> Iterator[ModuleType]:
    sys.path.insert(0, str(repository / "benchmarks"))
    import degrade as module

    yield module
    sys.path.remove(str(repository / "benchmarks"))


@pytest.fixture
def head() -> Image:
    """A bright ball with texture in the dark, 1 mm voxels."""
    x, y, z = np.ogrid[tuple(slice(-1, 1, complex(0, n)) for n in SHAPE)]
    ball = (x**2 + y**2 + z**2 < 0.7).astype(np.float32)
    texture = np.random.default_rng(1).uniform(0.8, 1.2, SHAPE).astype(np.float32)
    return Image(100 * ball * texture, Grid(SHAPE, AFFINE))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("slices_of", {"spacing_mm": 1.0}),
        ("pixels_of", {"pixel_mm": 1.0}),
        ("noised", {"snr": np.inf, "seed": 1}),
        ("biased", {"strength": 0.0, "seed": 1}),
        ("moved_suddenly", {"amount": 0.0}),
        ("moved_slowly", {"amount": 0.0}),
        ("ghosted", {"share": 0.0}),
        ("rotated", {"degrees": 0.0, "axis": 1}),
        ("shifted", {"voxels": (0.0, 0.0, 0.0)}),
        ("scaled", {"factor": 1.0}),
        ("emptied", {"slices": ()}),
        ("kept_slices", {"first": 0, "last": SHAPE[2]}),
    ],
)
def test_without_strength_nothing_changes(
    degrade: ModuleType, head: Image, name: str, settings: dict[str, object]
) -> None:
    change: Callable[..., Image] = getattr(degrade, name)
    after = change(head, **settings)
    assert after.grid.shape == head.grid.shape
    np.testing.assert_allclose(after.grid.affine, head.grid.affine, atol=1e-9)
    np.testing.assert_allclose(after.data, head.data, atol=1e-3)


@pytest.mark.parametrize("spacing", [2.0, 3.0, 3.7, 8.0])
def test_thicker_slices_keep_volume_and_place(
    degrade: ModuleType, head: Image, spacing: float
) -> None:
    after = degrade.slices_of(head, spacing_mm=spacing)
    assert after.grid.spacing == (1.0, 1.0, spacing)
    whole = head.data.sum(dtype=np.float64) * head.grid.voxel_mm3
    assert after.data.sum(dtype=np.float64) * after.grid.voxel_mm3 == pytest.approx(whole, rel=1e-5)
    np.testing.assert_allclose(_middle(after), _middle(head), atol=0.02)


def test_two_slices_of_one_millimetre_make_one_of_two(degrade: ModuleType, head: Image) -> None:
    after = degrade.slices_of(head, spacing_mm=2.0)
    by_hand = (head.data[..., 0::2] + head.data[..., 1::2]) / 2
    np.testing.assert_allclose(after.data, by_hand, atol=1e-4)
    np.testing.assert_allclose(after.grid.to_world((0, 0, 0)), head.grid.to_world((0, 0, 0.5)))


def test_a_gap_hides_what_lies_in_it(degrade: ModuleType, head: Image) -> None:
    """Slices of 1 mm every 2 mm, centred between voxels: half of each neighbour is seen."""
    marked = head.with_data(np.zeros(SHAPE, np.float32))
    marked.data[:, :, 0] = 1.0  # the first voxel of its slice's 2 mm: 0.5 mm of it are seen
    gap = degrade.slices_of(marked, spacing_mm=2.0, gap=0.75)
    assert gap.data[0, 0, 0] == pytest.approx(0.5)
    four = degrade.slices_of(marked, spacing_mm=4.0, gap=0.5)
    assert four.data.max() == 0.0  # 1 mm before the slice begins


@pytest.mark.parametrize("pixel", [1.5, 2.0, 0.5])
def test_other_pixels_keep_volume_and_place(degrade: ModuleType, head: Image, pixel: float) -> None:
    after = degrade.pixels_of(head, pixel_mm=pixel)
    assert after.grid.spacing == (pixel, pixel, 1.0)
    whole = head.data.sum(dtype=np.float64)
    kept = after.data.sum(dtype=np.float64) * after.grid.voxel_mm3
    assert kept == pytest.approx(whole, rel=1e-5 if pixel > 1 else 0.02)
    np.testing.assert_allclose(_middle(after), _middle(head), atol=0.05)


def test_zero_filling_keeps_the_measured_pixels(degrade: ModuleType, head: Image) -> None:
    smooth = degrade.moved_slowly(head, amount=0.0)
    after = degrade.zero_filled(smooth)
    assert after.grid.spacing == (0.5, 0.5, 1.0)
    inside = smooth.data > 1.0  # below the lowest value, ringing is cut off
    # Of an even number of pixels the highest frequency alone is not the same.
    assert np.abs(after.data[::2, ::2] - smooth.data)[inside].mean() < 1.5
    np.testing.assert_allclose(_middle(after), _middle(smooth), atol=0.1)


def test_noise_has_the_strength_it_says(degrade: ModuleType) -> None:
    data = np.zeros((40, 40, 40), np.float32)
    data[:, :20] = 100.0
    after = degrade.noised(Image(data, Grid((40, 40, 40), np.eye(4))), snr=20.0, seed=1)
    assert after.data[:, :20].std() == pytest.approx(5.0, rel=0.05)
    assert after.data[:, 20:].mean() == pytest.approx(5.0 * np.sqrt(np.pi / 2), rel=0.05)


def test_a_bias_field_reaches_its_strength_and_no_further(degrade: ModuleType, head: Image) -> None:
    after = degrade.biased(head, strength=0.4, seed=3)
    gain = np.log(after.data[head.data > 0] / head.data[head.data > 0])
    assert gain.min() == pytest.approx(-0.4, abs=1e-3)
    assert gain.max() == pytest.approx(0.4, abs=1e-3)


def test_motion_grows_with_its_amount_and_leaves_the_head_in_place(
    degrade: ModuleType, head: Image
) -> None:
    for motion in (degrade.moved_suddenly, degrade.moved_slowly):
        weak, strong = (motion(head, amount=mm) for mm in (0.5, 2.0))
        assert 0 < _difference(weak, head) < _difference(strong, head)
        np.testing.assert_allclose(_middle(strong), _middle(head), atol=0.5)


def test_a_ghost_lies_half_a_field_of_view_away(degrade: ModuleType) -> None:
    data = np.zeros((32, 8, 4), np.float32)
    data[4, 3, 1] = 100.0
    after = degrade.ghosted(Image(data, Grid((32, 8, 4), np.eye(4))), share=0.1)
    assert after.data[20, 3, 1] == pytest.approx(10.0, rel=1e-4)
    assert after.data[4, 3, 1] == pytest.approx(90.0, rel=1e-4)


def test_a_turned_field_of_view_brought_back_shows_the_same_head(degrade: ModuleType) -> None:
    x, y, z = np.ogrid[tuple(slice(-1, 1, complex(0, n)) for n in SHAPE)]
    smooth = np.exp(-6 * (x**2 + 2 * y**2 + z**2)).astype(np.float32)
    image = Image(smooth, Grid(SHAPE, AFFINE))
    for axis in range(3):
        turned = degrade.rotated(image, degrees=20.0, axis=axis)
        back = degrade.on_grid(turned, image.grid, order=3)
        assert np.abs(back.data - smooth).max() < 0.03
        np.testing.assert_allclose(_middle(turned), _middle(image), atol=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_reversed_axis_is_the_same_scan(degrade: ModuleType, head: Image, axis: int) -> None:
    _is_the_same(head, degrade.flipped(head, axis=axis))
    twice = degrade.flipped(degrade.flipped(head, axis=axis), axis=axis)
    assert np.array_equal(twice.data, head.data)
    np.testing.assert_allclose(twice.grid.affine, head.grid.affine)


@pytest.mark.parametrize("axes", [(2, 0, 1), (1, 0, 2), (1, 2, 0)])
def test_permuted_axes_are_the_same_scan(
    degrade: ModuleType, head: Image, axes: tuple[int, int, int]
) -> None:
    _is_the_same(head, degrade.permuted(head, axes=axes))


def test_a_mirrored_head_is_another_on_the_same_grid(degrade: ModuleType, head: Image) -> None:
    after = degrade.mirrored(head)
    assert after.grid == head.grid
    assert np.array_equal(after.data[::-1], head.data)


def test_kept_slices_stay_where_they_are(degrade: ModuleType, head: Image) -> None:
    after = degrade.kept_slices(head, first=5, last=12)
    assert after.data.shape == (24, 30, 7)
    np.testing.assert_allclose(after.grid.to_world((3, 4, 0)), head.grid.to_world((3, 4, 5)))
    assert np.array_equal(after.data[..., 0], head.data[..., 5])


def test_rounding_leaves_as_many_values_as_it_says(degrade: ModuleType, head: Image) -> None:
    head.data[0, 0, 0] = -5.0  # an offset would be another degradation
    after = degrade.rounded(head, levels=64)
    assert after.data.min() == 0
    assert after.data.max() == 63
    assert np.array_equal(after.data, np.rint(after.data))
    kept = after.data * head.data.max() / 63
    np.testing.assert_allclose(kept, np.maximum(head.data, 0), atol=head.data.max() / 126 + 1e-4)


def test_every_degradation_treats_scan_and_mask_alike(
    degrade: ModuleType, head: Image, repository: Path
) -> None:
    """Grids stay the same for both, and a copy is never another grid's."""
    sys.path.insert(0, str(repository / "benchmarks"))
    from degradations import Subject, copies, degradations

    sys.path.remove(str(repository / "benchmarks"))
    brain = head.data > 0
    subject = Subject(head, brain, stripped=False)
    mask = head.with_data(brain.astype(np.float32))
    families = set()
    for change in (*degradations(subject), *copies(subject)):
        scan, follows = change.scan(head), change.of_mask(mask)
        assert follows.grid == scan.grid, change.label
        assert follows.data.min() >= 0.0
        assert np.isfinite(scan.data).all()
        families.add(change.family)
    assert {"slices", "pixels", "noise", "ghost", "rotation", "coverage", "copy"} <= families


def _is_the_same(before: Image, after: Image) -> None:
    assert np.array_equal(to_canonical(after.data, after.grid), before.data)
    np.testing.assert_allclose(after.grid.canonical().affine, before.grid.affine)
    assert np.array_equal(from_canonical(before.data, after.grid), after.data)


def _middle(image: Image) -> np.ndarray:
    """The centre of mass in the world, mm."""
    weights = np.asarray(image.data, dtype=np.float64)
    index = [
        (weights.sum(axis=tuple(a for a in range(3) if a != axis)) * np.arange(n)).sum()
        / weights.sum()
        for axis, n in enumerate(weights.shape)
    ]
    return np.asarray(image.grid.to_world(index))


def _difference(first: Image, second: Image) -> float:
    return float(np.abs(np.asarray(first.data) - np.asarray(second.data)).mean())
