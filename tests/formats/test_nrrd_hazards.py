"""Everything odd that an NRRD header may say: what leuko makes of it, and that it says so."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from leuko.errors import ReadError, SafetyRefusal, UnusableInput
from leuko.findings import Policy, Severity
from leuko.formats.geometry import LABELS
from leuko.formats.read import read, read_mask, read_scan
from leuko.image.image import Image

COUNT = np.arange(24, dtype=np.int16).reshape((2, 3, 4), order="F")
RAW = COUNT.tobytes(order="F")
FIELDS = {
    "type": "short", "dimension": "3", "space": "right-anterior-superior", "sizes": "2 3 4",
    "space directions": "(1,0,0) (0,2,0) (0,0,3)", "kinds": "domain domain domain",
    "endian": "little", "encoding": "raw", "space origin": "(5,6,7)",
}  # fmt: skip


def make(path: Path, content: bytes = RAW, *, end: str = "\n", **fields: str | None) -> Path:
    """An NRRD file: FIELDS changed by `fields` (blanks as underscores; None drops one)."""
    said = FIELDS | {key.replace("_", " "): value for key, value in fields.items()}  # type: ignore[operator]
    lines = ["NRRD0005", "# a comment", *(f"{k}: {v}" for k, v in said.items() if v is not None)]
    path.write_bytes((end.join(lines) + end + end).encode() + content)
    return path


def codes(image: Image) -> set[str]:
    return {finding.code for finding in image.findings}


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("raw", RAW),
        ("gzip", gzip.compress(RAW, mtime=0)),
        ("gz", gzip.compress(RAW, mtime=0)),
        ("bzip2", bz2.compress(RAW)),
        ("bz2", bz2.compress(RAW)),
        ("ascii", " ".join(map(str, COUNT.ravel(order="F"))).encode()),
        ("text", b"\n".join(str(v).encode() for v in COUNT.ravel(order="F"))),
        ("txt", ", ".join(map(str, COUNT.ravel(order="F"))).encode()),
        ("hex", RAW.hex().encode()),
        ("HEX", "\n".join(RAW.hex()[i : i + 10] for i in range(0, 96, 10)).encode()),
    ],
)
def test_all_five_encodings_are_decoded(tmp_path: Path, encoding: str, content: bytes) -> None:
    image = read_scan(make(tmp_path / "a.nrrd", content, encoding=encoding))
    np.testing.assert_array_equal(image.data, COUNT)
    assert image.data.dtype == np.int16


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("right-anterior-superior", (1, 1, 1)),
        ("RAS", (1, 1, 1)),
        ("left-anterior-superior", (-1, 1, 1)),
        ("LAS", (-1, 1, 1)),
        ("left-posterior-superior", (-1, -1, 1)),
        ("lps", (-1, -1, 1)),
    ],
)
def test_space_decides_what_the_directions_mean(
    tmp_path: Path, space: str, signs: tuple[int, ...]
) -> None:
    grid = read(make(tmp_path / "a.nrrd", space=space)).grid
    np.testing.assert_array_equal(grid.affine[:3, 3], np.multiply((5, 6, 7), signs))
    np.testing.assert_array_equal(grid.affine[:3, :3], np.diag(np.multiply((1, 2, 3), signs)))


def test_a_direction_is_the_step_of_an_axis_not_a_row_of_a_matrix(tmp_path: Path) -> None:
    grid = read(make(tmp_path / "a.nrrd", space_directions="(0,2,0) (0,0,3) (1,0.5,0)")).grid
    np.testing.assert_array_equal(grid.affine[:3, 0], (0, 2, 0))
    np.testing.assert_array_equal(grid.affine[:3, 2], (1, 0.5, 0))


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "3D-left-handed", None])
def test_a_space_that_is_not_the_body_leaves_orientation_unknown(
    tmp_path: Path, space: str | None
) -> None:
    dimension = {"space_dimension": "3"} if space is None else {}
    image = read(make(tmp_path / "a.nrrd", space=space, **dimension))
    assert not image.grid.oriented
    assert image.grid.spacing == (1.0, 2.0, 3.0)


def test_an_unknown_space_is_told(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.nrrd", space="up-down-strange"))
    assert "nrrd.space_unknown" in codes(image)
    assert not image.grid.oriented


def test_spacings_alone_leave_orientation_unknown(tmp_path: Path) -> None:
    image = read(
        make(tmp_path / "a.nrrd", space=None, space_directions=None, space_origin=None,
             spacings="1 2 3")
    )  # fmt: skip
    assert not image.grid.oriented
    assert image.grid.spacing == (1.0, 2.0, 3.0)
    assert codes(image) == {"grid.orientation_unknown"}


def test_without_spacings_the_size_is_unknown(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.nrrd", space=None, space_directions=None, space_origin=None))
    assert not image.grid.sized
    assert "grid.size_unknown" in codes(image)


@pytest.mark.parametrize(
    ("unit", "scale"), [("mm", 1.0), ("um", 1e-3), ("microns", 1e-3), ("m", 1e3), ("cm", 10.0)]
)
def test_space_units_are_converted_to_mm(tmp_path: Path, unit: str, scale: float) -> None:
    image = read(make(tmp_path / "a.nrrd", space_units=" ".join([f'"{unit}"'] * 3)))
    np.testing.assert_allclose(image.grid.affine[:3, 3], scale * np.array((5, 6, 7)))
    np.testing.assert_allclose(np.diag(image.grid.affine)[:3], scale * np.array((1, 2, 3)))
    assert ("nrrd.units_converted" in codes(image)) == (scale != 1.0)


def test_an_unknown_unit_is_told(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.nrrd", space_units='"furlong" "mm" "mm"'))
    assert "nrrd.units_unknown" in codes(image)


def test_big_endian_is_honoured(tmp_path: Path) -> None:
    swapped = COUNT.astype(">i2").tobytes(order="F")
    np.testing.assert_array_equal(
        read(make(tmp_path / "a.nrrd", swapped, endian="big")).data, COUNT
    )


def test_an_unsaid_byte_order_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="order its bytes"):
        read(make(tmp_path / "a.nrrd", endian=None))


def test_an_unsaid_byte_order_of_bytes_does_not_matter(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.nrrd", bytes(range(24)), endian=None, type="uchar"))
    assert image.data.dtype == np.uint8


def test_old_min_and_max_do_not_scale(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.nrrd", old_min="0", old_max="1"))
    np.testing.assert_array_equal(image.data, COUNT)
    assert "nrrd.old_range" in codes(image)


@pytest.mark.parametrize("centers", ["cell", "node"])
def test_centering_moves_nothing(tmp_path: Path, centers: str) -> None:
    grid = read(make(tmp_path / "a.nrrd", centerings=" ".join([centers] * 3))).grid
    np.testing.assert_array_equal(grid.affine[:3, 3], (5, 6, 7))


def test_lines_and_bytes_are_skipped(tmp_path: Path) -> None:
    path = make(tmp_path / "a.nrrd", b"one\ntwo\n123" + RAW, line_skip="2", byte_skip="3")
    np.testing.assert_array_equal(read(path).data, COUNT)
    packed = b"one\n" + gzip.compress(b"12345" + RAW)
    path = make(tmp_path / "b.nrrd", packed, encoding="gzip", line_skip="1", byte_skip="5")
    np.testing.assert_array_equal(read(path).data, COUNT)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_a_byte_skip_of_minus_one_counts_from_the_end(tmp_path: Path, encoding: str) -> None:
    content = b"rubbish before" + RAW
    pack = {"gzip": gzip.compress, "bzip2": bz2.compress}.get(encoding, bytes)
    path = make(tmp_path / "a.nrrd", pack(content), encoding=encoding, byte_skip="-1")
    np.testing.assert_array_equal(read(path).data, COUNT)


@pytest.mark.parametrize(
    ("sizes", "directions", "kinds", "first"),
    [
        ("5 2 3 4", "none (1,0,0) (0,2,0) (0,0,3)", "list domain domain domain", True),
        ("2 3 4 5", "(1,0,0) (0,2,0) (0,0,3) none", "domain domain domain list", False),
        ("5 2 3 4", "(nan,nan,nan) (1,0,0) (0,2,0) (0,0,3)", "vector space space space", True),
    ],
)
def test_the_axis_without_direction_comes_last(
    tmp_path: Path, sizes: str, directions: str, kinds: str, first: bool
) -> None:
    shape = tuple(map(int, sizes.split()))
    data = np.arange(120, dtype=np.int16).reshape(shape, order="F")
    image = read(
        make(tmp_path / "a.nrrd", data.tobytes(order="F"), dimension="4", sizes=sizes,
             space_directions=directions, kinds=kinds)
    )  # fmt: skip
    np.testing.assert_array_equal(image.data, np.moveaxis(data, 0, 3) if first else data)
    assert image.grid.spacing == (1.0, 2.0, 3.0)
    assert ("nrrd.vectors" in codes(image)) == ("vector" in kinds)


def test_time_of_a_space_with_time_is_read(tmp_path: Path) -> None:
    data = np.arange(120, dtype=np.int16).reshape((2, 3, 4, 5), order="F")
    image = read(
        make(tmp_path / "a.nrrd", data.tobytes(order="F"), dimension="4", sizes="2 3 4 5",
             space="left-posterior-superior-time", space_origin="(5,6,7,0)",
             space_directions="(1,0,0,0) (0,2,0,0) (0,0,3,0) (0,0,0,2500)",
             space_units='"mm" "mm" "mm" "ms"', kinds="space space space time")
    )  # fmt: skip
    np.testing.assert_array_equal(image.data, data)
    assert image.seconds == 2.5
    np.testing.assert_array_equal(image.grid.affine[:3, 3], (-5, -6, 7))


def test_time_as_a_fourth_dimension_of_an_unnamed_space_is_read(tmp_path: Path) -> None:
    """So ITK writes images of four dimensions."""
    data = np.arange(48, dtype=np.int16).reshape((2, 3, 4, 2), order="F")
    path = tmp_path / "itk.nrrd"
    image = SimpleITK.GetImageFromArray(data.T, isVector=False)
    image.SetSpacing((1, 2, 3, 2.5))
    SimpleITK.WriteImage(image, str(path))
    ours = read(path)
    np.testing.assert_array_equal(ours.data, data)
    assert ours.seconds == 2.5
    assert ours.grid.spacing == (1.0, 2.0, 3.0)
    assert not ours.grid.oriented


def test_a_segmentation_calls_itself_a_label_map(tmp_path: Path) -> None:
    path = make(tmp_path / "a.seg.nrrd")
    text = path.read_bytes().replace(b"# a comment", b"Segment0_Name:=lesion")
    path.write_bytes(text)
    assert LABELS in codes(read(path))
    read_mask(path, policy=Policy.STRICT)
    with pytest.raises(UnusableInput, match="segmentation"):
        read_scan(path, policy=Policy.STRICT)


def test_complex_numbers_become_their_magnitude(tmp_path: Path) -> None:
    data = np.stack([3.0 * COUNT, 4.0 * COUNT]).astype("<f4")
    image = read(
        make(tmp_path / "a.nrrd", data.tobytes(order="F"), type="float", dimension="4",
             sizes="2 2 3 4", space_directions="none (1,0,0) (0,2,0) (0,0,3)",
             kinds="complex space space space")
    )  # fmt: skip
    np.testing.assert_allclose(image.data, 5.0 * COUNT)
    assert "nrrd.complex" in codes(image)


def test_colours_become_brightness_and_are_no_scan(tmp_path: Path) -> None:
    data = np.zeros((3, 2, 3, 4), np.uint8)
    data[1] = 100
    path = make(tmp_path / "a.nrrd", data.tobytes(order="F"), type="uchar", dimension="4",
                sizes="3 2 3 4", space_directions="none (1,0,0) (0,2,0) (0,0,3)",
                kinds="RGB-color space space space")  # fmt: skip
    np.testing.assert_allclose(read(path).data, 58.7, rtol=1e-6)
    with pytest.raises(UnusableInput, match="colours"):
        read_scan(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_may_end_as_on_windows(tmp_path: Path, end: str) -> None:
    np.testing.assert_array_equal(read(make(tmp_path / "a.nrrd", end=end)).data, COUNT)


# ------------------------------------------------------------------ detached headers


def test_a_detached_header_finds_its_voxels_beside_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.raw").write_bytes(RAW)
    for name in ("sub/a.raw", "./sub/a.raw"):
        image = read(make(tmp_path / "a.nhdr", b"", data_file=name))
        np.testing.assert_array_equal(image.data, COUNT)


def test_a_list_of_files_is_joined(tmp_path: Path) -> None:
    for k in range(4):
        (tmp_path / f"s{k}.raw").write_bytes(COUNT[..., k].tobytes(order="F"))
    path = make(tmp_path / "a.nhdr", b"", data_file="LIST")
    path.write_bytes(path.read_bytes().rstrip() + b"\ns0.raw\ns1.raw\ns2.raw\ns3.raw\n")
    np.testing.assert_array_equal(read(path).data, COUNT)


def test_a_pattern_of_files_is_joined(tmp_path: Path) -> None:
    for k in range(4):
        (tmp_path / f"s{10 + k:03d}.raw.gz").write_bytes(
            gzip.compress(COUNT[..., k].tobytes(order="F"))
        )
    path = make(tmp_path / "a.nhdr", b"", data_file="s%03d.raw.gz 10 13 1", encoding="gzip")
    np.testing.assert_array_equal(read(path).data, COUNT)


@pytest.mark.parametrize(
    "name",
    ["../a.raw", "sub/../../a.raw", "/etc/hostname", "C:\\a.raw", "..\\a.raw", "//host/a.raw",
     "s%d.raw%d 1 4 1", "s%s.raw 1 4 1", "../s%d.raw 1 4 1"],
)  # fmt: skip
def test_a_header_cannot_lead_out_of_its_folder(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "a.raw").write_bytes(RAW)
    with pytest.raises((SafetyRefusal, ReadError)) as caught:
        read(make(inner / "a.nhdr", b"", data_file=name))
    assert caught.value.exit_code == (3 if name[0] == "s" and "%" in name else 5)
    assert str(tmp_path) not in caught.value.what + caught.value.hint


def test_a_list_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    path = make(tmp_path / "a.nhdr", b"", data_file="LIST")
    path.write_bytes(path.read_bytes().rstrip() + b"\n../../etc/passwd\n")
    with pytest.raises(SafetyRefusal, match="outside its own folder"):
        read(path)


def test_missing_voxels_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"its voxels, gone\.raw, are missing"):
        read(make(tmp_path / "a.nhdr", b"", data_file="gone.raw"))


# ------------------------------------------------------------------ broken


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"sizes": "2 3"}, "3 axes and 2 sizes"),
        ({"sizes": "2 3 x"}, "no whole numbers"),
        ({"sizes": "2 0 4"}, "its dimensions are"),
        ({"sizes": "30000 30000 30000"}, "more than any scan has"),
        ({"dimension": "99"}, "99 axes"),
        ({"type": "quaternion"}, "is none of NRRD's"),
        ({"encoding": "zip"}, "its encoding 'zip'"),
        ({"encoding": None}, "no field 'encoding'"),
        ({"space_directions": "(1,0,0) (0,2,0)"}, "2 space directions"),
        ({"space_directions": "(1,0,0) (0,2,0) (0,x,3)"}, "else than numbers"),
        ({"space_directions": "(1,0,0) (2,0,0) (0,0,3)"}, "cannot be those of an image"),
        ({"space_directions": "(1,0) (0,2) (1,3)"}, "has 3 dimensions"),
        ({"space_origin": "(inf,0,0)"}, "cannot be those of an image"),
        ({"byte_skip": "-5"}, "no number that can"),
        ({"line_skip": "-1"}, "no number that can"),
        ({"byte_skip": "40"}, "truncated"),
    ],
)
def test_a_damaged_header_says_what_is_wrong(
    tmp_path: Path, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(ReadError, match=why) as caught:
        read(make(tmp_path / "a.nrrd", **fields))
    assert caught.value.hint


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii", "hex"])
def test_too_few_voxels_are_truncated_not_zero(tmp_path: Path, encoding: str) -> None:
    content = {
        "raw": RAW[:-1],
        "gzip": gzip.compress(RAW[:-2]),
        "bzip2": bz2.compress(RAW[:-2]),
        "ascii": b"1 2 3",
        "hex": RAW[:-2].hex().encode(),
    }[encoding]
    with pytest.raises(ReadError, match="truncated"):
        read(make(tmp_path / "a.nrrd", content, encoding=encoding))


@pytest.mark.parametrize("encoding", ["gzip", "bzip2", "ascii", "hex"])
def test_rubbish_instead_of_voxels_is_called_damaged(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(ReadError, match=r"damaged|truncated"):
        read(make(tmp_path / "a.nrrd", b"zq" * 400, encoding=encoding))


def test_blocks_of_bytes_are_no_scan(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="blocks of bytes"):
        read(make(tmp_path / "a.nrrd", type="block"))


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    path.write_bytes(b"NRRD0005\n" + b"# x\n" * 2_000_000)
    with pytest.raises(ReadError, match="it has no end"):
        read(path)


def test_voxels_that_are_no_number_become_0_and_are_counted(tmp_path: Path) -> None:
    data = COUNT.astype("<f4")
    data[0, 0, 0] = np.nan
    image = read(make(tmp_path / "a.nrrd", data.tobytes(order="F"), type="float"))
    assert image.data[0, 0, 0] == 0
    (found,) = [f for f in image.findings if f.code == "voxels.not_finite"]
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(("space", "x", "y"), [("RAST", 1, 1), ("LAST", -1, 1), ("LPST", -1, -1)])
def test_short_names_of_spaces_with_time(
    tmp_path: Path, space: str, x: int, y: int, first: bool
) -> None:
    volumes = np.stack([COUNT, COUNT + 100], axis=-1)
    axes, sizes = ["(1,0,0,0)", "(0,2,0,0)", "(0,0,3,0)", "(0,0,0,1.5)"], ["2", "3", "4", "2"]
    stored = np.moveaxis(volumes, -1, 0) if first else volumes
    if first:
        axes, sizes = [axes[3], *axes[:3]], [sizes[3], *sizes[:3]]
    image = read(
        make(tmp_path / "a.nrrd", stored.tobytes(order="F"), space=space, dimension="4",
             sizes=" ".join(sizes), space_directions=" ".join(axes), kinds=None,
             space_origin="(5,6,7,0)")
    )  # fmt: skip
    np.testing.assert_array_equal(image.data, volumes)
    np.testing.assert_array_equal(image.grid.affine[:3, 3], (5 * x, 6 * y, 7))
    np.testing.assert_array_equal(np.diag(image.grid.affine), (x, 2 * y, 3, 1))
    assert image.seconds == 1.5


def test_a_scan_without_an_origin_is_turned_but_lies_nowhere(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.nrrd", space_origin=None))
    assert image.grid.oriented
    assert "nrrd.origin_missing" in codes(image)
