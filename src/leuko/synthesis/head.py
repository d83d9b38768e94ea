"""From a bent slab of a label map to slices of a head MRI with their truth."""

from __future__ import annotations

from dataclasses import dataclass

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
from leuko.synthesis.contrast import Contrast, draw_contrast
from leuko.synthesis.fields import noise_field
from leuko.synthesis.geometry import Slab
from leuko.synthesis.heads import TISSUE_OF_KIND, Kind
from leuko.synthesis.lesions import Excess, LesionPlan, draw_lesions, paint_lesions

__all__ = ["Recipe", "Slices", "draw_recipe", "render"]

_TISSUES = tuple(t for t in Tissue if t < Tissue.LESION)
VISIBLE_OVER_NOISE = 1.6  # a lesion is labelled where its signal stands out of the noise
FAINTEST = 0.11  # of white matter's brightness: fainter than this nobody sees
PEAK_WINDOW_MM = 20.0  # a lesion's summit is looked for this far around
FOCUS_WINDOW_MM = 8.0  # that of a small spot


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
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """A rendered slab: `image` (u, v, n) with white matter about 1, and its truth.

    `allowed` (u, v, n) is a bit mask of the classes that a voxel may have: one bit where the truth
    is known.
    """

    image: Tensor
    allowed: Tensor
    spacing_mm: float


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
    tissue = _main_tissue(slab, profile)
    allowed = _truth(
        tissue,
        lesion=lesion,
        rim=rim,
        above_white=clean - recipe.contrast.means[Kind.WHITE_MATTER],
        extent=torch.matmul((excess.extent > 0.5).float(), profile.T),
        cavity=torch.matmul(excess.cavity, profile.T) > 0.15,
        noise=recipe.corruption.noise,
        pixel_mm=shape.pixel_mm,
    )
    level = _level(image, tissue)
    return Slices(image / level, allowed, acquisition.spacing_mm)


def _brightness(recipe: Recipe, slab: Slab, excess: Excess) -> tuple[Tensor, Excess]:
    """Brightness without lesions, and the lesions' excess scaled to it."""
    generator = torch.Generator().manual_seed(recipe.seed)
    kinds = slab.kinds.to(torch.int32).reshape(-1)
    device = slab.kinds.device
    voxels = slab.shape.voxels

    def lookup(values: tuple[float, ...]) -> Tensor:
        table = torch.tensor(values, dtype=torch.float32, device=device)
        return torch.index_select(table, 0, kinds).reshape(voxels)

    def noise(grain_mm: float) -> Tensor:
        u, v, w = (max(1.0, grain_mm / s) for s in slab.shape.spacing)
        return noise_field(voxels, knots=(u, v, w), generator=generator, device=device)

    contrast = recipe.contrast
    change = lookup(contrast.variation) * noise(22.0)
    change += lookup(contrast.texture) * noise(2.6)
    plain = lookup(contrast.means) * (1 + change).clamp(min=0.05)
    white_level = contrast.means[Kind.WHITE_MATTER]
    plain += excess.unlabelled * white_level
    if recipe.flow:
        fluid = (slab.kinds == int(Kind.CSF)) | (slab.kinds == int(Kind.VENTRICLES))
        plain += recipe.flow * (noise(6.0) - 1.2).clamp(0, 1) * fluid
    if recipe.ependyma:
        lining = (slab.kinds == int(Kind.VENTRICLES)) & (noise(3.0) > 0.4)
        plain += recipe.ependyma * lining * 0.5
    fluid_level = contrast.means[Kind.VENTRICLES]
    plain = plain + (fluid_level - plain) * excess.cavity
    scaled = Excess(
        lesion=excess.lesion * white_level * (1 - excess.cavity),
        rim=excess.rim * white_level * (1 - excess.cavity),
        extent=excess.extent,
        cavity=excess.cavity,
        unlabelled=excess.unlabelled,
    )
    return plain.clamp(min=0), scaled


def _kept(recipe: Recipe, slab: Slab) -> Tensor:
    """What brain extraction leaves: brain and a margin that wavers."""
    generator = torch.Generator().manual_seed(recipe.seed + 1)
    u, v, w = (12.0 / s for s in slab.shape.spacing)
    waver = noise_field(
        slab.shape.voxels, knots=(u, v, w), generator=generator, device=slab.kinds.device
    )
    margin = (recipe.strip_margin_mm + 0.8 * waver).clamp(min=0.1)
    return (slab.to_brain <= margin).float()


def _main_tissue(slab: Slab, profile: Tensor) -> Tensor:
    """The tissue that fills most of each slice's voxel, a `Tissue` below LESION."""
    table = torch.zeros(256, dtype=torch.uint8)
    for kind, tissue in TISSUE_OF_KIND.items():
        table[int(kind)] = int(tissue)
    kinds = slab.kinds.reshape(-1).to(torch.int32)
    labels = torch.index_select(table.to(slab.kinds.device), 0, kinds).reshape(slab.shape.voxels)
    best = torch.matmul((labels == 0).float(), profile.T)
    main = torch.zeros_like(best, dtype=torch.uint8)
    for tissue in _TISSUES[1:]:
        share = torch.matmul((labels == int(tissue)).float(), profile.T)
        main.masked_fill_(share > best, int(tissue))
        best = torch.maximum(best, share)
    return main


def _truth(
    tissue: Tensor,
    *,
    lesion: Tensor,
    rim: Tensor,
    above_white: Tensor,
    extent: Tensor,
    cavity: Tensor,
    noise: float,
    pixel_mm: float,
) -> Tensor:
    """Label what is visible: above a small multiple of noise and half of the local peak."""
    total = lesion + rim
    peak = _pooled(total, PEAK_WINDOW_MM / pixel_mm, highest=True)
    own_peak = _pooled(total, FOCUS_WINDOW_MM / pixel_mm, highest=True)
    focal = total > 2.0 * _pooled(total, PEAK_WINDOW_MM / pixel_mm, highest=False)
    faintest = max(FAINTEST, VISIBLE_OVER_NOISE * noise)
    # A haze that fades over centimetres ends at half of its summit; a small spot beside a bright
    # lesion is measured by its own.
    stands_out = (total > 0.5 * peak) | (focal & (total > 0.5 * own_peak))
    shown = (total > faintest) & stands_out
    # Where fluid shares the voxel the excess does not reach above white matter: nobody marks it.
    visible = shown & (above_white > 0.3 * peak)
    # Dark cores and weak parts belong to a lesion that fills the slab and is seen elsewhere.
    visible |= (extent > 0.6) & (peak > faintest)
    bits = torch.ones_like(tissue, dtype=torch.int16) << tissue.to(torch.int16)
    lesion_bit, rim_bit = 1 << int(Tissue.LESION), 1 << int(Tissue.CAP_RIM)
    # Too faint to demand, too real to forbid.
    faint = (total > 0.5 * faintest) & (total < faintest) & stands_out
    doubtful = ~visible & (faint | (extent > 0.6))
    bits = torch.where(doubtful, bits | lesion_bit | rim_bit, bits)
    is_lesion = visible & ((lesion >= rim) | (extent > 0.6))
    bits = torch.where(is_lesion, torch.full_like(bits, lesion_bit), bits)
    bits = torch.where(visible & ~is_lesion, torch.full_like(bits, rim_bit), bits)
    fluid = (1 << int(Tissue.CSF)) | (1 << int(Tissue.VENTRICLES))
    return torch.where(cavity & ~visible, bits | fluid | (1 << int(Tissue.WHITE_MATTER)), bits)


def _pooled(volume: Tensor, pixels: float, *, highest: bool) -> Tensor:
    """Highest or mean value in a square window of each slice of (u, v, n)."""
    window, half = 2 * round(pixels / 2) + 1, round(pixels / 2)
    pooled = volume.permute(2, 0, 1)[:, None]
    for kernel, padding in (((window, 1), (half, 0)), ((1, window), (0, half))):
        if highest:
            pooled = torch.nn.functional.max_pool2d(pooled, kernel, stride=1, padding=padding)
        else:
            pooled = torch.nn.functional.avg_pool2d(pooled, kernel, stride=1, padding=padding)
    return pooled[:, 0].permute(1, 2, 0)


def _level(image: Tensor, tissue: Tensor) -> Tensor:
    """Median brightness of brain tissue, as the preparation of real scans estimates it."""
    brain = image[(tissue >= int(Tissue.CORTEX)) & (tissue != int(Tissue.VENTRICLES))]
    if brain.numel() < 2000:
        return torch.ones((), device=image.device)
    return brain[::5].median().clamp(min=1e-3)
