"""Synthetic pieces of heads as volumes of about 1 mm with their truth, for a 3D network.

python recipes/synthetic_volumes.py DATA OUT [COUNT]     COUNT pieces, 120 unless given
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.synthesis.geometry import SlabShape, draw_geometry, sample_slab
from leuko.synthesis.head import Recipe, draw_recipe, render
from leuko.synthesis.heads import Head, load_head
from leuko.synthesis.sample import centred_grid

SEED = 20261204
SHAPE = SlabShape(pixels=(112, 128), layers=104, pixel_mm=1.0, layer_mm=1.0)
RENDERINGS = 2  # of a bent head: contrast, lesions and artefacts anew
TWO_MM = 0.25  # share of the renderings with slices of 2 mm
SCALE = 200.0  # of brain tissue in the files
# Where several classes are allowed a rater's mask would still hold one: the first of these.
FIRST = (
    Tissue.WHITE_MATTER, Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.VENTRICLES, Tissue.CSF,
    Tissue.BRAINSTEM, Tissue.CEREBELLUM, Tissue.BACKGROUND, Tissue.LESION, Tissue.CAP_RIM,
)  # fmt: skip


def volumes(data: Path, out: Path, count: int) -> None:
    """COUNT pieces of 112 x 128 x 104 mm, in folders flair (int16) and truth (uint8, `Tissue`)."""
    maps = sorted((data / "labelmaps").glob("head_*.nii.gz"))
    maps = [path for path in maps if path.name[5:7] not in ("05", "20")]
    heads: dict[Path, Head] = {}
    for folder in ("flair", "truth"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for number in range(0, count, RENDERINGS):
        last = f"piece{min(count, number + RENDERINGS) - 1:04d}.nii"
        if (out / "truth" / last).is_file():  # written last: an earlier call was stopped later
            continue
        rng = np.random.default_rng(SEED + number)
        path = maps[number // RENDERINGS % len(maps)]
        heads[path] = heads.get(path) or load_head(path)
        geometry = draw_geometry(rng, head=heads[path], shape=SHAPE, plane="axial")
        slab = sample_slab(geometry, head=heads[path], shape=SHAPE)
        for which in range(number, min(count, number + RENDERINGS)):
            rendered = render(_thin(rng), slab=slab)
            off = SCALE * float(np.exp(rng.normal(0, 0.07)))
            flair = np.clip(np.round(rendered.image.numpy() * off), 0, 8000).astype(np.int16)
            grid = _grid(flair.shape, rendered.spacing_mm)
            write(Image(flair, grid), out / "flair" / f"piece{which:04d}.nii")
            truth = Image(_hard(rendered.allowed.numpy()), grid)
            write(truth, out / "truth" / f"piece{which:04d}.nii", labels=True)
        sys.stdout.write(f"{min(count, number + RENDERINGS)} of {count}\n")
        sys.stdout.flush()


def _thin(rng: np.random.Generator) -> Recipe:
    """A rendering with voxels of about 1 mm, or of 2 mm, whatever its slices would have been."""
    recipe = draw_recipe(rng)
    if rng.random() < TWO_MM:
        spacing, thickness = 2.0, float(rng.uniform(1.8, 3.0))
        resolution = float(rng.uniform(0.9, 2.0))
    else:
        spacing, thickness = 1.0, float(rng.uniform(0.9, 1.5))
        resolution = float(rng.uniform(0.8, 1.3))
    acquisition = replace(
        recipe.acquisition,
        spacing_mm=spacing,
        thickness_mm=thickness,
        resolution_mm=(resolution, resolution * float(rng.choice([1.0, rng.uniform(1.0, 1.4)]))),
    )
    return replace(recipe, acquisition=acquisition)


def _grid(shape: tuple[int, ...], spacing_mm: float) -> Grid:
    return centred_grid(shape, (SHAPE.pixel_mm, SHAPE.pixel_mm, spacing_mm))


def _hard(allowed: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """One class a voxel from the bit mask of those that it may have."""
    truth = np.zeros(allowed.shape, dtype=np.uint8)
    for tissue in FIRST[::-1]:
        truth[(allowed & (1 << int(tissue))) > 0] = int(tissue)
    return truth


if __name__ == "__main__":
    volumes(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 120)
