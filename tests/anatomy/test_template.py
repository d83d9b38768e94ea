"""A head finds its place on the template, and is told when it did not."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
from scipy import ndimage
from template_heads import moved_head

from leuko.anatomy.template import load_template, template_grid
from leuko.anatomy.template_bend import bend_template, labels_through
from leuko.anatomy.template_fit import fit_template
from leuko.anatomy.template_landing import landing_findings, place_on_template
from leuko.anatomy.tissues import BRAIN
from leuko.image.grid import Grid
from leuko.models.classes import Tissue
from leuko.registration.transforms import Affine, Transform, compose

THICK = (2.0, 2.0, 7.0)


def error_mm(found: Affine, truth: Affine) -> float:
    """The mean distance in the head between where both maps lead the template's brain."""
    template = load_template()
    places = np.argwhere(np.isin(template.tissues, BRAIN))[::97]
    points = template.grid.to_world(places)
    apart = found.apply_to_points(points) - truth.apply_to_points(points)
    return float(np.linalg.norm(apart, axis=1).mean())


def test_the_packaged_template_is_symmetric_and_carries_its_notice() -> None:
    template = load_template()
    assert np.array_equal(template.tissues, template.tissues[::-1])
    assert set(np.unique(template.tissues)) == set(range(8))  # no lesions
    assert template.grid.to_world((49, 67, 36)).tolist() == [0.0, 0.0, 0.0]
    notice = resources.files("leuko.models.template").joinpath("NOTICE.txt").read_text()
    assert "Louis Collins" in notice
    assert "Permission to use, copy, modify, and distribute" in notice


def test_the_grid_of_one_millimetre_is_that_of_the_publishers() -> None:
    grid = template_grid()
    assert grid.shape == (197, 233, 189)
    assert grid.to_world((98, 134, 72)).tolist() == [0.0, 0.0, 0.0]
    assert template_grid(2.0) == load_template().grid


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((105, 120, 24), THICK), ((100, 115, 90), (2.0, 2.0, 2.0)), ((52, 110, 90), (4.0, 2.0, 2.0))],
)
def test_a_moved_head_is_found_to_a_millimetre(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    anatomy, truth = moved_head(shape=shape, spacing=spacing)
    placement = place_on_template(anatomy, spacing=spacing)
    assert placement is not None
    assert placement.landed
    assert error_mm(placement.from_template, truth) < 1.0
    assert landing_findings(placement) == ()


@pytest.mark.parametrize("nod", [-30.0, 30.0])
def test_a_nodding_head_is_found(nod: float) -> None:
    anatomy, truth = moved_head(shape=(100, 120, 110), spacing=(2.0, 2.0, 2.0),
                                degrees=(nod, 0.0, 0.0))  # fmt: skip
    found = fit_template(anatomy, spacing=(2.0, 2.0, 2.0))
    assert found is not None
    assert error_mm(found, truth) < 1.0


@pytest.mark.parametrize("part", ["vertex", "cerebellum"])
def test_what_lies_outside_the_scan_says_nothing(part: str) -> None:
    """The vertex or the cerebellum is cut off: the rest still lands where it belongs."""
    anatomy, truth = moved_head()
    held = np.flatnonzero(np.isin(anatomy, BRAIN).any(axis=(0, 1)))
    if part == "vertex":
        seen = anatomy[:, :, : held[-1] - 3]
    else:
        first = int(held[0]) + 5
        seen = anatomy[:, :, first:]
        shifted = truth.matrix.copy()
        shifted[2, 3] -= first * THICK[2]
        truth = Affine(shifted)
    placement = place_on_template(seen, spacing=THICK)
    assert placement is not None
    assert placement.landed
    assert placement.seen < 0.95
    assert error_mm(placement.from_template, truth) < 2.5


def test_outer_fluid_makes_no_difference() -> None:
    """Brain-extracted scans have none."""
    anatomy, _ = moved_head()
    bare = np.where(anatomy == Tissue.CSF, 0, anatomy).astype(np.uint8)
    one, other = (fit_template(labels, spacing=THICK) for labels in (anatomy, bare))
    assert one is not None
    assert other is not None
    assert error_mm(one, other) < 0.5


def test_memory_order_does_not_matter() -> None:
    anatomy, _ = moved_head()
    one = fit_template(anatomy, spacing=THICK)
    other = fit_template(np.asfortranarray(anatomy), spacing=THICK)
    assert one == other


def wrong(anatomy: np.ndarray, how: str) -> np.ndarray:
    """The same tissues as no scan should be."""
    x, _, _ = (n // 2 for n in anatomy.shape)
    spoiled = anatomy.copy()
    match how:
        case "upside down":
            return anatomy[:, :, ::-1]
        case "back to front":
            return anatomy[:, ::-1]
        case "half a brain":
            spoiled[x:] = 0
        case "no deep grey matter":
            spoiled[spoiled == Tissue.DEEP_GREY] = Tissue.WHITE_MATTER
    return spoiled


@pytest.mark.parametrize(
    "how", ["upside down", "back to front", "half a brain", "no deep grey matter"]
)
def test_wrong_heads_do_not_land(how: str) -> None:
    anatomy, _ = moved_head(shape=(100, 115, 90), spacing=(2.0, 2.0, 2.0))
    placement = place_on_template(wrong(anatomy, how), spacing=(2.0, 2.0, 2.0))
    assert placement is not None
    (finding,) = landing_findings(placement)
    assert finding.code == "atlas.not_landed"
    assert finding.hint


def test_slices_of_another_thickness_than_stated_do_not_land() -> None:
    anatomy, _ = moved_head()
    placement = place_on_template(anatomy, spacing=(2.0, 2.0, 14.0))
    assert placement is not None
    assert not placement.landed
    assert "stretched" in landing_findings(placement)[0].what


def test_without_a_brain_or_an_orientation_there_is_no_place() -> None:
    assert place_on_template(np.zeros((40, 40, 40), np.uint8), spacing=(4.0, 4.0, 4.0)) is None
    (empty,) = landing_findings(None)
    (unknown,) = landing_findings(None, oriented=False)
    assert empty.code == unknown.code == "atlas.not_landed"
    assert "how the head lies" in unknown.what


def test_the_place_in_the_world_is_that_of_the_grid() -> None:
    anatomy, _ = moved_head()
    placement = place_on_template(anatomy, spacing=THICK)
    assert placement is not None
    affine = np.diag([*THICK, 1.0])
    affine[:3, 3] = (-90.0, -120.0, 33.0)
    grid = Grid(anatomy.shape, affine)
    moved = placement.to_world(grid).apply_to_points((0.0, 0.0, 0.0))
    expected = placement.from_template.apply_to_points((0.0, 0.0, 0.0)) + affine[:3, 3]
    np.testing.assert_allclose(moved, expected, atol=1e-9)


def test_the_bend_follows_wide_ventricles_without_folding() -> None:
    """Twelve numbers cannot widen ventricles; the bend does, and only there."""
    anatomy, truth = moved_head(shape=(100, 115, 90), spacing=(2.0, 2.0, 2.0))
    wide = anatomy.copy()
    wide[ndimage.binary_dilation(anatomy == Tissue.VENTRICLES, iterations=2)
         & (anatomy == Tissue.WHITE_MATTER)] = Tissue.VENTRICLES  # fmt: skip
    bend = bend_template(wide, spacing=(2.0, 2.0, 2.0), linear=truth)
    template = load_template()

    def overlap(transform: Transform) -> float:
        found = labels_through(
            wide,
            grid=Grid.from_spacing(wide.shape, (2.0, 2.0, 2.0)),
            transform=transform,
            onto=template.grid,
            where=template.tissues > 0,
        )
        one, other = found == Tissue.VENTRICLES, template.tissues == Tissue.VENTRICLES
        return 2 * np.count_nonzero(one & other) / (one.sum() + other.sum())

    assert overlap(compose(bend, truth)) > overlap(truth) + 0.1
    slopes = [np.gradient(bend.displacements[..., k], 4.0) for k in range(3)]
    jacobian = np.moveaxis(np.array(slopes), (0, 1), (-2, -1)) + np.eye(3)
    assert np.linalg.det(jacobian).min() > 0.1


def test_a_head_like_the_template_is_not_bent() -> None:
    anatomy, truth = moved_head(shape=(100, 115, 90), spacing=(2.0, 2.0, 2.0))
    bend = bend_template(anatomy, spacing=(2.0, 2.0, 2.0), linear=truth)
    assert np.linalg.norm(bend.displacements, axis=-1).mean() < 0.3
