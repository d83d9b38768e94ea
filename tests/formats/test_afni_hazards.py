"""Everything odd about AFNI's HEAD and BRIK: what leuko makes of it, and that it says so."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from axis_orders import ORDERS, image_in
from foreign_files import by_afnis_book

from leuko.errors import ReadError, UnusableInput
from leuko.formats.read import read, read_scan
from leuko.image.image import Image

TRUTH = image_in(ORDERS[0])
SERIES = image_in(ORDERS[0], volumes=3)


def make(path: Path, image: Image = TRUTH, **more: str) -> Path:
    return by_afnis_book(image.data, image.grid.affine, path, **more)


def codes(image: Image) -> set[str]:
    return {finding.code for finding in image.findings}


@pytest.mark.parametrize("order", ["MSB_FIRST", "LSB_FIRST"])
def test_byte_order_is_honoured(tmp_path: Path, order: str) -> None:
    image = read_scan(make(tmp_path / "a+orig.HEAD", BYTEORDER_STRING=order))
    np.testing.assert_array_equal(image.data, TRUTH.data)


def test_every_sub_brick_has_its_own_factor(tmp_path: Path) -> None:
    image = read(make(tmp_path / "a+orig.HEAD", SERIES, BRICK_FLOAT_FACS="0 0.5 2"))
    np.testing.assert_allclose(image.data, SERIES.data * (1.0, 0.5, 2.0))
    assert "afni.scaled" in codes(image)
    assert image.seconds == 2.5


def test_milliseconds_are_seconds(tmp_path: Path) -> None:
    path = make(tmp_path / "a+orig.HEAD", SERIES, TAXIS_NUMS="3 0 77001", TAXIS_FLOATS="0 2500 0")
    assert read(path).seconds == 2.5


def test_without_a_matrix_orientation_origin_and_delta_place_it(tmp_path: Path) -> None:
    path = make(tmp_path / "a+orig.HEAD", IJK_TO_DICOM_REAL="", ORIENT_SPECIFIC="3 5 0",
                ORIGIN="20 30 -40", DELTA="-2 -3 4")  # fmt: skip
    grid = read_scan(path).grid
    # Codes 3, 5 and 0: axes along DICOM's y, z and x; the signs stand in DELTA.
    np.testing.assert_array_equal(grid.affine[:3, :3], [[0, 0, -4], [2, 0, 0], [0, -3, 0]])
    np.testing.assert_array_equal(grid.affine[:3, 3], (40, -20, 30))


@pytest.mark.parametrize("half", ["a+orig.HEAD", "a+orig.BRIK"])
def test_either_half_reads_the_pair(tmp_path: Path, half: str) -> None:
    make(tmp_path / "a+orig.HEAD")
    np.testing.assert_array_equal(read(tmp_path / half).data, TRUTH.data)


def test_a_packed_brik_is_read(tmp_path: Path) -> None:
    path = make(tmp_path / "a+orig.HEAD")
    brik = path.with_suffix(".BRIK")
    (tmp_path / "a+orig.BRIK.gz").write_bytes(gzip.compress(brik.read_bytes()))
    brik.unlink()
    np.testing.assert_array_equal(read(path).data, TRUTH.data)


@pytest.mark.parametrize("key", ["SCENE_DATA", "TAXIS_NUMS", "TAXIS_FLOATS", "BRICK_FLOAT_FACS"])
def test_attributes_that_are_empty_or_texts_count_as_missing(tmp_path: Path, key: str) -> None:
    path = make(tmp_path / "a+orig.HEAD", SERIES)
    text = path.read_text()
    start = text.index(f"name = {key}")
    end = text.index("\ntype", start) if "\ntype" in text[start:] else len(text)
    for instead in (f"name = {key}\ncount = 0\n", f"name = {key}\ncount = 3\n'abc~\n"):
        changed = text[:start] + instead + text[end:]
        if "'" in instead:
            before = changed.rindex("type = ", 0, start)
            changed = changed[:before] + "type = string-attribute\n" + changed[start:]
        path.write_text(changed)
        np.testing.assert_array_equal(read(path).data, SERIES.data)


def test_a_standard_space_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "a+tlrc.HEAD", SCENE_DATA="2 0 0 -999 -999 -999 -999 -999")
    assert "afni.standard_space" in codes(read(path))


def test_what_is_broken_is_refused_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a+orig.HEAD"
    with pytest.raises(ReadError, match="DATASET_DIMENSIONS is missing"):
        read(make(path, DATASET_DIMENSIONS=""))
    with pytest.raises(ReadError, match="more than any scan has"):
        read(make(path, DATASET_DIMENSIONS="30000 30000 30000"))
    with pytest.raises(ReadError, match="truncated"):
        read(make(path, DATASET_DIMENSIONS="4 5 60"))
    with pytest.raises(ReadError, match="its type 9"):
        read(make(path, BRICK_TYPES="9"))
    with pytest.raises(ReadError, match="else than numbers"):
        read(make(path, BRICK_TYPES="x"))
    with pytest.raises(ReadError, match="cannot be those of an image"):
        read(make(path, IJK_TO_DICOM_REAL="1 0 0 0 2 0 0 0 0 0 1 0"))
    with pytest.raises(ReadError, match="cannot be those of an image"):
        read(make(path, IJK_TO_DICOM_REAL="nan inf 0 0 1e308 1e308 0 0 0 0 1 0"))
    with pytest.raises(UnusableInput, match="different types"):
        read(make(path, SERIES, BRICK_TYPES="1 3 1"))
    make(path).with_suffix(".BRIK").unlink()
    with pytest.raises(ReadError, match=r"its voxels, a\+orig\.BRIK, are missing"):
        read(path)
