"""The parts networks are made of: normalised convolutions, residual blocks, upsampling."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leuko.errors import UsageError
from leuko.networks.layers import is_traced, layers_of

__all__ = [
    "DoubleConvolution",
    "ResidualBlock",
    "channels_per_level",
    "convolution",
    "dropout_layer",
    "interpolation",
    "normalisation",
    "upsampler",
]

GROUPS = 8
WIDEST = 10


def channels_per_level(width: int, levels: int, *, widest: int = WIDEST) -> tuple[int, ...]:
    """Channels from the full resolution down: doubling, up to `widest` x width."""
    if width < 1 or levels < 2 or widest < 1:
        raise UsageError(
            "A network needs width >= 1, levels >= 2 and widest >= 1, "
            f"got {width}, {levels} and {widest}.",
            hint="Usual values are width 16 to 64, 5 levels, and widest 10 or 16.",
        )
    return tuple(width * min(2**level, widest) for level in range(levels))


class GroupNorm(nn.GroupNorm):
    """As torch's; in a traced graph its value is written with simpler operations.

    OpenVINO (2026.4) crashes when it compiles its own group normalisation before a residual sum.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, channels, *spatial), the same shape."""
        if not is_traced():
            return super().forward(input)
        groups = input.reshape(input.shape[0], self.num_groups, -1)
        apart = F.instance_norm(groups, eps=self.eps).reshape(input.shape)
        shape = (1, self.num_channels, *[1] * (input.dim() - 2))
        return apart * self.weight.reshape(shape) + self.bias.reshape(shape)


def normalisation(kind: str, channels: int, *, dims: int = 2) -> nn.Module:
    """A normalising layer: 'batch', 'instance' or 'group'."""
    layers = layers_of(dims)
    made: nn.Module
    if kind == "batch":
        made = layers.batch(channels)
    elif kind == "instance":
        made = layers.instance(channels, affine=True)
    elif kind == "group":
        made = GroupNorm(max(g for g in range(1, GROUPS + 1) if channels % g == 0), channels)
    else:
        raise UsageError(
            f"There is no normalisation '{kind}'.", hint="Choose 'batch', 'instance' or 'group'."
        )
    return made


def dropout_layer(share: float, *, dims: int = 2) -> nn.Module:
    """Silences whole channels with this probability in training; nothing where it is 0."""
    if not 0.0 <= share < 1.0:
        raise UsageError(f"dropout must lie in 0..1, got {share}.", hint="Try 0.1.")
    made: nn.Module = layers_of(dims).dropout(share) if share else nn.Identity()
    return made


def convolution(
    inputs: int,
    outputs: int,
    *,
    norm: str,
    dims: int = 2,
    size: int = 3,
    stride: int = 1,
    dilation: int = 1,
    activate: bool = True,
) -> nn.Sequential:
    """A convolution, padded, with its normalisation and, unless told not to, a ReLU."""
    layers: list[nn.Module] = [
        layers_of(dims).convolution(
            inputs,
            outputs,
            size,
            stride=stride,
            padding=dilation * (size // 2),
            dilation=dilation,
            bias=False,  # the normalisation's own shift takes its place
        ),
        normalisation(norm, outputs, dims=dims),
    ]
    if activate:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class DoubleConvolution(nn.Sequential):
    """Two convolutions of size 3, each with normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, *, norm: str, dims: int = 2) -> None:
        super().__init__(
            convolution(inputs, outputs, norm=norm, dims=dims),
            convolution(outputs, outputs, norm=norm, dims=dims),
        )


class ResidualBlock(nn.Module):
    """Two convolutions of size 3 beside a shortcut (1x1 where the channels change), then a ReLU.

    The ReLU stands after the sum (He et al. 2016, the original form), so that each normalisation
    follows its convolution and folds into it for inference.
    """

    def __init__(self, inputs: int, outputs: int, *, norm: str, dims: int = 2) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, norm=norm, dims=dims)
        self.second = convolution(outputs, outputs, norm=norm, dims=dims, activate=False)
        self.shortcut = (
            nn.Identity()
            if inputs == outputs
            else convolution(inputs, outputs, norm=norm, dims=dims, size=1, activate=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, *spatial) to (N, outputs, *spatial)."""
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))


def upsampler(kind: str, inputs: int, outputs: int, *, dims: int = 2) -> nn.Module:
    """Twice the size: 'transposed' (learned), 'bilinear' (in 3D trilinear) or 'nearest'."""
    layers = layers_of(dims)
    if kind == "transposed":
        learned: nn.Module = layers.transposed(inputs, outputs, 2, stride=2)
        return learned
    enlarge = interpolation(kind, dims=dims)
    # The 1x1 convolution comes first: it is linear too, and costs a quarter at the lower size.
    return nn.Sequential(layers.convolution(inputs, outputs, 1), enlarge)


def interpolation(kind: str, *, dims: int = 2, factor: int = 2) -> nn.Module:
    """`factor` times the size without parameters: 'bilinear' (in 3D trilinear) or 'nearest'."""
    if kind == "nearest":
        return nn.Upsample(scale_factor=factor, mode="nearest")
    if kind == "bilinear":
        return nn.Upsample(scale_factor=factor, mode=layers_of(dims).linear, align_corners=False)
    raise UsageError(
        f"There is no upsampling '{kind}'.", hint="Choose 'transposed', 'bilinear' or 'nearest'."
    )
