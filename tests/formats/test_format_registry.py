"""The contract of every entry in the registry of formats, and recognition by content."""

from __future__ import annotations

import subprocess
import sys

import pytest

from leuko.formats.detect import HEAD_BYTES, recognise
from leuko.formats.registry import FORMATS, load

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
