"""The packaged weights in the main job: exact under flips, equal twice, strict about contrasts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leuko.errors import UnusableInput
from leuko.formats.read import read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.sample import sample_path
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.segment import segment


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(SegmentConfig())


@pytest.fixture(scope="module")
def sample() -> Image:
    return read_scan(sample_path())


def turned(image: Image) -> Image:
    """Sagittal slices, from right to left and from top to bottom, 40 m away."""
    affine = image.grid.affine[:, [1, 2, 0, 3]].copy()
    data = image.data.transpose(1, 2, 0)[:, ::-1, ::-1]
    for axis in (1, 2):
        affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
        affine[:3, axis] *= -1
    affine[:3, 3] += 40_000.0
    return Image(np.ascontiguousarray(data), Grid(data.shape, affine))


def test_a_turned_scan_gives_exactly_the_turned_mask(model: Model, sample: Image) -> None:
    straight = segment(sample, model=model)
    found = segment(turned(sample), model=model)
    assert straight.burden.lesion_count > 5
    expected = straight.mask.data.transpose(1, 2, 0)[:, ::-1, ::-1]
    assert np.array_equal(expected, found.mask.data)
    assert found.burden.left_ml == straight.burden.left_ml
    assert found.burden.right_ml == straight.burden.right_ml


def test_two_models_give_the_same_mask(model: Model, sample: Image) -> None:
    again = segment(sample, model=load_model(SegmentConfig()))
    assert np.array_equal(segment(sample, model=model).mask.data, again.mask.data)


def test_the_halves_are_anatomical(model: Model, sample: Image) -> None:
    """Cut the array off-centre: the sides of the lesions stay what they are."""
    whole = segment(sample, model=model)
    margin = 12
    grid = sample.grid
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, 0] * margin
    cut = Image(
        np.ascontiguousarray(sample.data[margin:]),
        Grid((grid.shape[0] - margin, *grid.shape[1:]), affine),
    )
    part = segment(cut, model=model)
    assert whole.burden.left_ml is not None
    assert part.burden.left_ml is not None
    total = whole.burden.volume_ml
    assert abs(part.burden.left_ml - whole.burden.left_ml) < 0.05 * total


@pytest.mark.parametrize(
    "name",
    [
        "contrasts/t1_head.nii.gz",
        "contrasts/dwi.nii.gz",
        "contrasts/mra.nii.gz",
        "wmh/tabriz/104252/t1.nii.gz",
        "wmh/tabriz/105911/t1.nii.gz",
        "wmh/nichart/Subj1/t1.nii.gz",
    ],
)
def test_other_contrasts_are_refused(shared_data: Path, model: Model, name: str) -> None:
    with pytest.raises(UnusableInput):
        segment(read_scan(shared_data / name), model=model)


@pytest.mark.parametrize(
    "name",
    [
        "contrasts/thick_flair_young/flair.nii.gz",
        "formats/nifti/FLAIR.nii.gz",
        "wmh/ljubljana_long/patient01/visit1_flair.nii.gz",
        "wmh/nichart/sample1/flair.nii.gz",
        "wmh/tabriz/105465/flair.nii.gz",
        "wmh/tabriz/105911/flair.nii.gz",
    ],
)
def test_flairs_pass_without_a_warning(shared_data: Path, model: Model, name: str) -> None:
    result = segment(read_scan(shared_data / name), model=model)
    serious = [finding.code for finding in result.findings if finding.severity != "note"]
    assert serious == []
    assert result.burden.volume_ml > 0
    assert result.burden.white_matter_ml is not None
    assert 200 < result.burden.white_matter_ml < 800
