"""What is no image, or a broken one, ends in one clear sentence and exit code 3."""

from __future__ import annotations

import bz2
import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leuko.errors import OutOfResources, ReadError
from leuko.formats.read import read_scan

NiftiMaker = Callable[..., Path]
COUNT = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


FOREIGN = {
    "a 7z archive": b"7z\xbc\xaf\x27\x1c" + bytes(26),
    "a bzip2-compressed file": bz2.compress(b"anything"),
    "a PDF document": b"%PDF-1.7\n",
    "a NumPy array": b"\x93NUMPY\x01\x00",
    "a web page or XML text": b"\n<!DOCTYPE html><html>Please log in</html>",
    "a Git LFS pointer, not the file it stands for": b"version https://git-lfs.github.com/spec/v1",
}


@pytest.mark.parametrize("title", FOREIGN)
@pytest.mark.parametrize("packed", [False, True])
def test_other_formats_are_named_whatever_the_file_is_called(
    tmp_path: Path, title: str, packed: bool
) -> None:
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(gzip.compress(FOREIGN[title]) if packed else FOREIGN[title])
    with pytest.raises(ReadError, match="leuko cannot read yet") as caught:
        read_scan(path)
    assert caught.value.what == f"scan.nii.gz is {title}, which leuko cannot read yet."
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"hello", bytes(1000), bytes(range(256)) * 8])
def test_rubbish_is_no_image(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scan.nii"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"^scan.nii is not an image"):
        read_scan(path)


def test_a_missing_file_an_empty_folder_and_a_pipe_are_called_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"^There is no file scan\.nii\.$"):
        read_scan(tmp_path / "scan.nii")
    with pytest.raises(ReadError, match=r"^The folder is empty\.$"):
        read_scan(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReadError, match="not a regular file"):
        read_scan(tmp_path / "pipe")


def test_errors_do_not_name_folders(tmp_path: Path) -> None:
    folder = tmp_path / "DOE^JANE"
    folder.mkdir()
    (folder / "scan.nii").write_bytes(b"x")
    with pytest.raises(ReadError) as caught:
        read_scan(folder / "scan.nii")
    assert "JANE" not in str(caught.value) + caught.value.hint


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission_is_called_so(make_nifti: NiftiMaker) -> None:
    path = make_nifti()
    path.chmod(0)
    with pytest.raises(ReadError, match="Permission denied"):
        read_scan(path)


def cuts(length: int) -> list[int]:
    """Lengths to cut a file to: all about its ends, some between."""
    return sorted({*range(0, length, 37), 1, 2, 17, 18, *range(length - 10, length)})


def test_a_gzip_file_cut_anywhere_is_refused(make_nifti: NiftiMaker) -> None:
    path = make_nifti(data=COUNT)
    whole = path.read_bytes()
    for length in cuts(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ReadError, match=r"truncated|empty|not an image"):
            read_scan(path)


def test_a_plain_file_cut_anywhere_is_refused(make_nifti: NiftiMaker) -> None:
    path = make_nifti("scan.nii", COUNT)
    whole = path.read_bytes()
    for length in cuts(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ReadError, match=r"truncated|empty|not an image"):
            read_scan(path)


def test_a_damaged_gzip_file_is_refused(make_nifti: NiftiMaker) -> None:
    noise = np.random.default_rng(0).integers(0, 2**15, (20, 20, 20), dtype=np.int16)
    path = make_nifti(data=noise)
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF  # the checksum
    path.write_bytes(content)
    with pytest.raises(ReadError, match="damaged"):
        read_scan(path)
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ReadError, match="damaged"):
        read_scan(path)


def test_a_gzip_file_in_several_members_is_one_stream(make_nifti: NiftiMaker) -> None:
    path = make_nifti(data=COUNT)
    content = gzip.decompress(path.read_bytes())
    parts = [content[:100], content[100:101], b"", content[101:370], content[370:]]
    path.write_bytes(b"".join(gzip.compress(part) for part in parts))
    np.testing.assert_array_equal(read_scan(path).data, COUNT)


def test_zeros_that_pack_a_thousandfold_are_read_in_pieces(make_nifti: NiftiMaker) -> None:
    data = np.zeros((128, 128, 128), np.uint8)
    data[-1, -1, -1] = 7
    path = make_nifti(data=data)
    assert path.stat().st_size < 10_000
    np.testing.assert_array_equal(read_scan(path).data, data)


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_more_voxels_than_the_file_can_hold_are_refused_before_allocating(
    make_nifti: NiftiMaker, name: str
) -> None:
    path = make_nifti(name, dim=[3, 700, 700, 700, 1, 1, 1, 1])
    with pytest.raises(ReadError, match="686,000,000 bytes of voxels"):
        read_scan(path)


def test_too_little_memory_is_told(make_nifti: NiftiMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    path = make_nifti(data=COUNT)
    monkeypatch.setattr("leuko.formats.nifti.real_values", full)
    with pytest.raises(OutOfResources, match=r"scan\.nii\.gz does not fit") as caught:
        read_scan(path)
    assert caught.value.exit_code == 7


def test_an_error_of_the_disk_is_told(
    make_nifti: NiftiMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_nifti("scan.nii", np.zeros((99, 99, 99), np.int16))

    class BadDisk(io.FileIO):
        def readinto(self, buffer: object) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", lambda self, *_, **__: BadDisk(self))
    with pytest.raises(ReadError, match=r"scan.nii cannot be read: Input/output error\."):
        read_scan(path)
