"""Everything odd about FreeSurfer's MGH: what leuko makes of it, and that it says so."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leuko.errors import ReadError, UnusableInput
from leuko.findings import Severity
from leuko.formats.geometry import LABELS
from leuko.formats.read import read, read_scan
from leuko.image.image import Image

COUNT = np.arange(24, dtype=np.int16).reshape((2, 3, 4), order="F")


def make(
    path: Path,
    data: Any = COUNT,
    *,
    kind: int = 4,
    good: int = 1,
    delta: Any = (1, 2, 3),
    cosines: Any = ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    centre: Any = (5, 6, 7),
    tail: bytes = b"",
    shape: tuple[int, ...] | None = None,
    intent: int = 0,
) -> Path:
    """An MGH file as the format's description lays it out."""
    sizes = (*(shape or data.shape), 1)[:4]
    header = (
        np.array([1 + (intent << 8), *sizes, kind, 0], ">i4").tobytes()
        + np.array([good], ">i2").tobytes()
    )
    header += np.array([*delta, *np.asarray(cosines).T.ravel(), *centre], ">f4").tobytes()
    voxels = data.astype(data.dtype.newbyteorder(">")).tobytes(order="F")
    content = header.ljust(284, b"\0") + voxels + tail
    path.write_bytes(gzip.compress(content) if path.suffix == ".mgz" else content)
    return path


def codes(image: Image) -> set[str]:
    return {finding.code for finding in image.findings}


def test_c_ras_is_the_centre_not_the_first_voxel(tmp_path: Path) -> None:
    grid = read_scan(make(tmp_path / "a.mgz")).grid
    np.testing.assert_allclose(grid.affine[:3, 3], (5 - 1, 6 - 2 * 1.5, 7 - 3 * 2))
    np.testing.assert_allclose(grid.to_world((1, 1.5, 2)), (5, 6, 7))


def test_without_the_good_ras_flag_it_lies_as_freesurfer_assumes_and_sides_are_unknown(
    tmp_path: Path,
) -> None:
    image = read(make(tmp_path / "a.mgz", good=0, cosines=np.full((3, 3), 9e9), centre=[9e9] * 3))
    # FreeSurfer's mri.c takes coronal slices; nibabel turns two axes round (LSP) at this place.
    assert image.grid.orientation.code == "LIA"
    assert not image.grid.oriented
    assert image.grid.spacing == (1.0, 2.0, 3.0)
    assert {"mgh.not_placed", "grid.orientation_unknown"} <= codes(image)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(0, "u1"), (1, "i4"), (2, "i8"), (3, "f4"), (4, "i2"), (10, "u2")],
)
def test_every_type_is_read_big_endian(tmp_path: Path, kind: int, dtype: str) -> None:
    image = read_scan(make(tmp_path / "a.mgz", COUNT.astype(dtype), kind=kind))
    np.testing.assert_array_equal(image.data, COUNT)
    assert image.data.dtype == np.dtype(dtype)


@pytest.mark.parametrize("kind", [5, 6, 7, 8, 9])
def test_bits_tensors_complex_numbers_and_colours_are_refused(tmp_path: Path, kind: int) -> None:
    with pytest.raises(UnusableInput, match="not the grey values") as caught:
        read(make(tmp_path / "a.mgz", kind=kind))
    assert caught.value.hint


def test_frames_come_last_with_the_repetition_time(tmp_path: Path) -> None:
    data = np.arange(48, dtype=np.int16).reshape((2, 3, 4, 2), order="F")
    image = read(make(tmp_path / "a.mgz", data, tail=np.array([2500, 0, 0, 0], ">f4").tobytes()))
    np.testing.assert_array_equal(image.data, data)
    assert image.seconds == 2.5
    assert read(make(tmp_path / "b.mgz", data)).seconds is None


@pytest.mark.parametrize(("intent", "code"), [(1, LABELS), (2, "mgh.intent"), (6, "mgh.intent")])
def test_what_newer_versions_mean_the_file_for_is_told(
    tmp_path: Path, intent: int, code: str
) -> None:
    assert codes(read(make(tmp_path / "a.mgz", intent=intent))) == {code}


def test_a_conformed_volume_is_told(tmp_path: Path) -> None:
    data = np.zeros((256, 256, 256), np.uint8)
    image = read_scan(make(tmp_path / "a.mgh", data, kind=0, delta=(1, 1, 1)))
    (found,) = [f for f in image.findings if f.code == "mgh.conformed"]
    assert found.severity is Severity.NOTE
    assert "resampled" in found.what


@pytest.mark.parametrize("shape", [(163842, 1, 1), (1, 5000, 1), (1, 1, 7)])
def test_overlays_of_a_surface_are_no_volume(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(UnusableInput, match="points of a surface"):
        read(make(tmp_path / "a.mgz", np.zeros(shape, np.int16)))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_slice_is_no_scan(tmp_path: Path, axis: int) -> None:
    shape = [5, 6, 7]
    shape[axis] = 1
    path = make(tmp_path / "a.mgz", np.zeros(shape, np.int16))
    assert read(path).data.shape == tuple(shape)
    with pytest.raises(UnusableInput, match="a slice, not a volume"):
        read_scan(path)


def test_claims_beyond_the_file_or_reason_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="truncated"):
        read(make(tmp_path / "a.mgh", shape=(2, 3, 40)))
    with pytest.raises(ReadError, match="more than any scan has"):
        read(make(tmp_path / "a.mgz", shape=(30000, 30000, 30000)))


@pytest.mark.parametrize("field", ["delta", "cosines", "centre"])
def test_places_that_cannot_be_are_refused(tmp_path: Path, field: str) -> None:
    value = {"delta": (0, 1, 1), "cosines": np.ones((3, 3)), "centre": (np.nan, 0, 0)}[field]
    with pytest.raises(ReadError, match="cannot be those of an image"):
        read(make(tmp_path / "a.mgz", **{field: value}))
    signalling = np.array([0x7FA00000] * 3, ">u4").view(">f4")  # a NaN that warns when converted
    with pytest.raises(ReadError, match="cannot be those of an image"):
        read(make(tmp_path / "a.mgz", centre=signalling))
