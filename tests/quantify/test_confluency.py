"""The confluency index of bodies whose surface is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from leuko.quantify.confluency import confluency, surfaces_mm2
from leuko.quantify.voxels import lesion_voxels

Triple = tuple[float, float, float]
ONE_MM = (1.0, 1.0, 1.0)


def ball(radius: float, *, spacing: Triple = ONE_MM, shift: float = 0.3) -> np.ndarray:
    """Voxel centres within a ball that lies between voxels somewhere."""
    half = [int(radius / step) + 2 for step in spacing]
    axes = [(np.arange(-n, n + 1) + shift) * step for n, step in zip(half, spacing, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return (x**2 + y**2 + z**2 <= radius**2).astype(np.int32)


@pytest.mark.parametrize(
    ("spacing", "radius", "within"),
    [
        (ONE_MM, 6.0, 0.03),
        (ONE_MM, 15.0, 0.02),
        ((0.9, 0.9, 3.0), 12.0, 0.05),
        ((0.9, 0.9, 6.5), 20.0, 0.06),
    ],
)
def test_a_ball_has_its_surface_and_no_confluency(
    spacing: Triple, radius: float, within: float
) -> None:
    voxels = lesion_voxels(ball(radius, spacing=spacing))
    (found,) = surfaces_mm2(voxels, spacing=spacing)
    assert found == pytest.approx(4 * math.pi * radius**2, rel=within)
    assert confluency(voxels, spacing=spacing)[0] < 0.03


def test_the_flat_faces_of_a_box_are_seen_a_little_small() -> None:
    """By hand: 13 directions see .927 of a face; of a cube of 20 mm, with its edges, .90.

    A cube is at (6 / pi)^(1/3) - 1 = .241; seen so it is at .117.
    """
    labels = np.zeros((24, 24, 24), dtype=np.int32)
    labels[2:22, 2:22, 2:22] = 1
    voxels = lesion_voxels(labels)
    assert surfaces_mm2(voxels, spacing=ONE_MM)[0] / 2400 == pytest.approx(0.90, abs=0.005)
    assert confluency(voxels, spacing=ONE_MM)[0] == pytest.approx(0.117, abs=0.005)


def test_a_plate_is_seen_from_both_sides() -> None:
    labels = np.zeros((64, 64, 3), dtype=np.int32)
    labels[2:62, 2:62, 1] = 1
    (found,) = surfaces_mm2(lesion_voxels(labels), spacing=ONE_MM)
    assert 0.85 < found / (2 * 60 * 60 + 4 * 60) < 1.0


def test_two_balls_that_meet_are_at_26_percent() -> None:
    """Twice the surface and the volume: 2 / 2^(2/3) - 1 = .26."""
    one = ball(8.0, shift=0.0)
    voxels = lesion_voxels(np.concatenate([one[1:-1], one[1:-1]]))
    assert confluency(voxels, spacing=ONE_MM)[0] == pytest.approx(2 ** (1 / 3) - 1, abs=0.03)


def test_each_lesion_has_its_own_and_a_hole_counts() -> None:
    labels = np.zeros((80, 40, 40), dtype=np.int32)
    shell = ball(14.0, shift=0.0)
    inner = np.pad(ball(9.0, shift=0.0), 5)[: shell.shape[0], : shell.shape[1], : shell.shape[2]]
    size = shell.shape[0]
    labels[:size, :size, :size] = shell * (1 - inner)
    labels[40 : 40 + size, :size, :size][shell > 0] = 2
    hollow, solid = confluency(lesion_voxels(labels), spacing=ONE_MM)
    surface = 14**2 + 9**2
    expected = surface / (14**3 - 9**3) ** (2 / 3) - 1
    assert hollow == pytest.approx(expected, abs=0.04)
    assert solid < 0.02


def test_a_voxel_is_round() -> None:
    labels = np.zeros((3, 3, 3), dtype=np.int32)
    labels[1, 1, 1] = 1
    assert 0.0 == confluency(lesion_voxels(labels), spacing=ONE_MM)[0]
    assert 0 == confluency(lesion_voxels(labels * 0), spacing=ONE_MM).size


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_flips_and_the_order_of_axes_do_not_matter(axes: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random((9, 8, 7)) < 0.4).astype(np.int32)
    spacing = (0.7, 1.0, 3.0)
    first = surfaces_mm2(lesion_voxels(labels), spacing=spacing)[0]
    turned = np.ascontiguousarray(labels.transpose(axes)[::-1, :, ::-1])
    x, y, z = (spacing[axis] for axis in axes)
    second = surfaces_mm2(lesion_voxels(turned), spacing=(x, y, z))[0]
    assert first == pytest.approx(second, rel=1e-9)
