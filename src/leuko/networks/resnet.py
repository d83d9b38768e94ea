"""ResNet (He et al. 2016): a classifier, and the encoder of `fcn`.

Parameters are named as in torchvision, so that weights trained there can be loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor, nn

from leuko.errors import UsageError
from leuko.networks.blocks import normalisation
from leuko.networks.layers import layers_of
from leuko.networks.segmenter import enlarged, least_size

__all__ = ["ResNet", "ResNetEncoder"]

STRIDE = 32


class BasicBlock(nn.Module):
    """Two convolutions of size 3 beside a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, *, stride: int, norm: str, dims: int) -> None:
        super().__init__()
        convolve = layers_of(dims).convolution
        self.conv1 = convolve(inputs, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = normalisation(norm, width, dims=dims)
        self.conv2 = convolve(width, width, 3, padding=1, bias=False)
        self.bn2 = normalisation(norm, width, dims=dims)
        self.downsample = _shortcut(inputs, width, stride=stride, norm=norm, dims=dims)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, *spatial) to (N, width, *spatial / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Bottleneck(nn.Module):
    """A convolution of size 3 between two of size 1, beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, *, stride: int, norm: str, dims: int) -> None:
        super().__init__()
        convolve, outputs = layers_of(dims).convolution, 4 * width
        self.conv1 = convolve(inputs, width, 1, bias=False)
        self.bn1 = normalisation(norm, width, dims=dims)
        self.conv2 = convolve(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = normalisation(norm, width, dims=dims)
        self.conv3 = convolve(width, outputs, 1, bias=False)
        self.bn3 = normalisation(norm, outputs, dims=dims)
        self.downsample = _shortcut(inputs, outputs, stride=stride, norm=norm, dims=dims)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, *spatial) to (N, 4 x width, *spatial / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def _shortcut(inputs: int, outputs: int, *, stride: int, norm: str, dims: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(
        layers_of(dims).convolution(inputs, outputs, 1, stride=stride, bias=False),
        normalisation(norm, outputs, dims=dims),
    )


Block = type[BasicBlock] | type[Bottleneck]
VARIANTS: Mapping[int, tuple[Block, tuple[int, ...]]] = MappingProxyType(
    {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
    }
)


class ResNetEncoder(nn.Module):
    """The stages of a ResNet; `channels` are those of their outputs."""

    def __init__(self, *, in_channels: int, dims: int, variant: int, width: int, norm: str) -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise UsageError(
                f"There is no ResNet-{variant}.",
                hint=f"Choose from: {', '.join(map(str, VARIANTS))}.",
            )
        block, depths = VARIANTS[variant]
        layers = layers_of(dims)
        self.conv1 = layers.convolution(in_channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = normalisation(norm, width, dims=dims)
        self.maxpool = layers.max_pool(3, stride=2, padding=1)
        widths = tuple(width * 2**stage for stage in range(4))
        self.channels = tuple(block.expansion * n for n in widths)
        before = width
        for stage, (inner, depth) in enumerate(zip(widths, depths, strict=True)):
            blocks: list[nn.Module] = []
            for index in range(depth):
                stride = 2 if stage and not index else 1
                blocks.append(block(before, inner, stride=stride, norm=norm, dims=dims))
                before = block.expansion * inner
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        for module in self.modules():
            if isinstance(module, layers.convolution):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def stages(self, x: Tensor) -> list[Tensor]:
        """The outputs of the four stages, at strides 4, 8, 16 and 32."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        found = []
        for stage in range(1, 5):
            x = cast(Callable[[Tensor], Tensor], getattr(self, f"layer{stage}"))(x)
            found.append(x)
        return found


class ResNet(ResNetEncoder):
    """Turns (N, in_channels, *spatial) of any size into logits (N, classes)."""

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
    ) -> None:
        super().__init__(
            in_channels=in_channels, dims=dims, variant=variant, width=width, norm=norm
        )
        self.dims = dims
        self.stride = STRIDE
        self.least = least_size(STRIDE, norm=norm)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.fc = nn.Linear(self.channels[-1], classes)

    def heads(self, x: Tensor) -> tuple[Tensor, ...]:
        """The one head's logits (N, classes)."""
        least = self.least if self.least > self.stride else 1
        deepest = self.stages(enlarged(x, multiple=1, least=least))[-1]
        return (self.fc(self.dropout(deepest.mean(dim=tuple(range(2, 2 + self.dims))))),)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, in_channels, *spatial)."""
        return self.heads(x)[0]
