"""Segmentations lie where the mask lies, for every order of its axes and every kind of source."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from wmh_objects import (
    ORIENTATIONS,
    SIGNED_ORDERS,
    SPACINGS,
    affine_of,
    reordered,
    saved,
    speckled,
    turned,
    wmh_object,
)

from classic_mr import slice_headers
from dicom_oracles import (
    assert_same_points,
    points_by_dcmqi,
    points_by_highdicom,
    points_by_simpleitk,
    points_of,
)
from leuko.dicom.references import grid_of, planes_of
from leuko.dicom.seg_reader import read_seg
from leuko.errors import GridMismatch, SafetyRefusal
from leuko.image.grid import Grid
from leuko.image.image import Image

SHAPE = (9, 7, 5)


@pytest.mark.parametrize(("axes", "signs"), SIGNED_ORDERS)
def test_every_order_of_axes_of_the_mask_gives_the_same_object(
    axes: tuple[int, int, int], signs: tuple[int, int, int], tmp_path: Path
) -> None:
    affine = affine_of(turned(17, -8, 5), (0.9, 1.1, 4.4))
    headers = slice_headers(affine, SHAPE)
    mask = speckled(Grid(SHAPE, affine))
    straight = wmh_object(mask, headers)
    other = wmh_object(reordered(mask, axes, signs), headers)
    assert straight.PixelData == other.PixelData
    path = saved(other, tmp_path / "seg.dcm")
    assert_same_points(points_of(mask), points_of(read_seg(path)))


@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=SPACINGS)
@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS)
def test_independent_readers_find_the_mask_where_it_was(
    orientation: np.ndarray, spacing: tuple[float, float, float], tmp_path: Path
) -> None:
    affine = affine_of(orientation, spacing)
    mask = speckled(Grid(SHAPE, affine))
    path = saved(wmh_object(mask, slice_headers(affine, SHAPE)), tmp_path / "seg.dcm")
    assert_same_points(points_of(mask), points_of(read_seg(path)))
    assert_same_points(points_of(mask), points_by_highdicom(path))


@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS)
def test_simpleitk_finds_the_mask_where_it_was(orientation: np.ndarray, tmp_path: Path) -> None:
    """Its reader wants frames of whole bytes, as the standard does not: 8 pixels in a row."""
    shape = (8, 6, 5)
    affine = affine_of(orientation, (0.9, 0.8, 3.3))
    mask = speckled(Grid(shape, affine))
    path = saved(wmh_object(mask, slice_headers(affine, shape)), tmp_path / "seg.dcm")
    assert_same_points(points_of(mask), points_by_simpleitk(path))


@pytest.mark.parametrize("orientation", ["oblique", "doubly oblique sagittal"])
def test_dcmqi_finds_the_mask_where_it_was(orientation: str, tmp_path: Path) -> None:
    affine = affine_of(ORIENTATIONS[orientation], (0.9, 0.8, 3.3))
    mask = speckled(Grid(SHAPE, affine))
    path = saved(wmh_object(mask, slice_headers(affine, SHAPE)), tmp_path / "seg.dcm")
    assert_same_points(points_of(mask), points_by_dcmqi(path, tmp_path / "nrrd"))


def test_the_order_of_the_source_files_does_not_matter() -> None:
    affine = affine_of(ORIENTATIONS["oblique"], (1, 1, 5))
    headers = slice_headers(affine, SHAPE)
    mask = speckled(Grid(SHAPE, affine))
    frames = wmh_object(mask, headers)
    shuffled = wmh_object(mask, [headers[i] for i in (3, 0, 4, 1, 2)])
    assert frames.PixelData == shuffled.PixelData
    first, again = (
        [
            group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
            for group in made.PerFrameFunctionalGroupsSequence
        ]
        for made in (frames, shuffled)
    )
    assert first == again


def test_each_frame_refers_to_the_source_image_at_its_place() -> None:
    affine = affine_of(ORIENTATIONS["coronal"], (1, 1, 2.5))
    headers = slice_headers(affine, SHAPE)
    corner_of = {header.SOPInstanceUID: header.ImagePositionPatient for header in headers}
    made = wmh_object(speckled(Grid(SHAPE, affine)), headers)
    for group in made.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        expected = corner_of[source.ReferencedSOPInstanceUID]
        actual = group.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose([float(v) for v in expected], [float(v) for v in actual])
    listed = made.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {item.ReferencedSOPInstanceUID for item in listed} == set(corner_of)


def test_a_cropped_mask_is_put_in_its_place() -> None:
    affine = affine_of(ORIENTATIONS["oblique"], (1, 1, 5))
    headers = slice_headers(affine, SHAPE)
    whole = speckled(Grid(SHAPE, affine))
    whole.data[:2] = whole.data[-1:] = whole.data[:, :, :1] = 0
    inner = affine.copy()
    inner[:3, 3] = whole.grid.to_world((2, 0, 1))
    cropped = Image(whole.data[2:-1, :, 1:], Grid((6, 7, 4), inner))
    assert wmh_object(whole, headers).PixelData == wmh_object(cropped, headers).PixelData


def shifted(x: float = 0, y: float = 0, z: float = 0) -> np.ndarray:
    affine = affine_of(ORIENTATIONS["axial"], (1, 1, 5))
    affine[:3, 3] += (x, y, z)
    return affine


@pytest.mark.parametrize(
    "affine",
    [
        shifted(x=0.4),
        shifted(z=1.0),
        shifted(z=50.0),
        affine_of(turned(0, 0, 2) @ ORIENTATIONS["axial"], (1, 1, 5)),
        affine_of(ORIENTATIONS["axial"], (1.05, 1, 5)),
        affine_of(ORIENTATIONS["axial"], (0.5, 0.5, 5)),
    ],
    ids=["half a pixel", "between slices", "elsewhere", "turned", "other pixels", "finer"],
)
def test_a_mask_on_another_grid_is_refused_not_resampled(affine: np.ndarray) -> None:
    headers = slice_headers(affine_of(ORIENTATIONS["axial"], (1, 1, 5)), SHAPE)
    with pytest.raises(GridMismatch):
        wmh_object(speckled(Grid(SHAPE, affine)), headers)


def test_a_sheared_source_is_refused() -> None:
    affine = affine_of(ORIENTATIONS["axial"], (1, 1, 5))
    headers = slice_headers(affine, SHAPE)
    for index, header in enumerate(headers):
        header.ImagePositionPatient[1] += 1.5 * index  # a tilted gantry
    with pytest.raises(SafetyRefusal, match="sheared"):
        wmh_object(speckled(Grid(SHAPE, affine)), headers)


def test_directions_rounded_to_three_digits_are_no_shear() -> None:
    """The positions of 176 slices are exact, the normal is not: 0.1 mm beside at the far end."""
    affine = affine_of(turned(14, 6, 5), (1, 1, 1))
    headers = slice_headers(affine, (9, 7, 176))
    for header in headers:
        rounded = [round(float(value), 3) for value in header.ImageOrientationPatient]
        header.ImageOrientationPatient = rounded
    grid = grid_of(planes_of(headers))
    np.testing.assert_allclose(grid.affine[:3, 2], affine[:3, 2], atol=1e-4)


def test_a_source_with_a_slice_missing_is_refused() -> None:
    affine = affine_of(ORIENTATIONS["axial"], (1, 1, 5))
    headers = slice_headers(affine, SHAPE)
    with pytest.raises(SafetyRefusal, match="evenly"):
        wmh_object(speckled(Grid(SHAPE, affine)), headers[:2] + headers[3:])


def test_a_source_of_two_orientations_is_refused() -> None:
    affine = affine_of(ORIENTATIONS["axial"], (1, 1, 5))
    other = affine_of(ORIENTATIONS["sagittal"], (1, 1, 5))
    headers = slice_headers(affine, SHAPE) + slice_headers(other, SHAPE)
    with pytest.raises(SafetyRefusal, match="parallel"):
        grid_of(planes_of(headers))


def test_images_without_a_place_are_refused() -> None:
    headers = slice_headers(affine_of(ORIENTATIONS["axial"], (1, 1, 5)), SHAPE)
    for header in headers:
        del header.ImagePositionPatient
    with pytest.raises(SafetyRefusal, match="where"):
        planes_of(headers)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImagePositionPatient", ["nan", "0", "0"]),
        ("ImageOrientationPatient", ["1", "0", "0", "1", "0", "0"]),
        ("PixelSpacing", ["0", "1"]),
    ],
)
def test_images_with_an_impossible_place_are_refused(keyword: str, value: list[str]) -> None:
    headers = slice_headers(affine_of(ORIENTATIONS["axial"], (1, 1, 5)), SHAPE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        setattr(headers[2], keyword, value)
    with pytest.raises(SafetyRefusal):
        planes_of(headers)


def test_a_single_slice_is_a_grid_of_its_thickness(tmp_path: Path) -> None:
    affine = affine_of(ORIENTATIONS["oblique"], (1, 1, 5))
    mask = speckled(Grid((9, 7, 1), affine))
    path = saved(wmh_object(mask, slice_headers(affine, (9, 7, 1))), tmp_path / "seg.dcm")
    found = read_seg(path)
    assert found.grid.shape == (9, 7, 1)
    np.testing.assert_allclose(found.grid.spacing, (1, 1, 5))
    assert_same_points(points_of(mask), points_of(found))
