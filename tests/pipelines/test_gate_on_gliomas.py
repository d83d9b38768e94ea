"""A glioma is flagged, and severe multiple sclerosis is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leuko.formats.read import read, read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.segment import segment


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(SegmentConfig())


def codes(image: Image, model: Model) -> set[str]:
    result = segment(image, config=SegmentConfig(policy="lenient"), model=model)
    return {finding.code for finding in result.findings}


def test_a_glioma_is_a_mass(shared_data: Path, model: Model) -> None:
    pictures = shared_data / "tasks/lgg/images"
    files = [pictures / f"TCGA_HT_7884_19980913_{number}.png" for number in range(1, 21)]
    data = np.stack([read(file).data[::-1, ::-1, 0] for file in files], axis=2)
    grid = Grid((data.shape[0], data.shape[1], data.shape[2]), np.diag([0.94, 0.94, 6.0, 1.0]))
    assert "scan.mass" in codes(Image(np.ascontiguousarray(data, np.float32), grid), model)


def test_many_large_lesions_are_none(shared_data: Path, model: Model) -> None:
    image = read_scan(shared_data / "wmh/tabriz/105465/flair.nii.gz")
    assert not codes(image, model) & {"scan.mass", "scan.motion", "scan.interpolated"}
