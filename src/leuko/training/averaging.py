"""What every training module here does: a schedule, an optimiser, averaged weights, a clock."""

from __future__ import annotations

import time
from typing import Any, cast

import msgspec
import torch
from lightning.pytorch import LightningModule
from torch import nn

from leuko.training import optimisers
from leuko.training.recipe import Optimisation
from leuko.training.schedule import averaging, learning_rate, progress

__all__ = ["AveragingModule", "average_into", "to_channels_last"]


class AveragingModule(LightningModule):
    """Trains `network`; `average` holds the moving average of its weights, which is the result.

    `seconds` is the time trained, before this start and since; `latest` the parts of the last
    loss. `recorded` says what a saved state is of.
    """

    network: nn.Module
    average: nn.Module

    def __init__(self, plan: Optimisation, *, recorded: Any) -> None:
        super().__init__()
        self.plan = plan
        self.seconds = 0.0
        self.latest: dict[str, float] = {}
        self._recorded = recorded
        self._clock = time.perf_counter()

    @property
    def done(self) -> float:
        """Share of the run that is done."""
        return progress(self.plan, step=self.global_step, seconds=self.seconds)

    def resume_clock(self) -> None:
        """What passed since the last step does not count as training."""
        self._clock = time.perf_counter()

    def passed(self) -> float:
        """Seconds since the last call, which count as training."""
        now = time.perf_counter()
        seconds = now - self._clock
        self.seconds += seconds
        self._clock = now
        return seconds

    def on_train_start(self) -> None:
        """Start the clock."""
        self.resume_clock()

    def on_train_batch_start(self, *_: Any) -> None:
        """Set the learning rate of this step."""
        self.passed()
        rate = learning_rate(self.plan, step=self.global_step, done=self.done)
        for group in cast(torch.optim.Optimizer, self.optimizers()).param_groups:
            group["lr"] = rate

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Move the weights, and at once the average: a state saved after it holds both."""
        super().optimizer_step(*args, **kwargs)
        decay = averaging(self.plan, step=self.global_step)
        average_into(self.average, self.network, decay=decay)

    def on_train_batch_end(self, *_: Any) -> None:
        """End the run when its schedule has run out."""
        if self.done >= 1.0:
            self.trainer.should_stop = True

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The recipe's optimiser, without decay on normalisations and biases."""
        return optimisers.build(
            self.plan.optimiser,
            self.network.parameters(),
            lr=self.plan.lr,
            weight_decay=self.plan.weight_decay,
            momentum=self.plan.momentum,
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the training time, and what the weights belong to."""
        checkpoint["seconds"] = self.seconds
        checkpoint["network"] = msgspec.to_builtins(self._recorded)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the training time up again."""
        self.seconds = float(checkpoint["seconds"])


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
