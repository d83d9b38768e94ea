"""All 48 orders and directions of axes, in and out of every format, against independent readers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
from axis_orders import ORDERS, flip_lps, image_in, named, same_place
from foreign_files import (
    by_afnis_book,
    by_minc1s_book,
    by_nibabel,
    by_pynrrd,
    by_sitk,
    sitk_affine,
)

from leuko.formats.read import read
from leuko.formats.write import write

# nibabel leaves files open that it reads.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WRITTEN = ("a.nii", "a.nii.gz", "a.hdr", "a.hdr.gz", "a.nrrd", "a.nhdr", "a.seg.nrrd", "a.mha",
           "a.mhd", "a.mgh", "a.mgz", "a.mnc")  # fmt: skip
FOREIGN: dict[str, Callable[[Any, Any, Path], Path]] = {
    "ITK's NRRD": lambda d, a, p: by_sitk(d, a, p / "f.nrrd"),
    "ITK's detached NRRD": lambda d, a, p: by_sitk(d, a, p / "f.nhdr"),
    "ITK's MetaImage": lambda d, a, p: by_sitk(d, a, p / "f.mha"),
    "ITK's detached MetaImage": lambda d, a, p: by_sitk(d, a, p / "f.mhd"),
    "pynrrd's RAS": lambda d, a, p: by_pynrrd(d, a, p / "f.nrrd", space="RAS"),
    "pynrrd's LAS": lambda d, a, p: by_pynrrd(d, a, p / "f.nrrd", space="LAS"),
    "pynrrd's LPS": lambda d, a, p: by_pynrrd(d, a, p / "f.nrrd", space="LPS"),
    "nibabel's MGZ": lambda d, a, p: by_nibabel(nibabel.MGHImage, d, a, p / "f.mgz"),
    "nibabel's NIfTI-1": lambda d, a, p: by_nibabel(nibabel.Nifti1Image, d, a, p / "f.nii.gz"),
    "nibabel's NIfTI-2": lambda d, a, p: by_nibabel(nibabel.Nifti2Image, d, a, p / "f.nii"),
    "nibabel's NIfTI pair": lambda d, a, p: by_nibabel(nibabel.Nifti1Pair, d, a, p / "f.img"),
    "nibabel's SPM99 with .mat": lambda d, a, p: by_nibabel(
        nibabel.Spm99AnalyzeImage, d, a, p / "f.img"
    ),
    "AFNI": lambda d, a, p: by_afnis_book(d, a, p / "f+orig.HEAD"),
}


@pytest.mark.parametrize("made", FOREIGN)
def test_every_reader_places_all_48_orders_as_they_were_written(made: str, tmp_path: Path) -> None:
    for order in ORDERS:
        truth = image_in(order)
        image = read(FOREIGN[made](truth.data, truth.grid.affine, tmp_path))
        np.testing.assert_array_equal(image.data, truth.data, err_msg=named(order))
        np.testing.assert_allclose(
            image.grid.affine, truth.grid.affine, atol=1e-4, err_msg=named(order)
        )
        assert image.grid.oriented


def test_minc1_places_all_48_orders_as_nibabel_does(tmp_path: Path) -> None:
    for order in ORDERS:
        truth = image_in(order)
        path = by_minc1s_book(truth.data, truth.grid.affine, tmp_path / "f.mnc")
        image, oracle = read(path), nibabel.load(path)
        np.testing.assert_allclose(image.data, truth.data, atol=0.06)
        np.testing.assert_allclose(image.data, oracle.get_fdata().transpose(2, 1, 0), atol=1e-3)
        np.testing.assert_allclose(image.grid.affine, truth.grid.affine, atol=1e-4)
        np.testing.assert_allclose(image.grid.affine, oracle.affine[:, [2, 1, 0, 3]], atol=1e-4)


def test_afni_is_placed_as_nibabel_does(tmp_path: Path) -> None:
    for order in ORDERS[::5]:
        truth = image_in(order)
        path = by_afnis_book(truth.data, truth.grid.affine, tmp_path / "f+orig.HEAD")
        oracle = nibabel.load(path)
        np.testing.assert_allclose(read(path).grid.affine, oracle.affine, atol=1e-4)
        np.testing.assert_array_equal(read(path).data, oracle.get_fdata()[..., 0])


@pytest.mark.parametrize("name", WRITTEN)
def test_every_writer_keeps_all_48_orders(name: str, tmp_path: Path) -> None:
    for order in ORDERS:
        truth = image_in(order)
        if "seg" in name:
            truth = truth.with_data((truth.data > 0).astype(np.uint8))
        write(truth, tmp_path / name)
        image = read(tmp_path / name)
        np.testing.assert_array_equal(image.data, truth.data, err_msg=named(order))
        assert image.data.dtype == truth.data.dtype
        assert image.grid.corner_distance(truth.grid) < 1e-4, named(order)


@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
def test_itk_reads_what_leuko_writes_in_its_place(name: str, tmp_path: Path) -> None:
    for order in ORDERS:
        truth = image_in(order)
        write(truth, tmp_path / name)
        theirs = SimpleITK.ReadImage(str(tmp_path / name))
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(theirs).T, truth.data)
        np.testing.assert_allclose(sitk_affine(theirs), truth.grid.affine, atol=1e-6)


@pytest.mark.parametrize("name", ["a.nii", "a.hdr", "a.mgz", "a.mgh"])
def test_nibabel_reads_what_leuko_writes_in_its_place(name: str, tmp_path: Path) -> None:
    for order in ORDERS:
        truth = image_in(order)
        write(truth, tmp_path / name)
        theirs = nibabel.load(tmp_path / name)
        np.testing.assert_array_equal(np.asanyarray(theirs.dataobj), truth.data)
        np.testing.assert_allclose(theirs.affine, truth.grid.affine, atol=1e-4)


def test_nibabel_reads_leukos_minc_in_its_place(tmp_path: Path) -> None:
    for order in ORDERS:
        truth = image_in(order)
        write(truth, tmp_path / "a.mnc")
        theirs = nibabel.load(tmp_path / "a.mnc")
        np.testing.assert_array_equal(theirs.get_fdata().transpose(2, 1, 0), truth.data)
        np.testing.assert_allclose(theirs.affine[:, [2, 1, 0, 3]], truth.grid.affine, atol=1e-6)


@pytest.mark.skipif(not shutil.which("mnc2nii"), reason="no MINC tools here")
def test_minc_tools_read_leukos_minc_in_its_place(tmp_path: Path) -> None:
    for order in ORDERS[::5]:
        truth = image_in(order)
        write(truth, tmp_path / "a.mnc")
        made = tmp_path / f"{named(order)}.nii"
        subprocess.run(
            ["mnc2nii", "-float", tmp_path / "a.mnc", made], check=True, capture_output=True
        )
        same_place(read(made), truth)


def test_pynrrd_reads_leukos_nrrd_in_its_place(tmp_path: Path) -> None:
    for order in ORDERS[::5]:
        truth = image_in(order)
        write(truth, tmp_path / "a.nrrd")
        data, header = nrrd.read(str(tmp_path / "a.nrrd"))
        lps = np.eye(4)
        lps[:3, :3] = np.transpose(header["space directions"])
        lps[:3, 3] = header["space origin"]
        np.testing.assert_array_equal(data, truth.data)
        np.testing.assert_allclose(flip_lps(lps), truth.grid.affine, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in WRITTEN if "seg" not in name])
def test_every_writer_keeps_volumes_and_the_time_between_them(name: str, tmp_path: Path) -> None:
    for order in ORDERS[::7]:
        truth = image_in(order, volumes=3)
        write(truth, tmp_path / name)
        image = read(tmp_path / name)
        same_place(image, truth)
        assert image.data.shape == truth.data.shape
        assert image.seconds == 2.5


def test_a_chain_through_every_format_ends_where_it_began(tmp_path: Path) -> None:
    for order in ORDERS[::9]:
        truth = image = image_in(order)
        for name in WRITTEN:
            if "seg" not in name:
                write(image, tmp_path / name)
                image = read(tmp_path / name)
        same_place(image, truth)
