"""What fuzzing found once stays found: each case, as small as it gets."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import jpeg_ls
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite

from leuko.errors import LeukoError, ReadError, printable
from leuko.findings import Finding, Severity
from leuko.formats.read import read

PLAIN = "1.2.840.10008.1.2.1"
JPEG_LS = "1.2.840.10008.1.2.4.80"
RLE = "1.2.840.10008.1.2.5"
PIXELS = np.random.default_rng(0).integers(0, 4096, (16, 12), dtype=np.uint16)


def dicom(pixels: bytes, *, syntax: str = PLAIN, number: int = 0, **changed: Any) -> bytes:
    """A slice of an MR series, 16 rows, 12 columns."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", f"1.2.3.{number}"
    data.StudyInstanceUID = data.SeriesInstanceUID = "1.2.3"
    data.Modality, data.PhotometricInterpretation, data.SamplesPerPixel = "MR", "MONOCHROME2", 1
    data.Rows, data.Columns, data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 16, 12, 11
    data.PixelRepresentation, data.PixelSpacing = 0, [1, 1]
    data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
    for name, value in changed.items():
        setattr(data, name, value)
    data.PixelData = pixels if syntax == PLAIN else encapsulate([pixels])
    data["PixelData"].VR = "OW" if syntax == PLAIN else "OB"
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    dcmwrite(file, data, enforce_file_format=True)
    return file.getvalue()


def refused(path: Path, content: bytes, match: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ReadError, match=match) as caught:
        read(path)
    assert caught.value.hint


def test_a_damaged_jpeg_ls_stream_does_not_end_the_process(tmp_path: Path) -> None:
    """GDCM throws what nothing catches where the bits per sample are out of range."""
    stream = bytearray(jpeg_ls.encode_array(PIXELS))
    stream[stream.index(b"\xff\xf7") + 4] = 77
    content = dicom(bytes(stream), syntax=JPEG_LS)
    refused(tmp_path / "a.dcm", content, "cannot be decompressed")


def test_a_cut_jpeg_ls_stream_is_refused_at_once(tmp_path: Path) -> None:
    """CharLS looked for the end of some of them for ten seconds, and behind their memory."""
    stream = bytes(jpeg_ls.encode_array(PIXELS))
    began = time.perf_counter()
    for length in range(60, len(stream) - 2, 11):
        content = dicom(stream[:length], syntax=JPEG_LS)
        refused(tmp_path / "a.dcm", content, "cannot be decompressed")
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("count", [0, 1, 15, 64])
def test_a_damaged_rle_stream_is_refused(tmp_path: Path, count: int) -> None:
    """The codec panics where a run leaves its row; a panic is no Exception."""
    head = np.zeros(16, "<u4")
    head[:3] = 2, 64, 66
    runs = bytes([127]) * 2 + bytes([255 - count, 7]) * 300
    refused(tmp_path / "a.dcm", dicom(head.tobytes() + runs, syntax=RLE), "RLE|cannot")


@pytest.mark.parametrize("bits", [0, 17, 65535])
def test_bits_stored_that_cannot_be_count_as_all(tmp_path: Path, bits: int) -> None:
    (tmp_path / "a.dcm").write_bytes(dicom(PIXELS.tobytes(), BitsStored=bits))
    np.testing.assert_array_equal(read(tmp_path / "a.dcm").data[:, :, 0], PIXELS.T)


def series(folder: Path, name: str = "DOE^JANE") -> Path:
    place = folder / name
    place.mkdir()
    for k in range(4):
        (place / f"{k}.dcm").write_bytes(dicom((PIXELS + k).tobytes(), number=k))
    return place


@pytest.mark.parametrize("length", [0, 50, 131, 250, 400, -400])
def test_a_file_of_a_series_that_was_cut_is_missed_aloud(tmp_path: Path, length: int) -> None:
    """Wherever it was cut: the last slice of a series leaves no gap."""
    folder = series(tmp_path)
    last = folder / "3.dcm"
    last.write_bytes(last.read_bytes()[:length])
    try:
        image = read(folder)
    except LeukoError:
        return
    assert image.grid.shape == (12, 16, 3)
    warned = [f.code for f in image.findings if f.severity == Severity.WARNING]
    assert "dicom.damaged_files" in warned


def test_a_folder_is_never_named(tmp_path: Path) -> None:
    folder = series(tmp_path)
    for k in range(4):
        other = dicom(PIXELS.tobytes(), number=k, SeriesInstanceUID="1.2.9")
        (folder / f"other{k}.dcm").write_bytes(other.replace(b"1.2.3.", b"1.2.8."))
    with pytest.raises(LeukoError) as caught:
        read(folder)
    assert "JANE" not in caught.value.what + caught.value.hint
    for k in range(4):
        (folder / f"other{k}.dcm").unlink()
    source = read(folder).source
    assert source is not None
    assert "JANE" not in source.name


def test_a_damaged_dicomdir_is_no_end(tmp_path: Path) -> None:
    """Its folder is searched instead."""
    folder = series(tmp_path)
    content = bytearray(dicom(b"", SOPClassUID="1.2.840.10008.1.3.10"))
    content += b"\x04\x00\x20\x12SQ\0\0\xff\xff\xff\xff" + b"\x10\x00\x10\x00junkjunk"
    (folder / "DICOMDIR").write_bytes(content)
    assert read(folder / "DICOMDIR").grid.shape == (12, 16, 4)
    assert read(folder).grid.shape == (12, 16, 4)


def test_what_a_file_says_cannot_command_a_terminal(tmp_path: Path) -> None:
    """Names in headers come into messages; control characters do not."""
    path = tmp_path / "a.nhdr"
    path.write_bytes(b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n"
                     b"data file: \x1b]0;x\x07.raw\n")  # fmt: skip
    with pytest.raises(ReadError) as caught:
        read(path)
    assert caught.value.what.isprintable()
    assert "\x1b" not in str(caught.value)
    assert Finding("a.b", Severity.NOTE, "x\x1b[2Jy\n", "\udcff").what == "x?[2Jy?"
    assert printable("Größe 5 µm – ok") == "Größe 5 µm – ok"


def test_lines_to_skip_end_with_the_file(tmp_path: Path) -> None:
    """A header that asked for two thousand million lines took as many steps."""
    path = tmp_path / "a.nrrd"
    text = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n"
    text += "line skip: 2147483647\n\n"
    began = time.perf_counter()
    refused(path, text.encode() + b"a line\n" * 9, "truncated")
    assert time.perf_counter() - began < 2


def test_an_element_that_claims_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    """In colour objects too, which the DICOM library reads whole."""
    colour = dicom(
        bytes(16 * 12 * 3), SamplesPerPixel=3, PhotometricInterpretation="RGB",
        PlanarConfiguration=0, BitsAllocated=8, BitsStored=8, HighBit=7,
    )  # fmt: skip
    path = tmp_path / "a.dcm"
    path.write_bytes(colour + b"\xfc\xff\xfc\xffOB\0\0\xf0\xff\xff\x7f" + bytes(10))
    read(path)
