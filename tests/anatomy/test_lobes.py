"""Lobes by planes: landmarks that every atlas agrees on, and an atlas of others as a check."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from template_heads import moved_head

from leuko.anatomy.lobes import LOBE_VALUES, Lobe, lobe_map, lobes_at
from leuko.anatomy.template import load_template
from leuko.formats.read import read_mask
from leuko.models.classes import Tissue

# Places deep within their lobe in every atlas in MNI space, right side (mm).
LANDMARKS = [
    ("frontal pole", (24.0, 56.0, 10.0), Lobe.FRONTAL),
    ("middle frontal gyrus", (38.0, 28.0, 36.0), Lobe.FRONTAL),
    ("orbital gyri", (28.0, 38.0, -14.0), Lobe.FRONTAL),
    ("supplementary motor area", (6.0, 0.0, 60.0), Lobe.FRONTAL),
    ("superior parietal lobule", (24.0, -58.0, 62.0), Lobe.PARIETAL),
    ("supramarginal gyrus", (56.0, -34.0, 36.0), Lobe.PARIETAL),
    ("precuneus", (8.0, -58.0, 46.0), Lobe.PARIETAL),
    ("middle temporal gyrus", (60.0, -24.0, -8.0), Lobe.TEMPORAL),
    ("temporal pole", (40.0, 14.0, -32.0), Lobe.TEMPORAL),
    ("hippocampus", (28.0, -18.0, -16.0), Lobe.TEMPORAL),
    ("occipital pole", (16.0, -96.0, 2.0), Lobe.OCCIPITAL),
    ("calcarine sulcus", (12.0, -78.0, 8.0), Lobe.OCCIPITAL),
    ("insula", (37.0, 4.0, 2.0), Lobe.INSULAR),
    ("putamen", (26.0, 4.0, 2.0), Lobe.BASAL_GANGLIA),
    ("thalamus", (11.0, -18.0, 8.0), Lobe.BASAL_GANGLIA),
    ("internal capsule", (18.0, -4.0, 10.0), Lobe.BASAL_GANGLIA),
    ("pons", (4.0, -26.0, -30.0), Lobe.INFRATENTORIAL),
    ("cerebellar hemisphere", (30.0, -62.0, -40.0), Lobe.INFRATENTORIAL),
]
# What the FSL atlas calls these, by our lobes (its values: index + 1 of its table).
ORACLE = {1: 6, 2: 7, 3: 1, 4: 5, 5: 4, 6: 2, 7: 6, 8: 3, 9: 6}


@pytest.mark.parametrize(("name", "place", "lobe"), LANDMARKS, ids=[row[0] for row in LANDMARKS])
def test_landmarks_lie_in_their_lobe_on_both_sides(
    name: str, place: tuple[float, float, float], lobe: Lobe
) -> None:
    x, y, z = place
    found = lobes_at(np.array([[x, y, z], [-x, y, z]]))
    assert found.tolist() == [LOBE_VALUES[lobe]] * 2, name


def test_every_point_of_the_brain_has_a_lobe() -> None:
    template = load_template()
    points = template.grid.to_world(np.argwhere(template.tissues > 0)[::11])
    found = lobes_at(points)
    assert set(np.unique(found)) == set(LOBE_VALUES.values())


def test_the_map_of_a_head_is_that_of_the_template_where_it_lies() -> None:
    anatomy, truth = moved_head()
    found = lobe_map(anatomy, from_template=truth, spacing=(2.0, 2.0, 7.0))
    assert not found[anatomy == 0].any()
    white = np.argwhere(anatomy == Tissue.WHITE_MATTER)[::13]
    there = lobes_at(truth.inverse().apply_to_points(white * (2.0, 2.0, 7.0)))
    assert np.mean(found[tuple(white.T)] == there) > 0.999  # but for rounding at a border


def test_the_heads_own_anatomy_counts_before_the_planes() -> None:
    anatomy, truth = moved_head()
    spoiled = anatomy.copy()
    place = np.rint(truth.apply_to_points((38.0, 28.0, 36.0)) / (2.0, 2.0, 7.0)).astype(int)
    spoiled[tuple(place)] = Tissue.CEREBELLUM
    found = lobe_map(spoiled, from_template=truth, spacing=(2.0, 2.0, 7.0))
    assert found[tuple(place)] == LOBE_VALUES[Lobe.INFRATENTORIAL]
    assert (found[anatomy == Tissue.DEEP_GREY] == LOBE_VALUES[Lobe.BASAL_GANGLIA]).all()


def test_lesions_outside_the_head_have_a_lobe() -> None:
    anatomy, truth = moved_head()
    lesions = np.zeros(anatomy.shape, dtype=np.bool_)
    lesions[0, 0, 0] = True
    found = lobe_map(anatomy, from_template=truth, spacing=(2.0, 2.0, 7.0), lesions=lesions)
    assert found[0, 0, 0] > 0


def test_another_atlas_of_lobes_agrees(shared_data: Path) -> None:
    """FSL's lobes, drawn by others; borders are conventions, so that 9 in 10 is what to expect."""
    oracle = read_mask(shared_data / "atlases" / "mni_lobes_1mm.nii.gz")
    places = np.argwhere(np.asarray(oracle.data) > 0)[::29]
    table = np.zeros(10, dtype=np.uint8)
    table[list(ORACLE)] = list(ORACLE.values())
    theirs = table[np.asarray(oracle.data)[tuple(places.T)].astype(int)]
    ours = lobes_at(oracle.grid.to_world(places))
    cerebrum = (theirs != LOBE_VALUES[Lobe.INFRATENTORIAL]) & (theirs > 0)
    assert np.mean(ours[cerebrum] == theirs[cerebrum]) > 0.88
