"""ResU-Net: a U-Net whose levels are residual blocks (Zhang et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import nn

from leuko.networks.blocks import ResidualBlock
from leuko.networks.unet import UNet

__all__ = ["ResUNet"]


class ResUNet(UNet):
    """As `UNet`, with a shortcut around each level's two convolutions."""

    block: ClassVar[Callable[..., nn.Module]] = ResidualBlock
