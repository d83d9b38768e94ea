"""Changes of a real crop: what is drawn at random, and how it is applied.

Drawing is apart from applying, so that randomness is in one place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from leuko.training.recipe import Augmentation

__all__ = ["Intensity", "Pose", "apply_intensity", "draw_intensity", "draw_pose", "place"]

BIAS_KNOTS = 4


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a crop lies in a slice: centre in pixels, rotation in radians, scale, mirrored axis."""

    centre: tuple[float, float]
    rotation: float
    scale: float
    mirrored: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Intensity:
    """How a crop's intensities change; `seed` draws the noise."""

    gamma: float
    contrast: float
    level: float
    bias: Tensor  # log gain at BIAS_KNOTS x BIAS_KNOTS points
    noise: float
    blur_px: float
    coarsening: float
    offset: float
    seed: int


def draw_pose(
    random: np.random.Generator,
    plan: Augmentation,
    *,
    centre: tuple[float, float],
    left_right: int | None,
) -> Pose:
    """A random pose around `centre`; `left_right` is the axis that may be mirrored, if any."""
    mirrored = left_right if left_right is not None and random.random() < plan.flip else None
    return Pose(
        centre=centre,
        rotation=math.radians(plan.rotation_deg) * random.uniform(-1.0, 1.0),
        scale=1.0 + plan.scale * random.uniform(-1.0, 1.0),
        mirrored=mirrored,
    )


def draw_intensity(random: np.random.Generator, plan: Augmentation) -> Intensity:
    """A random change of intensities; blur and coarser resolution strike a part of the crops."""
    return Intensity(
        gamma=math.exp(plan.gamma * random.normal()),
        contrast=math.exp(plan.contrast * random.normal()),
        level=math.exp(plan.level * random.normal()),
        bias=torch.from_numpy(
            plan.bias * random.random() * random.normal(size=(BIAS_KNOTS, BIAS_KNOTS))
        ).float(),
        noise=plan.noise * random.random() ** 2,
        blur_px=plan.blur_px * random.random() if random.random() < 0.4 else 0.0,
        coarsening=1.0 + (plan.coarsening * random.random() if random.random() < 0.3 else 0.0),
        offset=plan.offset * random.random() if random.random() < 0.15 else 0.0,
        seed=int(random.integers(2**62)),
    )


def place(stack: Tensor, pose: Pose, *, shape: tuple[int, int], kernel: str) -> Tensor:
    """Crop (C, *shape) of `stack` (C, H, W), 0 outside; kernel: 'bilinear' or 'bicubic'."""
    height, width = stack.shape[1:]
    rows = torch.arange(shape[0], dtype=torch.float32) - (shape[0] - 1) / 2
    columns = torch.arange(shape[1], dtype=torch.float32) - (shape[1] - 1) / 2
    if pose.mirrored == 0:
        rows = -rows
    elif pose.mirrored == 1:
        columns = -columns
    cosine, sine = math.cos(pose.rotation) / pose.scale, math.sin(pose.rotation) / pose.scale
    row = pose.centre[0] + cosine * rows[:, None] - sine * columns[None, :]
    column = pose.centre[1] + sine * rows[:, None] + cosine * columns[None, :]
    # grid_sample counts (x, y) = (column, row), both from -1 to 1.
    where = torch.stack((2 * column / (width - 1) - 1, 2 * row / (height - 1) - 1), dim=-1)
    return F.grid_sample(stack[None], where[None], mode=kernel, align_corners=True)[0]


def apply_intensity(image: Tensor, change: Intensity) -> Tensor:
    """Change a crop (C, H, W) whose brain level is 1; values stay at or above 0."""
    shape = (image.shape[1], image.shape[2])
    generator = torch.Generator().manual_seed(change.seed)
    image = image.clamp(min=0.0)
    if change.coarsening > 1.0:
        coarse = [max(8, round(size / change.coarsening)) for size in shape]
        image = F.interpolate(image[None], size=coarse, mode="bilinear", antialias=True)
        image = F.interpolate(image, size=shape, mode="bilinear")[0]
    if change.blur_px > 0.2:
        image = _blurred(image, change.blur_px)
    # Gamma and contrast leave the brain level, 1, and air, 0, where they are.
    image = image**change.gamma
    image = torch.where(image > 1.0, (image - 1.0) * change.contrast + 1.0, image)
    gain = F.interpolate(change.bias[None, None], size=shape, mode="bicubic")[0].exp()
    image = image * gain * change.level
    if change.noise > 0.0:
        noise = change.noise * torch.randn((2, *image.shape), generator=generator)
        image = torch.sqrt((image + noise[0]) ** 2 + noise[1] ** 2)
    # What was shifted everywhere is divided by a level that was shifted too.
    return (image.clamp(min=0.0) + change.offset) / (1.0 + change.offset)


def _blurred(image: Tensor, sigma: float) -> Tensor:
    """A Gaussian of `sigma` pixels over both axes of (C, H, W)."""
    radius = max(1, math.ceil(2.5 * sigma))
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    image = F.pad(image[None], (radius, radius, radius, radius), mode="replicate")
    image = image.transpose(0, 1)
    image = F.conv2d(image, kernel.view(1, 1, 1, -1))
    return F.conv2d(image, kernel.view(1, 1, -1, 1)).transpose(0, 1)[0]
