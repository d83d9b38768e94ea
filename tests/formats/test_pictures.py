"""Pictures as images: every grey value kept, upright, without a size and without sides."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openjpeg
import pytest
from PIL import Image as Pillow

from leuko.errors import LeukoError, ReadError, UnusableInput
from leuko.findings import Policy, Severity
from leuko.formats.read import read, read_scan
from leuko.image.image import Image

GREY = np.arange(35, dtype=np.uint8).reshape(5, 7) * 7  # 7 columns, 5 rows
DEEP = np.arange(35, dtype=np.uint16).reshape(5, 7) * 1873
NOISE = np.random.default_rng(0).integers(0, 4096, (40, 48), dtype=np.uint16)
EXACT = ["gray8.png", "gray16.png", "rgb.png", "rgba_alpha.png", "gray_alpha.png", "palette.png",
         "gray_lossless.jp2", "gray16_lossless.jp2"]  # fmt: skip
NEAR = ["gray.jpg", "cmyk.jpg", *(f"exif_orientation_{k}.jpg" for k in range(1, 9))]


def codes(image: Image) -> set[str]:
    return {finding.code for finding in image.findings}


def rows(image: Image) -> npt.NDArray[Any]:
    """A picture's values as other programs hold them: (rows, columns)."""
    assert image.grid.shape[2] == 1
    return image.data[:, :, 0].T


def saved(path: Path, picture: Pillow.Image, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def tiff(path: Path, values: npt.NDArray[Any], *, photometric: int = 1, kind: int = 1) -> Path:
    """An uncompressed TIFF page laid out by hand: Pillow writes none of the odd kinds."""
    height, width = values.shape[:2]
    samples = 1 if values.ndim == 2 else values.shape[2]
    data = values.tobytes()
    bits = values.itemsize * 8
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, samples),
        (278, 4, height),
        (279, 4, len(data)),
        (339, 3, kind),
    ]
    content = b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags))
    for tag, type_, value in tags:
        content += struct.pack("<HHI", tag, type_, 1) + struct.pack("<I", value)
    path.write_bytes(content + bytes(4))
    return path


def png(path: Path, values: npt.NDArray[np.uint16], *, colour: int) -> Path:
    """A 16-bit PNG laid out by hand, with correct checksums."""
    height, width = values.shape[:2]
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )  # fmt: skip
    return path


# ---------------------------------------------------------------- the real pictures


@pytest.mark.parametrize("name", EXACT)
def test_lossless_pictures_equal_the_truth(shared_data: Path, name: str) -> None:
    truth = np.load(shared_data / "formats/images2d/truth_gray8.npy").astype(int)
    values = rows(read(shared_data / "formats/images2d" / name))
    deep = "16" in name
    assert values.dtype == (np.uint16 if deep else np.uint8)
    np.testing.assert_array_equal(values // 257 if deep else values, truth)


@pytest.mark.parametrize("name", NEAR)
def test_jpegs_are_upright_and_within_8_grey_levels(shared_data: Path, name: str) -> None:
    """All eight orientations of EXIF show the same head."""
    truth = np.load(shared_data / "formats/images2d/truth_gray8.npy").astype(int)
    image = read(shared_data / "formats/images2d" / name)
    assert np.abs(rows(image).astype(int) - truth).max() <= 8
    assert "picture.lossy" in codes(image)
    assert ("picture.turned" in codes(image)) == (name[-5] in "2345678")


# ---------------------------------------------------------------- what a picture is


def test_a_picture_has_neither_size_nor_sides(tmp_path: Path) -> None:
    """A resolution in dpi is that of a print: it is no size of a pixel in the body."""
    path = saved(tmp_path / "a.png", Pillow.fromarray(GREY), dpi=(72, 72))
    image = read(path)
    assert image.grid.shape == (7, 5, 1)
    assert not image.grid.sized
    assert not image.grid.oriented
    assert image.grid.spacing == (1, 1, 1)
    assert {"grid.size_unknown", "grid.orientation_unknown", "grid.single_slice"} <= codes(image)
    assert image.source is not None
    assert (image.source.name, image.source.format) == ("a.png", "png")
    assert image.data[6, 0, 0] == GREY[0, 6]


@pytest.mark.parametrize("policy", Policy)
def test_a_picture_is_no_scan_under_any_policy(tmp_path: Path, policy: Policy) -> None:
    path = saved(tmp_path / "a.png", Pillow.fromarray(GREY))
    with pytest.raises(UnusableInput, match=r"^a\.png is a picture, not a scan") as caught:
        read_scan(path, policy=policy)
    assert "DICOM" in caught.value.hint


@pytest.mark.parametrize("ending", ["png", "tif", "jp2", "bmp", "gif"])
@pytest.mark.parametrize("packed", [False, True])
def test_pictures_are_known_by_content(tmp_path: Path, ending: str, packed: bool) -> None:
    path = saved(tmp_path / f"a.{ending}", Pillow.fromarray(GREY))
    content = path.read_bytes()
    other = tmp_path / "scan"
    other.write_bytes(gzip.compress(content) if packed else content)
    np.testing.assert_array_equal(rows(read(other)), GREY)


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("ending", ["png", "tif", "jp2"])
def test_16_bits_are_kept(tmp_path: Path, ending: str) -> None:
    values = np.tile(DEEP, (8, 8))
    image = read(saved(tmp_path / f"a.{ending}", Pillow.fromarray(values)))
    assert image.data.dtype == np.uint16
    np.testing.assert_array_equal(rows(image), values)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("codec", [0, 1])
def test_jpeg2000_keeps_its_own_depth_and_sign(tmp_path: Path, signed: bool, codec: int) -> None:
    """Pillow stretches 12 bits to 16 and lifts negative values."""
    values = NOISE.astype(np.int16) - 2048 if signed else NOISE
    bits = 16 if signed else 12
    path = tmp_path / "a.jp2"
    path.write_bytes(bytes(openjpeg.encode(values, bits_stored=bits, codec_format=codec)))
    np.testing.assert_array_equal(rows(read(path)), values)


KINDS = {
    "unsigned 16": (DEEP, 1, 1),
    "signed 16": (DEEP.astype(np.int32).astype(np.int16) - 5, 1, 2),
    "signed 8": (GREY.astype(np.int8), 1, 2),
    "unsigned 32 above the sign": (DEEP.astype(np.uint32) * 50_000, 1, 1),
    "float 32": (DEEP.astype(np.float32) / 7 - 3, 1, 3),
}


@pytest.mark.parametrize("kind", KINDS)
def test_tiff_keeps_every_type(tmp_path: Path, kind: str) -> None:
    values, photometric, sample = KINDS[kind]
    image = read(tiff(tmp_path / "a.tif", values, photometric=photometric, kind=sample))
    np.testing.assert_array_equal(rows(image), values)


@pytest.mark.parametrize("values", [GREY, DEEP])
def test_a_tiff_whose_white_is_zero_is_turned(tmp_path: Path, values: npt.NDArray[Any]) -> None:
    image = read(tiff(tmp_path / "a.tif", values, photometric=0))
    np.testing.assert_array_equal(rows(image), np.iinfo(values.dtype).max - values)


def test_a_tiff_of_a_kind_that_cannot_be_read_says_how_to_save_it(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="in a way that leuko cannot read") as caught:
        read(tiff(tmp_path / "a.tif", DEEP.astype(np.complex128), kind=6))
    assert "PNG" in caught.value.hint


def test_numbers_that_are_none_become_zero(tmp_path: Path) -> None:
    values = DEEP.astype(np.float32)
    values[1, 2], values[3, 4] = np.nan, np.inf
    image = read(tiff(tmp_path / "a.tif", values, kind=3))
    assert "voxels.not_finite" in codes(image)
    assert rows(image)[1, 2] == rows(image)[3, 4] == 0


def test_a_bit_is_black_or_white(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Pillow.fromarray(GREY % 2 * 255).convert("1"))
    np.testing.assert_array_equal(rows(read(path)), GREY % 2 * 255)


def test_colour_is_luminance_with_a_finding(tmp_path: Path) -> None:
    """ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue; equal channels are no colour."""
    colours = np.zeros((1, 4, 3), np.uint8)
    colours[0, :3] = np.eye(3) * 255
    colours[0, 3] = 200
    image = read(saved(tmp_path / "a.png", Pillow.fromarray(colours)))
    np.testing.assert_array_equal(rows(image), [[76, 150, 29, 200]])
    assert "picture.colour" in codes(image)
    grey = read(saved(tmp_path / "b.png", Pillow.fromarray(np.stack([GREY] * 3, -1))))
    assert "picture.colour" not in codes(grey)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    picture = Pillow.fromarray(GREY % 3, "P")
    picture.putpalette([10, 10, 10, 200, 200, 200, 90, 90, 90])
    for ending in ("png", "gif", "bmp", "tif"):
        image = read(saved(tmp_path / f"a.{ending}", picture))
        np.testing.assert_array_equal(rows(image), np.array([10, 200, 90])[GREY % 3])
        assert "picture.colour" not in codes(image)


def test_what_is_transparent_lies_on_black(tmp_path: Path) -> None:
    grey = np.array([[100, 100, 100]], np.uint8)
    alpha = np.array([[255, 0, 51]], np.uint8)
    picture = Pillow.fromarray(np.stack([grey, alpha], -1), "LA")
    image = read(saved(tmp_path / "a.png", picture))
    np.testing.assert_array_equal(rows(image), [[100, 0, 20]])
    assert "picture.transparent" in codes(image)


@pytest.mark.parametrize("colour", [2, 4, 6])
def test_16_bits_of_each_colour_are_cut_to_8_with_a_warning(tmp_path: Path, colour: int) -> None:
    """Pillow holds colour in 8 bits."""
    channels = {2: 3, 4: 2, 6: 4}[colour]
    values = np.stack([DEEP] * channels, axis=-1)
    if colour != 2:
        values[..., -1] = 65535
    image = read(png(tmp_path / "a.png", values, colour=colour))
    np.testing.assert_array_equal(rows(image), DEEP >> 8)
    warned = [f for f in image.findings if f.code == "picture.reduced"]
    assert [f.severity for f in warned] == [Severity.WARNING]


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize("ending", ["tif", "gif"])
def test_pages_are_slices_of_unknown_distance(tmp_path: Path, ending: str) -> None:
    pages = [Pillow.fromarray(np.roll(GREY, k)) for k in range(3)]
    path = saved(
        tmp_path / f"a.{ending}", pages[0], save_all=True, append_images=pages[1:],
        **({"optimize": False} if ending == "gif" else {}),
    )  # fmt: skip
    image = read(path)
    assert image.grid.shape == (7, 5, 3)
    for k in range(3):
        np.testing.assert_array_equal(image.data[:, :, k].T, np.roll(GREY, k))
    assert "picture.pages" in codes(image)
    with pytest.raises(UnusableInput, match="is a picture"):
        read_scan(path, policy=Policy.LENIENT)


def test_pages_of_different_sizes_are_no_image(tmp_path: Path) -> None:
    pages = [Pillow.fromarray(GREY), Pillow.fromarray(GREY.T)]
    path = saved(tmp_path / "a.tif", pages[0], save_all=True, append_images=pages[1:])
    with pytest.raises(UnusableInput, match="different sizes"):
        read(path)


# ---------------------------------------------------------------- broken and hostile


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "jp2", "gif", "bmp"])
def test_a_picture_cut_anywhere_is_refused(tmp_path: Path, ending: str) -> None:
    """But for what follows the pixels, which no picture needs."""
    path = saved(tmp_path / f"a.{ending}", Pillow.fromarray(NOISE.astype(np.uint8)))
    whole = path.read_bytes()
    for length in range(0, len(whole) - 40, max(1, len(whole) // 23)):
        path.write_bytes(whole[:length])
        with pytest.raises(ReadError):
            read(path)


def test_a_changed_byte_of_a_png_does_not_pass(tmp_path: Path) -> None:
    """No other kind of picture holds a checksum."""
    path = saved(tmp_path / "a.png", Pillow.fromarray(NOISE.astype(np.uint8)))
    whole = path.read_bytes()
    for place in range(8, len(whole) - 12, 41):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        with pytest.raises(LeukoError):
            read(path)


def claims(kind: str, width: int, height: int) -> bytes:
    """A picture whose header claims a size that its bytes cannot hold."""
    file = io.BytesIO()
    Pillow.fromarray(np.zeros((64, 64), np.uint8)).save(file, kind)
    content = bytearray(file.getvalue())
    if kind == "PNG":
        content[16:24] = struct.pack(">II", width, height)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    elif kind == "JPEG":
        place = content.index(b"\xff\xc0")
        content[place + 5 : place + 9] = struct.pack(">HH", min(height, 65535), min(width, 65535))
    elif kind == "GIF":
        content[6:10] = struct.pack("<HH", min(width, 65535), min(height, 65535))
    elif kind == "BMP":
        content[18:26] = struct.pack("<II", width, height)
    elif kind == "JPEG2000":
        place = content.index(b"\xff\x4f\xff\x51")
        content[place + 8 : place + 16] = struct.pack(">II", width, height)
    else:
        place = struct.unpack_from("<I", content, 4)[0]
        for _ in range(struct.unpack_from("<H", content, place)[0]):
            tag = struct.unpack_from("<H", content, place + 2)[0]
            if tag in (256, 257):
                content[place + 4 : place + 6] = struct.pack("<H", 4)
                content[place + 10 : place + 14] = struct.pack("<I", width)
            place += 12
    return bytes(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "JPEG2000"])
@pytest.mark.parametrize("size", [60_000, 2**30])
def test_a_picture_that_claims_to_be_huge_is_refused(tmp_path: Path, kind: str, size: int) -> None:
    (tmp_path / "a").write_bytes(claims(kind, size, size))
    with pytest.raises(ReadError):
        read(tmp_path / "a")


@pytest.mark.parametrize("kind", ["tif", "png"])
@pytest.mark.parametrize("number", range(1, 9))
def test_a_picture_is_turned_upright_and_says_so(tmp_path: Path, number: int, kind: str) -> None:
    upright = [GREY, GREY[:, ::-1], GREY[::-1, ::-1], GREY[::-1], GREY.T, np.rot90(GREY, -1),
               GREY[::-1, ::-1].T, np.rot90(GREY)]  # fmt: skip
    note = Pillow.Exif()
    note[0x0112] = number
    image = read(saved(tmp_path / f"a.{kind}", Pillow.fromarray(GREY), exif=note))
    np.testing.assert_array_equal(rows(image), upright[number - 1])
    assert ("picture.turned" in codes(image)) == (number > 1)


def test_frames_of_an_animated_png_are_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [Pillow.fromarray(GREY + k) for k in range(3)]
    path = saved(tmp_path / "a.png", frames[0], save_all=True, append_images=frames[1:])
    image = read(path)
    np.testing.assert_array_equal(image.data.T, [GREY, GREY + 1, GREY + 2])
    assert "picture.pages" in codes(image)
    monkeypatch.setattr("leuko.formats.pictures.MAX_FRAME", GREY.size - 1)
    with pytest.raises(ReadError, match="more pixels"):
        read(path)


@pytest.mark.parametrize(("kind", "title"), [("webp", "WebP"), ("ppm", "Netpbm")])
def test_pictures_of_other_formats_are_called_by_name(
    tmp_path: Path, kind: str, title: str
) -> None:
    with pytest.raises(ReadError, match=title):
        read(saved(tmp_path / f"a.{kind}", Pillow.fromarray(GREY)))


def test_large_colour_pictures_are_turned_to_grey_in_bands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    colours = np.random.default_rng(5).integers(0, 256, (41, 30, 4), dtype=np.uint8)
    colours[:20, :, :3] = colours[:20, :, :1]  # grey above, coloured below
    paths = [saved(tmp_path / f"{n}.png", Pillow.fromarray(colours[..., :n])) for n in (3, 4)]
    whole = [read(path) for path in paths]
    monkeypatch.setattr("leuko.formats.pictures_grey._BAND", 200)
    for path, expected in zip(paths, whole, strict=True):
        image = read(path)
        np.testing.assert_array_equal(image.data, expected.data)
        assert codes(image) == codes(expected)
