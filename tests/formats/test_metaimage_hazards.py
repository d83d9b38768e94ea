"""Everything odd that a MetaImage header may say: what leuko makes of it, and that it says so."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from leuko.errors import ReadError, SafetyRefusal, UnusableInput
from leuko.formats.read import read, read_scan
from leuko.image.image import Image

COUNT = np.arange(24, dtype=np.int16).reshape((2, 3, 4), order="F")
RAW = COUNT.tobytes(order="F")
FIELDS = {
    "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False", "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "5 6 7",
    "AnatomicalOrientation": "RAI", "ElementSpacing": "1 2 3", "DimSize": "2 3 4",
    "ElementType": "MET_SHORT", "ElementDataFile": "LOCAL",
}  # fmt: skip


def make(path: Path, content: bytes = RAW, *, more: str = "", **fields: str | None) -> Path:
    """A MetaImage: FIELDS changed by `fields`; None drops one; `more` follows the last line."""
    said = FIELDS | fields
    last = said.pop("ElementDataFile")
    lines = [f"{k} = {v}" for k, v in said.items() if v is not None]
    if last is not None:
        lines.append(f"ElementDataFile = {last}")
    path.write_bytes(("\n".join(lines) + "\n" + more).encode() + content)
    return path


def codes(image: Image) -> set[str]:
    return {finding.code for finding in image.findings}


def test_positions_are_lps_and_rows_are_axes(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mha", TransformMatrix="0 1 0 0 0 1 1 0 0", AnatomicalOrientation=None)
    grid = read_scan(path).grid
    np.testing.assert_array_equal(grid.affine[:3, 3], (-5, -6, 7))
    np.testing.assert_array_equal(grid.affine[:3, :3], [[0, 0, -3], [-1, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_compression_and_byte_order_are_honoured(tmp_path: Path, packed: bool, order: str) -> None:
    content = COUNT.astype(f"{order}i2").tobytes(order="F")
    image = read_scan(
        make(tmp_path / "a.mha", zlib.compress(content) if packed else content,
             CompressedData=str(packed), BinaryDataByteOrderMSB=str(order == ">"))
    )  # fmt: skip
    np.testing.assert_array_equal(image.data, COUNT)


@pytest.mark.parametrize("packed", [False, True])
def test_voxels_may_lie_in_a_file_of_their_own(tmp_path: Path, packed: bool) -> None:
    (tmp_path / "a.raw").write_bytes(zlib.compress(RAW) if packed else RAW)
    path = make(tmp_path / "a.mhd", b"", ElementDataFile="a.raw", CompressedData=str(packed))
    np.testing.assert_array_equal(read_scan(path).data, COUNT)


def test_a_header_size_of_minus_one_counts_from_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"anything" + RAW)
    path = make(tmp_path / "a.mhd", b"", HeaderSize="-1", ElementDataFile="a.raw")
    np.testing.assert_array_equal(read_scan(path).data, COUNT)
    path = make(tmp_path / "a.mhd", b"", HeaderSize="8", ElementDataFile="a.raw")
    np.testing.assert_array_equal(read_scan(path).data, COUNT)


def test_lists_and_patterns_of_files_are_joined(tmp_path: Path) -> None:
    for k in range(4):
        (tmp_path / f"s{k + 1:02d}.raw").write_bytes(COUNT[..., k].tobytes(order="F"))
    path = make(tmp_path / "a.mhd", b"", ElementDataFile="s%02d.raw 1 4 1")
    np.testing.assert_array_equal(read_scan(path).data, COUNT)
    names = "".join(f"s{k + 1:02d}.raw\n" for k in range(4))
    path = make(tmp_path / "b.mhd", b"", ElementDataFile="LIST", more=names)
    np.testing.assert_array_equal(read_scan(path).data, COUNT)


@pytest.mark.parametrize("name", ["../a.raw", "/etc/hostname", "C:\\a.raw", "../s%d.raw 1 4 1"])
def test_a_header_cannot_lead_out_of_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.raw").write_bytes(RAW)
    with pytest.raises(SafetyRefusal, match="outside its own folder"):
        read(make(tmp_path / "in/a.mhd", b"", ElementDataFile=name))


def test_a_list_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    with pytest.raises(SafetyRefusal, match="outside its own folder"):
        read(make(tmp_path / "a.mhd", b"", ElementDataFile="LIST", more="../../etc/passwd\n"))


def test_without_a_matrix_orientation_is_unknown(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mha", TransformMatrix=None, AnatomicalOrientation=None)
    image = read_scan(path)
    assert not image.grid.oriented
    assert image.grid.spacing == (1.0, 2.0, 3.0)


def test_rai_without_a_matrix_means_what_itk_takes_it_for(tmp_path: Path) -> None:
    grid = read_scan(make(tmp_path / "a.mha", TransformMatrix=None)).grid
    np.testing.assert_array_equal(np.diag(grid.affine), (-1, -2, 3, 1))


@pytest.mark.parametrize("named", ["LPI", "ASL", "RAS"])
def test_an_orientation_that_contradicts_the_matrix_is_told(tmp_path: Path, named: str) -> None:
    image = read(make(tmp_path / "a.mha", AnatomicalOrientation=named))
    assert "metaimage.orientation_disagrees" in codes(image)
    np.testing.assert_array_equal(np.diag(image.grid.affine), (-1, -2, 3, 1))


@pytest.mark.parametrize("named", ["RAI", "???", None])
def test_an_orientation_that_agrees_or_says_nothing_is_not_mentioned(
    tmp_path: Path, named: str | None
) -> None:
    assert codes(read(make(tmp_path / "a.mha", AnatomicalOrientation=named))) == set()


def test_a_missing_voxel_size_is_refused_as_a_scan(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mha", ElementSpacing=None)
    with pytest.raises(UnusableInput, match="does not give the voxel size"):
        read_scan(path)


def test_channels_become_volumes_and_colours_brightness(tmp_path: Path) -> None:
    two = np.stack([COUNT, COUNT + 100])
    image = read(make(tmp_path / "a.mha", two.tobytes(order="F"), ElementNumberOfChannels="2"))
    np.testing.assert_array_equal(image.data, np.moveaxis(two, 0, -1))
    assert "metaimage.vectors" in codes(image)
    colours = np.full((3, 2, 3, 4), 50, np.uint8)
    path = make(tmp_path / "b.mha", colours.tobytes(), ElementNumberOfChannels="3",
                ElementType="MET_UCHAR")  # fmt: skip
    np.testing.assert_allclose(read(path).data, 50, rtol=1e-6)
    with pytest.raises(UnusableInput, match="colours"):
        read_scan(path)


def test_four_dimensions_are_volumes(tmp_path: Path) -> None:
    data = np.arange(48, dtype=np.int16).reshape((2, 3, 4, 2), order="F")
    image = read(
        make(tmp_path / "a.mha", data.tobytes(order="F"), NDims="4", DimSize="2 3 4 2",
             ElementSpacing="1 2 3 2.5", Offset="5 6 7 0", AnatomicalOrientation=None,
             TransformMatrix="1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1")
    )  # fmt: skip
    np.testing.assert_array_equal(image.data, data)
    assert image.seconds == 2.5
    np.testing.assert_array_equal(np.diag(image.grid.affine), (-1, -2, 3, 1))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"ElementDataFile": None}, "does not say where the voxels are"),
        ({"DimSize": "2 3 x"}, "no whole numbers"),
        ({"DimSize": "30000 30000 30000"}, "more than any scan has"),
        ({"DimSize": "2 0 4"}, "its dimensions are"),
        ({"ElementType": "MET_OTHER"}, "is none that can be read"),
        ({"TransformMatrix": "1 0 0 0 1 0"}, "does not hold 9 numbers"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "cannot be those of an image"),
        ({"TransformMatrix": "1 0 0 0 1e999 0 0 0 1"}, "cannot be those of an image"),
        ({"ElementSpacing": "1e308 1e308 1", "Offset": "1e308 -inf 0"}, "cannot be those"),
        ({"Offset": "nan 0 0"}, "cannot be those of an image"),
        ({"ElementSpacing": "0 1 1"}, "cannot be those of an image"),
        ({"DimSize": "2 3 5"}, "truncated"),
        ({"CompressedData": "True"}, "damaged|truncated"),
    ],
)
def test_a_damaged_header_says_what_is_wrong(
    tmp_path: Path, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(ReadError, match=why) as caught:
        read(make(tmp_path / "a.mha", **fields))
    assert caught.value.hint


@pytest.mark.parametrize(
    "fields", [{"NDims": "1", "DimSize": "24"}, {"NDims": "4"}, {"BinaryData": "False"}]
)
def test_what_is_no_volume_of_numbers_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(UnusableInput):
        read(make(tmp_path / "a.mha", **fields))


@pytest.mark.parametrize("first", ["Comment = a head", "ID = 3", "Name = ElementDataFile"])
@pytest.mark.parametrize("sign", ["=", ":"])
def test_any_field_may_come_first_with_either_sign(tmp_path: Path, first: str, sign: str) -> None:
    path = make(tmp_path / "a.mha")
    content = (first.encode() + b"\n" + path.read_bytes()).replace(b" =", f" {sign}".encode())
    path.write_bytes(content)
    np.testing.assert_array_equal(read_scan(path).data, COUNT)


def test_an_axis_of_negative_spacing_runs_the_other_way_as_in_itk(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mha", ElementSpacing="1 -2 3", AnatomicalOrientation=None)
    image = read(path)
    other = SimpleITK.ReadImage(str(path))
    corner = other.TransformContinuousIndexToPhysicalPoint((1.0, 2.0, 3.0))
    np.testing.assert_allclose(image.grid.to_world((1, 2, 3)), corner * np.array([-1, -1, 1]))
    assert "metaimage.negative_spacing" in codes(image)


def test_a_scaling_or_unit_that_no_program_goes_by_is_told(tmp_path: Path) -> None:
    scaled = read(make(tmp_path / "a.mha", ElementToIntensityFunctionSlope="10"))
    np.testing.assert_array_equal(scaled.data, COUNT)
    assert "metaimage.scaling_ignored" in codes(scaled)
    assert "metaimage.units_ignored" in codes(read(make(tmp_path / "b.mha", DistanceUnits="cm")))
    plain = make(tmp_path / "c.mha", DistanceUnits="mm", ElementToIntensityFunctionSlope="1.0")
    assert not codes(read(plain))
