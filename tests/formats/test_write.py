"""Writing: the scan's geometry byte for byte, nothing else of it, whole or not at all."""

from __future__ import annotations

import errno
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from leuko import __version__
from leuko.errors import GridMismatch, LeukoError, OutOfResources, UsageError, WriteError
from leuko.findings import Policy
from leuko.formats.read import read_mask, read_scan
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image

NiftiMaker = Callable[..., Path]
COUNT = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
MASK = (COUNT % 5 == 0).astype(np.uint8)
PLACING = ("dim", "pixdim", "xyzt", "qform", "sform", "quatern", "qoffset", "srow")
ODD = {
    "plain": {},
    "qform only, mirrored": {"sform_code": 0, "pixdim": [-1, 1, 1, 1, 7, 0, 0, 0]},
    "disagreeing": {"qoffset_x": 5.0, "qform_code": 4},
    "no orientation": {"sform_code": 0, "qform_code": 0},
    "metres": {"xyzt_units": 1, "qform_code": 0, "pixdim": [1, 1e-3, 1e-3, 1e-3, 0, 0, 0, 0],
               "srow_x": [1e-3, 0, 0, 0], "srow_y": [0, 1e-3, 0, 0], "srow_z": [0, 0, 1e-3, 0]},
    "a broken sform": {"srow_x": [np.nan, 0, 0, 0]},
}  # fmt: skip


def raw_header(path: Path) -> bytes:
    content = path.read_bytes()
    content = gzip.decompress(content) if path.name.endswith(".gz") else content
    return content[: int.from_bytes(content[:4], "little" if content[0] else "big")]


def geometry_of(header: bytes) -> dict[str, bytes]:
    """The bytes that say where the voxels lie, found by nibabel's layout, which is not ours."""
    kind = nibabel.Nifti1Header if len(header) == 348 else nibabel.Nifti2Header
    places: Any = kind().structarr.dtype.fields
    return {
        name: header[offset : offset + field.itemsize]
        for name, (field, offset, *_) in places.items()
        if name.startswith(PLACING) and name != "dim_info"
    }


@pytest.mark.parametrize("fields", ODD.values(), ids=ODD)
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_mask_has_the_geometry_of_its_scan_byte_for_byte(
    make_nifti: NiftiMaker, tmp_path: Path, fields: dict[str, Any], version: int, order: str
) -> None:
    path = make_nifti(data=COUNT, version=version, order=order, **fields)
    scan = read_scan(path, policy=Policy.LENIENT)
    target = tmp_path / "wmh.nii.gz"
    write(MASK, target, like=scan)
    assert geometry_of(raw_header(target)) == geometry_of(raw_header(path))
    mask = read_scan(target, policy=Policy.LENIENT)
    assert mask.grid == scan.grid
    assert mask.data.dtype == np.uint8
    np.testing.assert_array_equal(mask.data, MASK)


def test_one_volume_of_a_4d_file_becomes_3d(make_nifti: NiftiMaker, tmp_path: Path) -> None:
    scan = read_scan(make_nifti(data=COUNT.reshape(2, 3, 4, 1), pixdim=[1, 1, 1, 1, 2.5, 0, 0, 0]))
    target = tmp_path / "wmh.nii"
    write(MASK, target, like=scan)
    written = nibabel.load(target)
    assert written.shape == (2, 3, 4)
    assert list(written.header["dim"]) == [3, 2, 3, 4, 1, 1, 1, 1]
    assert read_scan(target).grid == scan.grid


def test_nothing_about_the_patient_is_copied(make_nifti: NiftiMaker, tmp_path: Path) -> None:
    name = b"DOE^JANE"
    extension = (32).to_bytes(4, "little") + bytes(4) + name + bytes(16)
    fields = dict.fromkeys(("descrip", "aux_file", "db_name", "intent_name", "data_type"), name)
    scan = read_scan(make_nifti(data=COUNT, extension=extension, **fields))
    target = tmp_path / "wmh.nii"
    write(MASK, target, like=scan)
    assert name not in target.read_bytes()
    assert (
        bytes(nibabel.load(target).header["descrip"]).rstrip(b"\0")
        == f"leuko {__version__}".encode()
    )


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        (MASK.astype(bool), np.uint8),
        (MASK, np.uint8),
        (COUNT.astype(np.int32), np.int16),
        (COUNT.astype(np.int64), np.int16),
        (COUNT.astype(np.uint16), np.int16),
        (COUNT.astype(np.int32) * 10_000, np.int32),
        (COUNT.astype(np.uint64) * 10_000_000_000, np.float64),
        (COUNT / np.float64(23), np.float32),
        (COUNT.astype(np.float16), np.float32),
        (COUNT.astype(">f4"), np.float32),
    ],
)
def test_numbers_are_stored_in_types_that_every_program_reads(
    make_nifti: NiftiMaker, tmp_path: Path, data: Any, stored: Any
) -> None:
    scan = read_scan(make_nifti(data=COUNT))
    write(data, tmp_path / "out.nii.gz", like=scan)
    written = nibabel.load(tmp_path / "out.nii.gz")
    assert written.get_data_dtype() == stored
    header = raw_header(tmp_path / "out.nii.gz")
    assert np.frombuffer(header[112:120], "<f4").tolist() == [1.0, 0.0]  # slope, intercept
    np.testing.assert_allclose(written.get_fdata(), data.astype(float), rtol=1e-6)


def test_numbers_that_nifti_lacks_are_refused(make_nifti: NiftiMaker, tmp_path: Path) -> None:
    scan = read_scan(make_nifti(data=COUNT))
    with pytest.raises(UsageError, match="complex64"):
        write(COUNT.astype(np.complex64), tmp_path / "out.nii", like=scan)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["scan.nii.gz"]


@pytest.mark.parametrize(
    ("data", "window"),
    [
        (MASK, (0, 1)),
        (MASK * 0, (0, 1)),
        (MASK * np.float32(0.5), (0, 1)),
        (COUNT, (0, 23)),
        (COUNT - 5, (-5, 18)),
        (COUNT + 5, (0, 28)),
    ],
)
def test_viewers_are_told_the_range_to_show(
    make_nifti: NiftiMaker, tmp_path: Path, data: Any, window: tuple[float, float]
) -> None:
    write(data, tmp_path / "out.nii", like=read_scan(make_nifti(data=COUNT)))
    header = nibabel.load(tmp_path / "out.nii").header
    assert (float(header["cal_min"]), float(header["cal_max"])) == window


def test_label_maps_say_so_and_are_read_as_masks(make_nifti: NiftiMaker, tmp_path: Path) -> None:
    write(COUNT, tmp_path / "out.nii", like=read_scan(make_nifti(data=COUNT)), labels=True)
    assert int(nibabel.load(tmp_path / "out.nii").header["intent_code"]) == 1002
    assert read_mask(tmp_path / "out.nii", policy=Policy.STRICT).findings == ()


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
def test_the_same_call_writes_the_same_bytes(
    make_nifti: NiftiMaker, tmp_path: Path, name: str
) -> None:
    scan = read_scan(make_nifti(data=COUNT))
    write(MASK, tmp_path / name, like=scan)
    first = (tmp_path / name).read_bytes()
    write(np.asfortranarray(MASK), tmp_path / name, like=scan)
    assert (tmp_path / name).read_bytes() == first
    if name.endswith(".gz"):
        assert first[4:8] == bytes(4)  # no time stamp
        assert b"out" not in first  # no name


def test_an_image_without_a_file_gets_a_header_that_says_its_grid(tmp_path: Path) -> None:
    affine = np.array(
        [[0, -0.8, 0.6, 9.0], [2.0, 0, 0, -4.0], [0, 0.6, 0.8, 1.5], [0, 0, 0, 1]], dtype=float
    )
    image = Image(COUNT, Grid((2, 3, 4), affine))
    write(image, tmp_path / "out.nii.gz")
    written = nibabel.load(tmp_path / "out.nii.gz")
    np.testing.assert_allclose(written.get_sform(), affine, atol=1e-6)
    np.testing.assert_allclose(written.get_qform(), affine, atol=1e-5)
    assert (int(written.header["sform_code"]), int(written.header["qform_code"])) == (1, 1)
    assert read_scan(tmp_path / "out.nii.gz").findings == ()


def test_a_sheared_grid_has_no_qform(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[0, 1] = 0.3
    write(Image(COUNT, Grid((2, 3, 4), affine)), tmp_path / "out.nii")
    header = nibabel.load(tmp_path / "out.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)
    assert {f.code for f in read_scan(tmp_path / "out.nii").findings} == {"grid.shear"}


def test_a_grid_without_orientation_stays_without(tmp_path: Path) -> None:
    grid = Grid((2, 3, 4), np.diag([1.0, 2.0, 3.0, 1.0]), oriented=False)
    write(Image(COUNT, grid), tmp_path / "out.nii")
    assert read_scan(tmp_path / "out.nii").grid == grid


def test_a_header_of_another_grid_is_not_copied(make_nifti: NiftiMaker, tmp_path: Path) -> None:
    """An image may keep its source although it was moved or resampled."""
    scan = read_scan(make_nifti(data=COUNT))
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    moved = Image(np.ones((5, 5, 5), np.uint8), Grid((5, 5, 5), affine), scan.source)
    write(moved, tmp_path / "out.nii")
    np.testing.assert_array_equal(nibabel.load(tmp_path / "out.nii").affine, affine)
    shifted = Image(COUNT, Grid((2, 3, 4), affine), scan.source)
    write(shifted, tmp_path / "out.nii")
    np.testing.assert_array_equal(nibabel.load(tmp_path / "out.nii").affine, affine)


def test_an_axis_too_long_for_nifti1_makes_nifti2(tmp_path: Path) -> None:
    grid = Grid.from_spacing((40_000, 1, 2), (1.0, 1.0, 1.0))
    write(Image(np.ones(grid.shape, np.uint8), grid), tmp_path / "out.nii.gz")
    assert nibabel.load(tmp_path / "out.nii.gz").shape == (40_000, 1, 2)


def test_an_array_must_lie_on_the_grid_of_the_scan(make_nifti: NiftiMaker, tmp_path: Path) -> None:
    scan = read_scan(make_nifti(data=COUNT))
    with pytest.raises(GridMismatch, match="array has"):
        write(np.ones((2, 3, 5), np.uint8), tmp_path / "out.nii", like=scan)
    other = Image(MASK, Grid.from_spacing((2, 3, 4), (1.0, 1.0, 2.0)))
    with pytest.raises(GridMismatch, match="mm apart"):
        write(other, tmp_path / "out.nii", like=scan)
    with pytest.raises(UsageError, match="no place in space"):
        write(MASK, tmp_path / "out.nii")


@pytest.mark.parametrize("name", ["out.xyz", "out", ".nii", "out.nii.bz2"])
def test_a_name_that_says_no_format_is_refused(tmp_path: Path, name: str) -> None:
    image = Image(MASK, Grid.from_spacing((2, 3, 4), (1.0, 1.0, 1.0)))
    with pytest.raises(UsageError, match="in which format") as caught:
        write(image, tmp_path / name)
    assert ".nii.gz" in caught.value.hint


# ------------------------------------------------------------------ when writing fails


class FullFile:
    """A file on a disk that takes half of what is written."""

    def __init__(self, path: Path, code: int) -> None:
        self.file = path.__class__.open
        self.path, self.code = path, code

    def __enter__(self) -> FullFile:
        self.path.touch()
        return self

    def __exit__(self, *_: object) -> None: ...

    def writelines(self, pieces: list[bytes]) -> None:
        self.path.write_bytes(pieces[0][:100])
        raise OSError(self.code, "as the system says")


@pytest.mark.parametrize(
    ("code", "kind", "exit_code"),
    [
        (errno.ENOSPC, OutOfResources, 7),
        (errno.EDQUOT, OutOfResources, 7),
        (errno.EROFS, WriteError, 6),
        (errno.EIO, WriteError, 6),
    ],
)
def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    kind: type[LeukoError],
    exit_code: int,
) -> None:
    image = Image(MASK, Grid.from_spacing((2, 3, 4), (1.0, 1.0, 1.0)))
    target = tmp_path / "out.nii"
    write(image, target)
    before = target.read_bytes()
    original = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, mode="r", *a, **k: (
            FullFile(self, code) if "x" in mode else original(self, mode, *a, **k)
        ),
    )
    with pytest.raises(kind, match=r"out\.nii") as caught:
        write(image, target)
    assert caught.value.exit_code == exit_code
    assert caught.value.hint
    assert str(tmp_path) not in caught.value.what + caught.value.hint
    assert target.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.nii"]


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image(MASK, Grid.from_spacing((2, 3, 4), (1.0, 1.0, 1.0)))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(image, tmp_path / "out.nii")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_and_a_folder_in_the_way_are_called_so(tmp_path: Path) -> None:
    image = Image(MASK, Grid.from_spacing((2, 3, 4), (1.0, 1.0, 1.0)))
    with pytest.raises(WriteError, match="folder does not exist"):
        write(image, tmp_path / "missing" / "out.nii")
    (tmp_path / "out.nii").mkdir()
    with pytest.raises(WriteError, match="Is a directory"):
        write(image, tmp_path / "out.nii")
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="folder does not exist"):
        write(image, tmp_path / "file" / "out.nii")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "out.nii"]


def test_results_get_the_permissions_of_other_files(tmp_path: Path) -> None:
    image = Image(MASK, Grid.from_spacing((2, 3, 4), (1.0, 1.0, 1.0)))
    write(image, tmp_path / "out.nii")
    (tmp_path / "other").touch()
    assert (tmp_path / "out.nii").stat().st_mode == (tmp_path / "other").stat().st_mode
