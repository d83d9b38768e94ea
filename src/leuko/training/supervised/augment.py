"""Changes of training images, 2D and 3D: drawn from a plan, then applied.

Drawing is apart from applying, so that randomness is in one place and a change can be replayed.
In space, all parts are one resampling: linear (or cubic) for images, nearest for labels. What
comes from outside the crop repeats its border, in image and label alike.

Intensities: gamma acts on the channel's range in the crop, (x - min) / (max - min), and leaves
both ends where they are; so it does the same to z-scores, which are negative in part, as to values
from 0 to 1. The bias field and Rician noise count from the minimum, contrast from the mean;
brightness and noise are in standard deviations. Values may leave the range they had.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from leuko.errors import UsageError
from leuko.synthesis.fields import blur_matrix, spline_matrix
from leuko.training.supervised.augment_plan import NONE, AugmentPlan, Box, Change, draw

__all__ = ["NONE", "AugmentPlan", "Box", "Change", "apply", "draw"]

SHIFT_KNOTS = 6  # control points of a smooth shift lie this share of the crop apart
BIAS_KNOTS = 3


@torch.no_grad()
def apply(image: Tensor, label: Tensor | None, change: Change) -> tuple[Tensor, Tensor | None]:
    """The changed image (C, *spatial), float32, and label (*spatial), any integer type.

    Labels keep their type and have no value that was not there; the inputs are left as they are.
    UsageError where the image has other dimensions than the change.
    """
    if image.ndim != change.dims + 1 or (label is not None and label.shape != image.shape[1:]):
        raise UsageError(
            f"A change for {change.dims}D does not suit an image {tuple(image.shape)}"
            + ("." if label is None else f" with a label {tuple(label.shape)}."),
            hint="Images are (C, *spatial), labels (*spatial).",
        )
    shifts, bias, noise = np.random.default_rng(change.seed).spawn(3)
    if change.mirrored:
        image = image.flip([axis + 1 for axis in change.mirrored])
        label = None if label is None else label.flip(list(change.mirrored))
    if change.matrix is not None or change.elastic:
        image, label = _moved(image, label, change, random=shifts)
    image = _coarser(image, change)
    image = _intensity(image, change, random=bias)
    image = _noisy(image, change, random=noise)
    return _cut(image, change.boxes), label


def _moved(
    image: Tensor, label: Tensor | None, change: Change, *, random: np.random.Generator
) -> tuple[Tensor, Tensor | None]:
    """Image and label resampled where `_where` says."""
    where = _where(image.shape[1:], change, random=random)[None]
    mode = "bicubic" if change.interpolation == "cubic" else "bilinear"
    moved = F.grid_sample(image[None], where, mode=mode, padding_mode="border", align_corners=True)[
        0
    ]
    if label is None:
        return moved, None
    # float32 holds every int16 exactly, and nearest computes nothing.
    values = label[None, None].to(torch.float32)
    nearest = F.grid_sample(
        values, where, mode="nearest", padding_mode="border", align_corners=True
    )
    return moved, nearest[0, 0].to(label.dtype)


def _where(shape: torch.Size, change: Change, *, random: np.random.Generator) -> Tensor:
    """The source of every voxel, (*spatial, dims), as grid_sample has it: -1..1, last first."""
    dims = change.dims
    matrix = change.matrix or tuple(tuple(float(a == b) for b in range(dims)) for a in range(dims))
    offsets = [
        (torch.arange(n, dtype=torch.float32) - (n - 1) / 2).view(
            [-1 if axis == other else 1 for other in range(dims)]
        )
        for axis, n in enumerate(shape)
    ]
    where = torch.empty((*shape, dims))
    for axis, n in enumerate(shape):
        half = max(n - 1, 1) / 2
        source = where[..., dims - 1 - axis]
        source.copy_(offsets[0] * (matrix[axis][0] / half))
        for other in range(1, dims):
            source += offsets[other] * (matrix[axis][other] / half)
        if change.elastic:
            field = _smooth(shape, knots=SHIFT_KNOTS, random=random)
            source.add_(field, alpha=change.elastic[axis] / half)
    return where


def _smooth(shape: torch.Size, *, knots: int, random: np.random.Generator) -> Tensor:
    """A smooth field of about zero mean and unit variance, `knots` pieces along each axis."""
    matrices = [spline_matrix(n, knots=max(n, 2) / knots) for n in shape]
    matrices = [m / m.pow(2).sum(1, keepdim=True).sqrt() for m in matrices]
    controls = random.standard_normal([m.shape[1] for m in matrices], dtype=np.float32)
    return _along_axes(matrices, torch.from_numpy(controls)[None])[0]


def _along_axes(matrices: list[Tensor], values: Tensor) -> Tensor:
    """Apply one matrix (out, in) along each spatial axis of (C, *spatial)."""
    for axis, matrix in enumerate(matrices, start=1):
        values = torch.tensordot(values, matrix, dims=([axis], [1])).movedim(-1, axis)
    return values.contiguous()


def _coarser(image: Tensor, change: Change) -> Tensor:
    """Blurred, and sampled at larger voxels and back."""
    if not change.blur and not change.coarsening:
        return image
    matrices = [torch.eye(n) for n in image.shape[1:]]
    if change.blur:
        matrices = [
            blur_matrix(n, sigma=s) for n, s in zip(image.shape[1:], change.blur, strict=True)
        ]
    if change.coarsening:
        matrices = [
            _coarse_matrix(n, factor=f) @ m
            for n, f, m in zip(image.shape[1:], change.coarsening, matrices, strict=True)
        ]
    return _along_axes(matrices, image)


def _coarse_matrix(count: int, *, factor: float) -> Tensor:
    """Means over voxels `factor` as large, and linear interpolation back, (count, count)."""
    if factor == 1.0:
        return torch.eye(count)
    samples = max(2, round(count / factor))
    index = torch.arange(count, dtype=torch.float32)
    centres = (torch.arange(samples) - (samples - 1) / 2) * factor + (count - 1) / 2
    distance = (centres[:, None] - index[None, :]).abs()
    down = (0.5 + factor / 2 - distance).clamp(0.0, 1.0)
    up = (1.0 - distance.T / factor).clamp(min=0.0)
    return (up / up.sum(1, keepdim=True)) @ (down / down.sum(1, keepdim=True))


def _intensity(image: Tensor, change: Change, *, random: np.random.Generator) -> Tensor:
    """Gamma, contrast, brightness and the bias field, channel by channel the same change."""
    axes = list(range(1, image.ndim))
    if change.gamma != 1.0:
        low, high = image.amin(axes, keepdim=True), image.amax(axes, keepdim=True)
        span = (high - low).clamp(min=1e-12)
        image = ((image - low) / span).clamp(0.0, 1.0) ** change.gamma * span + low
    if change.contrast != 1.0 or change.brightness:
        spread, mean = torch.std_mean(image, axes, correction=0, keepdim=True)
        image = image * change.contrast + (
            mean * (1.0 - change.contrast) + change.brightness * spread
        )
    if change.bias:
        low = image.amin(axes, keepdim=True)
        gain = (change.bias * _smooth(image.shape[1:], knots=BIAS_KNOTS, random=random)).exp_()
        image = (image - low) * gain + low
    return image


def _noisy(image: Tensor, change: Change, *, random: np.random.Generator) -> Tensor:
    """Gaussian or Rician noise, independent in every voxel and channel."""
    if not change.noise:
        return image
    axes = list(range(1, image.ndim))
    level = change.noise * image.std(axes, correction=0, keepdim=True)

    def drawn() -> Tensor:
        return torch.from_numpy(random.standard_normal(tuple(image.shape), dtype=np.float32))

    if not change.rician:
        return image + level * drawn()
    low = image.amin(axes, keepdim=True)
    return torch.hypot(image - low + level * drawn(), level * drawn()) + low


def _cut(image: Tensor, boxes: tuple[Box, ...]) -> Tensor:
    """Boxes filled with the channel's mean; labels stay, so that context has to do."""
    if not boxes:
        return image
    image = image.clone()
    fill = image.mean(list(range(1, image.ndim)), keepdim=True)
    for box in boxes:
        inside = [slice(None)]
        for n, low, side in zip(image.shape[1:], box.low, box.side, strict=True):
            start = round(low * n)
            inside.append(slice(start, start + max(1, round(side * n))))
        image[tuple(inside)] = fill
    return image
