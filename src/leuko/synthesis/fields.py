"""Smooth random fields on a voxel grid, built from cubic B-splines by matrix products."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = [
    "apply_separable",
    "blur_matrix",
    "noise_field",
    "resolution_matrix",
    "shift_matrix",
    "spline_matrix",
]


def spline_matrix(count: int, *, knots: float, offset: float = 0.0) -> Tensor:
    """Weights (count, control points) of cubic B-splines with `knots` voxels between controls.

    `offset` in 0..1 shifts the controls by that share of a knot, so that their lattice does not
    always lie at the same place.
    """
    controls = math.ceil((count - 1) / knots + offset) + 4
    position = torch.arange(count, dtype=torch.float32) / knots + offset + 1.0
    distance = (position[:, None] - torch.arange(controls, dtype=torch.float32)[None, :]).abs()
    near = 2.0 / 3.0 - distance**2 + distance**3 / 2.0
    far = (2.0 - distance).clamp(min=0.0) ** 3 / 6.0
    return torch.where(distance < 1.0, near, far)


def apply_separable(matrices: tuple[Tensor, Tensor, Tensor], values: Tensor) -> Tensor:
    """Apply one matrix (out, in) along each axis of `values` (a, b, c), the last axis first."""
    first, second, third = matrices
    values = values @ third.T
    values = torch.matmul(second, values)
    return (first @ values.reshape(values.shape[0], -1)).reshape(
        first.shape[0], second.shape[0], third.shape[0]
    )


def noise_field(
    shape: tuple[int, int, int],
    *,
    knots: tuple[float, float, float],
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Tensor:
    """A smooth field of about zero mean and unit variance; `knots` is its grain in voxels."""
    offsets = torch.rand(3, generator=generator).tolist()
    matrices = [
        spline_matrix(n, knots=k, offset=o) for n, k, o in zip(shape, knots, offsets, strict=True)
    ]
    controls = torch.randn([m.shape[1] for m in matrices], generator=generator)
    # A B-spline of white noise has the variance sum(w^2) along each axis: make it one.
    matrices = [m / m.pow(2).sum(1, keepdim=True).sqrt() for m in matrices]
    first, second, third = (m.to(device) for m in matrices)
    return apply_separable((first, second, third), controls.to(device))


def blur_matrix(count: int, *, sigma: float) -> Tensor:
    """Gaussian blur (count, count) with `sigma` in voxels; rows sum to one, at the border too."""
    if sigma < 0.05:
        return torch.eye(count)
    index = torch.arange(count, dtype=torch.float32)
    weights = torch.exp(-0.5 * ((index[:, None] - index[None, :]) / sigma) ** 2)
    return weights / weights.sum(1, keepdim=True)


def resolution_matrix(count: int, *, factor: float, offset: float) -> Tensor:
    """Sampling at `factor` voxels (box averages) and linear interpolation back: (count, count)."""
    if factor <= 1.02:
        return torch.eye(count)
    samples = max(2, round(count / factor) + 1)
    index = torch.arange(count, dtype=torch.float32)
    centres = (torch.arange(samples, dtype=torch.float32) - offset) * factor
    down = (0.5 + factor / 2 - (centres[:, None] - index[None, :]).abs()).clamp(0.0, 1.0)
    down = down / down.sum(1, keepdim=True).clamp(min=1e-6)
    up = (1.0 - (index[:, None] - centres[None, :]).abs() / factor).clamp(min=0.0)
    up = up / up.sum(1, keepdim=True).clamp(min=1e-6)
    return up @ down


def shift_matrix(count: int, *, by: float) -> Tensor:
    """Linear interpolation at positions moved by `by` voxels: (count, count); ends are repeated."""
    position = (torch.arange(count, dtype=torch.float32) + by).clamp(0, count - 1)
    index = torch.arange(count, dtype=torch.float32)
    return (1.0 - (position[:, None] - index[None, :]).abs()).clamp(min=0.0)
