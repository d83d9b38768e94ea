"""White matter hyperintensities of every shape, drawn into a slab as excess signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from leuko.synthesis.geometry import Slab, slab_noise
from leuko.synthesis.heads import Kind
from leuko.synthesis.strange import Strange, draw_strange, paint_strange

__all__ = ["Excess", "Foci", "LesionPlan", "Noisy", "draw_lesions", "paint_lesions"]


@dataclass(frozen=True, slots=True)
class Noisy:
    """Lesions of any shape: smooth noise of a few grains, thresholded at a quantile of a region."""

    grains_mm: tuple[float, ...]
    weights: tuple[float, ...]
    share: float  # of the region that becomes lesion
    softness: float  # of the edge, in units of the noise
    everywhere: bool  # brainstem, cerebellum and thalamus too
    periventricular: float  # pull towards the ventricles


@dataclass(frozen=True, slots=True)
class Foci:
    """Round to oval spots; `where` is 'white', 'juxtacortical', 'periventricular' or 'deep'."""

    count: int
    radius_mm: tuple[float, float]
    where: str


@dataclass(frozen=True, slots=True)
class LesionPlan:
    """What will be drawn: amounts are relative to the brightness of white matter."""

    contrast: float
    contrast_variation: float
    dark_cores: float
    noisy: tuple[Noisy, ...]
    foci: tuple[Foci, ...]
    band_mm: float  # periventricular lesion bands; 0 for none
    rim_mm: float  # normal periventricular rim; 0 for none
    cap_mm: float  # normal caps at the horns
    rim_contrast: float
    halo: float  # faint, unlabelled brightness around the ventricles, mostly behind them
    halo_mm: float  # how far it reaches
    radiation: float  # faint, unlabelled brightness behind the ventricles: the optic radiation
    radiation_edge_mm: float  # over how much it fades
    deep_haze: float  # faint, unlabelled brightness of white matter far from the cortex
    tract: float  # brightness of the corticospinal tract, unlabelled
    septum: float  # brightness between the lateral ventricles, unlabelled
    cavities: int
    strange: Strange | None
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Excess:
    """What lesions add to a slab; all fields have its shape.

    `lesion`, `rim` and `unlabelled` are excess signal (white matter = 1); `extent`, `cavity` and
    `strange` (infarcts, tumours: their excess is part of `unlabelled`) run from 0 to 1.
    """

    lesion: Tensor
    rim: Tensor
    extent: Tensor
    cavity: Tensor
    unlabelled: Tensor
    strange: Tensor


def draw_lesions(rng: np.random.Generator) -> LesionPlan:
    """Draw the plan of a head: none in one head of five, else from a few foci to confluent."""
    load = rng.choice(["none", "few", "some", "many"], p=[0.2, 0.26, 0.32, 0.22])
    noisy: list[Noisy] = []
    foci: list[Foci] = []
    band = 0.0
    if load != "none":
        top = {"few": 2, "some": 3, "many": 3}[str(load)]
        for _ in range(int(rng.integers(0, top))):
            grains = tuple(np.exp(rng.uniform(np.log(2.5), np.log(22.0), 3)))
            limit = {"few": 0.012, "some": 0.06, "many": 0.22}[str(load)]
            noisy.append(
                Noisy(
                    grains_mm=grains,
                    weights=tuple(rng.dirichlet([1.0, 1.0, 1.0]) + 0.02),
                    share=float(np.exp(rng.uniform(np.log(0.001), np.log(limit)))),
                    softness=float(np.exp(rng.uniform(np.log(0.025), np.log(0.45)))),
                    everywhere=bool(rng.random() < 0.3),
                    periventricular=float(rng.uniform(0.5, 2.5) * rng.integers(2)),
                )
            )
        for where, chance in (
            ("white", 0.7),
            ("juxtacortical", 0.4),
            ("periventricular", 0.5),
            ("everywhere", 0.15),
        ):
            if rng.random() < chance:
                most = {"few": 6, "some": 22, "many": 45}[str(load)]
                low = float(np.exp(rng.uniform(np.log(0.8), np.log(2.2))))
                foci.append(
                    Foci(
                        int(rng.integers(1, most)),
                        (low, low * float(rng.uniform(1.2, 3.5))),
                        where,
                    )
                )
        if rng.random() < 0.35:  # specks at the limit of what a scan resolves
            most = {"few": 8, "some": 25, "many": 50}[str(load)]
            foci.append(Foci(int(rng.integers(1, most)), (0.7, 1.7), "white"))
        if not noisy and not foci:
            foci.append(Foci(6, (1.2, 4.0), "white"))
        if load == "many" and rng.random() < 0.6:
            band = float(rng.uniform(3.0, 14.0))
        elif load == "some" and rng.random() < 0.25:
            band = float(rng.uniform(2.0, 7.0))
    contrast = float(np.exp(rng.uniform(np.log(0.24), np.log(1.0))))
    return LesionPlan(
        contrast=contrast,
        contrast_variation=float(rng.uniform(0.05, 0.4)),
        dark_cores=float(rng.choice([0.0, rng.uniform(0.3, 1.2)], p=[0.8, 0.2])),
        noisy=tuple(noisy),
        foci=tuple(foci),
        band_mm=band,
        rim_mm=float(rng.choice([0.0, rng.uniform(0.5, 2.6)], p=[0.2, 0.8])),
        cap_mm=float(rng.choice([0.0, rng.uniform(1.0, 6.0)], p=[0.25, 0.75])),
        rim_contrast=float(contrast * rng.uniform(0.5, 1.05))
        if rng.random() < 0.6
        else float(rng.uniform(0.12, 0.6)),
        halo=float(rng.choice([0.0, rng.uniform(0.03, 0.26)], p=[0.3, 0.7])),
        halo_mm=float(rng.uniform(4.0, 14.0)),
        radiation=float(rng.choice([0.0, rng.uniform(0.03, 0.2)], p=[0.6, 0.4])),
        radiation_edge_mm=float(rng.uniform(1.5, 4.0)),
        deep_haze=float(rng.choice([0.0, rng.uniform(0.03, 0.2)], p=[0.35, 0.65])),
        tract=float(rng.choice([0.0, rng.uniform(0.03, 0.32)], p=[0.35, 0.65])),
        septum=float(rng.choice([0.0, rng.uniform(0.1, 0.7)], p=[0.3, 0.7])),
        cavities=int(rng.choice([0, int(rng.integers(1, 4))], p=[0.75, 0.25])),
        strange=draw_strange(rng) if rng.random() < 0.04 else None,
        seed=int(rng.integers(2**31)),
    )


def paint_lesions(plan: LesionPlan, *, slab: Slab) -> Excess:
    """Apply a plan to a slab; the same plan and slab give the same lesions."""
    rng = np.random.default_rng(plan.seed)
    generator = torch.Generator().manual_seed(plan.seed)
    white = slab.kinds == int(Kind.WHITE_MATTER)
    nothing = torch.zeros_like(slab.to_ventricles)
    periventricular_noise = slab_noise(slab, grain_mm=9.0, generator=generator)
    extent = nothing.clone()
    for noisy in plan.noisy:
        extent = torch.maximum(extent, _from_noise(noisy, slab, white, generator))
    for foci in plan.foci:
        _add_foci(extent, foci, slab, white, rng)
    if plan.band_mm:
        reach = plan.band_mm * (0.55 + 0.45 * periventricular_noise)
        band = torch.sigmoid((reach - slab.to_ventricles) / 0.7)
        extent = torch.maximum(extent, band * white)
    rim = _rims(plan, slab, white, periventricular_noise)
    modulation = (
        1 + plan.contrast_variation * slab_noise(slab, grain_mm=12.0, generator=generator)
    ).clamp(0.35, 1.8)
    lesion = extent * modulation * plan.contrast
    if plan.dark_cores:
        lesion = lesion - plan.dark_cores * plan.contrast * (
            (extent - 0.8).clamp(min=0)
            * 5
            * (slab_noise(slab, grain_mm=5.0, generator=generator) > 0.9)
        )
    rim = rim * plan.rim_contrast * (1 - extent).clamp(min=0)
    unlabelled = nothing.clone()
    if plan.halo:
        # Healthy white matter is brighter around the trigones: late-myelinated tracts run there.
        behind = torch.sigmoid((0.45 - slab.along) / 0.12)
        reach = torch.exp(-slab.to_ventricles / plan.halo_mm)
        unlabelled += plan.halo * (0.25 + 0.75 * behind) * reach * white
    if plan.deep_haze:
        patches = (1 + 0.3 * slab_noise(slab, grain_mm=20.0, generator=generator)).clamp(min=0)
        unlabelled += plan.deep_haze * patches * torch.sigmoid((slab.to_cortex - 6.0) / 1.5) * white
    if plan.radiation:
        unlabelled += plan.radiation * _optic_radiation(plan, slab, generator) * white
    if plan.tract:
        unlabelled += (
            plan.tract
            * slab.tract
            * (1 + 0.4 * slab_noise(slab, grain_mm=8.0, generator=generator)).clamp(min=0)
        )
    if plan.septum:
        unlabelled += plan.septum * slab.septum
    strange = nothing.clone()
    if plan.strange is not None:
        strange = paint_strange(plan.strange, slab, rng, generator)
        core = ((strange - 0.9) * 10).clamp(min=0, max=1)
        signal = plan.strange.contrast + (plan.strange.core - plan.strange.contrast) * core
        grain = (1 + 0.25 * slab_noise(slab, grain_mm=4.0, generator=generator)).clamp(min=0)
        unlabelled += signal * grain * (strange * 2).clamp(max=1)
        lesion, rim = lesion * (1 - strange).clamp(min=0), rim * (1 - strange).clamp(min=0)
        extent = extent * (strange < 0.5)
    cavity = nothing.clone()
    if plan.cavities:
        _add_foci(cavity, Foci(plan.cavities, (1.0, 5.0), "everywhere"), slab, white, rng)
        ring = (cavity > 0.05) & (cavity < 0.5) & white
        lesion = torch.where(ring & (cavity > 0.2), lesion.clamp(min=plan.contrast * 0.5), lesion)
    return Excess(lesion, rim, extent, (cavity > 0.5).float(), unlabelled, strange)


def _region(slab: Slab, white: Tensor, everywhere: bool) -> Tensor:
    if not everywhere:
        return white
    region = white.clone()
    for kind in (Kind.BRAINSTEM, Kind.CEREBELLAR_WHITE, Kind.THALAMUS, Kind.PUTAMEN):
        region |= slab.kinds == int(kind)
    return region


def _from_noise(noisy: Noisy, slab: Slab, white: Tensor, generator: torch.Generator) -> Tensor:
    total = torch.zeros_like(slab.to_ventricles)
    for grain, weight in zip(noisy.grains_mm, noisy.weights, strict=True):
        total += weight * slab_noise(slab, grain_mm=grain, generator=generator)
    total /= float(np.linalg.norm(noisy.weights))
    if noisy.periventricular:
        total += noisy.periventricular * torch.exp(-slab.to_ventricles / 8.0)
    region = _region(slab, white, noisy.everywhere)
    inside = total[region]
    if inside.numel() < 50:
        return torch.zeros_like(total)
    # A quantile of every seventh voxel is exact enough and far cheaper than a full sort.
    sample = inside[::7]
    rank = min(sample.numel(), max(1, round((1 - noisy.share) * sample.numel())))
    threshold = sample.kthvalue(rank).values
    return torch.sigmoid((total - threshold) / noisy.softness) * region


def _add_foci(
    extent: Tensor, foci: Foci, slab: Slab, white: Tensor, rng: np.random.Generator
) -> None:
    """Paint soft ellipsoids into `extent` in place, within white matter."""
    region = _region(slab, white, foci.where == "everywhere")
    if foci.where == "juxtacortical":
        candidates = region & (slab.to_cortex < 3.0)
    elif foci.where == "periventricular":
        candidates = region & (slab.to_ventricles < 8.0)
    else:
        candidates = region
    places = torch.nonzero(candidates.reshape(-1))[:, 0]
    if places.numel() == 0:
        return
    spacing = slab.shape.spacing
    shape = slab.shape.voxels
    for _ in range(foci.count):
        place = int(places[int(rng.integers(places.numel()))])
        centre = np.unravel_index(place, shape)
        radius = float(np.exp(rng.uniform(*np.log(foci.radius_mm))))
        radii = radius * np.exp(rng.normal(0, 0.3, 3))
        sharpness = float(rng.uniform(2.0, 8.0))
        window = []
        squared = torch.zeros((), device=extent.device)
        for axis in range(3):
            reach = int(np.ceil(radii[axis] * 1.8 / spacing[axis])) + 1
            low, high = (
                max(0, int(centre[axis]) - reach),
                min(shape[axis], int(centre[axis]) + reach + 1),
            )
            window.append(slice(low, high))
            offset = (torch.arange(low, high, device=extent.device) - int(centre[axis])) * (
                spacing[axis] / float(radii[axis])
            )
            view = [1, 1, 1]
            view[axis] = -1
            squared = squared + (offset**2).reshape(view)
        spot = torch.sigmoid((1.0 - squared.sqrt()) * sharpness) * region[tuple(window)]
        extent[tuple(window)] = torch.maximum(extent[tuple(window)], spot)


def _optic_radiation(plan: LesionPlan, slab: Slab, generator: torch.Generator) -> Tensor:
    """From 0 to 1: a layer beside and behind the back of the ventricles, alike on both sides."""
    fade = plan.radiation_edge_mm
    near = 5.0 + 2.0 * slab_noise(slab, grain_mm=30.0, generator=generator)
    behind = torch.sigmoid((0.3 - slab.along) / 0.06)
    layer = torch.sigmoid((slab.to_ventricles - near) / fade)
    layer = layer * torch.sigmoid((near + 12.0 * behind - slab.to_ventricles) / (2.0 * fade))
    return behind * layer * torch.sigmoid((slab.to_cortex - 3.0) / 0.7)


def _rims(plan: LesionPlan, slab: Slab, white: Tensor, noise: Tensor) -> Tensor:
    """Normal periventricular rim, thicker as a cap where the horns end."""
    if not plan.rim_mm and not plan.cap_mm:
        return torch.zeros_like(slab.to_ventricles)
    at_horns = torch.sigmoid(((slab.along - 0.5).abs() - 0.40) / 0.04)
    reach = plan.rim_mm * (1 + 0.35 * noise) + plan.cap_mm * at_horns * (1 + 0.3 * noise)
    rim = torch.sigmoid((reach - slab.to_ventricles) / 0.5)
    return rim * (reach > 0.4) * (slab.to_ventricles < 12.0) * (white & ~slab.septum)
