"""Surfaces: closed, facing outwards, in the world, as large as their voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.image.grid import Grid
from leuko.masks.surface import Mesh, surface
from leuko.masks.surface_table import edge_ends, sheets

OBLIQUE = np.array(
    [[0.9, 0.1, -0.2, 3.0], [-0.1, 1.1, 0.3, -7.0], [0.2, -0.3, 2.0, 5.0], [0, 0, 0, 1]]
)


def edge_counts(mesh: Mesh) -> dict[tuple[int, int], tuple[int, int]]:
    """How often each edge is gone along in its one and in its other direction."""
    counts: dict[tuple[int, int], list[int]] = {}
    for a, b in np.concatenate([mesh.faces[:, [k, (k + 1) % 3]] for k in range(3)]).tolist():
        counts.setdefault((min(a, b), max(a, b)), [0, 0])[int(a > b)] += 1
    return {edge: (found[0], found[1]) for edge, found in counts.items()}


def ball(radius: float, shape: tuple[int, int, int] = (30, 30, 30)) -> npt.NDArray[np.bool_]:
    places = np.indices(shape) - (np.array(shape)[:, None, None, None] - 1) / 2
    return np.asarray((places**2).sum(axis=0) <= radius**2)


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.1, 0.5, 0.8]))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("smoothing", [0, 12])
def test_every_mask_has_a_closed_surface_of_its_volume(
    seed: int, share: float, smoothing: int
) -> None:
    mask = np.random.default_rng(seed).random((6, 5, 7)) < share
    grid = Grid(mask.shape, OBLIQUE)
    mesh = surface(mask, grid=grid, smoothing=smoothing)
    assert all(there == back for there, back in edge_counts(mesh).values())
    expected = np.count_nonzero(mask) * abs(np.linalg.det(OBLIQUE[:3, :3]))
    assert mesh.volume_mm3 == pytest.approx(expected, rel=0.02, abs=1e-6)


@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_a_ball_is_round_smooth_and_faces_outwards(flip: float) -> None:
    mask = ball(11)
    grid = Grid(mask.shape, np.diag([flip, 1.0, 1.0, 1.0]))
    mesh = surface(mask, grid=grid)
    assert {(1, 1)} == set(edge_counts(mesh).values())
    away = mesh.vertices - grid.to_world([14.5, 14.5, 14.5])
    distance = np.linalg.norm(away, axis=1)
    assert 10.5 < distance.min()
    assert distance.max() < 11.9
    assert ((away / distance[:, None]) * mesh.normals).sum(axis=1).min() > 0.85
    assert mesh.volume_mm3 == pytest.approx(mask.sum(), rel=1e-3)
    assert mesh.area_mm2 == pytest.approx(4 * np.pi * 11.2**2, rel=0.05)


def test_without_smoothing_the_surface_runs_along_the_voxels() -> None:
    mask = np.zeros((5, 5, 5), dtype=np.bool_)
    mask[2, 1:3, 2] = True
    mesh = surface(mask, grid=Grid((5, 5, 5), np.diag([2.0, 1.0, 3.0, 1.0])), smoothing=0)
    assert mesh.volume_mm3 == pytest.approx(12)
    assert mesh.vertices.min(axis=0).tolist() == [3.0, 0.5, 4.5]
    assert mesh.vertices.max(axis=0).tolist() == [5.0, 2.5, 7.5]
    assert mesh.area_mm2 == pytest.approx(2 * (2 * 2 + 2 * 3 + 2 * 3))


def test_a_single_voxel_keeps_its_volume() -> None:
    mesh = surface(np.ones((1, 1, 1)), grid=Grid((1, 1, 1), np.diag([1.0, 1.0, 3.0, 1.0])))
    assert mesh.volume_mm3 == pytest.approx(3.0, rel=1e-5)


def test_an_array_without_foreground_has_no_surface() -> None:
    mesh = surface(np.zeros((3, 3, 3)), grid=Grid((3, 3, 3), np.eye(4)))
    assert mesh.faces.shape == (0, 3)
    assert mesh.volume_mm3 == 0
    assert mesh.area_mm2 == 0


def test_a_hole_has_a_surface_of_its_own() -> None:
    mask = ball(11) & ~ball(5)
    mesh = surface(mask, grid=Grid(mask.shape, np.eye(4)))
    assert mesh.volume_mm3 == pytest.approx(mask.sum(), rel=1e-3)


def test_flipping_the_array_gives_the_same_surface_in_the_world() -> None:
    mask = np.random.default_rng(3).random((6, 7, 8)) < 0.4
    affine = OBLIQUE.copy()
    affine[:3, 3] += affine[:3, 0] * 5
    affine[:3, 0] *= -1
    one = surface(mask, grid=Grid(mask.shape, OBLIQUE))
    other = surface(mask[::-1], grid=Grid(mask.shape, affine))

    def cloud(mesh: Mesh) -> Any:
        return sorted(map(tuple, mesh.vertices.round(2).tolist()))

    assert np.allclose(cloud(one), cloud(other), atol=0.02)


def test_the_table_joins_no_voxels_that_share_only_an_edge() -> None:
    table = sheets()
    assert (table[[0, 255]] == -1).all()
    assert table[0b1001].max() == 1  # corners 0 and 3: a diagonal of one face
    assert table[0b0011].max() == 0  # neighbours: one sheet
    for case in (1, 37, 105, 200):
        for edge in range(12):
            one, other = edge_ends(edge)
            crossed = bool(case >> one & 1) != bool(case >> other & 1)
            assert (table[case, edge] >= 0) == crossed
