"""Scans and a model for the tests of the main job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from brightness_network import BrightnessEngine, make_card, make_head

from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.model import Model


@pytest.fixture
def fake_model() -> Model:
    return Model.of(make_card(), BrightnessEngine())


@pytest.fixture
def head_image() -> Image:
    return Image(make_head(), Grid.from_spacing((60, 72, 44), (2.0, 2.0, 4.0)))


@pytest.fixture
def head_file(tmp_path: Path, head_image: Image) -> Path:
    path = tmp_path / "head.nii.gz"
    write(head_image, path)
    return path


@pytest.fixture
def make_model() -> Callable[..., Model]:
    return lambda **changed: Model.of(make_card(**changed), BrightnessEngine())
