"""Teachers: trained networks whose mean answer a network learns beside the truth.

Several networks know more than one; what they say of a slice can be taught to one that is as fast
as any of them (Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from leuko.models.channels import known_channels
from leuko.training.averaging import to_channels_last
from leuko.training.export import read_final
from leuko.training.weights import weights_file

__all__ = ["Teachers", "divergence"]


class Teachers:
    """Frozen networks of any architecture and width, with or without the T1.

    They are no module: a run that saves its state does not save them.
    """

    def __init__(self, networks: Sequence[nn.Module], *, channels: Sequence[int]) -> None:
        self._networks = list(networks)
        self._channels = tuple(channels)

    @classmethod
    def of(cls, places: Sequence[str]) -> Teachers:
        """From runs, model folders or files of weights; ReadError where one is none of these."""
        found = [read_final(weights_file(Path(place))) for place in places]
        return cls(
            [to_channels_last(network.requires_grad_(False).eval()) for network, _, _ in found],
            channels=[int(options.get("in_channels", 3)) for _, _, options in found],
        )

    def __len__(self) -> int:
        return len(self._networks)

    def require(self, channels: int) -> None:
        """UsageError where a network knows more neighbours than images of `channels` have."""
        for own in self._channels:
            known_channels(channels, fewer=own)

    def to(self, device: torch.device) -> None:
        """Move the networks."""
        self._networks = [network.to(device) for network in self._networks]

    @torch.no_grad()
    def probabilities(self, image: Tensor) -> Tensor:
        """The mean softmax (B, K, H, W) float32 for images (B, C, H, W).

        UsageError as in `require`.
        """
        total: Tensor | None = None
        for network, channels in zip(self._networks, self._channels, strict=True):
            answer = torch.softmax(network(_seen(image, channels)).float(), dim=1)
            total = answer if total is None else total + answer
        assert total is not None
        return total / len(self._networks)


def divergence(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over pixels of the Kullback-Leibler divergence of softmax(`logits`) from `target`."""
    pixels = target.numel() / target.shape[1]
    return F.kl_div(torch.log_softmax(logits, dim=1), target, reduction="sum") / pixels


def _seen(image: Tensor, channels: int) -> Tensor:
    """The channels a network knows; 0, which is "no T1", where the image has none for it."""
    known = image[:, list(known_channels(image.shape[1], fewer=channels))]
    return F.pad(known, (0, 0, 0, 0, 0, channels - known.shape[1]))
