"""Left and right come from the head's own symmetry, never from the halves of the array."""

from __future__ import annotations

import time
from math import cos, radians, sin, tan

import numpy as np
import pytest

from leuko.anatomy.hemispheres import (
    LEFT,
    MIDLINE,
    RIGHT,
    fit_midsagittal_plane,
    right_of_plane,
    sides,
)
from leuko.models.classes import Tissue

Triple = tuple[float, float, float]
TWO_MM = (2.0, 2.0, 2.0)


def head(
    *,
    shape: tuple[int, int, int] = (80, 95, 75),
    spacing: Triple = TWO_MM,
    centre: Triple | None = None,
    yaw: float = 0.0,
    roll: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """A brain of ellipsoids, and how many mm each voxel lies to the right of its mirror plane."""
    middle = centre or tuple((n - 1) * s / 2 for n, s in zip(shape, spacing, strict=True))
    x, y, z = np.meshgrid(
        *(np.arange(n) * s - m for n, s, m in zip(shape, spacing, middle, strict=True)),
        indexing="ij",
        sparse=True,
    )
    a, b = radians(yaw), radians(roll)
    u = cos(b) * (cos(a) * x + sin(a) * y) + sin(b) * z  # to the right
    v = -sin(a) * x + cos(a) * y
    w = -sin(b) * (cos(a) * x + sin(a) * y) + cos(b) * z
    anatomy = np.zeros(np.broadcast_shapes(u.shape, v.shape, w.shape), dtype=np.uint8)

    def fill(tissue: Tissue, at: Triple, radii: Triple) -> None:
        for side in (-1, 1) if at[0] else (1,):
            inside = ((u - side * at[0]) / radii[0]) ** 2 + ((v - at[1]) / radii[1]) ** 2
            anatomy[inside + ((w - at[2]) / radii[2]) ** 2 <= 1] = tissue

    fill(Tissue.CSF, (0, 0, 0), (66, 82, 62))
    fill(Tissue.CORTEX, (0, 0, 0), (62, 78, 58))
    fill(Tissue.CORTEX, (30, 8, -34), (22, 34, 16))
    fill(Tissue.WHITE_MATTER, (28, 0, 8), (24, 62, 36))
    fill(Tissue.DEEP_GREY, (14, 5, -4), (9, 18, 12))
    fill(Tissue.VENTRICLES, (9, 0, 12), (6, 32, 9))
    fill(Tissue.CEREBELLUM, (0, -48, -38), (44, 26, 16))
    fill(Tissue.BRAINSTEM, (0, -20, -40), (13, 13, 28))
    return anatomy, np.broadcast_to(u, anatomy.shape)


def share_right(anatomy: np.ndarray, truth: np.ndarray, spacing: Triple) -> float:
    """Share of the brain's voxels off the midline that get their own side."""
    found = sides(anatomy, spacing)
    clear = (anatomy > 0) & (found != MIDLINE)
    return float(((found == RIGHT) == (truth > 0))[clear].mean())


def test_an_upright_head_is_cut_in_its_middle() -> None:
    anatomy, _ = head()
    plane = fit_midsagittal_plane(anatomy, spacing=TWO_MM)
    assert plane is not None
    assert 79.0 == pytest.approx(plane.a + 94.0 * plane.b + 74.0 * plane.c, abs=0.3)
    assert (0.0, 0.0) == (pytest.approx(plane.b, abs=0.01), pytest.approx(plane.c, abs=0.01))


@pytest.mark.parametrize("yaw", [-15, 0, 15])
@pytest.mark.parametrize("roll", [-15, 0, 15])
def test_a_head_may_be_turned_by_fifteen_degrees(yaw: float, roll: float) -> None:
    anatomy, truth = head(yaw=yaw, roll=roll)
    plane = fit_midsagittal_plane(anatomy, spacing=TWO_MM)
    assert plane is not None
    assert -tan(radians(yaw)) == pytest.approx(plane.b, abs=0.02)
    assert -tan(radians(roll)) / cos(radians(yaw)) == pytest.approx(plane.c, abs=0.02)
    assert share_right(anatomy, truth, TWO_MM) > 0.995


def test_a_head_may_lie_off_centre_in_thick_slices() -> None:
    spacing = (0.9, 0.9, 6.5)
    anatomy, truth = head(
        shape=(256, 256, 22), spacing=spacing, centre=(150.0, 100.0, 70.0), yaw=9, roll=-6
    )
    assert share_right(anatomy, truth, spacing) > 0.995


@pytest.mark.parametrize(
    "kept",
    [
        (slice(None), slice(None), slice(0, 38)),
        (slice(None), slice(None), slice(40, None)),
        (slice(None), slice(45, None), slice(None)),
        (slice(20, None), slice(None), slice(None)),
        (slice(0, 60), slice(None), slice(None)),
    ],
    ids=["lower half", "upper half", "front", "left cut", "right cut"],
)
def test_a_part_of_the_head_is_enough(kept: tuple[slice, slice, slice]) -> None:
    anatomy, truth = head(yaw=8, roll=5)
    assert share_right(anatomy[kept], truth[kept], TWO_MM) > 0.99


def test_disease_of_one_side_does_not_bend_the_plane() -> None:
    anatomy, truth = head(yaw=6)
    x, y, z = np.indices(anatomy.shape, sparse=True)
    cavity = (x - 57) ** 2 + (y - 55) ** 2 + (z - 45) ** 2 < 14**2
    anatomy[cavity] = Tissue.CSF
    assert share_right(anatomy, truth, TWO_MM) > 0.99


def test_mirroring_the_head_swaps_its_sides() -> None:
    anatomy, _ = head(yaw=7, roll=-4, centre=(85.0, 94.0, 75.0))
    own = sides(anatomy, TWO_MM)
    mirrored = sides(anatomy[::-1], TWO_MM)[::-1]
    swapped = np.array([0, RIGHT, LEFT, MIDLINE], dtype=np.uint8)[mirrored]
    assert np.mean(own == swapped) > 0.997


def test_the_midline_is_a_band_of_three_millimetres() -> None:
    anatomy, _ = head()
    found = sides(anatomy, TWO_MM)
    assert (MIDLINE == found[:, 45, 35]).sum() in (1, 2)
    assert (LEFT, RIGHT) == (found[0, 45, 35], found[-1, 45, 35])
    assert {LEFT, RIGHT, MIDLINE} == set(np.unique(found).tolist())


def test_sides_do_not_depend_on_the_layout_in_memory() -> None:
    anatomy, _ = head(yaw=5)
    turned = np.ascontiguousarray(anatomy.transpose(2, 0, 1)[::-1])[::-1].transpose(1, 2, 0)
    assert np.array_equal(anatomy, turned)
    assert np.array_equal(sides(anatomy, TWO_MM), sides(turned, TWO_MM))


@pytest.mark.parametrize("fill", [0, Tissue.CSF])
def test_without_a_brain_sides_are_unknown(fill: int) -> None:
    anatomy = np.full((40, 40, 40), fill, dtype=np.uint8)
    assert fit_midsagittal_plane(anatomy, spacing=(4.0, 4.0, 4.0)) is None
    assert not sides(anatomy, (4.0, 4.0, 4.0)).any()


def test_one_slice_has_sides() -> None:
    anatomy, truth = head(yaw=5)
    one = anatomy[:, :, 40:41]
    found = sides(one, (2.0, 2.0, 20.0))
    clear = (one > 0) & (found != MIDLINE)
    assert ((found == RIGHT) == (truth[:, :, 40:41] > 0))[clear].mean() > 0.98


FREESURFER = {
    Tissue.CSF: (24,),
    Tissue.CORTEX: (3, 42, 17, 53, 18, 54),
    Tissue.DEEP_GREY: (10, 49, 11, 50, 26, 58, 12, 51, 13, 52, 28, 60),
    Tissue.WHITE_MATTER: (2, 41, 25, 57, 77, 85, 30, 62),
    Tissue.VENTRICLES: (4, 43, 5, 44, 14, 15, 72, 136, 137, 163, 164),
    Tissue.BRAINSTEM: (16,),
    Tissue.CEREBELLUM: (7, 8, 46, 47),
}
LEFT_IDS = (2, 3, 4, 5, 7, 8, 10, 11, 12, 13, 17, 18, 25, 26, 28)
RIGHT_IDS = (41, 42, 43, 44, 46, 47, 49, 50, 51, 52, 53, 54, 57, 58, 60)


@pytest.mark.parametrize("number", [5, 20])
def test_sides_of_label_maps_are_those_of_their_ids(shared_data, number: int) -> None:
    from leuko.formats.read import read_scan
    from leuko.image.image import to_canonical

    scan = read_scan(shared_data / "labelmaps" / f"head_{number:02}.nii.gz")
    ids = to_canonical(scan.data, scan.grid)
    spacing = scan.grid.canonical().spacing
    anatomy = np.zeros(ids.shape, dtype=np.uint8)
    for tissue, values in FREESURFER.items():
        anatomy[np.isin(ids, values)] = tissue
    left, right = np.isin(ids, LEFT_IDS), np.isin(ids, RIGHT_IDS)
    start = time.process_time()
    plane = fit_midsagittal_plane(anatomy, spacing=spacing)
    seconds = time.process_time() - start
    assert plane is not None
    assert seconds < 0.6  # about 0.1 on a quiet machine
    on_right = right_of_plane(anatomy.shape, spacing=spacing, plane=plane)
    assert (on_right == right)[left | right].mean() > 0.99
    found = sides(anatomy, spacing, plane=plane)
    clear = (left | right) & (found != MIDLINE)
    assert ((found == RIGHT) == right)[clear].mean() > 0.998


def test_sides_of_muse_labels_are_those_of_their_names(shared_data) -> None:
    from leuko.formats.read import read_scan
    from leuko.image.image import to_canonical

    names = {}
    for line in (shared_data / "wmh/nichart/muse_dict.csv").read_text().splitlines()[1:]:
        index, _, name = line.split(",")[:3]
        names[int(index)] = name
    scan = read_scan(shared_data / "wmh/nichart/Subj1/muse_auto.nii.gz")
    ids = np.rint(to_canonical(scan.data, scan.grid)).astype(int)
    anatomy = np.where(ids > 1, Tissue.CORTEX, np.where(ids == 1, Tissue.CSF, 0)).astype(np.uint8)
    present = np.unique(ids[ids > 1])
    for tissue, word in (
        (Tissue.WHITE_MATTER, "WM"),
        (Tissue.VENTRICLES, "Ventricle"),
        (Tissue.CEREBELLUM, "Cerebell"),
        (Tissue.BRAINSTEM, "BrainStem"),
        (Tissue.DEEP_GREY, "Thalamus"),
        (Tissue.DEEP_GREY, "Putamen"),
    ):
        anatomy[np.isin(ids, [i for i in present if word in names.get(i, "")])] = tissue
    left = np.isin(ids, [i for i in present if names.get(i, "").endswith("_L")])
    right = np.isin(ids, [i for i in present if names.get(i, "").endswith("_R")])
    found = sides(anatomy, scan.grid.canonical().spacing)
    clear = (left | right) & (found != MIDLINE)
    assert ((found == RIGHT) == right)[clear].mean() > 0.99
