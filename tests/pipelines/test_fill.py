"""Lesion filling on files: grid, type and every other voxel stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from leuko.cli.fill import fill as command
from leuko.errors import GridMismatch, UnusableInput, UsageError, WriteError
from leuko.formats.read import read, read_mask
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.image.reorient import reorient
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.fill import fill, fill_file
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment_file


@pytest.fixture(scope="module")
def scan() -> tuple[Image, Image]:
    """White matter amid cortex in slices of 4 mm, with a bright lesion; stored as int16."""
    shape = (40, 44, 12)
    grid = Grid.from_spacing(shape, (1.0, 1.0, 4.0))
    x, y, z = np.indices(shape)
    inside = ((x - 20) / 17) ** 2 + ((y - 22) / 19) ** 2 + ((z - 6) / 5) ** 2 <= 1
    lesion = ((x - 14) / 4) ** 2 + ((y - 24) / 6) ** 2 + ((z - 6) / 1.5) ** 2 <= 1
    values = np.where(inside, 400, 250) + np.random.default_rng(0).normal(0, 12, shape)
    values[lesion] += 300
    return Image(values.astype(np.int16), grid), Image(lesion.astype(np.uint8), grid)


def test_a_flipped_or_permuted_scan_is_filled_flipped(scan: tuple[Image, Image]) -> None:
    image, mask = scan
    straight = fill(image, mask)
    for code in ("LPS", "SAR", "PIL"):
        turned = fill(reorient(image, to=code), reorient(mask, to=code))
        back = reorient(turned.image, to="RAS")
        np.testing.assert_array_equal(back.data, straight.image.data)
        assert turned.numbers() == straight.numbers()


def test_axes_of_the_mask_may_run_otherwise(scan: tuple[Image, Image]) -> None:
    image, mask = scan
    straight = fill(image, mask)
    np.testing.assert_array_equal(
        fill(image, reorient(mask, to="LPI")).image.data, straight.image.data
    )


def test_grid_type_and_all_other_voxels_stay_in_the_file(
    scan: tuple[Image, Image], tmp_path: Path
) -> None:
    image, mask = scan
    write(image.with_data(image.data.astype(np.uint16)), tmp_path / "scan.nii.gz", exact=True)
    write(mask, tmp_path / "mask.nii.gz")
    done = fill_file(tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz", out=tmp_path / "out.nii")
    given, got = read(tmp_path / "scan.nii.gz"), read(tmp_path / "out.nii")
    assert got.grid == given.grid
    assert got.data.dtype == given.data.dtype == np.uint16
    lesion = np.asarray(mask.data) > 0
    np.testing.assert_array_equal(got.data[~lesion], given.data[~lesion])
    assert got.data[lesion].mean() == pytest.approx(400, abs=8)
    assert done.volume_ml == pytest.approx(lesion.sum() * 4 / 1000)


def test_a_mask_of_another_grid_is_refused(scan: tuple[Image, Image], tmp_path: Path) -> None:
    image, mask = scan
    affine = mask.grid.affine.copy()
    affine[:3, 3] += 0.5
    moved = Image(mask.data, Grid(mask.grid.shape, affine))
    with pytest.raises(GridMismatch, match="the mask"):
        fill(image, moved)
    with pytest.raises(GridMismatch, match="the anatomy"):
        fill(image, mask, anatomy=moved)
    with pytest.raises(UnusableInput, match="2 volumes"):
        fill(Image(np.stack([image.data] * 2, axis=-1), image.grid), mask)
    write(image, tmp_path / "scan.nii.gz")
    write(moved, tmp_path / "mask.nii.gz")
    said = CliRunner().invoke(
        command,
        [
            str(tmp_path / "scan.nii.gz"),
            str(tmp_path / "mask.nii.gz"),
            "-o",
            str(tmp_path / "o.nii"),
        ],
    )
    assert isinstance(said.exception, GridMismatch)
    assert said.exception.exit_code == 5
    assert not (tmp_path / "o.nii").exists()


def test_the_anatomy_says_what_white_matter_is(scan: tuple[Image, Image]) -> None:
    """Half of what surrounds the lesion is called cortex: the level comes from the other half."""
    image, mask = scan
    values = image.data.astype(np.float32)
    values[:, 25:] += 60
    labels = np.where(np.asarray(image.data, dtype=np.int16) > 325, 14, 12).astype(np.uint8)
    labels[:, 25:] = 12
    done = fill(image.with_data(values), mask, anatomy=mask.with_data(labels))
    assert done.level == pytest.approx(400, abs=8)
    empty = mask.with_data(np.full(values.shape, 12, dtype=np.uint8))
    with pytest.raises(UnusableInput, match="white matter"):
        fill(image.with_data(values), mask, anatomy=empty)


def test_inputs_and_files_that_are_there_are_kept(
    scan: tuple[Image, Image], tmp_path: Path
) -> None:
    image, mask = scan
    one, other = tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz"
    write(image, one)
    write(mask, other)
    with pytest.raises(UsageError, match="never replaced"):
        fill_file(one, other, out=one, force=True)
    (tmp_path / "there.nii").write_bytes(b"mine")
    with pytest.raises(WriteError, match="already"):
        fill_file(one, other, out=tmp_path / "there.nii")
    fill_file(one, other, out=tmp_path / "there.nii", force=True)
    assert read(tmp_path / "there.nii").grid == image.grid


def test_an_empty_mask_gives_the_scan_itself(scan: tuple[Image, Image], tmp_path: Path) -> None:
    image, mask = scan
    write(image, tmp_path / "scan.nii.gz")
    write(mask.with_data(np.zeros_like(mask.data)), tmp_path / "mask.nii.gz")
    said = CliRunner().invoke(
        command,
        [
            str(tmp_path / "scan.nii.gz"),
            str(tmp_path / "mask.nii.gz"),
            "-o",
            str(tmp_path / "o.nii"),
        ],
    )
    assert said.exit_code == 0, said.output
    assert "nothing was changed" in said.output
    np.testing.assert_array_equal(read(tmp_path / "o.nii").data, image.data)


def test_segment_writes_the_filled_scan_and_a_t1_on_another_grid(
    tmp_path: Path, head_file: Path, head_image: Image, fake_model: Model
) -> None:
    """The head itself, darkened and cropped, stands for its T1."""
    values = np.asarray(head_image.data, dtype=np.float32)
    affine = head_image.grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [2, 0, 0]
    grid = Grid((values.shape[0] - 2, *values.shape[1:]), affine)
    write(Image(values.max() - values[2:], grid), tmp_path / "t1.nii.gz")
    numbers = segment_file(
        head_file,
        out=tmp_path / "out",
        config=SegmentConfig(report=False, fill=True, t1_space=True),
        t1=tmp_path / "t1.nii.gz",
        model=fake_model,
    )
    assert [step.name for step in numbers.steps].count("fill") == 2
    for name, scan, found in (
        ("flair_filled", head_image, "wmh"),
        ("t1_filled", read(tmp_path / "t1.nii.gz"), "wmh_in_t1"),
    ):
        lesion = np.asarray(read_mask(tmp_path / "out" / f"{found}.nii.gz").data) > 0
        got = read(tmp_path / "out" / f"{name}.nii.gz")
        assert got.grid.shape == scan.grid.shape
        np.testing.assert_allclose(got.grid.affine, scan.grid.affine, atol=1e-4)
        assert lesion.any()
        after, before = (np.asarray(one.data, dtype=np.float32) for one in (got, scan))
        np.testing.assert_allclose(after[~lesion], before[~lesion], rtol=1e-6)
        assert not np.allclose(after[lesion], before[lesion])


def test_a_t1_is_filled_without_a_mask_in_its_space(
    tmp_path: Path, head_file: Path, head_image: Image, fake_model: Model
) -> None:
    values = np.asarray(head_image.data, dtype=np.float32)
    write(values.max() - values, tmp_path / "t1.nii.gz", like=head_image)
    segment_file(
        head_file,
        out=tmp_path / "out",
        config=SegmentConfig(report=False, fill=True),
        t1=tmp_path / "t1.nii.gz",
        model=fake_model,
    )
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"flair_filled.nii.gz", "t1_filled.nii.gz"} <= names
    assert "wmh_in_t1.nii.gz" not in names


def test_real_lesions_end_up_as_bright_as_white_matter(shared_data: Path) -> None:
    case = shared_data / "wmh" / "tabriz" / "105465"
    flair, mask = read(case / "flair.nii.gz"), read_mask(case / "lesions.nii.gz")
    done = fill(flair, mask)
    assert done.before is not None
    assert done.after is not None
    assert done.level is not None
    assert done.before > 1.4 * done.level
    assert done.after == pytest.approx(done.level, rel=0.1)
    assert replace(done).image.data.dtype == flair.data.dtype
