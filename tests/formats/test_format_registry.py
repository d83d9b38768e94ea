"""The contract of every entry in the registry of formats, and recognition by content."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from leuko.errors import ReadError, UsageError
from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.read import read
from leuko.formats.registry import FORMATS, PICTURES, THINGS, load
from leuko.formats.write import files_of, write
from leuko.image.grid import Grid
from leuko.image.image import Image

NIFTI1 = (348).to_bytes(4, "little") + bytes(340)
NIFTI2 = (540).to_bytes(4, "little")
HEADS = {
    "nifti1": [NIFTI1 + b"n+1\0", NIFTI1 + b"ni1\0", NIFTI1[3::-1] + bytes(340) + b"n+1\0"],
    "nifti2": [NIFTI2 + b"n+2\0\r\n\x1a\n" + bytes(528), NIFTI2[::-1] + b"ni2\0" + bytes(532)],
    "analyze": [NIFTI1 + bytes(4)],
    "nrrd": [b"NRRD0001\n", b"NRRD0005\n# made by someone\n"],
    "metaimage": [b"ObjectType = Image\nNDims = 3\n", b"NDims = 3\n"],
    "afni": [b"\ntype  = string-attribute\nname  = TYPESTRING\n"],
    "mgh": [b"".join(n.to_bytes(4, "big") for n in (1, 64, 64, 37, 1, 4)) + bytes(300)],
    "minc1": [b"CDF\x01", b"CDF\x02"],
    "minc2": [b"\x89HDF\r\n\x1a\n"],
    "dicom": [
        bytes(128) + b"DICM",
        b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100" + bytes(99),
        b"\x08\x00\x00\x00\x04\x00\x00\x00\x70\x01\x00\x00" + bytes(99),
    ],
    "zip": [b"PK\x03\x04", b"PK\x05\x06"],
    "tar": [b"scan.nii" + bytes(249) + b"ustar\x0000"],
    "7z": [b"7z\xbc\xaf\x27\x1c"],
    "rar": [b"Rar!\x1a\x07\x00"],
    "bzip2": [b"BZh9"],
    "xz": [b"\xfd7zXZ\x00"],
    "zstd": [b"\x28\xb5\x2f\xfd"],
    "png": [b"\x89PNG\r\n\x1a\n"],
    "jpeg": [b"\xff\xd8\xff\xe0"],
    "jpeg2000": [b"\x00\x00\x00\x0cjP  \r\n", b"\xff\x4f\xff\x51"],
    "tiff": [b"II*\x00", b"MM\x00*", b"II+\x00"],
    "gif": [b"GIF89a"],
    "bmp": [b"BM\x36\x10\x00\x00\x00\x00\x00\x00\x36\x00"],
    "webp": [b"RIFF\x10\x00\x00\x00WEBPVP8 "],
    "heif": [b"\x00\x00\x00\x20ftypavif", b"\x00\x00\x00\x18ftypheic"],
    "netpbm": [b"P5\n# a comment\n7 5\n255\n"],
    "pdf": [b"%PDF-1.7"],
    "numpy": [b"\x93NUMPY\x01\x00"],
    "matlab": [b"MATLAB 5.0 MAT-file"],
    "markup": [b"<!DOCTYPE html>", b"<html>", b'<?xml version="1.0"?>'],
    "git-lfs": [b"version https://git-lfs.github.com/spec/v1\n"],
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_keeps_the_contract(name: str) -> None:
    record = FORMATS[name]
    assert record.name == name
    assert record.title.split()[0] in ("a", "an")
    assert not record.title.endswith(".")
    assert all(suffix.startswith(".") for suffix in (*record.suffixes, *record.written))
    assert bool(record.writer) == bool(record.written)
    if record.reader:
        assert callable(load(record.reader))
    else:
        assert record.advice.endswith(".")
    if record.writer:
        assert callable(load(record.writer))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_recognised_by_its_first_bytes(name: str) -> None:
    assert HEADS[name]
    for head in HEADS[name]:
        assert recognise(head[:HEAD_BYTES]) == name


@pytest.mark.parametrize("head", [b"", b"\x5c", bytes(1024), b"type of thing", b"BM" + bytes(2)])
def test_anything_else_is_of_no_format(head: bytes) -> None:
    assert recognise(head) is None


WRITERS = [
    (record.name, suffix)
    for record in FORMATS.values()
    for suffix in record.written
    if record.name not in PICTURES
]


def test_every_volumetric_format_has_a_reader_and_most_a_writer() -> None:
    volumes = {"nifti1", "nifti2", "analyze", "nrrd", "metaimage", "afni", "mgh", "minc1", "minc2"}
    assert {name for name in volumes if not FORMATS[name].reader} == set()
    assert {name for name in volumes if not FORMATS[name].writer} == {"nifti2", "afni", "minc1"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_writer_says_what_its_format_holds(name: str) -> None:
    record = FORMATS[name]
    assert record.holds <= set(THINGS)
    assert bool(record.types) == bool(record.writer)
    assert all(np.dtype(kind).kind in "iuf" for kind in record.types)


@pytest.mark.parametrize(("name", "suffix"), WRITERS)
def test_what_a_format_writes_it_recognises_and_reads(
    tmp_path: Path, name: str, suffix: str
) -> None:
    data = (np.arange(120).reshape(4, 5, 6) % 7).astype(np.uint8)
    affine = np.array([[0.0, 0, 2, 5], [-1, 0, 0, 6], [0, 1.5, 0, 7], [0, 0, 0, 1]])
    truth = Image(data, Grid((4, 5, 6), affine))
    path = tmp_path / f"a{suffix}"
    write(truth, path, format=name)
    assert {p.name for p in tmp_path.iterdir()} == set(files_of(path.name))
    image = read(path)
    np.testing.assert_array_equal(image.data, data)
    assert image.source is not None
    assert image.source.format == name
    assert image.grid.oriented == ("orientation" in FORMATS[name].holds)
    if image.grid.oriented:
        assert image.grid.corner_distance(truth.grid) < 1e-4


@pytest.mark.parametrize("name", [name for name, record in FORMATS.items() if not record.reader])
def test_what_leuko_cannot_read_it_names_with_a_way_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(HEADS[name][0].ljust(1000, b"\0"))
    with pytest.raises(ReadError) as caught:
        read(path)
    assert FORMATS[name].title in caught.value.what
    assert FORMATS[name].advice in caught.value.hint


@pytest.mark.parametrize("name", [name for name, record in FORMATS.items() if not record.writer])
def test_what_leuko_cannot_write_it_refuses(tmp_path: Path, name: str) -> None:
    image = Image(np.zeros((2, 3, 4), np.uint8), Grid.from_spacing((2, 3, 4), (1, 1, 1)))
    with pytest.raises(UsageError, match="does not say in which format"):
        write(image, tmp_path / "a.nii", format=name)


@pytest.mark.parametrize(("name", "suffix"), WRITERS)
def test_every_byte_of_every_file_is_hashed(tmp_path: Path, name: str, suffix: str) -> None:
    """The digest of an image is that of its header, then of its voxels."""
    path = tmp_path / f"a{suffix}"
    grid = Grid.from_spacing((2, 3, 4), (1, 1, 1))
    write(Image(np.ones((2, 3, 4), np.uint8), grid), path, format=name)
    source = read(path).source
    assert source is not None
    both = [tmp_path / part for part in files_of(path.name)]
    headers = (".hdr", ".hdr.gz", ".nhdr", ".mhd")
    header_first = sorted(both, key=lambda p: not p.name.endswith(headers))
    content = b"".join(p.read_bytes() for p in header_first)
    assert source.sha256 == hashlib.sha256(content).hexdigest()


def loaded_by(imports: str, *candidates: str) -> str:
    """Which of the candidate modules a fresh interpreter has after `import <imports>`."""
    script = f"import sys, {imports}; print(*(m for m in {candidates!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_registry_loads_nothing_heavy() -> None:
    """`leuko --help` may list formats without waiting for numpy."""
    names = "leuko.formats.registry, leuko.formats.detect"
    assert loaded_by(names, "numpy", "nibabel", "isal") == ""


def test_reading_and_writing_load_nothing_heavy_beyond_numpy() -> None:
    names = "leuko.formats.read, leuko.formats.write, leuko.formats.nifti, leuko.formats.nifti_out"
    assert loaded_by(names, "nibabel", "scipy", "pydicom", "importlib.metadata", "torch") == ""
