"""What is made to fill memory or disk, or to leave its folder, ends in one sentence; measured."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from leuko.errors import LeukoError, ReadError, SafetyRefusal
from leuko.formats.read import read

LIMIT_MB = 1000  # of a whole process that reads the worst there is
READ = """
import json, resource, sys
from leuko.errors import LeukoError
from leuko.formats.read import read
try:
    image = read(sys.argv[1])
    text = f"image {image.data.shape}"
except LeukoError as error:
    text = f"{type(error).__name__}: {error}"
usage = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss: it begins with the size of the process that started this one.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([text, int(peak.split()[1]) / 1024, usage.ru_utime + usage.ru_stime]))
"""


def measured(path: Path, temporary: Path) -> tuple[str, float, float]:
    """The outcome of reading in a fresh process, its peak memory in MB and its CPU seconds."""
    environment = os.environ | {"TMPDIR": str(temporary), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", READ, path],
        capture_output=True, text=True, timeout=900, check=True, env=environment,
    )  # fmt: skip
    text, megabytes, seconds = json.loads(done.stdout)
    assert not list(temporary.iterdir()), "temporary files are left"
    return text, megabytes, seconds


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


# ---------------------------------------------------------------- bombs


def nested_bomb(path: Path) -> Path:
    """Zips of zips of zeros: 64 GB in 50 kB."""
    content = bytes(64 << 20)
    for width in (1, 10, 100):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for k in range(width):
                archive.writestr(f"{k}.zip", content)
        content = path.read_bytes()
    return path


def test_a_zip_bomb_costs_little_memory(shared_data: Path, temporary: Path) -> None:
    path = shared_data / "formats/zip/must_fail_bomb_64MB_of_zeros.zip"
    text, megabytes, _ = measured(path, temporary)
    assert "zip bomb" in text
    assert megabytes < 300


def test_a_nested_zip_bomb_costs_little_memory(tmp_path: Path, temporary: Path) -> None:
    text, megabytes, _ = measured(nested_bomb(tmp_path / "bomb.zip"), temporary)
    assert text.startswith("SafetyRefusal")
    assert megabytes < 300


def test_a_gzip_bomb_costs_little_memory(tmp_path: Path, temporary: Path) -> None:
    """A GB of zeros behind a header that asks for one voxel."""
    content = bytearray(nifti(1, 1, 1))
    with gzip.open(tmp_path / "scan.nii.gz", "wb", compresslevel=1) as file:
        file.write(content)
        for _ in range(1024 // 64):
            file.write(bytes(64 << 20))
    text, megabytes, _ = measured(tmp_path / "scan.nii.gz", temporary)
    assert text.startswith(("image (1, 1, 1)", "ReadError"))
    assert megabytes < 300


# ---------------------------------------------------------------- claims


def nifti(x: int, y: int, z: int, *, version: int = 1, magic: bytes = b"n+1\0") -> bytes:
    if version == 2:
        header = bytearray(540)
        struct.pack_into("<i8s", header, 0, 540, b"n+2\0\r\n\x1a\n")
        struct.pack_into("<hh8q", header, 12, 4, 16, 3, x, y, z, 1, 1, 1, 1)
        struct.pack_into("<8d", header, 104, 1, 1, 1, 1, 1, 1, 1, 1)
        struct.pack_into("<q", header, 168, 544)
        return bytes(header) + bytes(4)
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, x, y, z, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = magic
    return bytes(header) + bytes(4)


def afni(side: int) -> bytes:
    return (
        "type = string-attribute\nname = TYPESTRING\ncount = 15\n'3DIM_HEAD_ANAT~\n\n"
        f"type = integer-attribute\nname = DATASET_DIMENSIONS\ncount = 5\n{side} {side} {side} 0 0"
        "\n\ntype = integer-attribute\nname = DATASET_RANK\ncount = 8\n3 1 0 0 0 0 0 0\n\n"
        "type = integer-attribute\nname = ORIENT_SPECIFIC\ncount = 3\n1 2 4\n\n"
        "type = float-attribute\nname = ORIGIN\ncount = 3\n0 0 0\n\n"
        "type = float-attribute\nname = DELTA\ncount = 3\n1 1 1\n\n"
        "type = integer-attribute\nname = BRICK_TYPES\ncount = 1\n1\n\n"
        "type = string-attribute\nname = BYTEORDER_STRING\ncount = 10\n'LSB_FIRST~\n\n"
    ).encode()


def minc1(side: int) -> bytes:
    """A netCDF file of one variable, image(zspace, yspace, xspace), of `side` each."""

    def name(text: str) -> bytes:
        return struct.pack(">I", len(text)) + text.encode().ljust(-(-len(text) // 4) * 4, b"\0")

    dims = b"".join(name(f"{axis}space") + struct.pack(">I", side) for axis in "zyx")
    variable = name("image") + struct.pack(">4I", 3, 0, 1, 2) + bytes(8)
    variable += struct.pack(">3I", 3, 0xFFFFFFFF, 300)
    head = struct.pack(">II", 10, 3) + dims + bytes(8) + struct.pack(">II", 11, 1) + variable
    return (b"CDF\x01" + bytes(4) + head).ljust(400, b"\0")


def minc2(path: Path, side: int) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("minc-2.0")
        for axis in "xyz":
            space = group.create_dataset(f"dimensions/{axis}space", data=0)
            space.attrs.update({"length": side, "start": 0.0, "step": 1.0})
        image = group.create_dataset(
            "image/0/image", shape=(side, side, side), dtype="u1", chunks=(64, 64, 64)
        )
        image.attrs["dimorder"] = np.bytes_("zspace,yspace,xspace")
        image.attrs["valid_range"] = np.array([0.0, 255.0])
        group.create_dataset("image/0/image-min", data=0.0)
        group.create_dataset("image/0/image-max", data=255.0)


def dicom(rows: int, columns: int, frames: int, *, content: bytes = bytes(64)) -> bytes:
    import io

    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite

    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3.4"
    data.StudyInstanceUID = data.SeriesInstanceUID = "1.2.3"
    data.Modality, data.PhotometricInterpretation, data.SamplesPerPixel = "MR", "MONOCHROME2", 1
    data.Rows, data.Columns, data.NumberOfFrames = rows, columns, frames
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelSpacing, data.ImagePositionPatient = [1, 1], [0, 0, 0]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.PixelData = content
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    file = io.BytesIO()
    dcmwrite(file, data, enforce_file_format=True)
    return file.getvalue()


NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: {0} {0} {0}\nencoding: {1}\nendian: little\n\n"
MHA = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    "CompressedData = {1}\nDimSize = {0} {0} {0}\nElementType = MET_SHORT\n"
    "ElementDataFile = LOCAL\n"
)


def claims(name: str, folder: Path) -> Path:
    """A small file of the format that says it holds terabytes."""
    path = folder / f"scan.{name.split(maxsplit=1)[0]}"
    big = 32767
    match name:
        case "nii" | "nii gz":
            content = nifti(big, big, big)
            path.write_bytes(gzip.compress(content) if name == "nii gz" else content)
        case "nii2":
            path.write_bytes(nifti(2**40, 2**20, 2**20, version=2))
        case "hdr" | "hdr analyze":
            magic = b"ni1\0" if name == "hdr" else bytes(4)
            path.write_bytes(nifti(big, big, big, magic=magic)[:348])
            path.with_suffix(".img").write_bytes(bytes(64))
        case "nrrd raw" | "nrrd gzip" | "nrrd bzip2" | "nrrd ascii" | "nrrd hex":
            path.write_bytes(NRRD.format(20000, name.split()[1]).encode() + b"\x1f\x8b" + bytes(64))
        case "mha False" | "mha True":
            path.write_bytes(MHA.format(20000, name.split()[1]).encode() + bytes(64))
        case "mgh":
            path.write_bytes(struct.pack(">7i", 1, 2**19, 2**19, 2**19, 1, 3, 0) + bytes(300))
        case "mgz":
            content = struct.pack(">7i", 1, 2**19, 2**19, 2**19, 1, 3, 0) + bytes(300)
            path.write_bytes(gzip.compress(content))
        case "HEAD":
            path.write_bytes(afni(30000))
            path.with_suffix(".BRIK").write_bytes(bytes(64))
        case "mnc":
            path.write_bytes(minc1(30000))
        case "mnc 2":
            minc2(path, 30000)
        case "dcm":
            path.write_bytes(dicom(65535, 65535, 500))
        case "dcm frames":
            path.write_bytes(dicom(512, 512, 2**31 - 1))
    return path


CLAIMS = ["nii", "nii gz", "nii2", "hdr", "hdr analyze", "nrrd raw", "nrrd gzip", "nrrd bzip2",
          "nrrd ascii", "nrrd hex", "mha False", "mha True", "mgh", "mgz", "HEAD", "mnc", "mnc 2",
          "dcm", "dcm frames"]  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_a_header_that_claims_terabytes_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before memory is asked for: an array of a hundred MB is never made."""
    path = claims(name, tmp_path)
    make = np.empty

    def watched(shape: object, *args: object, **named: object) -> object:
        assert np.prod(np.atleast_1d(np.asarray(shape, dtype=float))) < 1e8, "memory is asked for"
        return make(shape, *args, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(np, "empty", watched)
    with pytest.raises(LeukoError) as caught:
        read(path)
    assert caught.value.exit_code in (3, 4, 5)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["nrrd bzip2", "mnc 2", "dcm frames"])
def test_a_claim_costs_little_memory(tmp_path: Path, temporary: Path, name: str) -> None:
    text, megabytes, _ = measured(claims(name, tmp_path), temporary)
    assert "image" not in text.split(":")[0]
    assert megabytes < 300


# ---------------------------------------------------------------- a hundred thousand files


COUNT = 100_000
MEMORY_DISK = Path("/dev/shm")  # a hundred thousand files take minutes on a busy disk


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    """A folder for many small files: in memory where there is room for them."""
    room = MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > 2 << 30
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if room else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def crowd(roomy: Path) -> Path:
    """A hundred thousand tiny files in a hundred folders, and the one scan."""
    home = roomy / "crowd"
    home.mkdir()
    for k in range(100):
        folder = home / f"{k:02}"
        folder.mkdir()
        for i in range(COUNT // 100):
            handle = os.open(folder / f"{i:03}", os.O_CREAT | os.O_WRONLY)
            os.write(handle, b"tiny")
            os.close(handle)
    (home / "50" / "scan").write_bytes(nifti(1, 1, 1) + bytes(2))
    return home


@pytest.mark.slow
def test_a_hundred_thousand_tiny_files_in_a_folder(crowd: Path, temporary: Path) -> None:
    text, megabytes, seconds = measured(crowd, temporary)
    assert text == "image (1, 1, 1)"
    assert megabytes < LIMIT_MB / 2
    assert seconds < 60


@pytest.mark.slow
def test_a_hundred_thousand_tiny_files_in_a_zip(tmp_path: Path, roomy: Path) -> None:
    with zipfile.ZipFile(tmp_path / "crowd.zip", "w") as archive:
        for k in range(COUNT):
            archive.writestr(f"{k // 1000:02}/{k:06}", b"tiny")
        archive.writestr("99/scan", nifti(1, 1, 1) + bytes(2))
    text, megabytes, seconds = measured(tmp_path / "crowd.zip", roomy)
    assert text == "image (1, 1, 1)"
    assert megabytes < LIMIT_MB / 2
    assert seconds < 120


# ---------------------------------------------------------------- other folders


NHDR = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: {}\n"
MHD = "NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = {}\n"


@pytest.mark.parametrize("header", [("a.nhdr", NHDR), ("a.mhd", MHD)])
@pytest.mark.parametrize("place", ["../secret.raw", "/etc/passwd", "x/../../secret.raw",
                                   "..\\secret.raw", "C:\\secret.raw"])  # fmt: skip
def test_a_header_cannot_name_voxels_elsewhere(
    tmp_path: Path, header: tuple[str, str], place: str
) -> None:
    folder = tmp_path / "upload"
    (folder / "x").mkdir(parents=True)
    (tmp_path / "secret.raw").write_bytes(b"12345678")
    name, text = header
    (folder / name).write_text(text.format(place))
    with pytest.raises((ReadError, SafetyRefusal), match="outside its own folder"):
        read(folder / name)


@pytest.mark.parametrize("header", [("a.nhdr", NHDR), ("a.mhd", MHD)])
def test_a_device_as_voxels_is_no_file(tmp_path: Path, header: tuple[str, str]) -> None:
    name, text = header
    (tmp_path / name).write_text(text.format("zero"))
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(ReadError, match="missing"):
        read(tmp_path / name)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_pipes_and_devices_are_no_files(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "scan.nii")
    with pytest.raises(ReadError, match="not a regular file"):
        read(tmp_path / "scan.nii")


def test_a_dicomdir_cannot_name_files_elsewhere(tmp_path: Path, shared_data: Path) -> None:
    """Its files are looked for below its own folder only."""
    content = (shared_data / "dicom/dicomdir/DICOMDIR").read_bytes()
    folder = tmp_path / "medium"
    folder.mkdir()
    (folder / "DICOMDIR").write_bytes(content.replace(b"77654033", b"..\\..\\xx"))
    with pytest.raises(LeukoError):
        read(folder / "DICOMDIR")
