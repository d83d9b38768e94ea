"""The networks by name; importing this module loads no torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from leuko.errors import MissingExtra, UsageError
from leuko.models.classes import CLASS_COUNT

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NETWORKS", "Architecture", "build"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """Where an architecture is defined, and what it is in a line."""

    module: str
    factory: str
    summary: str


NETWORKS: Mapping[str, Architecture] = MappingProxyType(
    {
        "unet": Architecture(
            "leuko.networks.unet", "UNet", "U-Net: two convolutions a level, skip connections"
        ),
        "resunet": Architecture(
            "leuko.networks.resunet", "ResUNet", "U-Net of residual blocks: a shortcut a level"
        ),
    }
)


def build(
    name: str,
    *,
    in_channels: int = 3,
    classes: int = CLASS_COUNT,
    width: int = 24,
    levels: int = 5,
    norm: str = "batch",
    dropout: float = 0.0,
    upsampling: str = "transposed",
) -> nn.Module:
    """A network that turns (N, in_channels, H, W) into logits (N, classes, H, W).

    H and W must be multiples of 2**(levels - 1). `width` is the number of channels of the full
    resolution; norm: 'batch', 'instance' or 'group'; upsampling: 'transposed', 'bilinear' or
    'nearest'; `dropout` acts on the deepest level. UsageError for an unknown name or option.
    """
    try:
        record = NETWORKS[name]
    except KeyError:
        raise UsageError(
            f"There is no network '{name}'.", hint=f"Choose from: {', '.join(NETWORKS)}."
        ) from None
    try:
        module = importlib.import_module(record.module)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra.needed("Building a network", extra="train", modules=["torch"]) from None
    options: dict[str, Any] = {
        "in_channels": in_channels,
        "classes": classes,
        "width": width,
        "levels": levels,
        "norm": norm,
        "dropout": dropout,
        "upsampling": upsampling,
    }
    return cast("nn.Module", getattr(module, record.factory)(**options))
