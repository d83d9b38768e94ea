"""U-Net++ (Zhou et al. 2018): nested, dense skip connections and deep supervision."""

from __future__ import annotations

from typing import cast

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

__all__ = ["UNetPlusPlus"]


class UNetPlusPlus(Segmenter):
    """A triangle of blocks: each sees all before it on its level, and the enlarged one below.

    Every block of the full resolution but the first has a head; the result is their mean.
    """

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
        channels = channels_per_level(width, levels, widest=widest)
        self.encoder = nn.ModuleList(
            DoubleConvolution(before, after, norm=norm, dims=dims)
            for before, after in zip((in_channels, *channels[:-1]), channels, strict=True)
        )
        self.pool = layers.max_pool(2)
        self.dropout = dropout_layer(dropout, dims=dims)
        self.up, self.nodes = nn.ModuleList(), nn.ModuleList()
        for step in range(1, levels):  # columns of the triangle, each a level shorter
            ups, nodes = nn.ModuleList(), nn.ModuleList()
            for level in range(levels - step):
                here, below = channels[level], channels[level + 1]
                ups.append(upsampler(upsampling, below, here, dims=dims))
                nodes.append(DoubleConvolution((step + 1) * here, here, norm=norm, dims=dims))
            self.up.append(ups)
            self.nodes.append(nodes)
        self.outputs = nn.ModuleList(
            layers.convolution(channels[0], classes, 1) for _ in range(1, levels)
        )

    def logits(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `Segmenter`."""
        rows: list[list[Tensor]] = []  # per level, what its blocks gave so far
        for level, block in enumerate(self.encoder):
            x = block(self.pool(x) if level else x)
            rows.append([x])
        rows[-1][0] = self.dropout(x)
        for ups, nodes in zip(self.up, self.nodes, strict=True):
            column = zip(cast(nn.ModuleList, ups), cast(nn.ModuleList, nodes), strict=True)
            below = [row[-1] for row in rows[1:]]
            for row, deep, (up, node) in zip(rows, below, column, strict=False):
                row.append(node(torch.cat((*row, up(deep)), dim=1)))
        return tuple(head(y) for head, y in zip(self.outputs, rows[0][1:], strict=True))
