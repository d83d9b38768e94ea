"""A U-Net whose encoder is a Mix Transformer (SegFormer's)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leuko.networks.blocks import DoubleConvolution, dropout_layer, upsampler
from leuko.networks.layers import layers_of
from leuko.networks.mix_transformer import STRIDE, MixTransformer
from leuko.networks.segmenter import Segmenter

__all__ = ["MixTransformerUNet"]


class MixTransformerUNet(Segmenter):
    """The encoder sees strides 4 to 32; a decoder of five levels joins them.

    The full resolution, which the encoder does not have, comes from two convolutions on the
    image. Decoder levels have 16, 8, 4, 2 and 1 x width channels.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        dims: int = 2,
        variant: str = "b0",
        width: int = 16,
        norm: str = "batch",
        dropout: float = 0.0,
        upsampling: str = "transposed",
    ) -> None:
        super().__init__(dims=dims, stride=STRIDE, norm=norm)
        self.encoder = MixTransformer(in_channels=in_channels, dims=dims, variant=variant)
        self.detail = DoubleConvolution(in_channels, width, norm=norm, dims=dims)
        self.dropout = dropout_layer(dropout, dims=dims)
        *skips, deep = self.encoder.channels
        self.up, self.decoder = nn.ModuleList(), nn.ModuleList()
        for skip, factor in zip((*skips[::-1], 0, width), (16, 8, 4, 2, 1), strict=True):
            here = factor * width
            self.up.append(upsampler(upsampling, deep, here, dims=dims))
            self.decoder.append(DoubleConvolution(skip + here, here, norm=norm, dims=dims))
            deep = here
        self.head = layers_of(dims).convolution(width, classes, 1)

    def logits(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `Segmenter`."""
        *stages, y = self.encoder.stages(x)
        skips: list[Tensor | None] = [*stages[::-1], None, self.detail(x)]
        y = self.dropout(y)
        for skip, up, block in zip(skips, self.up, self.decoder, strict=True):
            above = up(y)
            y = block(above if skip is None else torch.cat((skip, above), dim=1))
        return (self.head(y),)
