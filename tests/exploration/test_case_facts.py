"""One case in numbers, checked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from data_sets import cube, image_of

from leuko.exploration.measure import measure
from leuko.findings import Finding, Severity
from leuko.image.grid import Grid
from leuko.image.image import Image


def ramp(shape: tuple[int, int, int] = (4, 5, 6)) -> Image:
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    return Image(values, Grid.from_spacing(shape, (1.0, 2.0, 3.0)))


def test_the_values_of_an_image_are_summed_up() -> None:
    found = measure([ramp()]).channels[0]
    assert (found.minimum, found.maximum, found.mean) == (0.0, 119.0, 59.5)
    assert found.median == 59.5
    assert found.zero_share == pytest.approx(1 / 120)
    assert sum(found.histogram) == 120


def test_a_class_has_its_volume_pieces_and_side() -> None:
    image = ramp((10, 6, 6))
    data = np.zeros(image.grid.shape, np.uint8)
    data[7:9, 1:3, 1:3] = 1  # 8 voxels on the right
    data[1, 4, 4] = 1  # one on the left
    label = measure([image], label=image.with_data(data)).label
    assert label is not None
    found = label.classes[0]
    assert (found.voxels, found.mm3, found.components) == (9, 54.0, 2)
    assert found.right_share == pytest.approx(8 / 9)
    assert not found.cut
    assert label.background_share == pytest.approx(1 - 9 / 360)


def test_a_flipped_and_permuted_file_has_the_same_facts_but_for_its_axes() -> None:
    image = image_of(1)
    label = cube(image)
    affine = image.grid.affine.copy()
    affine[:3, 0] *= -1
    affine[0, 3] = 2.0 * (image.grid.shape[0] - 1)
    turned = Grid((14, 12, 10), affine[:, [1, 0, 2, 3]])
    other, other_label = (
        Image(np.ascontiguousarray(held.data[::-1].transpose(1, 0, 2)), turned)
        for held in (image, label)
    )
    plain, odd = measure([image], label=label), measure([other], label=other_label)
    assert odd.orientation == "ALS"
    assert replace(odd, shape=plain.shape, spacing=plain.spacing, orientation="RAS") == plain


def test_a_class_at_the_border_is_cut() -> None:
    image = ramp((8, 8, 8))
    label = measure([image], label=cube(image, start=0)).label
    assert label is not None
    assert label.classes[0].cut


def test_a_mask_of_another_shape_is_a_mismatch_and_still_measured() -> None:
    image = image_of(1)
    other = cube(image_of(1, grid=Grid.from_spacing((9, 9, 9), (1.0, 1.0, 1.0))))
    label = measure([image], label=other).label
    assert label is not None
    assert label.mismatch == "mask 9 x 9 x 9, image 12 x 14 x 10 voxels"
    assert (label.foreground, label.percentiles) == (64, ())


def test_a_mask_that_lies_elsewhere_is_a_mismatch() -> None:
    image = image_of(1)
    affine = image.grid.affine.copy()
    affine[2, 3] += 4.0
    label = measure([image], label=Image(cube(image).data, Grid(image.grid.shape, affine))).label
    assert label is not None
    assert label.mismatch == "mask and image lie up to 4 mm apart"


def test_a_mask_in_other_axes_at_the_same_place_fits() -> None:
    image = image_of(1)
    data = cube(image).data
    affine = image.grid.affine.copy()
    affine[1, 1], affine[1, 3] = -1.0, 13.0
    label = Image(np.ascontiguousarray(data[:, ::-1]), Grid(image.grid.shape, affine))
    found = measure([image], label=label).label
    straight = measure([image], label=cube(image)).label
    assert found is not None
    assert straight is not None
    assert found.mismatch == ""
    assert found.turned.startswith("stored as RPS where the image is RAS")
    assert found.percentiles == straight.percentiles


def test_probabilities_are_no_labels() -> None:
    image = image_of(1)
    label = measure([image], label=image.with_data(cube(image).data * np.float32(0.7))).label
    assert label is not None
    assert (label.whole, label.foreground) == (False, 64)


def with_finding(image: Image, what: str) -> Image:
    finding = Finding("dicom.modality", Severity.NOTE, what)
    return replace(image, findings=(finding,))


def test_hounsfield_units_are_known_by_the_header_or_by_air() -> None:
    air = np.full((10, 10, 10), 40, np.int16)
    air[:, :, :3] = -1000
    image = Image(air, Grid.from_spacing((10, 10, 10), (1.0, 1.0, 1.0)))
    said = with_finding(ramp(), "The modality is CT, not MR.")
    assert measure([image]).channels[0].scale == "hounsfield"
    assert measure([said]).channels[0].reason == "DICOM modality CT"
    assert measure([said]).channels[0].scale == "hounsfield"


def test_a_few_values_below_minus_500_do_not_make_a_ct() -> None:
    data = ramp((10, 10, 10)).data.copy()
    data[0, 0, :5] = -800
    image = Image(data, Grid.from_spacing((10, 10, 10), (1.0, 1.0, 1.0)))
    assert measure([image]).channels[0].scale == "arbitrary"


def test_the_hash_is_of_the_voxels_not_of_their_type() -> None:
    image = ramp()
    assert (
        measure([image]).voxels_sha256
        == measure([image.with_data(image.data.astype(np.float32))]).voxels_sha256
        != measure([image.with_data(image.data + np.int16(1))]).voxels_sha256
    )
