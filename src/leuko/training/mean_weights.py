"""One network from several of one kind: the mean of their weights.

Runs that began with the same weights end in one basin, where the mean of them is about as good as
their ensemble and costs one network (Wortsman et al., Model soups, ICML 2022).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from leuko.errors import UsageError
from leuko.training.weights import load_state, load_weights

__all__ = ["mean_weights", "renew_statistics"]


def mean_weights(files: Sequence[Path]) -> dict[str, Any]:
    """What a final.pt holds, with the mean weights and statistics of several `files`.

    'recipe' and 'step' are those of the first, 'others' the recipes of the rest.

    UsageError where there are fewer than two, or they belong to different networks.
    """
    if len(files) < 2:
        raise UsageError("A mean needs two files of weights.", hint="Give RUN1/final.pt RUN2/...")
    first, *others = (load_state(file) for file in files)
    for file, other in zip(files[1:], others, strict=True):
        if other.get("network") != first.get("network"):
            raise UsageError(
                f"{file.parent.name}/{file.name} is of another network than "
                f"{files[0].parent.name}/{files[0].name}.",
                hint="Weights can be averaged where name, width, levels and norm are the same.",
            )
    stored = [load_weights(file) for file in files]
    averaged = {
        name: torch.stack([one[name].float() for one in stored]).mean(0).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor.clone()
        for name, tensor in stored[0].items()
    }
    return {
        "network": first["network"],
        "state_dict": averaged,
        "recipe": first.get("recipe"),
        "step": int(first.get("step", 0)),
        "others": [other.get("recipe") for other in others],
    }


@torch.no_grad()
def renew_statistics(network: nn.Module, batches: Iterable[Tensor]) -> int:
    """Estimate batch normalisation's statistics anew as the mean over `batches`; returns how many.

    The statistics of a mean of weights are not the mean of the statistics. Each batch is
    (B, C, H, W) float32; the network ends in eval mode.
    """
    network.eval()
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    count = 0
    for image in batches:
        network(image.contiguous(memory_format=torch.channels_last))
        count += 1
    if not count and norms:
        raise UsageError("There are no slices for the statistics.", hint="Give one or more.")
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
        norm.eval()
    return count
