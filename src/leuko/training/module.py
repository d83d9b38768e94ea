"""The Lightning module: network, loss, optimiser, and the moving average of the weights."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from leuko.networks import catalogue
from leuko.training import losses, optimisers
from leuko.training.crops import told_apart
from leuko.training.recipe import Recipe
from leuko.training.schedule import averaging, learning_rate, progress

__all__ = ["SegmentationModule", "average_into", "to_channels_last"]


class SegmentationModule(LightningModule):
    """Trains `network`; `average` holds the moving average of its weights, which is the result.

    Batches: 'image' (B, 3, H, W) float32 and 'allowed' (B, H, W) int16.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        # channels_last halves the time of a step on processors with fast bfloat16.
        self.network = to_channels_last(
            catalogue.build(recipe.network.name, **recipe.network.options())
        )
        self.average: nn.Module = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.objective = losses.build(recipe.loss.name, recipe.loss.options)
        self.seconds = 0.0  # trained before this start, plus since
        self.latest: dict[str, float] = {}
        self._clock = time.perf_counter()
        self._teacher: list[nn.Module] = []  # in a list: no part of the saved state

    def keep(self, weights: Mapping[str, Tensor]) -> None:
        """Keep the anatomy of other weights where truth leaves it open, and their statistics.

        Truth of lesions alone allows any anatomy elsewhere, and a network forgets what it is not
        asked for; so those weights are asked (Li and Hoiem, Learning without Forgetting, 2016).
        """
        teacher = copy.deepcopy(self.network).requires_grad_(False).eval()
        teacher.load_state_dict(weights)
        self._teacher = [teacher]

    @property
    def done(self) -> float:
        """Share of the run that is done."""
        return progress(self.recipe.optimisation, step=self.global_step, seconds=self.seconds)

    def on_train_start(self) -> None:
        """Start the clock."""
        self._clock = time.perf_counter()
        self._teacher = [teacher.to(self.device) for teacher in self._teacher]

    def on_train_batch_start(self, *_: Any) -> None:
        """Set the learning rate of this step."""
        now = time.perf_counter()
        self.seconds += now - self._clock
        self._clock = now
        rate = learning_rate(self.recipe.optimisation, step=self.global_step, done=self.done)
        for group in cast(torch.optim.Optimizer, self.optimizers()).param_groups:
            group["lr"] = rate

    def training_step(self, batch: dict[str, Tensor]) -> Tensor:
        """The loss of a batch."""
        image = batch["image"].to(memory_format=torch.channels_last)
        allowed = batch["allowed"]
        for teacher in self._teacher:
            _hold_statistics(self.network)
            with torch.no_grad():
                allowed = told_apart(allowed, teacher(image).float())
        parts = self.objective(self.network(image).float(), allowed)
        self.latest = {name: float(value.detach()) for name, value in parts.items()}
        return parts["loss"]

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Move the weights, and at once the average: a state saved after it holds both."""
        super().optimizer_step(*args, **kwargs)
        decay = averaging(self.recipe.optimisation, step=self.global_step)
        average_into(self.average, self.network, decay=decay)

    def on_train_batch_end(self, *_: Any) -> None:
        """End the run when its schedule has run out."""
        if self.done >= 1.0:
            self.trainer.should_stop = True

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The recipe's optimiser."""
        plan = self.recipe.optimisation
        return optimisers.build(
            plan.optimiser,
            self.network.parameters(),
            lr=plan.lr,
            weight_decay=plan.weight_decay,
            momentum=plan.momentum,
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the training time beside the weights."""
        checkpoint["seconds"] = self.seconds
        checkpoint["network"] = msgspec.to_builtins(self.recipe.network)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the training time up again."""
        self.seconds = float(checkpoint["seconds"])


def _hold_statistics(network: nn.Module) -> None:
    """Use batch normalisation's statistics as they are: few scans would shift them."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def to_channels_last(network: nn.Module) -> nn.Module:
    """The network with its weights in the channels-last order."""
    # torch's stubs know memory_format for tensors only.
    return cast(nn.Module, cast(Any, network).to(memory_format=torch.channels_last))


@torch.no_grad()
def average_into(average: nn.Module, network: nn.Module, *, decay: float) -> None:
    """Move the weights and running statistics of `average` towards those of `network`."""
    old = [t for t in average.state_dict().values() if t.is_floating_point()]
    new = [t for t in network.state_dict().values() if t.is_floating_point()]
    torch._foreach_lerp_(old, new, 1.0 - decay)
