"""What is refused before a network runs, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leuko.findings import Severity
from leuko.formats.read import read_scan
from leuko.image.image import to_canonical
from leuko.quality.scan import SAMPLE_VOXELS, input_checks

Array = npt.NDArray[Any]


def head(shape: tuple[int, int, int] = (90, 110, 90), *, seed: int = 0) -> Array:
    """A bright noisy ellipsoid in dark air."""
    axes = [np.linspace(-1.2, 1.2, length) for length in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    noise = np.random.default_rng(seed).normal(0, 6, shape)
    return np.asarray(np.where(x**2 + y**2 + z**2 < 1, 100, 5) + noise, np.float32)


def codes(data: Array, spacing: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> list[str]:
    return [finding.code for finding in input_checks(data, spacing=spacing)]


def test_a_head_passes() -> None:
    assert codes(head()) == []


def test_a_thick_slice_head_passes() -> None:
    assert codes(head((200, 220, 24)), (0.9, 0.9, 6.0)) == []


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_a_constant_volume_is_empty(value: float) -> None:
    assert codes(np.full((90, 110, 90), value, np.float32)) == ["scan.empty"]


def test_a_mask_is_no_scan() -> None:
    mask = np.zeros((90, 110, 90), np.uint8)
    mask[40:44, 40:44, 40:44] = 1
    assert codes(mask) == ["scan.is_mask"]


def test_a_mask_with_its_only_lesion_at_the_edge_is_no_scan() -> None:
    mask = np.zeros((90, 110, 90), np.uint8)
    mask[2, 2, 2] = 1
    assert codes(mask) == ["scan.is_mask"]


def test_a_label_map_with_many_labels_is_no_scan() -> None:
    blocks = np.arange(9 * 11 * 9).reshape(9, 11, 9)
    assert codes(np.kron(blocks, np.ones((10, 10, 10), int)).astype(np.int16)) == ["scan.is_mask"]


def test_a_scan_with_eight_bits_is_no_label_map() -> None:
    assert codes(np.clip(head(), 0, 255).astype(np.uint8)) == []


def test_hounsfield_units_are_ct() -> None:
    ct = np.where(head() > 50, 40.0, -1000.0) + np.random.default_rng(1).normal(0, 9, (90, 110, 90))
    assert codes(ct.astype(np.float32)) == ["scan.is_ct"]


def test_a_few_bright_vessels_are_no_brain() -> None:
    vessels = np.zeros((90, 110, 90), np.float32)
    vessels[45, :, 40] = np.linspace(100, 200, 110)
    vessels[20, 30, :] = np.linspace(100, 200, 90)
    assert "scan.no_brain" in codes(vessels)


def test_a_crop_is_too_small() -> None:
    assert codes(head((35, 50, 35)), (1.0, 1.0, 1.0)) == ["scan.too_small"]


def test_two_slices_are_too_small() -> None:
    assert codes(head((200, 220, 2)), (0.9, 0.9, 6.0)) == ["scan.too_small"]


def test_a_slab_is_a_warning() -> None:
    (finding,) = input_checks(head((200, 220, 10)), spacing=(0.9, 0.9, 6.0))
    assert finding.code == "scan.partial_coverage"
    assert finding.severity is Severity.WARNING


def test_coarse_voxels_are_a_warning() -> None:
    assert codes(head((60, 70, 60)), (3.0, 3.0, 3.0)) == ["scan.coarse"]


def test_impossible_voxels_are_refused() -> None:
    assert codes(head(), (0.002, 0.002, 0.002)) == ["scan.voxel_size"]
    assert codes(head(), (2.0, 2.0, 20.0)) == ["scan.voxel_size"]


def test_a_body_is_no_head() -> None:
    assert codes(head((150, 150, 60)), (3.0, 3.0, 5.0)) == ["scan.coarse", "scan.no_head"]


def test_large_arrays_are_sampled_and_judged_alike() -> None:
    large = head((180, 220, 180))
    assert large.size > SAMPLE_VOXELS
    assert codes(large, (1.0, 1.0, 1.0)) == []


@pytest.mark.parametrize(
    "name",
    [
        "wmh/ljubljana/07/flair.nii.gz",
        "wmh/ljubljana/19/flair.nii.gz",
        "wmh/ljubljana_long/patient01/visit1_flair.nii.gz",
        "wmh/nichart/Subj1/flair.nii.gz",
        "wmh/nichart/sample1/flair.nii.gz",
        "wmh/tabriz/105465/flair.nii.gz",
        "wmh/unlabelled/wholehead_1mm.nii.gz",
        "wmh/unlabelled/ljubljana_patient20_visit2.nii.gz",
        "formats/nifti/FLAIR.nii.gz",
        "contrasts/thick_flair_young/flair.nii.gz",
    ],
)
def test_real_flairs_pass(shared_data: Path, name: str) -> None:
    image = read_scan(shared_data / name)
    canonical = to_canonical(image.data, image.grid)
    assert input_checks(canonical, spacing=image.grid.canonical().spacing) == ()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("contrasts/mra.nii.gz", "scan.no_brain"),
        ("contrasts/thick_flair_young/gif_parcellation.nii.gz", "scan.is_mask"),
        ("wmh/tabriz/105465/lesions.nii.gz", "scan.is_mask"),
        ("wmh/nichart/sample1/wmh_auto.nii.gz", "scan.is_mask"),
        ("labelmaps/head_01.nii.gz", "scan.is_mask"),
        ("tasks/ct/torso_ct.nii.gz", "scan.is_ct"),
        ("tasks/hippocampus/images/hippocampus_001.nii.gz", "scan.too_small"),
    ],
)
def test_real_images_of_something_else_are_refused(shared_data: Path, name: str, code: str) -> None:
    image = read_scan(shared_data / name)
    canonical = to_canonical(image.data, image.grid)
    found = input_checks(canonical, spacing=image.grid.canonical().spacing)
    assert code in [item.code for item in found if item.severity is Severity.REFUSAL]
