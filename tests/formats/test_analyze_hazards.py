"""Everything odd about Analyze 7.5 and SPM's use of it: what leuko makes of it, and says."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from leuko.errors import ReadError, UnusableInput
from leuko.formats.read import read, read_scan
from leuko.image.image import Image

COUNT = np.arange(24, dtype=np.int16).reshape((2, 3, 4), order="F")
CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64}


def make(
    path: Path,
    data: Any = COUNT,
    *,
    order: str = "<",
    code: int | None = None,
    scale: float = 0.0,
    origin: tuple[int, int, int] = (0, 0, 0),
    offset: float = 0.0,
    pixdim: tuple[float, ...] = (1.0, 2.0, 3.0),
    dim: tuple[int, ...] | None = None,
    before: bytes = b"",
    magic: bytes = bytes(4),
) -> Path:
    """A pair of `path` (.hdr) and its .img; offsets of fields as Analyze's dbh.h has them."""
    raw = bytearray(348)
    struct.pack_into(f"{order}i", raw, 0, 348)
    sizes = dim or (data.ndim, *data.shape, *[1] * (7 - data.ndim))
    struct.pack_into(f"{order}8h", raw, 40, *sizes)
    kind = data.dtype.newbyteorder("=").str[1:]
    struct.pack_into(f"{order}2h", raw, 70, CODES[kind] if code is None else code, 0)
    struct.pack_into(f"{order}8f", raw, 76, 0, *pixdim, 0, 0, 0, 0)
    struct.pack_into(f"{order}2f", raw, 108, offset, scale)
    struct.pack_into(f"{order}3h", raw, 253, *origin)
    raw[344:348] = magic
    path.write_bytes(raw)
    voxels = before + data.astype(data.dtype.newbyteorder(order)).tobytes(order="F")
    path.with_suffix(".img").write_bytes(voxels)
    return path


def codes(image: Image) -> set[str]:
    return {finding.code for finding in image.findings}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", CODES)
def test_every_type_in_either_byte_order(tmp_path: Path, order: str, kind: str) -> None:
    image = read_scan(make(tmp_path / "a.hdr", COUNT.astype(kind), order=order))
    np.testing.assert_array_equal(image.data, COUNT)
    assert image.grid.spacing == (1.0, 2.0, 3.0)


def test_orientation_is_unknown(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.hdr"))
    assert not image.grid.oriented
    assert codes(image) == {"grid.orientation_unknown"}


@pytest.mark.parametrize("half", ["a.hdr", "a.img"])
def test_either_half_reads_the_pair(tmp_path: Path, half: str) -> None:
    make(tmp_path / "a.hdr")
    np.testing.assert_array_equal(read(tmp_path / half).data, COUNT)


def test_the_mat_beside_it_places_it_from_voxel_1(tmp_path: Path) -> None:
    path = make(tmp_path / "a.hdr")
    mat = np.array([[-2.0, 0, 0, 30], [0, 2, 0, -40], [0, 0, 3, -50], [0, 0, 0, 1]])
    savemat(tmp_path / "a.mat", {"mat": mat, "M": np.eye(4)}, format="4")
    image = read_scan(path)
    assert image.grid.oriented
    np.testing.assert_allclose(image.grid.affine[:3, 3], (28, -38, -47))
    assert codes(image) == {"analyze.mat"}


def test_an_old_mat_without_its_flip_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "a.hdr")
    mat = np.array([[2.0, 0, 0, -30], [0, 2, 0, -40], [0, 0, 3, -50], [0, 0, 0, 1]])
    savemat(tmp_path / "a.mat", {"M": mat})
    image = read_scan(path)
    np.testing.assert_allclose(image.grid.affine[:3, 0], (-2, 0, 0))
    np.testing.assert_allclose(image.grid.affine[:3, 3], (28, -38, -47))
    assert codes(image) == {"analyze.mat", "analyze.mat_may_flip"}


@pytest.mark.parametrize(
    "content",
    [b"", b"not a mat", {"x": np.eye(4)}, {"mat": np.eye(3)}, {"mat": np.zeros((4, 4))}],
)
def test_a_damaged_mat_is_refused_not_ignored(tmp_path: Path, content: Any) -> None:
    path = make(tmp_path / "a.hdr")
    if isinstance(content, bytes):
        (tmp_path / "a.mat").write_bytes(content)
    else:
        savemat(tmp_path / "a.mat", content)
    with pytest.raises(ReadError) as caught:
        read(path)
    assert caught.value.hint


def test_spms_origin_places_the_voxels_but_not_the_sides(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.hdr", origin=(2, 1, 3)))
    assert not image.grid.oriented
    np.testing.assert_allclose(image.grid.to_world((1, 0, 2)), (0, 0, 0), atol=1e-12)
    assert codes(image) == {"analyze.origin", "grid.orientation_unknown"}


def test_an_origin_outside_the_image_counts_as_none(tmp_path: Path) -> None:
    assert "analyze.origin" not in codes(read(make(tmp_path / "a.hdr", origin=(2, 1, 9))))


def test_spms_scale_in_the_unused_field_is_applied(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a.hdr", scale=0.5))
    np.testing.assert_array_equal(image.data, 0.5 * COUNT)
    assert "analyze.scaled" in codes(image)
    for scale in (0.0, np.nan):
        np.testing.assert_array_equal(read(make(tmp_path / "a.hdr", scale=scale)).data, COUNT)


def test_voxels_may_begin_later(tmp_path: Path) -> None:
    path = make(tmp_path / "a.hdr", offset=6.0, before=b"before")
    np.testing.assert_array_equal(read(path).data, COUNT)


def test_volumes_come_last_and_zeros_mean_no_axis(tmp_path: Path) -> None:
    data = np.arange(48, dtype=np.int16).reshape((2, 3, 4, 2), order="F")
    np.testing.assert_array_equal(read(make(tmp_path / "a.hdr", data)).data, data)
    path = make(tmp_path / "b.hdr", dim=(4, 2, 3, 4, 0, 0, 0, 0))
    assert read(path).data.shape == (2, 3, 4)


def test_colours_become_brightness_and_are_no_scan(tmp_path: Path) -> None:
    data = np.full((3, 2, 3, 4), 40, np.uint8)
    path = make(tmp_path / "a.hdr", data, code=128, dim=(3, 2, 3, 4, 1, 1, 1, 1))
    np.testing.assert_allclose(read(path).data, 40, rtol=1e-6)
    with pytest.raises(UnusableInput, match="colours"):
        read_scan(path)


def test_the_magic_of_nifti_wins(tmp_path: Path) -> None:
    source = read(make(tmp_path / "a.hdr", magic=b"ni1\0")).source
    assert source is not None
    assert source.format == "nifti1"


def test_a_packed_pair_is_read(tmp_path: Path) -> None:
    make(tmp_path / "a.hdr")
    for half in ("a.hdr", "a.img"):
        (tmp_path / f"{half}.gz").write_bytes(gzip.compress((tmp_path / half).read_bytes()))
        (tmp_path / half).unlink()
    np.testing.assert_array_equal(read(tmp_path / "a.hdr.gz").data, COUNT)
    np.testing.assert_array_equal(read(tmp_path / "a.img.gz").data, COUNT)


def test_what_is_broken_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="type code 7"):
        read(make(tmp_path / "a.hdr", code=7))
    with pytest.raises(UnusableInput, match="single bits"):
        read(make(tmp_path / "a.hdr", code=1))
    with pytest.raises(ReadError, match="its dimensions are"):
        read(make(tmp_path / "a.hdr", dim=(9, 2, 3, 4, 1, 1, 1, 1)))
    with pytest.raises(ReadError, match="more than any scan has"):
        read(make(tmp_path / "a.hdr", dim=(3, 30000, 30000, 30000, 1, 1, 1, 1)))
    with pytest.raises(ReadError, match="truncated"):
        read(make(tmp_path / "a.hdr", dim=(3, 2, 3, 5, 1, 1, 1, 1)))
    make(tmp_path / "a.hdr").with_suffix(".img").unlink()
    with pytest.raises(ReadError, match=r"its voxels, a\.img, are missing"):
        read(tmp_path / "a.hdr")


def test_a_missing_voxel_size_is_refused_as_a_scan(tmp_path: Path) -> None:
    path = make(tmp_path / "a.hdr", pixdim=(0.0, 1.0, 1.0))
    assert not read(path).grid.sized
    with pytest.raises(UnusableInput):
        read_scan(path)
