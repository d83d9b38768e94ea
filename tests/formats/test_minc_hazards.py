"""Everything odd about MINC 1 and 2: what leuko makes of it, and that it says so."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from axis_orders import ORDERS, image_in
from foreign_files import by_minc1s_book

from leuko.errors import LeukoError, ReadError, UnusableInput
from leuko.formats.read import read, read_scan
from leuko.formats.write import write
from leuko.image.image import Image

TRUTH = image_in(ORDERS[0])


def codes(image: Image) -> set[str]:
    return {finding.code for finding in image.findings}


def changed(folder: Path, change: Callable[[Any], None], *, volumes: int = 1) -> Path:
    """Our own MINC-2 file of the truth, changed with h5py."""
    path = folder / "a.mnc"
    write(image_in(ORDERS[0], volumes=volumes), path)
    with h5py.File(path, "r+") as file:
        change(file["minc-2.0"])
    return path


def replace_range(root: Any, low: Any, high: Any, dimorder: bytes) -> None:
    for name, values in (("image-min", low), ("image-max", high)):
        del root[f"image/0/{name}"]
        place = root["image/0"].create_dataset(name, data=values)
        place.attrs["dimorder"] = np.bytes_(dimorder)


def test_every_slice_has_its_own_range(tmp_path: Path) -> None:
    low, high = np.arange(6.0), 100.0 + np.arange(6.0)

    def change(root: Any) -> None:
        replace_range(root, low, high, b"zspace")
        root["image/0/image"].attrs["valid_range"] = np.array([-1000.0, 3000.0])

    image = read_scan(changed(tmp_path, change))
    truth = (np.clip(TRUTH.data, -1000, 3000) + 1000.0) / 4000 * (high - low) + low
    np.testing.assert_allclose(image.data, truth, rtol=1e-5)
    assert "minc.scaled" in codes(image)


def test_minc1_scales_slice_by_slice_and_moves_time_last(tmp_path: Path) -> None:
    truth = image_in(ORDERS[11], volumes=3)
    image = read(by_minc1s_book(truth.data, truth.grid.affine, tmp_path / "a.mnc"))
    np.testing.assert_allclose(image.data, truth.data, atol=0.06)
    assert image.seconds == 2.5
    assert image.grid.corner_distance(truth.grid) < 1e-4


def test_start_is_measured_along_the_cosines_and_steps_may_be_negative(tmp_path: Path) -> None:
    def change(root: Any) -> None:
        root["dimensions/xspace"].attrs["step"] = -2.0
        root["dimensions/xspace"].attrs["start"] = 10.0
        root["dimensions/xspace"].attrs["direction_cosines"] = np.array([0.6, 0.8, 0.0])
        root["dimensions/yspace"].attrs["direction_cosines"] = np.array([-0.8, 0.6, 0.0])
        root["dimensions/zspace"].attrs["direction_cosines"] = np.array([0.0, 0.0, 1.0])
        root["dimensions/yspace"].attrs["start"] = 5.0
        root["dimensions/zspace"].attrs["start"] = 1.0

    grid = read_scan(changed(tmp_path, change)).grid
    np.testing.assert_allclose(grid.affine[:3, 0], (-1.2, -1.6, 0))
    np.testing.assert_allclose(grid.affine[:3, 3], (6 - 4, 8 + 3, 1))


@pytest.mark.parametrize("word", [b"irregular", b"irregular_"])
def test_irregular_spacing_is_refused(tmp_path: Path, word: bytes) -> None:
    def change(root: Any) -> None:
        root["dimensions/zspace"].attrs["spacing"] = np.bytes_(word)

    with pytest.raises(UnusableInput, match="irregular spacing along zspace"):
        read(changed(tmp_path, change))
    with pytest.raises(UnusableInput, match="irregular spacing"):
        read(by_minc1s_book(TRUTH.data, TRUTH.grid.affine, tmp_path / "b.mnc", spacing=word))


@pytest.mark.parametrize("value", [1e308, np.nan, np.inf])
@pytest.mark.parametrize("key", ["start", "step", "direction_cosines"])
def test_places_that_cannot_be_are_refused(tmp_path: Path, key: str, value: float) -> None:
    def change(root: Any) -> None:
        for name in ("xspace", "yspace", "zspace"):
            root[f"dimensions/{name}"].attrs[key] = np.full(3, value) if "cos" in key else value

    with pytest.raises(ReadError, match="cannot be those of an image"):
        read(changed(tmp_path, change))


def test_ranges_beyond_32_bits_count_as_infinite(tmp_path: Path) -> None:
    def change(root: Any) -> None:
        replace_range(root, np.full(6, -1e308), np.full(6, 1e308), b"zspace")

    image = read(changed(tmp_path, change))
    assert "voxels.not_finite" in codes(image)
    assert np.all(np.isfinite(image.data))


def test_a_missing_step_is_refused_as_a_scan(tmp_path: Path) -> None:
    path = by_minc1s_book(TRUTH.data, TRUTH.grid.affine, tmp_path / "a.mnc", step=True)
    assert "minc.step_missing" in codes(read(path))
    with pytest.raises(UnusableInput, match="does not give the voxel size"):
        read_scan(path)


def test_a_valid_range_outside_the_type_is_refused_with_its_reason(tmp_path: Path) -> None:
    def change(root: Any) -> None:
        root["image/0/image"].attrs["valid_range"] = np.array([19399.0, 4294966686.0])

    with pytest.raises(ReadError, match="valid range") as caught:
        read(changed(tmp_path, change))
    assert "nii2mnc" in caught.value.hint


@pytest.mark.parametrize("what", ["range", "order", "image", "length", "external", "odd name"])
def test_what_is_missing_or_does_not_fit_is_refused(tmp_path: Path, what: str) -> None:
    def change(root: Any) -> None:
        image = root["image/0/image"]
        if what == "range":
            replace_range(root, np.arange(5.0), 9 + np.arange(5.0), b"zspace")
        elif what == "order":
            del image.attrs["dimorder"]
        elif what == "image":
            del root["image/0/image"]
        elif what == "length":
            root["dimensions/xspace"].attrs["length"] = np.int32(9)
        elif what == "external":
            del root["image/0/image"]
            root["image/0/image"] = h5py.ExternalLink("/etc/hostname", "/image")
        else:
            image.attrs["dimorder"] = np.bytes_(b"zspace,yspace,xfrequency")

    with pytest.raises(LeukoError) as caught:
        read(changed(tmp_path, change))
    assert caught.value.exit_code in (3, 4)
    assert caught.value.hint


def test_voxels_in_another_file_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(2 * 120))

    def change(root: Any) -> None:
        attributes = dict(root["image/0/image"].attrs)
        del root["image/0/image"]
        place = root["image/0"].create_dataset(
            "image", (6, 5, 4), "i2", external=[(str(tmp_path / "secret.bin"), 0, 240)]
        )
        for key, value in attributes.items():
            place.attrs[key] = value

    with pytest.raises(ReadError):
        read(changed(tmp_path, change))


def test_without_a_range_the_stored_numbers_count(tmp_path: Path) -> None:
    def change(root: Any) -> None:
        del root["image/0/image-min"], root["image/0/image-max"]

    image = read(changed(tmp_path, change))
    assert "minc.range_missing" in codes(image)
    np.testing.assert_array_equal(image.data, TRUTH.data)


@pytest.mark.parametrize("value", [0, 1, 255])
def test_one_value_everywhere_is_kept(tmp_path: Path, value: int) -> None:
    write(TRUTH.with_data(np.full((4, 5, 6), value, np.uint8)), tmp_path / "a.mnc")
    image = read(tmp_path / "a.mnc")
    assert image.data.dtype == np.uint8
    assert set(np.unique(image.data)) == {value}


def test_labels_keep_their_numbers_and_type(tmp_path: Path) -> None:
    labels = TRUTH.with_data((TRUTH.data % 7).astype(np.uint8))
    write(labels, tmp_path / "a.mnc", labels=True)
    image = read(tmp_path / "a.mnc")
    assert image.data.dtype == np.uint8
    np.testing.assert_array_equal(image.data, labels.data)


def test_a_packed_minc_is_read(tmp_path: Path) -> None:
    write(TRUTH, tmp_path / "a.mnc")
    packed = tmp_path / "b.mnc.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.mnc").read_bytes()))
    np.testing.assert_array_equal(read(packed).data, TRUTH.data)


def test_any_other_hdf5_file_is_no_minc(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.mnc", "w") as file:
        file["x"] = 1
    with pytest.raises(ReadError, match="no MINC image"):
        read(tmp_path / "a.mnc")


def test_a_huge_claim_in_a_small_file_is_refused_before_memory(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.mnc", "w") as file:
        group = file.create_group("minc-2.0/image/0")
        place = group.create_dataset("image", (400, 500, 600), "i2", chunks=(1, 500, 600))
        place.attrs["dimorder"] = np.bytes_(b"zspace,yspace,xspace")
    with pytest.raises(ReadError, match="truncated"):
        read(tmp_path / "a.mnc")


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", [1, 2])
def test_a_cut_file_is_refused(tmp_path: Path, cut: float, kind: int) -> None:
    path = tmp_path / "a.mnc"
    if kind == 1:
        by_minc1s_book(TRUTH.data, TRUTH.grid.affine, path)
    else:
        write(TRUTH, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(LeukoError) as caught:
        read(path)
    assert caught.value.exit_code in (3, 4)
