"""From a bent slab of a label map to slices of a head MRI with their truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from leuko.models.classes import Tissue
from leuko.synthesis.artefacts import (
    Acquisition,
    Corruption,
    corrupt,
    draw_acquisition,
    draw_corruption,
)
from leuko.synthesis.contrast import Contrast, draw_contrast, draw_t1_contrast
from leuko.synthesis.fields import noise_field, shift_matrix
from leuko.synthesis.geometry import Slab, slab_noise
from leuko.synthesis.heads import Kind
from leuko.synthesis.lesions import Excess, LesionPlan, draw_lesions, paint_lesions
from leuko.synthesis.truth import main_tissue, pooled, truth

__all__ = ["Recipe", "Slices", "T1Recipe", "draw_recipe", "draw_t1", "render"]

PLEXUS_MM = 7.0  # the window in which choroid plexus may spread
THICK_MM = 2.5  # in thicker slices two fifths of fluid are dark enough to be drawn as fluid


@dataclass(frozen=True, slots=True)
class T1Recipe:
    """A T1 of the same head, brought to the FLAIR's slices: darker lesions, its own artefacts."""

    contrast: Contrast
    darkening: float  # of a lesion, as a share of its excess in the FLAIR
    thickness_mm: float
    resolution_mm: float
    blur_mm: float
    shift_px: tuple[float, float]  # what registration leaves
    corruption: Corruption
    seed: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that is drawn for one rendering of a slab."""

    contrast: Contrast
    lesions: LesionPlan
    acquisition: Acquisition
    corruption: Corruption
    skull_stripped: bool
    strip_margin_mm: float
    flow: float
    ependyma: float
    plexus: float  # how far choroid plexus fills the ventricle around it, 0..1
    seed: int
    t1: T1Recipe | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """A rendered slab: `image` (u, v, n) with white matter about 1, and its truth.

    `allowed` (u, v, n) is a bit mask of the classes that a voxel may have: one bit where the truth
    is known. `t1` (u, v, n) is the T1 of the same slices, where one was asked for.
    """

    image: Tensor
    allowed: Tensor
    spacing_mm: float
    t1: Tensor | None = None


def draw_recipe(rng: np.random.Generator) -> Recipe:
    """Draw contrast, lesions, acquisition and artefacts for one rendering."""
    return Recipe(
        contrast=draw_contrast(rng),
        lesions=draw_lesions(rng),
        acquisition=draw_acquisition(rng),
        corruption=draw_corruption(rng),
        skull_stripped=bool(rng.random() < 0.35),
        strip_margin_mm=float(rng.uniform(0.0, 4.0)),
        flow=float(rng.choice([0.0, rng.uniform(0.2, 1.1)], p=[0.6, 0.4])),
        ependyma=float(rng.choice([0.0, rng.uniform(-0.3, 0.5)], p=[0.5, 0.5])),
        plexus=float(rng.choice([0.0, rng.uniform(0.2, 1.0)], p=[0.6, 0.4])),
        seed=int(rng.integers(2**31)),
    )


def draw_t1(rng: np.random.Generator, *, thickness_mm: float) -> T1Recipe:
    """Draw the T1 of a head whose FLAIR has slices of `thickness_mm`."""
    return T1Recipe(
        contrast=draw_t1_contrast(rng),
        darkening=float(rng.uniform(0.05, 0.6)),
        thickness_mm=float(rng.choice([thickness_mm, min(thickness_mm, rng.uniform(1.0, 6.0))])),
        resolution_mm=float(rng.uniform(0.8, 1.3)),
        blur_mm=float(rng.uniform(0.4, 1.0)),
        shift_px=(float(rng.normal(0, 0.5)), float(rng.normal(0, 0.5))),
        corruption=draw_corruption(rng),
        seed=int(rng.integers(2**31)),
    )


def render(recipe: Recipe, *, slab: Slab) -> Slices:
    """Render a slab: brightness, lesions, brain extraction, slices, artefacts, truth."""
    excess = paint_lesions(recipe.lesions, slab=slab)
    plain, excess = _brightness(recipe, slab, excess)
    acquisition = recipe.acquisition
    shape = slab.shape
    device = slab.kinds.device
    profile = acquisition.profile(shape.layers, layer_mm=shape.layer_mm).to(device)
    along_u, along_v = (
        acquisition.in_plane(n, pixel_mm=shape.pixel_mm, which=i).to(device)
        for i, n in enumerate(shape.pixels)
    )

    def acquire(volume: Tensor) -> Tensor:
        return torch.einsum("ab,bcn,dc->adn", along_u, torch.matmul(volume, profile.T), along_v)

    lesion, rim = acquire(excess.lesion), acquire(excess.rim)
    clean = acquire(plain) + lesion + rim
    knots = (
        70.0 / shape.pixel_mm,
        70.0 / shape.pixel_mm,
        max(1.0, 70.0 / acquisition.spacing_mm),
    )
    image = corrupt(clean.clamp(min=0), corruption=recipe.corruption, knots=knots)
    if recipe.skull_stripped:
        image = image * (torch.matmul(_kept(recipe, slab), profile.T) > 0.5)
    thick = acquisition.thickness_mm > THICK_MM
    tissue, perhaps_ventricle = main_tissue(slab, profile, fluid_from=0.4 if thick else 0.5)
    allowed = truth(
        tissue,
        perhaps_ventricle=perhaps_ventricle & thick,
        lesion=lesion,
        rim=rim,
        above_white=clean - recipe.contrast.means[Kind.WHITE_MATTER],
        extent=torch.matmul((excess.extent > 0.5).float(), profile.T),
        cavity=torch.matmul(excess.cavity, profile.T) > 0.15,
        strange=torch.matmul(excess.strange, profile.T),
        noise=recipe.corruption.noise,
        pixel_mm=shape.pixel_mm,
    )
    level = _level(image, tissue)
    t1 = None
    if recipe.t1 is not None:
        t1 = _t1(recipe, recipe.t1, slab=slab, excess=excess, knots=knots)
        t1 = t1 / _level(t1, tissue)
    return Slices(image / level, allowed, acquisition.spacing_mm, t1)


def _t1(
    recipe: Recipe, t1: T1Recipe, *, slab: Slab, excess: Excess, knots: tuple[float, float, float]
) -> Tensor:
    """The T1 of the same slab in the FLAIR's slices; lesions are darker than white matter."""
    shape, device = slab.shape, slab.kinds.device
    generator = torch.Generator().manual_seed(t1.seed)
    plain = _tissue_brightness(t1.contrast, slab, generator)
    fluid_level = t1.contrast.means[Kind.VENTRICLES]
    plain = plain + (fluid_level - plain) * excess.cavity
    # Fresh lesions hardly show in T1, old ones are black holes.
    seen = (1 + 0.5 * slab_noise(slab, grain_mm=12.0, generator=generator)).clamp(0, 2)
    plain = plain - t1.darkening * seen * (excess.lesion + excess.rim)
    profile = recipe.acquisition.profile(
        shape.layers, layer_mm=shape.layer_mm, thickness_mm=t1.thickness_mm
    ).to(device)
    taken = replace(
        recipe.acquisition,
        blur_mm=t1.blur_mm,
        resolution_mm=(t1.resolution_mm, t1.resolution_mm),
    )
    along_u, along_v = (
        shift_matrix(n, by=t1.shift_px[i]).to(device)
        @ taken.in_plane(n, pixel_mm=shape.pixel_mm, which=i).to(device)
        for i, n in enumerate(shape.pixels)
    )
    volume = torch.matmul(plain.clamp(min=0), profile.T)
    image = torch.einsum("ab,bcn,dc->adn", along_u, volume, along_v)
    image = corrupt(image.clamp(min=0), corruption=t1.corruption, knots=knots)
    if recipe.skull_stripped:
        image = image * (torch.matmul(_kept(recipe, slab), profile.T) > 0.5)
    return image


def _brightness(recipe: Recipe, slab: Slab, excess: Excess) -> tuple[Tensor, Excess]:
    """Brightness without lesions, and the lesions' excess scaled to it."""
    generator = torch.Generator().manual_seed(recipe.seed)
    contrast = recipe.contrast
    plain = _tissue_brightness(contrast, slab, generator)
    white_level = contrast.means[Kind.WHITE_MATTER]
    plain += excess.unlabelled * white_level
    if recipe.flow:
        fluid = (slab.kinds == int(Kind.CSF)) | (slab.kinds == int(Kind.VENTRICLES))
        plain += (
            recipe.flow
            * (slab_noise(slab, grain_mm=6.0, generator=generator) - 1.2).clamp(0, 1)
            * fluid
        )
    if recipe.plexus:
        near = pooled(
            (slab.kinds == int(Kind.CHOROID)).float(), PLEXUS_MM / slab.shape.pixel_mm, highest=True
        )
        grown = (slab.kinds == int(Kind.VENTRICLES)) & (near > 0)
        grown &= slab_noise(slab, grain_mm=3.0, generator=generator) > 1.0 - recipe.plexus
        plain = torch.where(grown, contrast.means[Kind.CHOROID], plain)
    if recipe.ependyma:
        lining = (slab.kinds == int(Kind.VENTRICLES)) & (
            slab_noise(slab, grain_mm=3.0, generator=generator) > 0.4
        )
        plain += recipe.ependyma * lining * 0.5
    fluid_level = contrast.means[Kind.VENTRICLES]
    plain = plain + (fluid_level - plain) * excess.cavity
    scaled = Excess(
        lesion=excess.lesion * white_level * (1 - excess.cavity),
        rim=excess.rim * white_level * (1 - excess.cavity),
        extent=excess.extent,
        cavity=excess.cavity,
        unlabelled=excess.unlabelled,
        strange=excess.strange,
    )
    return plain.clamp(min=0), scaled


def _tissue_brightness(contrast: Contrast, slab: Slab, generator: torch.Generator) -> Tensor:
    """The tissues' brightness with its variation over centimetres and its texture."""
    kinds = slab.kinds.to(torch.int32).reshape(-1)

    def lookup(values: tuple[float, ...]) -> Tensor:
        table = torch.tensor(values, dtype=torch.float32, device=slab.kinds.device)
        return torch.index_select(table, 0, kinds).reshape(slab.shape.voxels)

    change = lookup(contrast.variation) * slab_noise(slab, grain_mm=22.0, generator=generator)
    change += lookup(contrast.texture) * slab_noise(slab, grain_mm=2.6, generator=generator)
    return lookup(contrast.means) * (1 + change).clamp(min=0.05)


def _kept(recipe: Recipe, slab: Slab) -> Tensor:
    """What brain extraction leaves: brain and a margin that wavers."""
    generator = torch.Generator().manual_seed(recipe.seed + 1)
    u, v, w = (12.0 / s for s in slab.shape.spacing)
    waver = noise_field(
        slab.shape.voxels, knots=(u, v, w), generator=generator, device=slab.kinds.device
    )
    margin = (recipe.strip_margin_mm + 0.8 * waver).clamp(min=0.1)
    return (slab.to_brain <= margin).float()


def _level(image: Tensor, tissue: Tensor) -> Tensor:
    """Median brightness of brain tissue, as the preparation of real scans estimates it."""
    brain = image[(tissue >= int(Tissue.CORTEX)) & (tissue != int(Tissue.VENTRICLES))]
    if brain.numel() < 2000:
        return torch.ones((), device=image.device)
    return brain[::5].median().clamp(min=1e-3)
