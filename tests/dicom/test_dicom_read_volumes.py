"""Volumes and echoes of one series come apart, in the order of time and weighting."""

from __future__ import annotations

import dicom_series as made
import numpy as np
import pytest

from leuko.dicom.files import scan
from leuko.dicom.image import load, read_dicom
from leuko.errors import SafetyRefusal


def volume(add: int, **values: object):
    """A volume whose voxels are `add` above their place's value."""
    found = made.slices(**values)
    for data in found:
        stored = np.frombuffer(data.PixelData, "<u2") + add
        data.PixelData = stored.astype("<u2").tobytes()
    return found


def assert_volumes(image, adds) -> None:
    """The volumes are those of `adds`, in this order, each in place."""
    assert image.volumes == len(adds)
    for place, add in enumerate(adds):
        made.assert_in_place(image.volume(place).data, image.grid.affine, add=add)


def test_time_comes_first(tmp_path):
    series = [
        data
        for add, time in ((1000, 3), (2000, 1), (3000, 2))
        for data in volume(add, TemporalPositionIdentifier=time)
    ]
    assert_volumes(read_dicom(made.write(series, tmp_path / "in")), [2000, 3000, 1000])


def test_then_the_b_value_and_then_the_time_of_acquisition(tmp_path):
    weights = ((1000, 800.0, "100001"), (2000, 0.0, "100005"), (3000, 800.0, "100003"),
               (4000, 0.0, "100002"))  # fmt: skip
    series = [
        data
        for add, b_value, clock in weights
        for data in volume(add, DiffusionBValue=b_value, AcquisitionTime=clock)
    ]
    image = read_dicom(made.write(series, tmp_path / "in"))
    assert_volumes(image, [4000, 2000, 1000, 3000])


VENDORS = {
    "siemens": ((0x0019, "SIEMENS MR HEADER", 0x0C, "IS"), lambda b: str(int(b))),
    "ge": ((0x0043, "GEMS_PARM_01", 0x39, "IS"), lambda b: [1_000_000_000 + int(b), 8, 0, 0]),
    "philips": ((0x2001, "Philips Imaging DD 001", 0x03, "FL"), float),
    "uih": ((0x0065, "Image Private Header", 0x09, "FD"), float),
}


@pytest.mark.parametrize("block", [0x10, 0x5A])
@pytest.mark.parametrize("vendor", VENDORS)
def test_private_b_values_are_found_by_their_block(vendor, block, tmp_path):
    (group, creator, element, vr), value = VENDORS[vendor]
    series = []
    for add, b_value in ((1000, 1000), (2000, 0), (3000, 500)):
        for data in volume(add):
            data.add_new((group, block), "LO", creator)
            data.add_new((group, block << 8 | element), vr, value(b_value))
            series.append(data)
    assert_volumes(read_dicom(made.write(series, tmp_path / "in")), [2000, 3000, 1000])


def test_instance_numbers_are_the_last_resort_and_it_is_said(tmp_path):
    series = []
    for place, add in enumerate((1000, 2000, 3000)):
        for k, data in enumerate(volume(add)):
            data.InstanceNumber = (2 - place) * 100 + k
            series.append(data)
    image = read_dicom(made.write(series, tmp_path / "in"))
    assert_volumes(image, [3000, 2000, 1000])
    assert "dicom.volumes_by_number" in {finding.code for finding in image.findings}


def test_a_lost_file_of_a_series_in_time_is_named(tmp_path):
    series = [d for t in (1, 2, 3) for d in volume(t, TemporalPositionIdentifier=t)]
    del series[8]
    with pytest.raises(SafetyRefusal, match=r"1 of its 6 slice positions.*17 images of 18"):
        read_dicom(made.write(series, tmp_path / "in"))


def test_two_different_images_at_one_place_of_a_volume_are_refused(tmp_path):
    series = [*volume(0), volume(500)[2]]
    with pytest.raises(SafetyRefusal, match="more than one image"):
        read_dicom(made.write(series, tmp_path / "in"))


def test_frames_that_nothing_tells_apart_are_refused(tmp_path):
    series = made.changed(
        [*volume(0), *volume(500)], lambda _, data: delattr(data, "InstanceNumber")
    )
    with pytest.raises(SafetyRefusal, match="nothing in their headers tells them apart"):
        read_dicom(made.write(series, tmp_path / "in"))


@pytest.mark.parametrize(
    ("one", "other", "keys"),
    [
        ({"EchoTime": 10.0}, {"EchoTime": 90.0}, ["7-e1", "7-e2"]),
        ({}, {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, ["7-magnitude", "7-phase"]),
        ({"FlipAngle": 5}, {"FlipAngle": 20}, ["7-fa5", "7-fa20"]),
        ({"InversionTime": 700}, {"InversionTime": 2500}, ["7-ti700", "7-ti2500"]),
        ({}, {"ContrastBolusAgent": "gadolinium"}, ["7-plain", "7-contrast"]),
    ],
)  # fmt: skip
def test_what_makes_another_image_makes_another_stack(one, other, keys, tmp_path):
    series = [*volume(100, **one), *volume(900, **other)]
    stacks = scan(made.write(series, tmp_path / "in")).stacks
    assert sorted(keys) == sorted(stack.key for stack in stacks)
    adds = {stack.key: int(load(stack).data.max()) for stack in stacks}
    assert adds[keys[0]] + 800 == adds[keys[1]]


def test_an_echo_time_that_changes_from_slice_to_slice_splits_nothing(tmp_path):
    series = made.changed(made.slices(), lambda k, data: setattr(data, "EchoTime", 10.0 + k))
    image = read_dicom(made.write(series, tmp_path / "in"))
    made.assert_in_place(image.data, image.grid.affine)


def test_the_same_pixels_under_new_uids_count_once(tmp_path):
    image = read_dicom(made.write([*made.slices(), *made.slices()], tmp_path / "in"))
    assert image.data.shape == made.SHAPE
    assert "dicom.duplicates" in {finding.code for finding in image.findings}


def test_a_uid_per_slice_is_joined(tmp_path):
    series = made.changed(
        made.slices(), lambda k, data: setattr(data, "SeriesInstanceUID", f"1.2.9.{k}")
    )
    image = read_dicom(made.write(series, tmp_path / "in"))
    made.assert_in_place(image.data, image.grid.affine)
    assert "dicom.series_joined" in {finding.code for finding in image.findings}


def test_one_slice_in_time_is_a_series_of_slices(tmp_path):
    series = []
    for time in (2, 1, 3):
        (data,) = made.slices(count=1, TemporalPositionIdentifier=time)
        data.PixelData = np.full(35, time, "<u2").tobytes()
        series.append(data)
    image = read_dicom(made.write(series, tmp_path / "in"))
    assert image.data.shape == (5, 7, 1, 3)
    assert [1, 2, 3] == list(image.data[0, 0, 0])


def test_volumes_follow_each_other_over_midnight(tmp_path):
    """Acquisition times without a date begin anew."""
    planes = []
    for place, clock in enumerate(("000006", "235950", "235958")):
        for plane in made.slices(AcquisitionTime=clock):
            values = np.frombuffer(plane.PixelData, "<u2") + 1000 * ((place - 1) % 3)
            plane.PixelData = values.astype("<u2").tobytes()
            planes.append(plane)
    image = read_dicom(made.write(planes, tmp_path / "x"))
    for volume in range(3):
        made.assert_in_place(image.data[..., volume], image.grid.affine, add=1000 * volume)
