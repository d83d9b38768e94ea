"""What the scanner does to a head: slices, resolution, bias, noise, ghosts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from leuko.synthesis.fields import blur_matrix, noise_field, resolution_matrix

__all__ = ["Acquisition", "Corruption", "corrupt", "draw_acquisition", "draw_corruption"]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How a slab becomes slices: spacing and thickness across, blur and resolution in plane."""

    spacing_mm: float
    thickness_mm: float
    blur_mm: float
    resolution_mm: tuple[float, float]
    offset: float
    seed: int

    def profile(self, layers: int, *, layer_mm: float, thickness_mm: float | None = None) -> Tensor:
        """Weights (slices, layers) of the slice profile; each row sums to one.

        With `thickness_mm` slices of another thickness at the same places: those of a second scan
        that was brought to this one's slices.
        """
        total = (layers - 1) * layer_mm
        first = self.offset * self.spacing_mm + self.thickness_mm / 2
        count = max(1, int((total - self.thickness_mm - first) // self.spacing_mm) + 1)
        centres = first + torch.arange(count, dtype=torch.float32) * self.spacing_mm
        position = torch.arange(layers, dtype=torch.float32) * layer_mm
        distance = (centres[:, None] - position[None, :]).abs()
        # A box of the slice's thickness with soft edges: real profiles are never sharp.
        thickness = self.thickness_mm if thickness_mm is None else thickness_mm
        edge = max(0.35 * layer_mm, 0.12 * thickness)
        weights = torch.sigmoid((thickness / 2 - distance) / edge)
        return weights / weights.sum(1, keepdim=True)

    def in_plane(self, pixels: int, *, pixel_mm: float, which: int) -> Tensor:
        """Blur and limited resolution along one in-plane axis: a matrix (pixels, pixels)."""
        blur = blur_matrix(pixels, sigma=self.blur_mm / pixel_mm)
        factor = self.resolution_mm[which] / pixel_mm
        return resolution_matrix(pixels, factor=factor, offset=self.offset) @ blur


@dataclass(frozen=True, slots=True)
class Corruption:
    """What spoils the picture after sampling; zero everywhere is a clean scan."""

    bias: float
    broad_bias: float
    noise: float
    grain: float  # of the noise, in pixels
    ghost: float  # negative where the ghost is in antiphase
    ghost_shift: float
    wrap: float  # brightness of what folds in from beyond the field of view
    motion: float  # share of the lines of k-space that were acquired after the head had moved
    motion_px: float  # how far it moved
    motion_deg: float
    slice_jitter: float
    sharpen: float
    gamma: float
    offset: float  # added everywhere, as files have it that were shifted to be positive
    seed: int


def draw_acquisition(rng: np.random.Generator) -> Acquisition:
    """Two scans of five are thin, the others 2 to 8.5 mm with gaps."""
    kind = rng.choice(["thin", "two", "thick"], p=[0.36, 0.1, 0.54])
    if kind == "thin":
        spacing, thickness = 1.0, float(rng.uniform(0.9, 1.5))
        resolution = float(rng.choice([0.8, rng.uniform(0.8, 1.3)]))
    elif kind == "two":
        spacing, thickness = 2.0, float(rng.uniform(1.8, 3.0))
        resolution = float(rng.uniform(0.9, 2.0))
    else:
        spacing = float(rng.uniform(2.5, 8.5))
        thickness = spacing * float(rng.uniform(0.7, 1.0))
        resolution = float(rng.choice([0.8, rng.uniform(0.8, 1.2), rng.uniform(1.0, 2.0)]))
    return Acquisition(
        spacing_mm=spacing,
        thickness_mm=thickness,
        blur_mm=float(rng.uniform(0.35, 0.85)),
        resolution_mm=(resolution, resolution * float(rng.choice([1.0, rng.uniform(1.0, 1.4)]))),
        offset=float(rng.random()),
        seed=int(rng.integers(2**31)),
    )


def draw_corruption(rng: np.random.Generator) -> Corruption:
    """Draw bias, noise and the rest; most scans are decent, some are poor."""
    return Corruption(
        bias=float(rng.uniform(0.0, 0.2)),
        broad_bias=float(rng.choice([0.0, rng.uniform(0.0, 0.35)])),
        noise=float(np.exp(rng.uniform(np.log(0.008), np.log(0.12)))),
        grain=float(rng.choice([0.0, rng.uniform(0.3, 1.0)])),
        ghost=float(rng.choice([0.0, rng.choice([-1, 1]) * rng.uniform(0.01, 0.12)], p=[0.7, 0.3])),
        ghost_shift=float(rng.choice([0.5, rng.uniform(0.1, 0.6)])),
        wrap=float(rng.choice([0.0, rng.uniform(0.1, 0.8)], p=[0.95, 0.05])),
        motion=float(rng.choice([0.0, rng.uniform(0.08, 0.45)], p=[0.75, 0.25])),
        motion_px=float(rng.normal(0.0, 1.6)),
        motion_deg=float(rng.normal(0.0, 1.2)),
        slice_jitter=float(rng.choice([0.0, rng.uniform(0.0, 0.05)])),
        sharpen=float(rng.choice([0.0, rng.uniform(0.1, 0.9)], p=[0.6, 0.4])),
        gamma=float(np.exp(rng.normal(0, 0.12))),
        offset=float(rng.choice([0.0, rng.uniform(0.0, 0.3)], p=[0.87, 0.13])),
        seed=int(rng.integers(2**31)),
    )


def corrupt(slices: Tensor, *, corruption: Corruption, knots: tuple[float, float, float]) -> Tensor:
    """Spoil slices (u, v, n); brightness is relative to white matter = 1, background stays near 0.

    Noise is Rician where the background is signal-free, as in magnitude images.
    """
    generator = torch.Generator().manual_seed(corruption.seed)
    shape = (slices.shape[0], slices.shape[1], slices.shape[2])
    device = slices.device
    bias = corruption.bias * noise_field(shape, knots=knots, generator=generator, device=device)
    if corruption.broad_bias:
        far = (2.5 * knots[0], 2.5 * knots[1], 2.5 * knots[2])
        bias += corruption.broad_bias * noise_field(
            shape, knots=far, generator=generator, device=device
        )
    out = slices * torch.exp(bias)
    if corruption.slice_jitter:
        jitter = torch.randn(shape[2], generator=generator).to(device)
        out = out * (1 + corruption.slice_jitter * jitter)
    if corruption.ghost:
        shift = int(corruption.ghost_shift * shape[1])
        out = (out + corruption.ghost * torch.roll(out, shift, dims=1)).abs()
    if corruption.wrap:
        out = out + corruption.wrap * _folded(out)
    if corruption.motion:
        out = _moved(out, corruption)
    if corruption.sharpen:
        smooth_u = blur_matrix(shape[0], sigma=1.2).to(device)
        smooth_v = blur_matrix(shape[1], sigma=1.2).to(device)
        smooth = torch.einsum("ab,bcn,dc->adn", smooth_u, out, smooth_v)
        out = (out + corruption.sharpen * (out - smooth)).clamp(min=0)
    if corruption.gamma != 1.0:
        out = out.clamp(min=0) ** corruption.gamma
    real, imaginary = (_noise(shape, corruption, generator).to(device) for _ in range(2))
    return torch.sqrt((out + real) ** 2 + imaginary**2) + corruption.offset


def _noise(
    shape: tuple[int, int, int], corruption: Corruption, generator: torch.Generator
) -> Tensor:
    """White noise, or noise that filters or interpolation of the scanner left with a grain."""
    noise = torch.randn(shape, generator=generator)
    if corruption.grain:
        along_u, along_v = (blur_matrix(n, sigma=corruption.grain) for n in shape[:2])
        noise = torch.einsum("ab,bcn,dc->adn", along_u, noise, along_v)
        noise = noise / noise.std().clamp(min=1e-6)
    return corruption.noise * noise


def _folded(slices: Tensor) -> Tensor:
    """The outer fifth at either end of the second axis, at the opposite end."""
    edge = slices.shape[1] // 5
    folded = torch.zeros_like(slices)
    folded[:, :edge] = slices[:, -edge:]
    folded[:, -edge:] = slices[:, :edge]
    return folded


def _moved(slices: Tensor, corruption: Corruption) -> Tensor:
    """Slices (u, v, n) of a head that moved while the last lines of k-space were acquired.

    Lines run along v; the middle of k-space decides where the head is, so the truth stays.
    """
    turn = np.deg2rad(corruption.motion_deg)
    cosine, sine = float(np.cos(turn)), float(np.sin(turn))
    rows, columns = slices.shape[0], slices.shape[1]
    shift = [2.0 * corruption.motion_px / size for size in (columns, rows)]
    matrix = [
        [cosine, -sine * rows / columns, shift[0]],
        [sine * columns / rows, cosine, shift[1]],
    ]
    stack = slices.permute(2, 0, 1)[None]
    grid = torch.nn.functional.affine_grid(
        torch.tensor([matrix], device=slices.device), list(stack.shape), align_corners=False
    )
    elsewhere = torch.nn.functional.grid_sample(stack, grid, align_corners=False)
    frequency = torch.fft.fftfreq(columns, device=slices.device)
    late = (frequency > 0.5 * (1.0 - 2.0 * corruption.motion))[None, None]
    spectrum = torch.where(late, torch.fft.fft(elsewhere[0], dim=2), torch.fft.fft(stack[0], dim=2))
    moved: Tensor = torch.fft.ifft(spectrum, dim=2).abs()
    return moved.permute(1, 2, 0).contiguous()
