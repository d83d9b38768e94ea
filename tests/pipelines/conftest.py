"""A small head and a network that goes by brightness alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.card import Card, OperatingPoint
from leuko.models.classes import CLASS_COUNT, Tissue
from leuko.pipelines.model import Model

Array = npt.NDArray[Any]

# Upper limits of brightness (brain level 1) of what the fake network calls a tissue.
LIMITS = (
    (0.15, Tissue.BACKGROUND),
    (0.35, Tissue.CSF),
    (0.55, Tissue.VENTRICLES),
    (1.1, Tissue.WHITE_MATTER),
    (1.4, Tissue.CORTEX),
    (np.inf, Tissue.LESION),
)


class BrightnessEngine:
    """An engine whose classes are bands of brightness, with soft edges around lesions."""

    name = "brightness"
    precision = "f32"
    workers = 1
    batch = 4

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, slices: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.calls += 1
        centre = slices[:, 1]
        found = np.full((len(centre), CLASS_COUNT, *centre.shape[1:]), 1e-6, np.float32)
        lower = -np.inf
        for upper, tissue in LIMITS:
            found[:, tissue][(centre >= lower) & (centre < upper)] = 1.0
            lower = upper
        return np.asarray(found / found.sum(axis=1, keepdims=True), np.float32)


def make_card(**changed: Any) -> Card:
    point = OperatingPoint(
        threshold=0.5, refine_support=0.4, refine_level=0.5, refine_reach_mm=1.0,
        confine_margin_mm=4.0, min_lesion_mm3=3.0,
    )  # fmt: skip
    values: dict[str, Any] = {
        "name": "brightness", "version": "1", "graph": "net.xml",
        "files": {"net.xml": "0" * 64, "net.bin": "1" * 64}, "architecture": "none",
        "classes": tuple(tissue.name for tissue in Tissue), "pixel_mm": 1.6, "neighbour_mm": 3.0,
        "operating_points": {"vascular": point, "ms": point},
    }  # fmt: skip
    return Card(**(values | changed))


def make_head(shape: tuple[int, int, int] = (60, 72, 44), *, lesions: bool = True) -> Array:
    """A FLAIR of sorts, canonical axes, no symmetry but that of the brain: int16."""
    axes = [np.linspace(-1.25, 1.25, length) for length in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt((x / 0.85) ** 2 + y**2 + (z / 0.9) ** 2)
    head = np.zeros(shape)
    for limit, level in ((1.1, 300.0), (1.0, 130.0), (0.88, 620.0), (0.78, 480.0)):
        head[radius < limit] = level
    head[((x / 0.25) ** 2 + (y / 0.4) ** 2 + (z / 0.3) ** 2) < 1] = 200.0
    if lesions:
        for centre, size in (
            ((-0.4, 0.2, 0.1), 0.12), ((0.42, 0.1, 0.15), 0.1), ((0.35, -0.35, 0.3), 0.09),
            ((-0.35, -0.4, -0.1), 0.06),
        ):  # fmt: skip
            cx, cy, cz = centre
            head[((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) < size**2] = 900.0
    noise = np.random.default_rng(7).normal(0, 6, shape)
    return np.asarray(np.clip(np.rint(head + noise), 0, None), np.int16)


@pytest.fixture
def fake_model() -> Model:
    return Model.of(make_card(), BrightnessEngine())


@pytest.fixture
def head_image() -> Image:
    return Image(make_head(), Grid.from_spacing((60, 72, 44), (3.0, 3.0, 4.0)))


@pytest.fixture
def head_file(tmp_path: Path, head_image: Image) -> Path:
    path = tmp_path / "head.nii.gz"
    write(head_image, path)
    return path


@pytest.fixture
def make_model() -> Callable[..., Model]:
    return lambda **changed: Model.of(make_card(**changed), BrightnessEngine())
