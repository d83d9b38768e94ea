"""The numbers of a mask that was given: counted as it is, on the scan's own grid only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leuko.errors import GridMismatch, UnusableInput, UsageError
from leuko.formats.read import read_mask
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.measure import measure, measure_file
from leuko.pipelines.model import Model
from leuko.pipelines.segment import segment

QUICK = SegmentConfig(report=False)


@pytest.fixture
def drawn(head_image: Image) -> Image:
    """A mask as an expert draws it: two boxes and a single voxel."""
    data = np.zeros(head_image.grid.shape, np.uint8)
    data[20:23, 30:34, 20:22] = 1
    data[40:42, 30:32, 25] = 1
    data[30, 50, 30] = 1
    return Image(data, head_image.grid)


def test_a_mask_is_counted_as_it_is(head_image: Image, drawn: Image, fake_model: Model) -> None:
    result = measure(head_image, drawn, model=fake_model)
    assert result.burden.volume_voxels == 3 * 4 * 2 + 4 + 1
    assert result.burden.volume_mm3 == 29 * 16.0
    assert result.burden.lesion_count == 3
    assert np.array_equal(result.mask.data, drawn.data)
    assert result.probability is None
    assert [lesion.voxels for lesion in result.table] == [24, 4, 1]
    assert all(lesion.confidence is None for lesion in result.table)


def test_a_mask_of_ours_gives_the_numbers_that_it_came_with(
    head_image: Image, fake_model: Model
) -> None:
    ours = segment(head_image, model=fake_model)
    again = measure(head_image, ours.mask, model=fake_model)
    assert again.burden == ours.burden


def test_labels_above_zero_count_and_it_is_noted(
    head_image: Image, drawn: Image, fake_model: Model
) -> None:
    labels = drawn.with_data(drawn.data * np.uint8(7))
    result = measure(head_image, labels, model=fake_model)
    assert result.burden.volume_voxels == 29
    assert "mask.values" in [finding.code for finding in result.findings]


def test_probabilities_count_from_a_half(
    head_image: Image, drawn: Image, fake_model: Model
) -> None:
    soft = drawn.data.astype(np.float32) * 0.5
    soft[20, 30, 20] = 0.49
    result = measure(head_image, drawn.with_data(soft), model=fake_model)
    assert result.burden.volume_voxels == 28
    assert "mask.values" in [finding.code for finding in result.findings]


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_a_scan_given_as_mask_is_refused(
    head_image: Image, fake_model: Model, kind: type[np.generic]
) -> None:
    noise = np.random.default_rng(0).integers(0, 90, head_image.grid.shape)
    scan = head_image.with_data(np.asarray(head_image.data + noise, kind))
    with pytest.raises(UnusableInput, match="as many values as a scan") as raised:
        measure(head_image, scan, model=fake_model)
    assert "the scan first" in raised.value.hint
    measure(head_image, scan, model=fake_model, config=SegmentConfig(policy="lenient"))


def test_fractions_above_one_are_no_mask(
    head_image: Image, drawn: Image, fake_model: Model
) -> None:
    soft = drawn.with_data(drawn.data.astype(np.float32) * 2.5)
    with pytest.raises(UnusableInput, match="as many values as a scan"):
        measure(head_image, soft, model=fake_model)


def test_many_numbered_lesions_are_a_mask(head_image: Image, fake_model: Model) -> None:
    numbered = np.zeros(head_image.grid.shape, np.int32)
    places = numbered[20:40:3, 20:40:3, 15:25:4]
    places[...] = np.arange(1, places.size + 1).reshape(places.shape)
    assert places.size > 100
    result = measure(head_image, head_image.with_data(numbered), model=fake_model)
    assert result.burden.lesion_count == places.size


def test_an_empty_mask_is_zero(head_image: Image, drawn: Image, fake_model: Model) -> None:
    result = measure(head_image, drawn.with_data(drawn.data * 0), model=fake_model)
    assert (result.burden.volume_ml, result.burden.lesion_count) == (0.0, 0)
    assert result.table == ()


def test_another_grid_is_refused(head_image: Image, drawn: Image, fake_model: Model) -> None:
    affine = drawn.grid.affine.copy()
    affine[0, 3] += 0.5
    with pytest.raises(GridMismatch, match="mm apart"):
        measure(head_image, Image(drawn.data, Grid(drawn.grid.shape, affine)), model=fake_model)
    smaller = np.ascontiguousarray(drawn.data[:-1])
    with pytest.raises(GridMismatch, match="voxels"):
        measure(
            head_image, Image(smaller, Grid(smaller.shape, drawn.grid.affine)), model=fake_model
        )


def test_the_order_and_direction_of_axes_may_differ(
    head_image: Image, drawn: Image, fake_model: Model
) -> None:
    """The same voxels in the same places of the world, stored otherwise."""
    affine = drawn.grid.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (drawn.grid.shape[0] - 1)
    affine[:3, 0] *= -1
    turned = np.ascontiguousarray(drawn.data[::-1])
    result = measure(head_image, Image(turned, Grid(turned.shape, affine)), model=fake_model)
    assert np.array_equal(result.mask.data, drawn.data)


def test_a_mask_outside_the_brain_is_flagged(head_image: Image, fake_model: Model) -> None:
    data = np.zeros(head_image.grid.shape, np.uint8)
    data[:3, :3, :3] = 1
    result = measure(head_image, Image(data, head_image.grid), model=fake_model)
    assert "result.outside" in [finding.code for finding in result.findings]


def test_files_are_measured_into_a_folder(
    tmp_path: Path, head_file: Path, drawn: Image, fake_model: Model
) -> None:
    write(drawn, tmp_path / "corrected.nii.gz")
    numbers = measure_file(
        head_file, tmp_path / "corrected.nii.gz", out=tmp_path / "out", model=fake_model
    )
    assert {entry.name for entry in (tmp_path / "out").iterdir()} == {
        "anatomy.nii.gz", "lesions.nii.gz", "lesions.tsv", "preview.png", "report.html",
        "report.pdf", "stats.json", "wmh.nii.gz",
    }  # fmt: skip
    assert numbers.volume_voxels == 29
    assert numbers.provenance.mask_name == "corrected.nii.gz"
    assert numbers.provenance.input_name == "head.nii.gz"
    assert np.array_equal(read_mask(tmp_path / "out" / "wmh.nii.gz").data, drawn.data)
    assert [step.name for step in numbers.steps] == [
        "read", "check", "normalise", "resample", "predict", "restore", "measure", "report"
    ]  # fmt: skip


def test_a_corrected_mask_in_its_result_is_not_overwritten(
    tmp_path: Path, head_file: Path, drawn: Image, fake_model: Model
) -> None:
    out = tmp_path / "out"
    write(drawn, tmp_path / "mask.nii.gz")
    measure_file(head_file, tmp_path / "mask.nii.gz", out=out, config=QUICK, model=fake_model)
    with pytest.raises(UsageError, match="overwritten"):
        measure_file(head_file, out / "wmh.nii.gz", out=out, config=QUICK, model=fake_model)
    corrected = out / "wmh_corrected.nii.gz"
    write(drawn, corrected)
    measure_file(head_file, corrected, out=out, config=QUICK, model=fake_model)
    assert corrected.exists()
