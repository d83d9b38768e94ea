"""Attention U-Net (Oktay et al. 2018): the decoder decides what of each skip connection it sees."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from leuko.networks.blocks import convolution
from leuko.networks.unet import UNet

__all__ = ["AttentionUNet"]


class AttentionGate(nn.Module):
    """Additive attention: one weight of 0..1 a pixel, from the skip and from what lies deeper."""

    def __init__(self, channels: int, *, norm: str, dims: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        shape: dict[str, Any] = {"norm": norm, "dims": dims, "size": 1, "activate": False}
        self.skip = convolution(channels, inner, **shape)
        self.above = convolution(channels, inner, **shape)
        self.weight = convolution(inner, 1, **shape)

    def forward(self, skip: Tensor, above: Tensor) -> Tensor:
        """`skip` weighted; both are (N, channels, *spatial) of one size."""
        agreement = torch.relu(self.skip(skip) + self.above(above))
        return skip * torch.sigmoid(self.weight(agreement))


class AttentionUNet(UNet):
    """As `UNet`, with a gate on each skip connection.

    The gate compares at the skip's own resolution, with the deeper features already enlarged;
    the publication compares at half of it.
    """

    def __init__(self, *, dims: int = 2, norm: str = "batch", **options: Any) -> None:
        super().__init__(dims=dims, norm=norm, **options)
        high = [above for _, above in itertools.pairwise(self.channels[::-1])]
        self.gates = nn.ModuleList(AttentionGate(n, norm=norm, dims=dims) for n in high)

    def passed(self, skip: Tensor, above: Tensor, level: int) -> Tensor:
        """See `UNet`."""
        gated: Tensor = self.gates[level](skip, above)
        return gated
