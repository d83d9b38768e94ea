"""Slices end up where their headers say: every orientation, tilt, gap and order."""

from __future__ import annotations

import itertools

import dicom_series as made
import numpy as np
import pytest

from leuko.dicom.files import scan
from leuko.dicom.image import load, read_dicom
from leuko.errors import SafetyRefusal
from leuko.findings import Severity


def oblique(seed: int) -> list[float]:
    """Two orthonormal directions, drawn at random, written as headers write them."""
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return [float(f"{value:.8f}") for value in (*matrix[0], *matrix[1])]


def signed_orders() -> list[list[float]]:
    """All 48 ways rows, columns and slices can lie along the body's axes (24 by right hand)."""
    found = []
    for first, second in itertools.permutations(range(3), 2):
        for one, other in itertools.product((1.0, -1.0), repeat=2):
            lines = np.zeros(6)
            lines[first], lines[3 + second] = one, other
            found.append(list(lines))
    return found


@pytest.mark.parametrize("iop", signed_orders(), ids=str)
def test_every_axis_aligned_orientation_lands_in_place(iop, tmp_path):
    image = read_dicom(made.write(made.slices(iop), tmp_path / "in"))
    assert image.data.shape == made.SHAPE
    assert image.data.dtype == np.uint16
    made.assert_in_place(image.data, image.grid.affine)


@pytest.mark.parametrize("seed", range(6))
def test_oblique_slices_land_in_place_whatever_their_numbers(seed, tmp_path):
    series = made.slices(oblique(seed), reverse=bool(seed % 2))
    image = read_dicom(made.write(series, tmp_path / "in", seed=seed))
    made.assert_in_place(image.data, image.grid.affine)


def test_slices_that_run_against_the_normal_are_sorted_along_it(tmp_path):
    series = made.slices(step=np.array([0.0, 0.0, -3.0]))
    image = read_dicom(made.write(series, tmp_path / "in"))
    made.assert_in_place(image.data, image.grid.affine)
    assert image.grid.spacing == made.SPACING


@pytest.mark.parametrize("position", ["HFP", "FFS", "HFDL", "FFDR"])
def test_patient_position_turns_nothing(position, tmp_path):
    image = read_dicom(made.write(made.slices(PatientPosition=position), tmp_path / "in"))
    made.assert_in_place(image.data, image.grid.affine)


def test_interleaved_gapless_numbers_and_no_numbers_at_all_do_not_matter(tmp_path):
    series = made.slices()
    for data in series:
        del data.InstanceNumber
    image = read_dicom(made.write(series, tmp_path / "in"))
    made.assert_in_place(image.data, image.grid.affine)


def test_a_regular_tilt_is_kept_in_full_with_a_finding(tmp_path):
    series = made.slices(step=np.array([0.0, 0.9, 3.0]))
    image = read_dicom(made.write(series, tmp_path / "in"))
    made.assert_in_place(image.data, image.grid.affine)
    codes = {finding.code for finding in image.findings}
    assert {"dicom.tilt", "grid.shear"} <= codes


def test_a_variable_tilt_is_refused(tmp_path):
    series = made.slices()
    x, y, z = series[3].ImagePositionPatient
    series[3].ImagePositionPatient = [x + 1.0, y, z]
    with pytest.raises(SafetyRefusal, match="shifted against each other"):
        read_dicom(made.write(series, tmp_path / "in"))


def test_a_missing_slice_is_named(tmp_path):
    series = made.slices()
    del series[2]
    with pytest.raises(SafetyRefusal, match="1 of 6 slices is missing: after slice 2"):
        read_dicom(made.write(series, tmp_path / "in"))


def test_uneven_slices_are_refused(tmp_path):
    series = made.slices()
    for place, data in enumerate(series):
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, float(z) + 0.2 * place**2]
    with pytest.raises(SafetyRefusal, match="varies from"):
        read_dicom(made.write(series, tmp_path / "in"))


@pytest.mark.parametrize("place", [1, 5])
def test_a_position_that_is_no_number_is_refused(place, tmp_path):
    folder = made.write(made.slices(), tmp_path / "in")
    written = f"-20.0\\30.0\\{5.0 + 3.0 * place}".encode()
    (file,) = (path for path in folder.iterdir() if written in path.read_bytes())
    file.write_bytes(file.read_bytes().replace(written, written[:-3] + b"NaN"))
    with pytest.raises(SafetyRefusal, match="1 of its 6 images do not say where they lie"):
        read_dicom(folder)


def test_two_slices_make_a_volume_with_a_warning(tmp_path):
    image = read_dicom(made.write(made.slices(count=2), tmp_path / "in"))
    made.assert_in_place(image.data, image.grid.affine)
    assert "dicom.two_slices" in {finding.code for finding in image.findings}


def test_a_single_file_of_a_series_is_its_slice(tmp_path):
    folder = made.write(made.slices(), tmp_path / "in")
    image = read_dicom(sorted(folder.iterdir())[2])
    assert image.data.shape == (*made.SHAPE[:2], 1)
    made.assert_in_place(image.data, image.grid.affine)
    assert "grid.single_slice" in {finding.code for finding in image.findings}
    assert image.source is not None
    assert len(image.source.sha256) == 64


def test_thickness_stands_in_for_the_step_of_a_single_slice(tmp_path):
    (data,) = made.slices(count=1, SliceThickness=4.0)
    image = read_dicom(made.save(data, tmp_path / "one"))
    assert image.grid.spacing == (1.5, 2.0, 4.0)


def test_two_planes_of_one_series_are_two_stacks(tmp_path):
    series = [*made.slices(made.AXIAL), *made.slices(made.CORONAL)]
    study = scan(made.write(series, tmp_path / "in"))
    assert [stack.key for stack in study.stacks] == ["7-ax", "7-cor"]
    for stack in study.stacks:
        image = load(stack)
        made.assert_in_place(image.data, image.grid.affine)


def test_three_planes_are_a_localizer(tmp_path):
    planes = (made.AXIAL, made.CORONAL, made.SAGITTAL)
    series = [data for iop in planes for data in made.slices(iop)]
    study = scan(made.write(series, tmp_path / "in"))
    assert {stack.kind for stack in study.stacks} == {"localizer"}


def test_two_matrices_of_one_series_are_two_stacks(tmp_path):
    other = made.slices()
    for data in other:
        data.Rows, data.Columns = data.Columns, data.Rows
    study = scan(made.write([*made.slices(), *other], tmp_path / "in"))
    assert len(study.stacks) == 2


def test_a_uid_that_two_patients_share_is_two_series(tmp_path):
    other = made.slices(PatientID="Q")
    study = scan(made.write([*made.slices(), *other], tmp_path / "in"))
    assert [stack.shape for stack in study.stacks] == [made.SHAPE] * 2
    assert not any(stack.usable for stack in study.stacks)


def test_images_without_position_are_refused_as_a_volume(tmp_path):
    series = made.slices()
    for data in series:
        del data.ImagePositionPatient
    with pytest.raises(SafetyRefusal, match="do not say where they lie"):
        read_dicom(made.write(series, tmp_path / "in"))


def test_one_image_without_position_is_a_picture(tmp_path):
    (data,) = made.slices(count=1)
    del data.ImagePositionPatient, data.PixelSpacing
    image = read_dicom(made.save(data, tmp_path / "one"))
    assert not image.grid.oriented
    assert not image.grid.sized
    refused = {f.code for f in image.findings if f.severity is Severity.REFUSAL}
    assert {"grid.size_unknown", "grid.single_slice"} == refused


def test_headers_come_back_sorted_by_slice(tmp_path):
    (stack,) = scan(made.write(made.slices(), tmp_path / "in")).stacks
    headers = stack.headers()
    depths = [float(header.ImagePositionPatient[2]) for header in headers]
    assert depths == sorted(depths)
    assert "PixelData" not in headers[0]


def test_a_localizer_beside_one_scan_is_left_aside_and_it_is_said(tmp_path):
    scout = made.slices(
        made.SAGITTAL, count=3, SeriesNumber=1, SeriesInstanceUID="1.2.3.9",
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )  # fmt: skip
    image = read_dicom(made.write([*made.slices(), *scout], tmp_path / "in"))
    made.assert_in_place(image.data, image.grid.affine)
    (others,) = (finding for finding in image.findings if finding.code == "dicom.others")
    assert others.severity is Severity.NOTE


def test_a_scan_that_cannot_be_read_beside_one_that_can_is_a_warning(tmp_path):
    broken = made.slices(SeriesNumber=8, SeriesInstanceUID="1.2.3.9")
    del broken[2]
    image = read_dicom(made.write([*made.slices(), *broken], tmp_path / "in"))
    (others,) = (finding for finding in image.findings if finding.code == "dicom.others")
    assert others.severity is Severity.WARNING
    assert "missing" in others.what


def test_positions_that_begin_at_zero_are_said_to_be_made_up(tmp_path):
    image = read_dicom(made.write(made.slices(origin=(0.0, 0.0, 0.0)), tmp_path / "in"))
    assert "dicom.position_made_up" in {finding.code for finding in image.findings}
    real = read_dicom(made.write(made.slices(), tmp_path / "real"))
    assert "dicom.position_made_up" not in {finding.code for finding in real.findings}
