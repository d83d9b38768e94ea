"""A folder as an input: the one image in it, found by content; never a guess among several."""

from __future__ import annotations

import gzip
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from leuko.errors import ReadError, UsageError
from leuko.formats.folder import choose, survey
from leuko.formats.read import read

NiftiMaker = Callable[..., Path]
DICOM = bytes(128) + b"DICM" + bytes(64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "DOE^JANE"
    (place / "deeper" / "still").mkdir(parents=True)
    return place


def fill(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def nifti(name: str, tmp_path: Path, make_nifti: NiftiMaker, folder: Path) -> Path:
    return make_nifti(name).rename(folder / name)


def test_the_one_image_is_read_wherever_it_lies(
    make_nifti: NiftiMaker, tmp_path: Path, folder: Path
) -> None:
    scan = make_nifti("flair.nii.gz").rename(folder / "deeper" / "still" / "0001")
    fill(folder, {"note.txt": b"note", "scan.json": b"{}", ".hidden.nii": scan.read_bytes()})
    assert choose(folder) == scan
    np.testing.assert_array_equal(read(folder).data, read(scan).data)


def test_of_several_none_is_guessed(make_nifti: NiftiMaker, tmp_path: Path, folder: Path) -> None:
    content = make_nifti("a.nii").read_bytes()
    fill(folder, {f"{name}.nii": content for name in "abcdefgh"})
    with pytest.raises(UsageError, match=r"^The folder holds 8 images: a\.nii, b\.nii") as caught:
        read(folder)
    assert "and 2 more" in caught.value.what
    assert "JANE" not in caught.value.what + caught.value.hint


def test_volumes_come_before_pictures_and_archives(
    make_nifti: NiftiMaker, tmp_path: Path, folder: Path
) -> None:
    scan = make_nifti("a.nii").read_bytes()
    with zipfile.ZipFile(folder / "old.zip", "w") as archive:
        archive.writestr("flair.nii", scan)
    assert read(folder).source.name == "flair.nii"  # type: ignore[union-attr]
    Pillow.new("L", (7, 5)).save(folder / "preview.png")
    assert read(folder).grid.shape == (7, 5, 1)
    fill(folder, {"scan.nii": scan})
    assert choose(folder) == folder / "scan.nii"


def test_dicom_is_a_study_with_pictures_beside_it(folder: Path) -> None:
    fill(folder, {"IMG/0001": DICOM, "IMG/0002": DICOM, "viewer/logo.pdf": b"%PDF-1.7"})
    Pillow.new("L", (7, 5)).save(folder / "preview.png")
    assert choose(folder) == folder
    assert survey(folder).dicom == 2
    assert survey(folder, until_dicom=True).dicom == 1


def test_dicom_beside_a_volume_is_asked_about(make_nifti: NiftiMaker, folder: Path) -> None:
    fill(folder, {"IMG/0001": DICOM})
    make_nifti("a.nii").rename(folder / "a.nii")
    with pytest.raises(UsageError, match=r"a DICOM study and also a\.nii"):
        choose(folder)
    assert choose(folder, series="3") == folder


def test_a_series_needs_a_study(make_nifti: NiftiMaker, folder: Path) -> None:
    make_nifti("a.nii").rename(folder / "a.nii")
    with pytest.raises(UsageError, match="holds no DICOM"):
        read(folder, series="3")
    with pytest.raises(UsageError, match=r"^a\.nii is one image, not a DICOM study"):
        read(folder / "a.nii", series="3")


def test_halves_of_a_pair_are_one_image(make_nifti: NiftiMaker, folder: Path) -> None:
    header = make_nifti("scan", pair=True)
    header.rename(folder / "scan.hdr")
    header.with_suffix(".img").rename(folder / "scan.img")
    assert choose(folder) == folder / "scan.hdr"
    assert read(folder).grid == read(folder / "scan.img").grid


def test_a_header_and_the_volume_that_it_names_are_one_image(
    make_nifti: NiftiMaker, folder: Path
) -> None:
    make_nifti("voxels.nii").rename(folder / "voxels.nii")
    fill(folder, {"scan.nhdr": b"NRRD0004\ntype: short\ndata file: voxels.nii\n"})
    assert choose(folder) == folder / "scan.nhdr"
    fill(folder, {"scan.nhdr": b"NDims = 3\nElementDataFile = voxels.nii\n"})
    assert choose(folder) == folder / "scan.nhdr"


@pytest.mark.parametrize(
    ("voxels", "header"), [("scan.img", "scan.hdr"), ("scan.img.gz", "scan.hdr"),
                           ("scan+orig.BRIK", "scan+orig.HEAD")]
)  # fmt: skip
def test_a_missing_half_is_named(folder: Path, voxels: str, header: str) -> None:
    content = bytes(range(256)) * 4
    fill(folder, {voxels: gzip.compress(content) if voxels.endswith("gz") else content})
    for path in (folder, folder / voxels):
        with pytest.raises(ReadError) as caught:
            read(path)
        assert header in caught.value.what
        assert "missing" in caught.value.what


def test_what_is_there_instead_of_an_image_is_said(folder: Path) -> None:
    with pytest.raises(ReadError, match=r"^The folder is empty\.$"):
        read(folder)
    fill(folder, {"a.pdf": b"%PDF-1", "b.pdf": b"%PDF-1", "c.txt": b"hello", "d": b""})
    with pytest.raises(ReadError) as caught:
        read(folder)
    for part in ("a PDF document (2)", "a file of no known format (1)", "an empty file (1)"):
        assert part in caught.value.what


def test_links_pipes_and_devices_are_passed_over(make_nifti: NiftiMaker, folder: Path) -> None:
    """Links to files count (data sets are kept so); links to folders and in circles do not."""
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "gone").symlink_to(folder / "nowhere")
    (folder / "zero").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    began = time.perf_counter()
    with pytest.raises(ReadError, match="empty"):
        choose(folder)
    scan = make_nifti("a.nii")
    (folder / "scan").symlink_to(scan)
    assert choose(folder) == folder / "scan"
    assert time.perf_counter() - began < 1


def test_deep_folders_have_an_end(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * 70)
    deep.mkdir(parents=True)
    (deep / "scan").write_bytes(DICOM)
    with pytest.raises(ReadError, match=r"a folder too deep to look into \(1\)"):
        choose(folder)
    (deep.parents[10] / "scan").write_bytes(DICOM)
    assert choose(folder) == folder


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_what_may_not_be_read_is_counted(folder: Path) -> None:
    (folder / "scan.nii").write_bytes(bytes(10))
    (folder / "scan.nii").chmod(0)
    with pytest.raises(ReadError, match="may not be read"):
        choose(folder)


def test_the_halves_of_real_pairs_are_one_image_each(shared_data: Path) -> None:
    found = survey(shared_data / "formats/same_image")
    expected = ["afni.BRIK+orig.HEAD", "mgh.mgz", "mha.mha", "nrrd.nhdr", "truth_from_dicom.nii.gz"]
    assert [path.name for path in found.volumes] == expected
    assert [path.name for path in found.archives] == ["DICOM.zip"]


def test_a_folder_of_dicom_is_its_series(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("leuko.dicom.image")
    with zipfile.ZipFile(shared_data / "formats/same_image/DICOM.zip") as archive:
        archive.extractall(tmp_path)
    image, truth = read(tmp_path), read(shared_data / "formats/same_image/truth_from_dicom.nii.gz")
    np.testing.assert_array_equal(np.sort(image.data, axis=None), np.sort(truth.data, axis=None))
    zipped = read(shared_data / "formats/same_image/DICOM.zip")
    np.testing.assert_array_equal(image.data, zipped.data)
    assert image.grid == zipped.grid
