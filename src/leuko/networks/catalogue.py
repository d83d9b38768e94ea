"""The networks by name; importing this module loads no torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from leuko.errors import MissingExtra, UsageError
from leuko.models.classes import CLASS_COUNT
from leuko.networks.options import OPTIONS, Option, Value

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NETWORKS", "Architecture", "architecture", "build"]

U_SHAPED = ("width", "levels", "widest", "norm", "dropout", "upsampling")


def _options(*names: str, **own: Option) -> Mapping[str, Option]:
    """`own` first, then the shared ones of these names."""
    return MappingProxyType(own | {name: OPTIONS[name] for name in names})


@dataclass(frozen=True, slots=True)
class Architecture:
    """Where an architecture is defined, what it is in a line, and what it takes."""

    module: str
    factory: str
    summary: str
    task: Literal["segmentation", "classification"] = "segmentation"
    dims: tuple[int, ...] = (2, 3)
    options: Mapping[str, Option] = field(default_factory=lambda: _options(*U_SHAPED))


DECODED = ("norm", "dropout", "upsampling")
RESNET = {
    "variant": Option(18, "is the number of layers", choices=(18, 34, 50)),
    "width": Option(64, "is the number of channels of the first stage", least=1),
}

NETWORKS: Mapping[str, Architecture] = MappingProxyType(
    {
        "fcn": Architecture(
            "leuko.networks.fcn",
            "FCN",
            "FCN-8s on a ResNet: class scores of three depths, enlarged and summed",
            options=_options(*DECODED, **RESNET),
        ),
        "unet": Architecture(
            "leuko.networks.unet", "UNet", "U-Net: two convolutions a level, skip connections"
        ),
        "resunet": Architecture(
            "leuko.networks.resunet", "ResUNet", "U-Net of residual blocks: a shortcut a level"
        ),
        "unet++": Architecture(
            "leuko.networks.unet_plus_plus",
            "UNetPlusPlus",
            "U-Net++: nested dense skip connections, deep supervision",
        ),
        "resunet++": Architecture(
            "leuko.networks.resunet_plus_plus",
            "ResUNetPlusPlus",
            "ResU-Net++: squeeze and excitation, dilated pyramid, attention",
            options=_options(
                *DECODED,
                width=replace(OPTIONS["width"], default=16),
                levels=replace(OPTIONS["levels"], default=4),
                widest=replace(OPTIONS["widest"], default=16),
            ),
        ),
        "attention-unet": Architecture(
            "leuko.networks.attention_unet",
            "AttentionUNet",
            "Attention U-Net: additive gates on the skip connections",
        ),
        "mit-unet": Architecture(
            "leuko.networks.mit_unet",
            "MixTransformerUNet",
            "Mix Transformer B0 to B5 (SegFormer's encoder), U-Net decoder",
            options=_options(
                *DECODED,
                variant=Option(
                    "b0",
                    "is the size of the Mix Transformer",
                    choices=("b0", "b1", "b2", "b3", "b4", "b5"),
                ),
                width=Option(16, "is the number of the decoder's last channels", least=1),
            ),
        ),
        "resnet": Architecture(
            "leuko.networks.resnet",
            "ResNet",
            "ResNet: one class for the whole image",
            task="classification",
            options=_options("norm", "dropout", **RESNET),
        ),
    }
)


def architecture(name: str) -> Architecture:
    """The record of a network; UsageError where there is none of that name."""
    try:
        return NETWORKS[name]
    except KeyError:
        raise UsageError(
            f"There is no network '{name}'.", hint=f"Choose from: {', '.join(NETWORKS)}."
        ) from None


def build(
    name: str,
    *,
    dims: int = 2,
    in_channels: int = 3,
    classes: int = CLASS_COUNT,
    **options: Value,
) -> nn.Module:
    """A network for images (N, in_channels, *spatial) of any size, `dims` spatial axes.

    Gives logits (N, classes, *spatial), a classifier (N, classes); `network.heads(x)` gives those
    of every head that deep supervision trains, `network.stride` what sizes are a multiple of in
    an exported graph. The options of each network, with their defaults: `NETWORKS[name].options`.
    UsageError for an unknown name, an option that this network does not take, or a value that it
    cannot have; MissingExtra without torch.
    """
    record = architecture(name)
    _check(name, record, dims=dims, channels=(in_channels, classes), options=options)
    try:
        module = importlib.import_module(record.module)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra.needed("Building a network", extra="train", modules=["torch"]) from None
    chosen = {key: option.default for key, option in record.options.items()} | options
    made = getattr(module, record.factory)(
        dims=dims, in_channels=in_channels, classes=classes, **chosen
    )
    return cast("nn.Module", made)


def _check(
    name: str,
    record: Architecture,
    *,
    dims: int,
    channels: tuple[int, int],
    options: Mapping[str, Value],
) -> None:
    """Raise UsageError for what the network does not take."""
    if dims not in record.dims:
        known = " or ".join(str(n) for n in record.dims)
        raise UsageError(
            f"The network '{name}' has no form with dims {dims}.", hint=f"Use {known}."
        )
    if min(channels) < 1:
        raise UsageError(
            f"in_channels and classes must be at least 1, got {channels[0]} and {channels[1]}.",
            hint="classes counts the background too.",
        )
    for key, value in options.items():
        if key not in record.options:
            raise UsageError(
                f"The network '{name}' takes no option '{key}'.",
                hint=f"It takes: dims, in_channels, classes, {', '.join(record.options)}.",
            )
        record.options[key].check(key, value)
