"""Converting: voxels keep their place, several images become several files, losses are said."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import nrrd
import numpy as np
import pytest

import leuko
from leuko.errors import ReadError, UnusableInput, UsageError, WriteError
from leuko.findings import Finding
from leuko.formats.read import read
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.pipelines.convert import Conversion, Converted, convert

OBLIQUE = np.array([[0.0, 0.28, 2.4, -20], [-0.9, 0, 0, 30], [0, 1.4, -0.48, 5], [0, 0, 0, 1]])


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """An oblique int16 scan of 4 x 5 x 6 voxels as NRRD."""
    data = np.random.default_rng(3).integers(0, 999, (4, 5, 6)).astype(np.int16)
    write(Image(data, Grid((4, 5, 6), OBLIQUE)), tmp_path / "scan.nrrd")
    return tmp_path / "scan.nrrd"


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Three volumes, 2 s apart, as NIfTI."""
    data = np.arange(360, dtype=np.int16).reshape(4, 5, 6, 3)
    write(Image(data, Grid((4, 5, 6), OBLIQUE), seconds=2.0), tmp_path / "bold.nii.gz")
    return tmp_path / "bold.nii.gz"


def codes(done: Converted) -> set[str]:
    return {finding.code for finding in done.findings}


def same(path: Path, other: Path) -> None:
    """Both files hold the same values at the same places."""
    one, two = read(path), read(other)
    np.testing.assert_array_equal(
        to_canonical(one.data, one.grid), to_canonical(two.data, two.grid)
    )
    assert one.grid.canonical().corner_distance(two.grid.canonical()) < 1e-4


@pytest.mark.parametrize("name", ["o.nii", "o.nii.gz", "o.hdr", "o.nhdr", "o.mha", "o.mhd", "o.mgz",
                                  "o.mnc"])  # fmt: skip
def test_one_image_becomes_one_file(scan: Path, name: str) -> None:
    target = scan.with_name(name)
    (done,) = convert(scan, target)
    same(target, scan)
    assert done.files[0] == name
    assert done.shape == (4, 5, 6)
    assert codes(done) == {"convert.header_left"}
    assert all((scan.parent / file).is_file() for file in done.files)


def test_what_analyze_cannot_hold_is_said(scan: Path, series: Path) -> None:
    (done,) = convert(series, series.with_name("o.hdr"), to="analyze")
    assert {"convert.orientation", "convert.seconds"} <= codes(done)
    image = read(series.with_name("o.img"))
    assert not image.grid.oriented
    np.testing.assert_array_equal(image.data, read(series).data)


def test_reorienting_moves_no_voxel(scan: Path) -> None:
    for code in ("RAS", "LPS", "SAL"):
        (done,) = convert(scan, scan.with_name(f"{code}.nii"), how=Conversion(reorient=code))
        assert done.orientation == code
        same(scan.with_name(f"{code}.nii"), scan)
    with pytest.raises(UsageError, match="names no orientation"):
        convert(scan, scan.with_name("x.nii"), how=Conversion(reorient="RRS"))


def test_one_volume_is_chosen_by_number(series: Path) -> None:
    target = series.with_name("o.mgz")
    (done,) = convert(series, target, how=Conversion(volume=1))
    assert done.shape == (4, 5, 6)
    np.testing.assert_array_equal(read(target).data, read(series).data[..., 1])
    with pytest.raises(UsageError, match="There is no volume 3: the image has 3, counted from 0"):
        convert(series, target, how=Conversion(volume=3), force=True)


def test_a_type_is_kept_exactly_and_rounding_is_said(scan: Path) -> None:
    image = read(scan)
    halves = scan.with_name("halves.mha")
    write(image.with_data(image.data / 2), halves)
    (done,) = convert(halves, scan.with_name("o.nii"), how=Conversion(dtype="uint16"))
    assert "convert.rounded" in codes(done)
    assert read(scan.with_name("o.nii")).data.dtype == np.uint16
    with pytest.raises(UsageError, match="do not fit into int8"):
        convert(scan, scan.with_name("p.nii"), how=Conversion(dtype="int8"))
    with pytest.raises(UsageError, match="does not store values of type uint16"):
        convert(scan, scan.with_name("p.mgz"), how=Conversion(dtype="uint16"))
    assert not scan.with_name("p.nii").exists()


def test_like_takes_over_the_grid_without_resampling_where_voxels_meet(scan: Path) -> None:
    other = scan.with_name("ras.nii.gz")
    convert(scan, other, how=Conversion(reorient="RAS"))
    (done,) = convert(scan, scan.with_name("o.nii.gz"), how=Conversion(like=other))
    assert "convert.resampled" not in codes(done)
    np.testing.assert_array_equal(read(scan.with_name("o.nii.gz")).data, read(other).data)
    assert read(scan.with_name("o.nii.gz")).grid == read(other).grid


def test_like_resamples_where_voxels_do_not_meet_and_says_so(scan: Path) -> None:
    image = read(scan)
    shifted = OBLIQUE.copy()
    shifted[:3, 3] += 0.3
    write(Image(np.zeros((4, 5, 6), np.uint8), Grid((4, 5, 6), shifted)), scan.with_name("g.nii"))
    (done,) = convert(scan, scan.with_name("o.nii"), how=Conversion(like=scan.with_name("g.nii")))
    assert "convert.resampled" in codes(done)
    labels = scan.with_name("labels.nrrd")
    write(image.with_data((image.data > 500).astype(np.uint8)), labels)
    convert(labels, scan.with_name("l.nii"), how=Conversion(like=scan.with_name("g.nii")))
    assert set(np.unique(read(scan.with_name("l.nii")).data)) <= {0, 1}


def test_like_does_not_lend_an_orientation(scan: Path) -> None:
    convert(scan, scan.with_name("plain.hdr"), to="analyze")
    with pytest.raises(UnusableInput, match="The image does not say how it lies in the body"):
        convert(scan.with_name("plain.hdr"), scan.with_name("o.nii"), how=Conversion(like=scan))
    with pytest.raises(UnusableInput, match="--like does not say how it lies in the body"):
        convert(scan, scan.with_name("o.nii"), how=Conversion(like=scan.with_name("plain.hdr")))


def test_the_input_is_never_replaced_and_other_files_only_on_request(scan: Path) -> None:
    before = scan.read_bytes()
    with pytest.raises(UsageError, match="never replaced"):
        convert(scan, scan, force=True)
    target = scan.with_name("o.nii")
    target.write_text("mine")
    with pytest.raises(WriteError, match="is there already"):
        convert(scan, target)
    assert target.read_text() == "mine"
    convert(scan, target, force=True)
    same(target, scan)
    assert scan.read_bytes() == before


def test_the_halves_of_a_pair_are_input_too(scan: Path) -> None:
    pair = scan.with_name("p.hdr")
    convert(scan, pair)
    with pytest.raises(UsageError, match="never replaced"):
        convert(pair, scan.with_name("p.img"), force=True)
    (scan.parent / "other").mkdir()
    convert(pair, scan.parent / "other/p.img")
    same(scan.parent / "other/p.hdr", scan)


# ------------------------------------------------------------------ labels


def test_names_stand_in_the_segmentation_or_beside_the_file(scan: Path) -> None:
    image = read(scan)
    mask, table = scan.with_name("mask.nii.gz"), scan.with_name("names.json")
    write(image.with_data((image.data > 900).astype(np.uint8)), mask)
    table.write_text('{"1": "lesion"}')
    (done,) = convert(mask, scan.with_name("m.seg.nrrd"), how=Conversion(labels=str(table)))
    assert done.files == ("m.seg.nrrd",)
    assert nrrd.read_header(str(scan.with_name("m.seg.nrrd")))["Segment0_Name"] == "lesion"
    (done,) = convert(scan.with_name("m.seg.nrrd"), scan.with_name("n.nii.gz"))
    assert done.files == ("n.nii.gz", "n.tsv")
    assert "lesion" in scan.with_name("n.tsv").read_text()
    (done,) = convert(mask, scan.with_name("t.mgz"), how=Conversion(labels="wmh", tables=True))
    assert done.files == (
        "t.mgz",
        "t.tsv",
        "t.lut",
        "t.freesurfer.txt",
        "t.itksnap.txt",
        "t.labels.json",
    )
    assert json.loads(scan.with_name("t.labels.json").read_text())["1"]["name"].startswith("White")


def test_layers_of_segments_keep_their_own_names(tmp_path: Path) -> None:
    layers = np.zeros((2, 4, 5, 6), np.uint8)
    layers[:, 1:3, 2:4, 3] = 1
    about = {
        "kinds": ["list", "domain", "domain", "domain"],
        "space": "left-posterior-superior",
        "space directions": np.vstack([np.full(3, np.nan), np.eye(3)]),
        "space origin": np.zeros(3),
    }
    for number, name in enumerate(["lesion", "oedema"]):  # overlapping, both of the value 1
        said = {"Name": name, "LabelValue": "1", "Layer": str(number), "Color": "1 0 0"}
        about |= {f"Segment{number}_{key}": value for key, value in said.items()}
    nrrd.write(str(tmp_path / "two.seg.nrrd"), layers, about)
    for number, name in enumerate(["lesion", "oedema"]):
        path = tmp_path / f"{number}.seg.nrrd"
        (done,) = convert(tmp_path / "two.seg.nrrd", path, how=Conversion(volume=number))
        assert "convert.layers" not in codes(done)
        assert nrrd.read_header(str(path))["Segment0_Name"] == name
    (done,) = convert(tmp_path / "two.seg.nrrd", tmp_path / "two.nii.gz")
    assert done.shape == (4, 5, 6, 2)
    assert "convert.layers" in codes(done)


# ------------------------------------------------------------------ folders and archives


def test_a_folder_of_images_becomes_a_folder(scan: Path, series: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    shutil.copy(scan, folder / "a.nrrd")
    shutil.copy(series, folder / "sub/b.nii.gz")
    (folder / "c.nii").write_bytes(read_bytes := series.read_bytes()[:50])
    (folder / "notes.txt").write_text("no image")
    told: list[Converted] = []
    done = convert(folder, tmp_path / "out", to="mha", told=told.append)
    assert len(read_bytes) == 50
    assert list(done) == told
    assert [item.files for item in done if not item.error] == [("a.mha",), ("sub_b.mha",)]
    same(tmp_path / "out/a.mha", scan)
    same(tmp_path / "out/sub_b.mha", series)
    again = convert(folder, tmp_path / "out", to="mha")
    assert all("is there already" in item.error for item in again)


def test_a_broken_file_of_a_folder_stops_no_other(scan: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(scan, folder / "a.nrrd")
    (folder / "b.nrrd").write_bytes(scan.read_bytes()[:-40])
    done = convert(folder, tmp_path / "out")
    assert [bool(item.error) for item in done] == [False, True]
    assert done[1].exit_code == 3
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.nii.gz"]


def test_files_that_differ_only_in_their_format_get_names_of_their_own(
    scan: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(scan, folder / "a.nrrd")
    convert(scan, folder / "a.mha")
    convert(folder, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "a.mha.nii.gz", "a.nrrd.nii.gz"
    ]  # fmt: skip


def test_several_images_need_a_folder_or_a_pattern(
    scan: Path, series: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(scan, folder / "a.nrrd")
    shutil.copy(series, folder / "b.nii.gz")
    with pytest.raises(UsageError, match="holds 2 images, OUT names one file"):
        convert(folder, tmp_path / "o.nii.gz")
    convert(folder, tmp_path / "x_{key}.nrrd")
    assert {"x_a.nrrd", "x_b.nrrd"} <= {path.name for path in tmp_path.iterdir()}


def test_a_zip_with_one_image_is_that_image(scan: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(scan, "patient/scan.nrrd")
    convert(tmp_path / "a.zip", tmp_path / "o.nii.gz")
    same(tmp_path / "o.nii.gz", scan)


def test_what_cannot_be_read_or_chosen_is_an_error(scan: Path, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="There is no file"):
        convert(tmp_path / "gone.nii", tmp_path / "o.nii")
    with pytest.raises(UsageError, match="no series to choose"):
        convert(scan, tmp_path / "o.nii", series="3")
    with pytest.raises(UsageError, match="does not say in which format"):
        convert(scan, tmp_path / "o.xyz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError):
        convert(tmp_path / "empty", tmp_path / "o.nii")
    assert leuko.convert is convert


# ------------------------------------------------------------------ DICOM


def test_a_dicom_study_becomes_a_file_for_each_stack(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "dicom/conversion/siemens_pd_t2_two_echoes"
    done = convert(folder / "in.zip", tmp_path / "out", to="nrrd")
    assert [item.key for item in done] == ["3-e1", "3-e2"]
    for item, echo in zip(done, ("e1", "e2"), strict=True):
        (truth,) = folder.glob(f"truth*_{echo}.nii.gz")
        same(tmp_path / "out" / item.files[0], truth)


def test_one_series_of_a_study_is_picked(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "dicom/conversion/siemens_pd_t2_two_echoes"
    with pytest.raises(UsageError, match=r"holds 2 images \(3-e1, 3-e2\), OUT names one"):
        convert(folder / "in.zip", tmp_path / "o.nii.gz")
    convert(folder / "in.zip", tmp_path / "o.nii.gz", series="3-e2")
    (truth,) = folder.glob("truth*_e2.nii.gz")
    same(tmp_path / "o.nii.gz", truth)


def test_pictures_beside_a_study_are_passed_over_other_images_are_not(
    shared_data: Path, scan: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "disc"
    with zipfile.ZipFile(shared_data / "dicom/conversion/hitachi_anat/in.zip") as archive:
        archive.extractall(folder)
    shutil.copy(shared_data / "formats/images2d/gray8.png", folder / "logo.png")
    (done,) = convert(folder, tmp_path / "o.nii.gz")
    assert done.shape == (64, 64, 4)
    shutil.copy(scan, folder / "scan.nrrd")
    with pytest.raises(UsageError, match="holds a DICOM study and images of other formats"):
        convert(folder, tmp_path / "p.nii.gz")


def test_a_dicom_segmentation_keeps_the_names_of_its_segments(
    shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "dicom/seg/dcmqi_24x38x3"
    convert(folder / "seg/label.seg", tmp_path / "a.seg.nrrd")
    assert nrrd.read_header(str(tmp_path / "a.seg.nrrd"))["Segment0_Name"] == "Liver"
    (done,) = convert(folder / "seg", tmp_path / "b.nii.gz")
    assert done.files == ("b.nii.gz", "b.tsv")
    assert np.count_nonzero(read(tmp_path / "b.nii.gz").data) == 315


def test_a_stack_that_is_no_image_is_reported_with_its_reason(
    shared_data: Path, tmp_path: Path
) -> None:
    archive = shared_data / "dicom/failing/missing_slice_derived.zip"
    (done,) = convert(archive, tmp_path / "out")
    assert "slices is missing" in done.error
    assert done.exit_code == 4
    assert done.hint


def test_a_picture_becomes_a_volume_without_size(shared_data: Path, tmp_path: Path) -> None:
    (done,) = convert(shared_data / "formats/images2d/gray16.png", tmp_path / "o.nii.gz")
    assert done.spacing_mm is None
    assert "convert.size_invented" in codes(done)
    (done,) = convert(shared_data / "formats/images2d/gray16.png", tmp_path / "o.nrrd")
    assert not any(isinstance(f, Finding) and f.code == "convert.size_invented"
                   for f in done.findings)  # fmt: skip
    with pytest.raises(UnusableInput):
        convert(tmp_path / "o.nrrd", tmp_path / "p.nrrd", how=Conversion(reorient="RAS"))
