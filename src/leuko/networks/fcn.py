"""FCN-8s (Long et al. 2015) on a ResNet: class scores of three depths, enlarged and summed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leuko.networks.blocks import dropout_layer, interpolation
from leuko.networks.layers import layers_of
from leuko.networks.resnet import STRIDE, ResNetEncoder
from leuko.networks.segmenter import Segmenter

__all__ = ["FCN"]


class FCN(Segmenter):
    """Scores at strides 32, 16 and 8; the sum is enlarged eightfold."""

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        dims: int = 2,
        variant: int = 18,
        width: int = 64,
        norm: str = "batch",
        dropout: float = 0.0,
        upsampling: str = "transposed",
    ) -> None:
        super().__init__(dims=dims, stride=STRIDE, norm=norm)
        convolve = layers_of(dims).convolution
        self.encoder = ResNetEncoder(
            in_channels=in_channels, dims=dims, variant=variant, width=width, norm=norm
        )
        self.dropout = dropout_layer(dropout, dims=dims)
        self.scores = nn.ModuleList(
            convolve(channels, classes, 1) for channels in self.encoder.channels[:0:-1]
        )
        self.up = nn.ModuleList(
            _enlarger(upsampling, classes, factor=factor, dims=dims) for factor in (2, 2, 8)
        )

    def logits(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `Segmenter`."""
        _, eighth, sixteenth, deepest = self.encoder.stages(x)
        features = (self.dropout(deepest), sixteenth, eighth)
        y: Tensor | None = None
        for feature, score, up in zip(features, self.scores, self.up, strict=True):
            here = score(feature)
            y = up(here if y is None else y + here)
        assert y is not None  # there are three
        return (y,)


def _enlarger(kind: str, classes: int, *, factor: int, dims: int) -> nn.Module:
    """As `interpolation`; a transposed convolution begins as linear interpolation of each class."""
    if kind != "transposed":
        return interpolation(kind, dims=dims, factor=factor)
    learned = layers_of(dims).transposed(
        classes, classes, 2 * factor, stride=factor, padding=factor // 2, bias=False
    )
    ramp = 1 - (torch.arange(2 * factor) + 0.5 - factor).abs() / factor
    kernel = ramp
    for _ in range(dims - 1):
        kernel = kernel[..., None] * ramp
    with torch.no_grad():
        learned.weight.zero_()
        for index in range(classes):
            learned.weight[index, index] = kernel
    made: nn.Module = learned
    return made
