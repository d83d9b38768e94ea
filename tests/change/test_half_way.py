"""Two visits meet half-way, whichever comes first and however their files lie."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from leuko.change.compare import compare_visits
from leuko.change.half_way import SPACING_MM, half_way, meet
from leuko.change.seen import look
from leuko.change.visit import Visit
from leuko.formats.read import read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.registration.apply import apply_to_image
from leuko.registration.quality import Quality
from leuko.registration.transforms import Affine, compose

MOVED = Affine.rigid(degrees=(4.0, -3.0, 6.0), shift=(5.0, -4.0, 3.0), centre=(0.0, 0.0, 20.0))
NOTHING = Quality(None, None, None, 1.0, None, None, 0)
GRID = Grid.from_spacing((40, 44, 30), (1.0, 1.0, 1.5))


def visit_of(image: Image, *, labels: np.ndarray | None = None) -> Visit:
    """A visit whose whole head is white matter where it is bright."""
    head = np.asarray(image.data > 0.3 * np.percentile(image.data, 99))
    anatomy = np.where(head, Tissue.WHITE_MATTER, 0).astype(np.uint8)
    found = np.zeros(image.grid.shape, np.int32) if labels is None else labels
    return Visit.of(
        image,
        lesions=image.with_data(found),
        probability=image.with_data((found > 0).astype(np.float32)),
        anatomy=image.with_data(anatomy),
    )


def ball(grid: Grid = GRID, gain: float = 1.0) -> tuple[Image, np.ndarray]:
    """A bright ball with two brighter ones in it, and these as labels; no symmetry."""
    x, y, z = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    head = ((x - 20) / 15) ** 2 + ((y - 22) / 18) ** 2 + ((z - 15) / 11) ** 2 < 1
    labels = np.zeros(grid.shape, np.int32)
    labels[14:18, 20:26, 12:16] = 1
    labels[25:27, 18:20, 18:19] = 2
    values = gain * (100.0 * head + 60.0 * (labels > 0))
    return Image(values.astype(np.float32), grid), labels


def test_the_half_way_space_is_equally_far_from_both() -> None:
    image, _ = ball()
    one, other = visit_of(image), visit_of(image)
    space = half_way(one, other, transform=MOVED, quality=NOTHING)
    places = np.random.default_rng(0).normal(0, 60, (50, 3))
    there = compose(space.to_first.inverse(), space.to_second)
    np.testing.assert_allclose(there.apply_to_points(places), MOVED.apply_to_points(places), 1e-9)
    assert space.to_first.angle_degrees == pytest.approx(space.to_second.angle_degrees)
    np.testing.assert_allclose(space.grid.spacing, SPACING_MM)


def test_the_grid_holds_the_brains_of_both_visits() -> None:
    image, _ = ball()
    one, other = visit_of(image), visit_of(image)
    space = half_way(one, other, transform=MOVED, quality=NOTHING)
    brain = image.grid.to_world(np.argwhere(one.anatomy > 0))
    for back in (space.to_first.inverse(), space.to_second.inverse()):
        voxels = space.grid.to_voxel(back.apply_to_points(brain))
        assert (voxels >= 0).all()
        assert (voxels <= np.array(space.grid.shape) - 1).all()


def test_no_gain_and_no_shading_makes_a_change() -> None:
    """The second scan is 1.3 times as bright, more so in front."""
    image, labels = ball()
    slope = np.linspace(0.95, 1.05, GRID.shape[1])[None, :, None]
    brighter = image.with_data((1.3 * image.data * slope).astype(np.float32))
    one, other = visit_of(image, labels=labels), visit_of(brighter, labels=labels)
    space = half_way(one, other, transform=Affine.identity(), quality=NOTHING)
    pair = look(one, other, space=space)
    assert np.abs(pair.brighter[pair.first.mask | pair.second.mask]).max() < 0.2
    rows = compare_visits(one, other, space=space).rows
    assert [row.kind.value for row in rows] == ["stable", "stable"]


def test_a_lesion_of_one_voxel_is_not_lost_between_voxels() -> None:
    image, labels = ball()
    labels[:] = 0
    labels[20, 22, 15] = 1
    one, other = visit_of(image, labels=labels), visit_of(image)
    far = Affine.translation((0.49, 0.49, 0.49))
    pair = look(one, other, space=half_way(one, other, transform=far, quality=NOTHING))
    assert (pair.first.labels == 1).any()


def flipped(image: Image) -> Image:
    """The same scan, its file mirrored along two axes and with the third one first."""
    data = image.data[::-1, :, ::-1]
    affine = image.grid.affine.copy()
    for axis in (0, 2):
        affine[:3, 3] += affine[:3, axis] * (image.grid.shape[axis] - 1)
        affine[:3, axis] *= -1
    order = (2, 0, 1)
    moved = np.ascontiguousarray(data.transpose(order))
    affine[:3, :3] = affine[:3, list(order)]
    return Image(moved, Grid((moved.shape[0], moved.shape[1], moved.shape[2]), affine))


def test_how_a_file_lies_changes_nothing() -> None:
    image, labels = ball()
    turned, lesions = flipped(image), flipped(image.with_data(labels))
    one, other = visit_of(image, labels=labels), visit_of(turned, labels=lesions.data)
    assert one.digest() == other.digest()
    np.testing.assert_array_equal(one.labels, other.labels)


@cache
def pair(shared: Path) -> tuple[Visit, Visit]:
    """A clinical scan, and the same head elsewhere, on other voxels."""
    image = read_scan(shared / "wmh/tabriz/105755/flair.nii.gz")
    canonical = image.grid.canonical()
    affine = canonical.affine.copy()
    affine[:3, :3] *= np.array([1.1, 1.1, 0.9])
    affine[:3, 3] += (2.0, 3.0, -1.0)
    x, y, z = canonical.shape
    onto = Grid((int(x / 1.1), int(y / 1.1), int(z / 0.9)), affine)
    again = apply_to_image(image, transform=MOVED.inverse(), onto=onto)
    placed = Image(again.data, onto)
    return visit_of(image), visit_of(placed)


def test_exchanging_the_visits_gives_the_inverse(shared_data: Path) -> None:
    first, second = pair(shared_data)
    there, back = meet(first, second), meet(second, first)
    places = first.grid.to_world(np.random.default_rng(1).uniform(0, first.grid.shape, (100, 3)))
    returned = back.transform.apply_to_points(there.transform.apply_to_points(places))
    assert np.abs(returned - places).max() < 0.05
    assert there.grid == back.grid
    assert there.to_first == back.to_second


def test_a_moved_head_is_found_where_it_is(shared_data: Path) -> None:
    first, second = pair(shared_data)
    found = meet(first, second).transform
    brain = first.grid.to_world(np.argwhere(first.anatomy > 0)[::500])
    error = np.linalg.norm(found.apply_to_points(brain) - MOVED.apply_to_points(brain), axis=1)
    assert error.mean() < 0.5
