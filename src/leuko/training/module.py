"""The Lightning module: network, loss, optimiser, and the moving average of the weights."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from leuko.networks import catalogue
from leuko.training import losses
from leuko.training.averaging import AveragingModule, to_channels_last
from leuko.training.crops import told_apart
from leuko.training.distillation import Teachers, divergence
from leuko.training.recipe import Recipe
from leuko.training.weights import start_from

__all__ = ["SegmentationModule"]


class SegmentationModule(AveragingModule):
    """Trains `network`; `average` holds the moving average of its weights, which is the result.

    Batches: 'image' (B, C, H, W) float32 and 'allowed' (B, H, W) int16.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe.optimisation, recorded=recipe.network)
        self.recipe = recipe
        # channels_last halves the time of a step on processors with fast bfloat16.
        self.network = to_channels_last(
            catalogue.build(recipe.network.name, **recipe.network.options())
        )
        self.average: nn.Module = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.objective = losses.build(recipe.loss.name, recipe.loss.options)
        self._teacher: list[nn.Module] = []  # in a list: no part of the saved state
        self._distilled: Teachers | None = None

    def keep(self, place: Path) -> None:
        """Keep the anatomy of other weights where truth leaves it open, and their statistics.

        Truth of lesions alone allows any anatomy elsewhere, and a network forgets what it is not
        asked for; so those weights are asked (Li and Hoiem, Learning without Forgetting, 2016).
        """
        teacher = copy.deepcopy(self.network).requires_grad_(False).eval()
        start_from(place, teacher, more_channels=True)
        self._teacher = [teacher]

    def distil(self, places: Sequence[str]) -> None:
        """Learn the mean answer of other weights, of any network, beside the truth.

        UsageError where one of them knows more neighbours of a slice than the recipe shows.
        """
        self._distilled = Teachers.of(places)
        self._distilled.require(self.recipe.data.channels)

    def on_train_start(self) -> None:
        """Start the clock; other weights that take part go where the network is."""
        super().on_train_start()
        self._teacher = [teacher.to(self.device) for teacher in self._teacher]
        if self._distilled is not None:
            self._distilled.to(self.device)

    def training_step(self, batch: dict[str, Tensor]) -> Tensor:
        """The loss of a batch."""
        image = batch["image"].to(memory_format=torch.channels_last)
        allowed = batch["allowed"]
        for teacher in self._teacher:
            _hold_statistics(self.network)
            with torch.no_grad():
                allowed = told_apart(allowed, teacher(image).float())
        logits = self.network(image).float()
        parts = self.objective(logits, allowed)
        if self._distilled is not None:
            apart = divergence(logits, self._distilled.probabilities(image))
            total = parts["loss"] + self.recipe.distil_weight * apart
            parts = {**parts, "loss": total, "distil": apart.detach()}
        self.latest = {name: float(value.detach()) for name, value in parts.items()}
        return parts["loss"]


def _hold_statistics(network: nn.Module) -> None:
    """Use batch normalisation's statistics as they are: few scans would shift them."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
