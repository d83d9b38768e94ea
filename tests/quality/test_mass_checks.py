"""Compact bright regions that are no white matter hyperintensities."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leuko.findings import Severity
from leuko.models.classes import Tissue
from leuko.quality.mass import largest_mass, mass_checks

Array = npt.NDArray[Any]
SPACING = (1.0, 1.0, 5.0)
SHAPE = (160, 190, 26)
CENTRE = (79.5, 94.5, 12.5)


def distance(centre: tuple[float, float, float]) -> Array:
    x, y, z = np.ogrid[tuple(slice(0, length) for length in SHAPE)]
    dx, dy, dz = (
        (index - place) * mm for index, place, mm in zip((x, y, z), centre, SPACING, strict=True)
    )
    return np.asarray(np.sqrt(dx**2 + dy**2 + dz**2))


def brain() -> tuple[Array, Array]:
    """Ventricles, white matter, cortex and fluid in shells; a FLAIR's levels."""
    far = distance(CENTRE)
    anatomy = np.zeros(SHAPE, np.uint8)
    data = np.full(SHAPE, 5, np.float32)
    for reach, tissue, level in (
        (65, Tissue.CSF, 30), (61, Tissue.CORTEX, 115),
        (55, Tissue.WHITE_MATTER, 100), (12, Tissue.VENTRICLES, 30),
    ):  # fmt: skip
        anatomy[far < reach] = tissue
        data[far < reach] = level
    noise = np.random.default_rng(0).normal(0, 4, SHAPE)
    return (data + noise).astype(np.float32), anatomy


def with_tumour(radius: float, *, side: int = 1, named: int = Tissue.CORTEX) -> tuple[Array, Array]:
    """A bright ball that reaches cortex; `named` is what a network takes it for."""
    data, anatomy = brain()
    inside = (distance((79.5 + side * (55 - radius + 4), 94.5, 12.5)) < radius) & (anatomy > 0)
    data[inside] = 180
    anatomy[inside] = named
    return data, anatomy


def test_a_brain_without_a_mass_passes() -> None:
    data, anatomy = brain()
    assert mass_checks(data, anatomy=anatomy, spacing=SPACING) == ()


@pytest.mark.parametrize(
    "named", [Tissue.BACKGROUND, Tissue.CSF, Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.VENTRICLES]
)
def test_a_tumour_is_flagged_whatever_it_is_taken_for(named: Tissue) -> None:
    data, anatomy = with_tumour(18.0, named=named)
    (found,) = mass_checks(data, anatomy=anatomy, spacing=SPACING)
    assert (found.code, found.severity) == ("scan.mass", Severity.WARNING)


def test_its_volume_and_side_are_said() -> None:
    data, anatomy = with_tumour(18.0, side=1)
    mass = largest_mass(data, anatomy=anatomy, spacing=SPACING)
    assert mass is not None
    assert mass.ml == pytest.approx(4 / 3 * np.pi * 1.8**3, rel=0.25)
    assert mass.radius_mm == pytest.approx(18, abs=3)
    assert mass.left == 0.0
    (right,) = mass_checks(data, anatomy=anatomy, spacing=SPACING)
    assert "on the right" in right.what
    (left,) = mass_checks(np.flip(data, 0), anatomy=np.flip(anatomy, 0), spacing=SPACING)
    assert "on the left" in left.what
    (unsure,) = mass_checks(data, anatomy=anatomy, spacing=SPACING, sided=False)
    assert "on the" not in unsure.what


def test_confluent_hyperintensities_in_white_matter_are_none() -> None:
    """Thick caps around the ventricles on both sides, and one on one side alone."""
    for sides in ((-1, 1), (1,)):
        data, anatomy = brain()
        for side in sides:
            inside = distance((79.5 + side * 26, 94.5, 12.5)) < 13
            data[inside] = 170
        assert mass_checks(data, anatomy=anatomy, spacing=SPACING) == ()


def test_what_both_sides_have_is_none() -> None:
    data, anatomy = with_tumour(16.0)
    mirrored, labels = (np.flip(array, 0) for array in with_tumour(16.0))
    data = np.maximum(data, mirrored)
    anatomy = np.where(mirrored > 150, labels, anatomy)
    bridge = (np.abs(np.arange(SHAPE[1]) - 94.5) < 8)[None, :, None] & (distance(CENTRE) < 58)
    data[bridge], anatomy[bridge] = 180, Tissue.CORTEX
    assert mass_checks(data, anatomy=anatomy, spacing=SPACING) == ()


def test_a_small_bright_spot_is_none() -> None:
    data, anatomy = with_tumour(7.0)
    assert mass_checks(data, anatomy=anatomy, spacing=SPACING) == ()


def test_a_bright_skin_is_none() -> None:
    data, anatomy = brain()
    far = distance(CENTRE)
    data[(far > 66) & (far < 85)] = 300
    assert mass_checks(data, anatomy=anatomy, spacing=SPACING) == ()


def test_without_a_brain_there_is_none() -> None:
    data, anatomy = brain()
    assert mass_checks(data, anatomy=np.zeros_like(anatomy), spacing=SPACING) == ()


@pytest.mark.parametrize("axes", [(0, 2, 1), (2, 1, 0)])
def test_slices_may_lie_along_any_axis(axes: tuple[int, int, int]) -> None:
    data, anatomy = with_tumour(18.0)
    spacing = (SPACING[axes[0]], SPACING[axes[1]], SPACING[axes[2]])
    turned = largest_mass(
        np.transpose(data, axes), anatomy=np.transpose(anatomy, axes), spacing=spacing
    )
    if axes[0] == 0:  # right and left are where they were
        mass = largest_mass(data, anatomy=anatomy, spacing=SPACING)
        assert turned is not None
        assert mass is not None
        assert turned.ml == mass.ml
    else:
        assert turned is None or turned.left in (0.0, 1.0)
