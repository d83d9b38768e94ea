"""ResU-Net++ (Jha et al. 2019): residual units, squeeze and excitation, ASPP, attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leuko.networks.blocks import (
    channels_per_level,
    convolution,
    dropout_layer,
    interpolation,
    normalisation,
)
from leuko.networks.layers import layers_of
from leuko.networks.segmenter import Segmenter

__all__ = ["ResUNetPlusPlus"]

REDUCTION = 8
FEWEST = 4  # channels to which squeeze and excitation reduces at most
DILATIONS = (1, 6, 12, 18)


def _activated(
    inputs: int, outputs: int, *, norm: str, dims: int, stride: int = 1
) -> nn.Sequential:
    """Normalisation and ReLU, then a convolution of size 3."""
    return nn.Sequential(
        normalisation(norm, inputs, dims=dims),
        nn.ReLU(),
        layers_of(dims).convolution(inputs, outputs, 3, stride=stride, padding=1, bias=False),
    )


class SqueezeExcitation(nn.Module):
    """Each channel weighted by 0..1, from the means of all (Hu et al. 2018)."""

    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__()
        convolve = layers_of(dims).convolution
        inner = max(FEWEST, channels // REDUCTION)
        self.axes = tuple(range(2, 2 + dims))
        self.squeeze = convolve(channels, inner, 1, bias=False)
        self.excite = convolve(inner, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, *spatial), the same shape."""
        means = x.mean(dim=self.axes, keepdim=True)
        return x * torch.sigmoid(self.excite(torch.relu(self.squeeze(means))))


class ResidualUnit(nn.Module):
    """Two convolutions, normalised beforehand, beside a 1x1 shortcut.

    `first` begins with a convolution, as the image needs no normalisation; `squeezed` adds
    squeeze and excitation.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        norm: str,
        dims: int,
        stride: int = 1,
        first: bool = False,
        squeezed: bool = True,
    ) -> None:
        super().__init__()
        begin = (
            layers_of(dims).convolution(inputs, outputs, 3, padding=1, bias=False)
            if first
            else _activated(inputs, outputs, norm=norm, dims=dims, stride=stride)
        )
        self.path = nn.Sequential(begin, _activated(outputs, outputs, norm=norm, dims=dims))
        self.shortcut = convolution(
            inputs, outputs, norm=norm, dims=dims, size=1, stride=stride, activate=False
        )
        self.squeeze = SqueezeExcitation(outputs, dims=dims) if squeezed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, *spatial) to (N, outputs, *spatial / stride)."""
        y: Tensor = self.squeeze(self.path(x) + self.shortcut(x))
        return y


class Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: convolutions of four dilations, summed, then 1x1."""

    def __init__(self, inputs: int, outputs: int, *, norm: str, dims: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            convolution(inputs, outputs, norm=norm, dims=dims, dilation=n, activate=False)
            for n in DILATIONS
        )
        self.join = layers_of(dims).convolution(outputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, *spatial) to (N, outputs, *spatial)."""
        first, *others = [branch(x) for branch in self.branches]
        y: Tensor = self.join(sum(others, first))
        return y


class Attention(nn.Module):
    """Deep features weighted by what the skip connection of twice their size shows there."""

    def __init__(self, skip: int, deep: int, *, norm: str, dims: int) -> None:
        super().__init__()
        self.skip = _activated(skip, deep, norm=norm, dims=dims)
        self.pool = layers_of(dims).max_pool(2)
        self.deep = _activated(deep, deep, norm=norm, dims=dims)
        self.weight = _activated(deep, deep, norm=norm, dims=dims)

    def forward(self, skip: Tensor, deep: Tensor) -> Tensor:
        """`deep` weighted, of its own shape."""
        weight: Tensor = self.weight(self.pool(self.skip(skip)) + self.deep(deep))
        return weight * deep


class ResUNetPlusPlus(Segmenter):
    """`levels` resolutions; the pyramid at the deepest one is one step wider than it."""

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        dims: int = 2,
        width: int = 16,
        levels: int = 4,
        widest: int = 16,
        norm: str = "batch",
        dropout: float = 0.0,
        upsampling: str = "transposed",
    ) -> None:
        super().__init__(dims=dims, stride=2 ** (levels - 1), norm=norm)
        layers = layers_of(dims)
        *channels, bridge = channels_per_level(width, levels + 1, widest=widest)
        units = [ResidualUnit(in_channels, width, norm=norm, dims=dims, first=True)]
        for level in range(1, levels):
            before, after = channels[level - 1], channels[level]
            units.append(ResidualUnit(before, after, norm=norm, dims=dims, stride=2))
        self.encoder = nn.ModuleList(units)
        self.bridge = Pyramid(channels[-1], bridge, norm=norm, dims=dims)
        self.dropout = dropout_layer(dropout, dims=dims)
        self.attention, self.up, self.decoder = (nn.ModuleList() for _ in range(3))
        deep = bridge
        for level in reversed(range(levels - 1)):
            skip, here = channels[level], channels[level + 1]
            self.attention.append(Attention(skip, deep, norm=norm, dims=dims))
            self.up.append(
                layers.transposed(deep, deep, 2, stride=2)
                if upsampling == "transposed"
                else interpolation(upsampling, dims=dims)
            )
            self.decoder.append(
                ResidualUnit(deep + skip, here, norm=norm, dims=dims, squeezed=False)
            )
            deep = here
        self.last = Pyramid(deep, width, norm=norm, dims=dims)
        self.head = layers.convolution(width, classes, 1)

    def logits(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `Segmenter`."""
        skips: list[Tensor] = []
        for unit in self.encoder:
            x = unit(x)
            skips.append(x)
        x = self.dropout(self.bridge(skips.pop()))
        for attend, up, unit in zip(self.attention, self.up, self.decoder, strict=True):
            skip = skips.pop()
            x = unit(torch.cat((skip, up(attend(skip, x))), dim=1))
        return (self.head(self.last(x)),)
