"""Visual scales by stated rules: known anatomies have known grades."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from leuko.formats.read import read_mask
from leuko.image.grid import Grid
from leuko.image.image import to_canonical
from leuko.models.classes import Tissue
from leuko.quantify.lesions import label_lesions, measure_lesions
from leuko.quantify.scales import Scales, measure_scales, scale_checks
from leuko.quantify.scales_geometry import in_plane_lengths, wide_parts

SHAPE = (120, 100, 40)
BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]


def box(x: tuple[int, int], y: tuple[int, int], z: tuple[int, int]) -> BoolArray:
    """The voxels from (x0, y0, z0) to below (x1, y1, z1)."""
    found = np.zeros(SHAPE, dtype=np.bool_)
    found[slice(*x), slice(*y), slice(*z)] = True
    return found


def head() -> npt.NDArray[np.uint8]:
    """A block of white matter with a ventricle on each side of the midline; 1 mm voxels."""
    anatomy = np.full(SHAPE, Tissue.WHITE_MATTER, dtype=np.uint8)
    anatomy[45:55, 30:70, 12:28] = Tissue.VENTRICLES
    anatomy[65:75, 30:70, 12:28] = Tissue.VENTRICLES
    return anatomy


def shell(thickness: float) -> BoolArray:
    """A halo of even thickness around the ventricles, left and right."""
    found = np.zeros(SHAPE, dtype=np.bool_)
    reach = int(thickness)
    found[45 - reach : 45, 30:70, 12:28] = True
    found[75 : 75 + reach, 30:70, 12:28] = True
    return found


def graded(
    mask: BoolArray,
    *,
    anatomy: npt.NDArray[np.uint8] | None = None,
    spacing: Triple = (1.0, 1.0, 1.0),
    across: int = 2,
    vascular: bool = True,
) -> Scales:
    """The scales of a mask in the head above, or another."""
    tissues = head() if anatomy is None else anatomy
    labels, _ = label_lesions(mask)
    grid = Grid.from_spacing(cast(tuple[int, int, int], mask.shape), spacing)
    return measure_scales(
        labels,
        table=measure_lesions(labels, grid=grid, anatomy=tissues),
        ventricles=tissues == Tissue.VENTRICLES,
        spacing=spacing,
        across=across,
        volume_ml=float(mask.sum()) * grid.voxel_mm3 / 1000,
        vascular=vascular,
    )


def fazekas(scales: Scales) -> tuple[int | None, int | None]:
    """Both grades."""
    return scales.fazekas_periventricular.grade, scales.fazekas_deep.grade


@pytest.mark.parametrize(
    ("thickness", "grade"), [(0, 0), (1, 1), (3, 1), (5, 1), (7, 2), (9, 2), (12, 3), (15, 3)]
)
def test_the_thickness_around_the_ventricles_gives_the_periventricular_grade(
    thickness: int, grade: int
) -> None:
    """Lining to 5 mm, halo to 10 mm, further into deep white matter."""
    assert graded(shell(thickness)).fazekas_periventricular.grade == grade


@pytest.mark.parametrize(
    ("lesion", "grade"),
    [
        (box((20, 22), (40, 42), (20, 21)), 0),  # 2 mm: a speck
        (box((20, 24), (40, 44), (20, 23)), 1),  # 4 mm
        (box((20, 28), (40, 46), (18, 24)), 1),  # 9 mm
        (box((10, 13), (35, 50), (18, 24)), 1),  # 15 mm long, but 3 mm thin
        (box((10, 17), (35, 50), (18, 24)), 2),  # 15 mm long, 7 mm wide
        (box((10, 13), (35, 60), (18, 24)), 2),  # 25 mm: lesions in a row, with bridges
        (box((10, 17), (30, 60), (18, 24)), 2),  # 30 mm long, 7 mm wide
        (box((8, 22), (30, 60), (18, 24)), 3),  # 30 mm long, 14 mm wide
    ],
)
def test_length_and_width_in_slices_give_the_deep_grade(lesion: BoolArray, grade: int) -> None:
    found = graded(lesion)
    assert fazekas(found) == (0, grade)
    assert found.fazekas_total.grade == grade


def test_thick_caps_are_no_deep_confluence() -> None:
    """A halo of 9 mm has a long part beyond 5 mm; none of it lies beyond 10 mm."""
    assert fazekas(graded(shell(9))) == (2, 1)


def test_an_empty_mask_has_grade_0_everywhere() -> None:
    found = graded(np.zeros(SHAPE, dtype=np.bool_))
    assert fazekas(found) == (0, 0)
    assert found.csvd_point.grade == found.by_volume.grade == found.fazekas_total.grade == 0
    assert found.scheltens_periventricular.grade == 0


def test_the_point_of_the_small_vessel_score_is_for_3_periventricular_or_2_deep() -> None:
    halo, deep = shell(9), box((10, 17), (35, 50), (18, 24))
    assert graded(halo).csvd_point.grade == 0
    assert graded(deep).csvd_point.grade == 1
    assert graded(shell(12)).csvd_point.grade == 1


def test_infratentorial_lesions_give_no_supratentorial_grade() -> None:
    anatomy = head()
    anatomy[:, :, :6] = Tissue.CEREBELLUM
    lesion = box((20, 34), (40, 70), (1, 4))
    assert fazekas(graded(lesion, anatomy=anatomy)) == (0, 0)
    assert fazekas(graded(lesion)) == (0, 3)


def test_every_grade_brings_its_rule_its_numbers_and_the_word_estimate() -> None:
    found = graded(shell(7))  # its outermost layer holds 1.28 ml, 7 mm from the ventricles
    assert found.label == "algorithmic estimate"
    numbers = {one.name: one.value for one in found.fazekas_periventricular.measured}
    assert numbers == {"volume_ml": pytest.approx(2 * 7 * 40 * 16 / 1000), "reach_mm": 7.0}
    for grade in found.grades:
        assert len(grade.rule) > 20
        assert grade.grade is not None or grade.why_not


def test_ms_lesions_and_heads_without_ventricles_have_no_grade_but_a_reason() -> None:
    other = graded(shell(7), vascular=False)
    bare = graded(shell(7), anatomy=np.full(SHAPE, Tissue.WHITE_MATTER, dtype=np.uint8))
    for found, word in ((other, "multiple sclerosis"), (bare, "ventricles")):
        assert all(grade.grade is None for grade in found.grades)
        assert all(word in grade.why_not for grade in found.grades)
        assert not scale_checks(found)


@pytest.mark.parametrize(
    ("volume", "grade"), [(0, 0), (3.3, 0), (3.4, 1), (9.6, 2), (17.0, 2), (17.1, 3), (80, 3)]
)
def test_cut_offs_of_volume_are_the_published_ones(volume: float, grade: int) -> None:
    labels = np.zeros(SHAPE, dtype=np.int32)
    found = measure_scales(
        labels,
        table=(),
        ventricles=head() == Tissue.VENTRICLES,
        spacing=(1, 1, 1),
        across=2,
        volume_ml=volume,
    )
    assert found.by_volume.grade == grade
    codes = [finding.code for finding in scale_checks(found)]
    assert codes == (["scales.disagree"] if grade >= 2 else [])


def test_frontal_and_occipital_caps_and_bands_are_told_apart() -> None:
    front = box((45, 55), (70, 74), (12, 28)) | box((65, 75), (70, 74), (12, 28))
    parts = {one.name: one.grade for one in graded(front).scheltens_periventricular.parts}
    assert parts == {"frontal_caps": 1, "occipital_caps": 0, "bands": 0}
    parts = {one.name: one.grade for one in graded(shell(8)).scheltens_periventricular.parts}
    assert parts["bands"] == 2


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 6.0), (2.0, 2.0, 2.0), (0.8, 0.8, 5.0)])
def test_grades_do_not_depend_on_the_voxels(spacing: Triple) -> None:
    """The same lesions, sampled at the centres of other voxels."""
    x, y, z = (
        ((np.arange(int(size / step)) + 0.5) * step).astype(int)
        for size, step in zip(SHAPE, spacing, strict=True)
    )
    where = np.ix_(x, y, z)
    for mask in (
        shell(3),
        shell(8) | box((8, 12), (40, 44), (12, 20)),
        shell(14) | box((96, 112), (30, 60), (10, 30)),
        box((10, 18), (35, 50), (12, 24)) | shell(2),
    ):
        fine = fazekas(graded(mask))
        coarse = graded(mask[where], anatomy=head()[where], spacing=spacing)
        assert fazekas(coarse) == fine


def test_lengths_are_taken_in_the_plane_of_slices() -> None:
    """20 mm up and down through sagittal slices, 4 mm in axial ones."""
    lesion = box((20, 24), (40, 44), (10, 34))
    axial = in_plane_lengths(lesion, spacing=(1, 1, 1), across=2)
    sagittal = in_plane_lengths(lesion, spacing=(1, 1, 1), across=0)
    assert axial.max() == pytest.approx(3 * np.sqrt(2) + 1, abs=0.2)
    assert sagittal.max() == pytest.approx(np.hypot(3, 23) + 1, abs=0.5)


def test_what_is_thinner_than_a_disc_is_taken_away() -> None:
    mask = box((10, 20), (10, 20), (5, 8)) | box((20, 40), (14, 16), (5, 8))
    kept = wide_parts(mask, spacing=(1, 1, 1), across=2, width_mm=5.0)
    assert kept[12:18, 12:18, 6].all()
    assert not kept[25:].any()
    assert not (kept & ~mask).any()


@pytest.mark.parametrize(
    ("case", "expected"), [("104252", (2, 1)), ("105074", (3, 2)), ("105911", (2, 1))]
)
def test_manual_masks_of_real_scans_have_the_grades_that_they_look_like(
    shared_data: Path, case: str, expected: tuple[int, int]
) -> None:
    """Caps and halos of 6 to 12 mm; a few small deep lesions, in 105074 some that grow together."""
    folder = shared_data / "wmh" / "tabriz" / case
    lesions, caps, ventricles = (
        read_mask(folder / f"{name}.nii.gz") for name in ("lesions", "caps_and_rims", "ventricles")
    )
    grid = lesions.grid.canonical()
    drawn, rims, inside = (
        np.asarray(to_canonical(one.data, one.grid), dtype=np.bool_)
        for one in (lesions, caps, ventricles)
    )
    labels, _ = label_lesions((drawn | rims) & ~inside)
    found = measure_scales(
        labels, table=(), ventricles=inside, spacing=grid.spacing, across=2, volume_ml=14.0
    )
    assert fazekas(found) == expected


boxes = some.tuples(
    some.integers(2, 110),
    some.integers(2, 90),
    some.integers(1, 34),
    some.integers(1, 24),
    some.integers(1, 24),
    some.integers(1, 8),
)


@settings(max_examples=20, deadline=None)
@given(some.lists(boxes, min_size=1, max_size=6))
def test_more_lesion_never_gives_a_lower_grade(
    lesions: list[tuple[int, int, int, int, int, int]],
) -> None:
    mask = np.zeros(SHAPE, dtype=np.bool_)
    before = graded(mask)
    for x, y, z, dx, dy, dz in lesions:
        mask[x : x + dx, y : y + dy, z : z + dz] = True
        mask &= head() != Tissue.VENTRICLES
        after = graded(mask)
        for one, other in zip(before.grades, after.grades, strict=True):
            assert (other.grade or 0) >= (one.grade or 0), one.name
        before = after


@settings(max_examples=10, deadline=None)
@given(some.lists(boxes, min_size=1, max_size=4))
def test_a_mirrored_head_has_the_same_grades(
    lesions: list[tuple[int, int, int, int, int, int]],
) -> None:
    mask = np.zeros(SHAPE, dtype=np.bool_)
    for x, y, z, dx, dy, dz in lesions:
        mask[x : x + dx, y : y + dy, z : z + dz] = True
    mirrored = graded(mask[::-1], anatomy=np.ascontiguousarray(head()[::-1]))
    assert [one.grade for one in graded(mask).grades] == [one.grade for one in mirrored.grades]
