"""U-Net (Ronneberger et al. 2015) with normalisation and padded convolutions."""

from __future__ import annotations

import itertools
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from leuko.errors import UsageError
from leuko.networks.blocks import (
    DoubleConvolution,
    channels_per_level,
    upsampler,
)

__all__ = ["UNet"]


class UNet(nn.Module):
    """Encoder and decoder of `levels` resolutions, one block a level on each side.

    Takes (N, in_channels, H, W), gives logits (N, classes, H, W); H and W are multiples of
    2**(levels - 1). Neighbouring slices come as channels (2.5D).
    """

    block: ClassVar[type[nn.Module]] = DoubleConvolution

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        width: int,
        levels: int,
        norm: str,
        dropout: float,
        upsampling: str,
    ) -> None:
        super().__init__()
        if not 0.0 <= dropout < 1.0:
            raise UsageError(f"dropout must lie in 0..1, got {dropout}.", hint="Try 0.1.")
        channels = channels_per_level(width, levels)
        block = self.block
        self.encoder = nn.ModuleList(
            block(before, after, norm=norm)
            for before, after in zip((in_channels, *channels[:-1]), channels, strict=True)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(dropout) if dropout else nn.Identity()
        descending = channels[::-1]
        pairs = list(itertools.pairwise(descending))
        self.up = nn.ModuleList(upsampler(upsampling, deep, high) for deep, high in pairs)
        self.decoder = nn.ModuleList(block(2 * high, high, norm=norm) for _, high in pairs)
        self.head = nn.Conv2d(channels[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of images (N, in_channels, H, W)."""
        skips: list[Tensor] = []
        for level, block in enumerate(self.encoder):
            x = block(self.pool(x) if level else x)
            skips.append(x)
        x = self.dropout(skips.pop())
        for up, block in zip(self.up, self.decoder, strict=True):
            x = block(torch.cat((skips.pop(), up(x)), dim=1))
        return cast(Tensor, self.head(x))
