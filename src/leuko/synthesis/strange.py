"""Bright lesions that are no white matter hyperintensities: infarcts and tumours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from leuko.synthesis.geometry import Slab, slab_noise
from leuko.synthesis.heads import Kind

__all__ = ["Strange", "draw_strange", "paint_strange"]


@dataclass(frozen=True, slots=True)
class Strange:
    """A bright lesion that is no white matter hyperintensity: an infarct or a tumour.

    It takes in cortex and white matter alike; `core` is the brightness of its middle, which may
    be that of fluid.
    """

    radius_mm: float
    contrast: float
    core: float
    waver: float


def draw_strange(rng: np.random.Generator) -> Strange:
    """Draw an infarct or a tumour, of fluid inside or not."""
    fluid = rng.random() < 0.4
    return Strange(
        radius_mm=float(rng.uniform(9.0, 32.0)),
        contrast=float(rng.uniform(0.3, 1.2)),
        core=float(rng.uniform(-0.9, -0.4) if fluid else rng.uniform(-0.2, 1.4)),
        waver=float(rng.uniform(0.15, 0.5)),
    )


def paint_strange(
    strange: Strange, slab: Slab, rng: np.random.Generator, generator: torch.Generator
) -> Tensor:
    """From 0 outside to 1 in the middle of a wavering ball of brain; half is its border."""
    cerebrum = (slab.kinds == int(Kind.CORTEX)) | (slab.kinds == int(Kind.WHITE_MATTER))
    places = torch.nonzero(cerebrum.reshape(-1))[:, 0]
    if places.numel() == 0:
        return torch.zeros_like(slab.to_ventricles)
    centre = np.unravel_index(int(places[int(rng.integers(places.numel()))]), slab.shape.voxels)
    squared = torch.zeros((), device=slab.kinds.device)
    for axis, (middle, step) in enumerate(zip(centre, slab.shape.spacing, strict=True)):
        offset = torch.arange(slab.shape.voxels[axis], device=slab.kinds.device) - int(middle)
        view = [1, 1, 1]
        view[axis] = -1
        squared = squared + ((offset * step) ** 2).reshape(view)
    radius = strange.radius_mm
    reach = radius * (
        1 + strange.waver * slab_noise(slab, grain_mm=12.0, generator=generator)
    ).clamp(min=0.3)
    inside = torch.sigmoid((reach - squared.sqrt()) / (0.12 * radius))
    fluid = (slab.kinds == int(Kind.CSF)) | (slab.kinds == int(Kind.VENTRICLES))
    return inside * (slab.to_brain <= 0.5) * ~fluid
