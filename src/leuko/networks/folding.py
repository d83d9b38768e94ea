"""Convolutions with the batch normalisation after them folded in, and unfolded again."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["Fold", "folded", "folds_of", "unfolded"]

LEAST = 1e-6  # a smaller factor could not be divided out again
Plain = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Fold:
    """A convolution and the normalisation after it, by their names in the network."""

    convolution: str
    normalisation: str
    eps: float

    @property
    def plain(self) -> Plain:
        """As it is kept in a file."""
        return self.convolution, self.normalisation, self.eps

    def factor(self, state: Mapping[str, Tensor]) -> Tensor:
        """By what the normalisation multiplies each output channel, in evaluation mode."""
        scale = state[f"{self.normalisation}.weight"].float()
        return scale / torch.sqrt(state[f"{self.normalisation}.running_var"].float() + self.eps)

    def scaled(self, state: Mapping[str, Tensor], *, inverse: bool = False) -> Tensor:
        """The convolution's kernel times the factor, or divided by it; its shape, float32."""
        kernel = state[f"{self.convolution}.weight"].float()
        factor = self.factor(state).reshape(-1, *[1] * (kernel.dim() - 1))
        return kernel / factor if inverse else kernel * factor


def folds_of(network: nn.Module) -> tuple[Fold, ...]:
    """The folds that a network allows: no bias between the two, no channel nearly switched off."""
    found: list[Fold] = []
    state = network.state_dict()
    for name, module in network.named_modules():
        if not isinstance(module, nn.Sequential):
            continue
        for (first, one), (second, other) in itertools.pairwise(module.named_children()):
            if not (isinstance(one, (nn.Conv2d, nn.Conv3d)) and isinstance(other, _BatchNorm)):
                continue
            if one.bias is not None or not other.affine:
                continue
            prefix = f"{name}." if name else ""
            fold = Fold(prefix + first, prefix + second, float(other.eps))
            if float(fold.factor(state).abs().min()) >= LEAST:
                found.append(fold)
    return tuple(found)


def folded(state: Mapping[str, Tensor], folds: Sequence[Fold]) -> dict[str, Tensor]:
    """The state of a network with these convolutions folded; the normalisations stay."""
    return {**state, **{f"{f.convolution}.weight": f.scaled(state) for f in folds}}


def unfolded(state: Mapping[str, Tensor], folds: Sequence[Plain]) -> dict[str, Tensor]:
    """The state that `folded` was made of, in float32; `folds` as a file keeps them."""
    return {
        **state,
        **{
            f"{fold.convolution}.weight": fold.scaled(state, inverse=True)
            for fold in itertools.starmap(Fold, folds)
        },
    }
