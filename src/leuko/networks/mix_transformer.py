"""Mix Transformer, the encoder of SegFormer (Xie et al. 2021), B0 to B5, for slices and volumes.

Its weights from transformers' SegFormer models can be loaded: `load_transformers`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from leuko.errors import UsageError
from leuko.networks.layers import layers_of

__all__ = ["STRIDE", "MixTransformer", "own_name"]

STRIDE = 32
HEADS = (1, 2, 5, 8)
REDUCTIONS = (8, 4, 2, 1)
EXPANSION = 4


@dataclass(frozen=True, slots=True)
class Size:
    """Channels and blocks of the four stages."""

    channels: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]


WIDE = (64, 128, 320, 512)
VARIANTS: Mapping[str, Size] = MappingProxyType(
    {
        "b0": Size((32, 64, 160, 256), (2, 2, 2, 2)),
        "b1": Size(WIDE, (2, 2, 2, 2)),
        "b2": Size(WIDE, (3, 4, 6, 3)),
        "b3": Size(WIDE, (3, 4, 18, 3)),
        "b4": Size(WIDE, (3, 8, 27, 3)),
        "b5": Size(WIDE, (3, 6, 40, 3)),
    }
)


def _as_tokens(x: Tensor) -> Tensor:
    """(N, C, *spatial) to (N, places, C)."""
    return x.flatten(2).transpose(1, 2)


def _as_map(tokens: Tensor, like: Tensor) -> Tensor:
    """(N, places, C) to (N, C, *spatial), of the spatial size of `like`."""
    return tokens.transpose(1, 2).reshape(like.shape[0], tokens.shape[2], *like.shape[2:])


class Attention(nn.Module):
    """Self-attention whose keys and values are of a map reduced by `reduction` along each axis."""

    def __init__(self, channels: int, *, heads: int, reduction: int, dims: int) -> None:
        super().__init__()
        self.heads = heads
        self.reduction = reduction
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.output = nn.Linear(channels, channels)
        if reduction > 1:
            convolve = layers_of(dims).convolution
            self.reduce = convolve(channels, channels, reduction, stride=reduction)
            self.reduce_norm = nn.LayerNorm(channels)

    def forward(self, tokens: Tensor, like: Tensor) -> Tensor:
        """(N, places, C), the same shape; `like` has the spatial size."""
        seen = tokens
        if self.reduction > 1:
            seen = self.reduce_norm(_as_tokens(self.reduce(_as_map(tokens, like))))
        query, key, value = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.query, tokens), (self.key, seen), (self.value, seen))
        )
        scale = 1 / math.sqrt(query.shape[-1])
        weights = torch.softmax(query @ key.transpose(2, 3) * scale, dim=-1)
        found: Tensor = self.output((weights @ value).transpose(1, 2).flatten(2))
        return found


class Mixing(nn.Module):
    """Two linear layers with a depthwise convolution between them, which tells where things are."""

    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__()
        inner = EXPANSION * channels
        self.expand = nn.Linear(channels, inner)
        self.depthwise = layers_of(dims).convolution(inner, inner, 3, padding=1, groups=inner)
        self.activation = nn.GELU()
        self.contract = nn.Linear(inner, channels)

    def forward(self, tokens: Tensor, like: Tensor) -> Tensor:
        """(N, places, C), the same shape; `like` has the spatial size."""
        mixed = _as_tokens(self.depthwise(_as_map(self.expand(tokens), like)))
        found: Tensor = self.contract(self.activation(mixed))
        return found


class Block(nn.Module):
    """Attention, then mixing, each beside a shortcut."""

    def __init__(self, channels: int, *, heads: int, reduction: int, dims: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads=heads, reduction=reduction, dims=dims)
        self.norm2 = nn.LayerNorm(channels)
        self.mixing = Mixing(channels, dims=dims)

    def forward(self, tokens: Tensor, like: Tensor) -> Tensor:
        """(N, places, C), the same shape; `like` has the spatial size."""
        attended: Tensor = tokens + self.attention(self.norm1(tokens), like)
        mixed: Tensor = attended + self.mixing(self.norm2(attended), like)
        return mixed


class Stage(nn.Module):
    """Overlapping patches become tokens, which pass through blocks."""

    def __init__(self, inputs: int, outputs: int, *, number: int, depth: int, dims: int) -> None:
        super().__init__()
        size, stride = (3, 2) if number else (7, 4)
        self.patches = layers_of(dims).convolution(
            inputs, outputs, size, stride=stride, padding=size // 2
        )
        self.patches_norm = nn.LayerNorm(outputs)
        self.blocks = nn.ModuleList(
            Block(outputs, heads=HEADS[number], reduction=REDUCTIONS[number], dims=dims)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, *spatial) to (N, outputs, *spatial / stride)."""
        like = self.patches(x)
        tokens = self.patches_norm(_as_tokens(like))
        for block in self.blocks:
            tokens = block(tokens, like)
        return _as_map(self.norm(tokens), like)


class MixTransformer(nn.Module):
    """Four stages at strides 4, 8, 16 and 32; `channels` are those of their outputs."""

    def __init__(self, *, in_channels: int, dims: int = 2, variant: str = "b0") -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise UsageError(
                f"There is no Mix Transformer '{variant}'.",
                hint=f"Choose from: {', '.join(VARIANTS)}.",
            )
        size = VARIANTS[variant]
        self.channels = size.channels
        self.parts = nn.ModuleList(
            Stage(before, after, number=number, depth=depth, dims=dims)
            for number, (before, after, depth) in enumerate(
                zip((in_channels, *size.channels[:-1]), size.channels, size.depths, strict=True)
            )
        )
        self.apply(_initialise)

    def stages(self, x: Tensor) -> list[Tensor]:
        """The outputs of the four stages; the size of `x` is a multiple of 32."""
        found = []
        for part in self.parts:
            x = part(x)
            found.append(x)
        return found

    def load_transformers(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights in the state dict of a SegFormer model of transformers.

        Names of transformers 5 and those in files on the hub are known; what lies behind the
        encoder (a classifier, a decoder) is left out. UsageError where they don't fit: another
        variant, other channels, or a network for volumes.
        """
        renamed = {own_name(name): tensor for name, tensor in state.items()}
        renamed.pop("", None)
        try:
            self.load_state_dict(renamed)
        except RuntimeError as error:
            raise UsageError(
                "These weights are not those of this Mix Transformer "
                f"({str(error).splitlines()[1].strip()[:120]} ...).",
                hint="Choose the variant they were trained as, dims 2 and in_channels 3.",
            ) from error


def _initialise(module: nn.Module) -> None:
    """As SegFormer's authors: small numbers in linear layers, the fan-out rule in convolutions."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d | nn.Conv3d):
        fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
        nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# transformers' name, of version 5 or of files on the hub -> ours, after the stage's number.
NAMES = (
    (r"patch_embeddings\.proj", "patches"),
    (r"patch_embeddings\.layer_norm", "patches_norm"),
    (r"layer_norm", "norm"),
    (r"blocks\.(\d+)\.(?:layernorm_before|layer_norm_1)", r"blocks.\1.norm1"),
    (r"blocks\.(\d+)\.(?:layernorm_after|layer_norm_2)", r"blocks.\1.norm2"),
    (r"blocks\.(\d+)\.attention\.(?:q_proj|self\.query)", r"blocks.\1.attention.query"),
    (r"blocks\.(\d+)\.attention\.(?:k_proj|self\.key)", r"blocks.\1.attention.key"),
    (r"blocks\.(\d+)\.attention\.(?:v_proj|self\.value)", r"blocks.\1.attention.value"),
    (r"blocks\.(\d+)\.attention\.(?:o_proj|output\.dense)", r"blocks.\1.attention.output"),
    (
        r"blocks\.(\d+)\.attention\.(?:sequence_reduction\.sequence_reduction|self\.sr)",
        r"blocks.\1.attention.reduce",
    ),
    (
        r"blocks\.(\d+)\.attention\.(?:sequence_reduction|self)\.layer_norm",
        r"blocks.\1.attention.reduce_norm",
    ),
    (r"blocks\.(\d+)\.mlp\.(?:fc1|dense1)", r"blocks.\1.mixing.expand"),
    (r"blocks\.(\d+)\.mlp\.dwconv\.dwconv", r"blocks.\1.mixing.depthwise"),
    (r"blocks\.(\d+)\.mlp\.(?:fc2|dense2)", r"blocks.\1.mixing.contract"),
)


def own_name(theirs: str) -> str:
    """The name of a parameter here; "" for one that is not the encoder's."""
    name = theirs.removeprefix("segformer.")
    # On the hub the stage's number follows the kind: encoder.block.STAGE.BLOCK, ...
    name = re.sub(r"^encoder\.block\.(\d+)\.", r"stages.\1.blocks.", name)
    name = re.sub(r"^encoder\.(patch_embeddings|layer_norm)\.(\d+)\.", r"stages.\2.\1.", name)
    found = re.fullmatch(r"stages\.(\d+)\.(.+)\.(weight|bias)", name)
    if found is None:
        return ""
    for pattern, ours in NAMES:
        if match := re.fullmatch(pattern, found[2]):
            return f"parts.{found[1]}.{match.expand(ours)}.{found[3]}"
    return name
