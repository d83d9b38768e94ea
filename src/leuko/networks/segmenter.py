"""What every segmentation network shares: any size of image, and the heads that losses see."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F

from leuko.networks.layers import is_traced

__all__ = ["Segmenter", "enlarged", "least_size"]


def least_size(stride: int, *, norm: str) -> int:
    """The smallest size that a network of this stride computes on.

    Instance normalisation needs more than one pixel at the deepest level.
    """
    return 2 * stride if norm == "instance" else stride


def enlarged(x: Tensor, *, multiple: int, least: int) -> Tensor:
    """(N, C, *spatial), each axis continued at its end to a multiple of `multiple`.

    The edge is repeated. While a graph is traced nothing is done, so that no size of the example
    is written into it: an exported network takes multiples of its stride only.
    """
    if is_traced():
        return x
    pads = [max(least, -(-size // multiple) * multiple) - size for size in x.shape[2:]]
    if not any(pads):
        return x
    # torch wants the last axis first, and (before, after) for each.
    return F.pad(x, [n for pad in reversed(pads) for n in (0, pad)], mode="replicate")


class Segmenter(nn.Module, ABC):
    """Turns (N, C, *spatial) of any size into logits (N, classes, *spatial).

    A subclass writes `logits`, which only ever sees sizes that are multiples of `stride`.
    """

    def __init__(self, *, dims: int, stride: int, norm: str) -> None:
        super().__init__()
        self.dims = dims
        self.stride = stride
        self.least = least_size(stride, norm=norm)

    @abstractmethod
    def logits(self, x: Tensor) -> tuple[Tensor, ...]:
        """The logits of each head, all of the size of `x`, a multiple of the stride."""

    def heads(self, x: Tensor) -> tuple[Tensor, ...]:
        """Logits (N, classes, *spatial) of every head that deep supervision trains."""
        fitting = enlarged(x, multiple=self.stride, least=self.least)
        found = self.logits(fitting)
        if fitting is x:
            return found
        window = (slice(None), slice(None), *(slice(size) for size in x.shape[2:]))
        return tuple(logits[window] for logits in found)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, *spatial): the mean of the heads."""
        first, *others = self.heads(x)
        return sum(others, first) / (1 + len(others)) if others else first
