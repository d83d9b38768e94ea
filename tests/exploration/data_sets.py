"""Small data sets in folders, whose numbers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image

SPACING = (2.0, 1.0, 1.0)
SHAPE = (12, 14, 10)


def image_of(number: int, *, grid: Grid | None = None) -> Image:
    """Noise around 100 that differs from case to case."""
    lattice = grid or Grid.from_spacing(SHAPE, SPACING)
    noise = np.random.default_rng(number).normal(100.0, 10.0, lattice.shape)
    return Image(noise.astype(np.float32), lattice)


def cube(image: Image, *, edge: int = 4, value: int = 1, start: int = 3) -> Image:
    """A mask with a cube of `edge` voxels."""
    data = np.zeros(image.grid.shape, np.uint8)
    part = slice(start, start + edge)
    data[part, part, part] = value
    return image.with_data(data)


def write_pair(root: Path, name: str, image: Image, label: Image | None) -> None:
    """images/NAME and masks/NAME."""
    for folder, held in (("images", image), ("masks", label)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        if held is not None:
            write(held, root / folder / f"{name}.nii.gz")


def usual(root: Path, *, count: int = 8) -> None:
    """Cases of one kind: a cube of 64 voxels of 2 mm3."""
    for number in range(count):
        image = image_of(number)
        write_pair(root, f"case{number}", image, cube(image))
