"""A scan and small weights for the tests of commands, as files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "pipelines"))

from brightness_network import make_head, write_weights

from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a card and a graph that goes by brightness."""
    return write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A head with four lesions, as a file."""
    data = make_head()
    path = tmp_path / "scan.nii.gz"
    write(Image(data, Grid.from_spacing(data.shape, (2.0, 2.0, 4.0))), path)
    return path
