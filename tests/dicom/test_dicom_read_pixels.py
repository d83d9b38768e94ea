"""Pixels: bits, signs, scales, padding and colours come out as what was measured."""

from __future__ import annotations

import dicom_series as made
import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from leuko.dicom.files import scan
from leuko.dicom.image import load, read_dicom
from leuko.errors import OutOfResources, ReadError, SafetyRefusal, UsageError
from leuko.findings import Severity


def test_each_slice_has_its_own_slope(tmp_path):
    def scale(place, data):
        slope, inter = 0.25 * (place + 1), float(place)
        values = np.frombuffer(data.PixelData, "<u2")
        data.PixelData = np.rint((values - inter) / slope).astype("<u2").tobytes()
        data.RescaleSlope, data.RescaleIntercept = slope, inter

    image = read_dicom(made.write(made.changed(made.slices(), scale), tmp_path / "in"))
    assert image.data.dtype == np.float32
    made.assert_in_place(image.data, image.grid.affine)


def test_a_whole_intercept_leaves_integers(tmp_path):
    def shift(_, data):
        data.RescaleSlope, data.RescaleIntercept = 1, -1024
        data.BitsStored, data.HighBit = 12, 11

    image = read_dicom(made.write(made.changed(made.slices(), shift), tmp_path / "in"))
    assert image.data.dtype == np.int16
    made.assert_in_place(image.data, image.grid.affine, add=-1024)


@pytest.mark.parametrize("signed", [False, True])
def test_bits_above_the_stored_ones_are_no_part_of_the_value(signed, tmp_path):
    values = np.arange(35) * (40 if not signed else -40)
    rubbish = (np.arange(35, dtype=np.uint16) % 16) << 12
    (data,) = made.slices(count=1, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    data.PixelData = ((values.astype(np.int16).view(np.uint16) & 0x0FFF) | rubbish).tobytes()
    image = read_dicom(made.save(data, tmp_path / "f"))
    np.testing.assert_array_equal(image.data[..., 0].T.ravel(), values)


def test_a_value_that_is_not_in_the_low_bits_is_shifted(tmp_path):
    (data,) = made.slices(count=1, BitsStored=12, HighBit=15)
    data.PixelData = ((np.arange(35, dtype=np.uint16) << 4) | 9).tobytes()
    image = read_dicom(made.save(data, tmp_path / "f"))
    np.testing.assert_array_equal(image.data[..., 0].T.ravel(), np.arange(35))


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
     RLELossless, JPEGLSLossless],
)  # fmt: skip
def test_every_encoding_of_a_series_gives_the_same_image(syntax, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for place, data in enumerate(made.slices()):
        path = made.save(data, folder / str(place))
        if syntax in (RLELossless, JPEGLSLossless):
            file = dcmread(path)
            file.compress(syntax)
            file.save_as(path)
        elif syntax == ExplicitVRBigEndian:
            data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
            data.file_meta = dcmread(path).file_meta
            data.file_meta.TransferSyntaxUID = syntax
            dcmwrite(path, data, implicit_vr=False, little_endian=False, enforce_file_format=True)
        else:
            made.save(data, path, syntax=syntax, implicit=syntax == ImplicitVRLittleEndian)
    image = read_dicom(folder)
    made.assert_in_place(image.data, image.grid.affine)


def test_inverted_grey_is_turned_over_and_said(tmp_path):
    (data,) = made.slices(count=1, PhotometricInterpretation="MONOCHROME1")
    data.PixelData = np.arange(35, dtype="<u2").tobytes()
    image = read_dicom(made.save(data, tmp_path / "f"))
    np.testing.assert_array_equal(image.data[..., 0].T.ravel(), np.arange(34, -1, -1))
    assert "dicom.inverted" in {finding.code for finding in image.findings}


def test_bright_padding_becomes_the_least_value(tmp_path):
    (data,) = made.slices(count=1, PixelPaddingValue=63536)
    data.PixelData = np.array([63536] * 5 + list(range(7, 37)), "<u2").tobytes()
    image = read_dicom(made.save(data, tmp_path / "f"))
    assert (7, 36) == (image.data.min(), image.data.max())
    assert "dicom.padding" in {finding.code for finding in image.findings}


def test_dark_padding_stays(tmp_path):
    (data,) = made.slices(count=1, PixelPaddingValue=0)
    data.PixelData = np.arange(35, dtype="<u2").tobytes()
    image = read_dicom(made.save(data, tmp_path / "f"))
    np.testing.assert_array_equal(image.data[..., 0].T.ravel(), np.arange(35))


def test_colour_becomes_luminance_and_no_scan(tmp_path):
    (data,) = made.slices(
        count=1, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0,
        BitsAllocated=8, BitsStored=8, HighBit=7,
    )  # fmt: skip
    colours = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    data.PixelData = colours.tobytes() + b"\0"
    image = read_dicom(made.save(data, tmp_path / "f"))
    expected = colours @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(image.data[..., 0].T, expected, atol=1e-3)
    refusals = {f.code for f in image.findings if f.severity is Severity.REFUSAL}
    assert "dicom.colour" in refusals


def test_a_cut_file_says_how_much_is_there(tmp_path):
    (data,) = made.slices(count=1)
    path = made.save(data, tmp_path / "f")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReadError, match="f is truncated: it holds 50 of 70 bytes"):
        read_dicom(path)


def test_a_claim_of_terabytes_is_refused_before_memory_is_asked_for(tmp_path):
    (data,) = made.slices(count=1, Rows=65535, Columns=65535)
    with pytest.raises((ReadError, OutOfResources)):
        read_dicom(made.save(data, tmp_path / "f"))


def test_a_compressed_claim_of_gigabytes_is_refused(tmp_path):
    (data,) = made.slices(count=1)
    path = made.save(data, tmp_path / "f")
    file = dcmread(path)
    file.compress(RLELossless)
    file.Rows = file.Columns = 60000
    file.save_as(path)
    with pytest.raises((ReadError, OutOfResources), match=r"f "):
        read_dicom(path)


def test_a_mosaic_without_its_private_header_is_refused(tmp_path):
    (data,) = made.slices(count=1, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    with pytest.raises(SafetyRefusal, match="CSA"):
        read_dicom(made.save(data, tmp_path / "f"))


def test_overlay_planes_change_no_pixel(tmp_path):
    (data,) = made.slices(count=1)
    data.add_new((0x6000, 0x0010), "US", 7)
    data.add_new((0x6000, 0x0011), "US", 5)
    data.add_new((0x6000, 0x3000), "OW", b"\xff" * 6)
    image = read_dicom(made.save(data, tmp_path / "f"))
    made.assert_in_place(image.data, image.grid.affine)


def test_a_real_world_value_map_is_used_on_request(tmp_path):
    series = made.slices(RescaleSlope=2, RescaleIntercept=0)
    for data in series:
        data.RealWorldValueMappingSequence = [
            made.item(RealWorldValueSlope=0.5, RealWorldValueIntercept=3.0)
        ]
    (stack,) = scan(made.write(series, tmp_path / "in")).stacks
    standard, mapped = load(stack), load(stack, real_world=True)
    np.testing.assert_allclose(mapped.data, standard.data / 4 + 3)
    assert "dicom.real_world" in {finding.code for finding in standard.findings}
    (tmp_path / "plain").mkdir()
    (plain,) = scan(made.write(made.slices(), tmp_path / "plain")).stacks
    with pytest.raises(UsageError, match="no linear real-world value map"):
        load(plain, real_world=True)


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("cut", ["preamble", "preamble and meta"])
def test_a_file_without_preamble_or_meta_header_is_read(cut, implicit, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    for place, data in enumerate(made.slices()):
        path = made.save(data, folder / str(place), syntax=syntax, implicit=implicit)
        content = path.read_bytes()
        start = content.index(b"\x08\x00\x05\x00", 132) if "meta" in cut else 132
        path.write_bytes(content[start:])
    image = read_dicom(folder)
    made.assert_in_place(image.data, image.grid.affine)


@pytest.mark.parametrize(
    ("charset", "written", "shown"),
    [
        ("ISO_IR 192", "Kopf\u00fc".encode(), "Kopf\u00fc"),
        ("ISO_IR 100", "Kopf\u00fc".encode("latin-1"), "Kopf\u00fc"),
        ("", "Kopf\u00fc".encode("latin-1"), "Kopf\u00fc"),
        ("NO SUCH SET", b"Kopf\xff", "Kopf\u00ff"),
        ("ISO_IR 192", b"Kopf\xff\xfe", "Kopf\ufffd\ufffd"),
        ("ISO 2022 IR 87", b'\x1b$B%U%l%"\x1b(B', "\u30d5\u30ec\u30a2"),
        ("ISO_IR 144", "\u0424\u041b".encode("iso8859-5"), "\u0424\u041b"),
    ],
)
def test_text_in_any_character_set_fails_no_scan(charset, written, shown, tmp_path):
    (data,) = made.slices(count=1, SpecificCharacterSet="ISO_IR 6", SeriesDescription="#" * 16)
    path = made.save(data, tmp_path / "f")
    content = path.read_bytes().replace(b"#" * 16, written.ljust(16))
    old = b"\x08\x00\x05\x00CS\x08\x00ISO_IR 6"
    length = len(charset) + len(charset) % 2
    new = b"\x08\x00\x05\x00CS" + length.to_bytes(2, "little") + charset.encode().ljust(length)
    assert old in content
    path.write_bytes(content.replace(old, new))
    (stack,) = scan(path).stacks
    assert stack.description == shown


def test_a_modality_look_up_table_is_refused(tmp_path):
    (data,) = made.slices(count=1)
    data.ModalityLUTSequence = [made.item(LUTDescriptor=[1, 0, 16], LUTData=b"\0\0")]
    with pytest.raises(SafetyRefusal, match="look-up table"):
        read_dicom(made.save(data, tmp_path / "f"))
