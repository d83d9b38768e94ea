"""The parts networks are made of: normalised convolutions, residual blocks, upsampling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leuko.errors import UsageError

__all__ = [
    "DoubleConvolution",
    "ResidualBlock",
    "channels_per_level",
    "convolution",
    "normalisation",
    "upsampler",
]

GROUPS = 8


def channels_per_level(width: int, levels: int) -> tuple[int, ...]:
    """Channels from the full resolution down: doubling up to 8 x width, the deepest 10 x width."""
    if width < 1 or levels < 2:
        raise UsageError(
            f"A network needs width >= 1 and levels >= 2, got {width} and {levels}.",
            hint="Usual values are width 16 to 32 and 5 levels.",
        )
    return tuple(width * (2**level if level < 4 else 10) for level in range(levels))


def normalisation(kind: str, channels: int) -> nn.Module:
    """A normalising layer: 'batch', 'instance' or 'group'."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    if kind == "group":
        groups = max(g for g in range(1, GROUPS + 1) if channels % g == 0)
        return nn.GroupNorm(groups, channels)
    raise UsageError(
        f"There is no normalisation '{kind}'.", hint="Choose 'batch', 'instance' or 'group'."
    )


def convolution(
    inputs: int, outputs: int, *, norm: str, size: int = 3, activate: bool = True
) -> nn.Sequential:
    """A convolution of the same size, its normalisation and, unless told not to, a ReLU."""
    layers: list[nn.Module] = [
        # The normalisation's own shift takes the place of a bias.
        nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False),
        normalisation(norm, outputs),
    ]
    if activate:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class DoubleConvolution(nn.Sequential):
    """Two 3x3 convolutions, each with normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, *, norm: str) -> None:
        super().__init__(
            convolution(inputs, outputs, norm=norm), convolution(outputs, outputs, norm=norm)
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (1x1 where the channels change), then a ReLU.

    The ReLU stands after the sum (He et al. 2016, the original form), so that each normalisation
    follows its convolution and folds into it for inference.
    """

    def __init__(self, inputs: int, outputs: int, *, norm: str) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, norm=norm)
        self.second = convolution(outputs, outputs, norm=norm, activate=False)
        self.shortcut = (
            nn.Identity()
            if inputs == outputs
            else convolution(inputs, outputs, norm=norm, size=1, activate=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))


def upsampler(kind: str, inputs: int, outputs: int) -> nn.Module:
    """Twice the height and width: 'transposed' (learned), 'bilinear' or 'nearest'."""
    if kind == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
    if kind not in ("bilinear", "nearest"):
        raise UsageError(
            f"There is no upsampling '{kind}'.",
            hint="Choose 'transposed', 'bilinear' or 'nearest'.",
        )
    # The 1x1 convolution comes first: it is linear too, and costs a quarter at the lower size.
    enlarge = (
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        if kind == "bilinear"
        else nn.Upsample(scale_factor=2, mode="nearest")
    )
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1), enlarge)
