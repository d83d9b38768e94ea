"""U-Net (Ronneberger et al. 2015) with normalisation and padded convolutions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from leuko.networks.blocks import (
    WIDEST,
    DoubleConvolution,
    channels_per_level,
    dropout_layer,
    upsampler,
)
from leuko.networks.layers import layers_of
from leuko.networks.segmenter import Segmenter

__all__ = ["UNet"]


class UNet(Segmenter):
    """Encoder and decoder of `levels` resolutions, one block a level on each side.

    Neighbouring slices come as channels (2.5D). The original has width 64, 5 levels, widest 16:
    64 to 1024 channels.
    """

    block: ClassVar[Callable[..., nn.Module]] = DoubleConvolution

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        dims: int = 2,
        width: int = 24,
        levels: int = 5,
        widest: int = WIDEST,
        norm: str = "batch",
        dropout: float = 0.0,
        upsampling: str = "transposed",
    ) -> None:
        super().__init__(dims=dims, stride=2 ** (levels - 1), norm=norm)
        layers = layers_of(dims)
        self.channels = channels = channels_per_level(width, levels, widest=widest)
        block = type(self).block
        self.encoder = nn.ModuleList(
            block(before, after, norm=norm, dims=dims)
            for before, after in zip((in_channels, *channels[:-1]), channels, strict=True)
        )
        self.pool = layers.max_pool(2)
        self.dropout = dropout_layer(dropout, dims=dims)
        pairs = list(itertools.pairwise(channels[::-1]))
        self.up = nn.ModuleList(
            upsampler(upsampling, deep, high, dims=dims) for deep, high in pairs
        )
        self.decoder = nn.ModuleList(
            block(2 * high, high, norm=norm, dims=dims) for _, high in pairs
        )
        self.head = layers.convolution(channels[0], classes, 1)

    def logits(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `Segmenter`."""
        skips: list[Tensor] = []
        for level, block in enumerate(self.encoder):
            x = block(self.pool(x) if level else x)
            skips.append(x)
        x = self.dropout(skips.pop())
        for level, (up, block) in enumerate(zip(self.up, self.decoder, strict=True)):
            above = up(x)
            x = block(torch.cat((self.passed(skips.pop(), above, level), above), dim=1))
        return (self.head(x),)

    def passed(self, skip: Tensor, above: Tensor, level: int) -> Tensor:  # noqa: ARG002
        """What of a skip connection reaches the decoder; `level` counts from the deepest."""
        return skip
