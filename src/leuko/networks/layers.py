"""The layers of torch that differ between slices (2D) and volumes (3D), by number of axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from leuko.errors import UsageError

__all__ = ["Layers", "is_traced", "layers_of"]


@dataclass(frozen=True, slots=True)
class Layers:
    """The classes for tensors (N, C, *spatial) of one number of spatial axes."""

    convolution: type[Any]
    transposed: type[Any]
    batch: type[Any]
    instance: type[Any]
    max_pool: type[Any]
    dropout: type[Any]
    linear: str
    """The mode of nn.Upsample that interpolates linearly along every axis."""


LAYERS: Mapping[int, Layers] = MappingProxyType(
    {
        2: Layers(
            convolution=nn.Conv2d,
            transposed=nn.ConvTranspose2d,
            batch=nn.BatchNorm2d,
            instance=nn.InstanceNorm2d,
            max_pool=nn.MaxPool2d,
            dropout=nn.Dropout2d,
            linear="bilinear",
        ),
        3: Layers(
            convolution=nn.Conv3d,
            transposed=nn.ConvTranspose3d,
            batch=nn.BatchNorm3d,
            instance=nn.InstanceNorm3d,
            max_pool=nn.MaxPool3d,
            dropout=nn.Dropout3d,
            linear="trilinear",
        ),
    }
)


def layers_of(dims: int) -> Layers:
    """The layers for `dims` spatial axes; UsageError unless 2 or 3."""
    try:
        return LAYERS[dims]
    except KeyError:
        raise UsageError(
            f"There are no networks for {dims} axes.", hint="dims is 2 (slices) or 3 (volumes)."
        ) from None


def is_traced() -> bool:
    """Whether a graph is being made of the call rather than its result."""
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return tracing or torch.compiler.is_exporting()
