"""The Lightning module of training with truth: network, loss, optimiser, averaged weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from leuko.networks import catalogue
from leuko.training import losses
from leuko.training.averaging import AveragingModule, to_channels_last
from leuko.training.supervised.recipe import TaskRecipe
from leuko.training.supervised.samples import Samples

__all__ = ["TaskModule", "batches", "build_network"]


def build_network(recipe: TaskRecipe, *, channels: int, classes: int) -> nn.Module:
    """The recipe's network for so many image channels (before neighbours) and classes."""
    options = {key: value for key, value in recipe.network.items() if key != "name"}
    return catalogue.build(
        str(recipe.network["name"]),
        dims=recipe.case.dims,
        in_channels=channels * (2 * recipe.case.neighbours + 1),
        classes=classes,
        **options,
    )


class TaskModule(AveragingModule):
    """Trains `network`; `average` holds the moving average of its weights, which is the result.

    Batches: 'image' (B, C, *size) float32 and 'target', labels (B, *size) or categories (B,).
    Random numbers of a step (dropout) depend on the seed and the step alone, so that a resumed
    run goes on exactly as if it had not been stopped.
    """

    def __init__(
        self,
        recipe: TaskRecipe,
        *,
        network: nn.Module,
        samples: Samples,
        beta: float | None = None,
    ) -> None:
        super().__init__(recipe.optimisation, recorded=recipe.network)
        self.recipe = recipe
        # For slices, channels_last halves the time of a step; for volumes it gains nothing.
        self.network = to_channels_last(network) if recipe.case.dims == 2 else network
        self.average: nn.Module = copy.deepcopy(self.network).requires_grad_(False).eval()
        options = dict(recipe.loss.options)
        if beta is not None and losses.takes_shares(recipe.loss.name, options):
            options = losses.with_beta(recipe.loss.name, options, beta=beta)
        self.objective = losses.build(recipe.loss.name, options, target="labels")
        self._samples = samples
        self.waited = 0.0  # seconds of training for samples
        self.first_step = 0
        self.kept: dict[str, Any] = {}  # what the run is of; part of its state

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Samples in their order, from where the run stands; each process takes its part."""
        batch = self.recipe.optimisation.batch
        world, rank = self.trainer.world_size, self.trainer.global_rank
        numbers = batches(self.first_step, batch=batch, world=world, rank=rank)
        return DataLoader(
            self._samples,
            batch_sampler=cast(Any, _Sampler(numbers)),
            num_workers=self.recipe.sampling.workers,
            persistent_workers=False,
        )

    def on_train_batch_start(self, *_: Any) -> None:
        """Set the learning rate and the random numbers of this step."""
        self.waited += self.passed()
        super().on_train_batch_start()
        seeds = np.random.SeedSequence([self.recipe.seed, self.global_step, self.global_rank])
        torch.manual_seed(int(seeds.generate_state(1)[0]))

    def training_step(self, batch: dict[str, Tensor]) -> Tensor:
        """The loss of a batch: its mean over the network's heads."""
        image = batch["image"]
        if self.recipe.case.dims == 2:
            image = image.contiguous(memory_format=torch.channels_last)
        heads = cast(Any, self.network).heads(image)
        each = [self.objective(logits.float(), batch["target"]) for logits in heads]
        loss = torch.stack([parts["loss"] for parts in each]).mean()
        self.latest = {name: float(value.detach()) for name, value in each[-1].items()}
        self.latest["loss"] = float(loss.detach())
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Count the step's time; end the run when its schedule has run out."""
        self.passed()
        super().on_train_batch_end()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what the run is of, too."""
        super().on_save_checkpoint(checkpoint)
        checkpoint.update(self.kept)


class _Sampler:
    """Lists of sample numbers, a batch each."""

    def __init__(self, batches: Iterator[list[int]]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[list[int]]:
        return self._batches


def batches(step: int, *, batch: int, world: int, rank: int) -> Iterator[list[int]]:
    """Sample numbers of each step from `step` on, for one process of `world`."""
    while True:
        first = (step * world + rank) * batch
        yield list(range(first, first + batch))
        step += 1
