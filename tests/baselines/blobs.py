"""Small scans with bright lesions whose truth is known, as arrays, scenes and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.baselines.scene import Scene, make_scene
from leuko.datasets.items import Item
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image

SPACING = (2.0, 2.0, 5.0)
SHAPE = (32, 30, 8)
CENTRES = (((10, 10, 3), (20, 18, 4)), ((12, 18, 4), (22, 12, 3)), ((16, 9, 5), (9, 20, 3)))


def ball(centre: tuple[int, int, int], radius_mm: float) -> npt.NDArray[np.bool_]:
    indices = np.indices(SHAPE)
    squares = sum(
        ((index - middle) * step) ** 2
        for index, middle, step in zip(indices, centre, SPACING, strict=True)
    )
    return np.asarray(squares <= radius_mm**2)


def drawn(number: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """A bright object with noise in air without, and its two brighter lesions."""
    random = np.random.default_rng(number)
    head = ball((16, 15, 4), 26.0)
    lesions = np.zeros(SHAPE, dtype=np.bool_)
    for centre in CENTRES[number % len(CENTRES)]:
        lesions |= ball(centre, 7.0)
    image = 100.0 + 60.0 * lesions + random.normal(0, 4.0, SHAPE)
    return np.where(head, image, 0.0).astype(np.float32), lesions & head


def scene_of(number: int) -> tuple[Scene, npt.NDArray[np.bool_]]:
    image, lesions = drawn(number)
    return make_scene([image], region=ball((16, 15, 4), 26.0), spacing=SPACING), lesions


def items_in(folder: Path, count: int) -> tuple[Item, ...]:
    """`count` scans with masks as files, each of a subject of its own."""
    grid = Grid.from_spacing(SHAPE, SPACING)
    items = []
    for number in range(count):
        image, lesions = drawn(number)
        paths = [folder / part / f"s{number}.nii.gz" for part in ("images", "masks")]
        for path, data in zip(paths, (image, lesions.astype(np.uint8)), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(Image(data, grid), path)
        items.append(Item(f"s{number}", f"s{number}", (paths[0],), label=paths[1]))
    return tuple(items)


def dice(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    return float(2 * np.count_nonzero(one & other) / (one.sum() + other.sum()))
