"""The fixed synthetic set that shows that training works; it never chooses weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor, nn

from leuko.training.module import SegmentationModule
from leuko.training.objectives import TARGETS, membership
from leuko.training.watching import Metrics

__all__ = ["ValidationSet", "Validator", "validate"]


class ValidationSet:
    """Slices of a fixed seed, kept in a file beside the run."""

    def __init__(self, image: Tensor, allowed: Tensor) -> None:
        self.image = image
        self.allowed = allowed

    @classmethod
    def of(
        cls, path: Path, slices: Any, count: int, *, spread: int = 6, channels: int = 3
    ) -> ValidationSet:
        """From `path`, or every `spread`-th of `slices` (so that many heads take part).

        A file with another number of channels is of an earlier run, and made anew.
        """
        if not path.is_file() or _channels(path) != channels:
            chosen = list(itertools.islice(slices, 0, spread * count, spread))
            np.savez(
                path,
                image=np.stack([s.image for s in chosen]),
                allowed=np.stack([s.allowed for s in chosen]),
            )
        with np.load(path) as stored:
            return cls(torch.from_numpy(stored["image"]), torch.from_numpy(stored["allowed"]))


def _channels(path: Path) -> int:
    with np.load(path) as stored:
        return int(stored["image"].shape[1])


class Validator(Callback):
    """Measures the averaged weights on the validation set every `every_steps` steps."""

    def __init__(
        self,
        held: ValidationSet,
        metrics: Metrics,
        *,
        every_steps: int,
        tell: Callable[[str], None],
    ) -> None:
        self._held = held
        self._metrics = metrics
        self._every_steps = every_steps
        self._tell = tell

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Measure when it is time."""
        if pl_module.global_step % self._every_steps == 0:
            self._measure(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Measure the end, unless that was just done."""
        if pl_module.global_step % self._every_steps:
            self._measure(trainer, pl_module)

    def _measure(self, trainer: Trainer, module: SegmentationModule) -> None:
        precision = trainer.precision_plugin
        with precision.forward_context():
            values = validate(
                module.average,
                self._held,
                objective=module.objective,
                batch=module.recipe.optimisation.batch,
            )
        step = module.global_step
        self._metrics.add(step=step, minutes=module.seconds / 60.0, **values)
        for logger in trainer.loggers:
            logger.log_metrics(values, step=step)
        self._tell(
            f"step {step} validation (synthetic): "
            + " ".join(f"{name} {value:.3f}" for name, value in values.items())
        )


@torch.no_grad()
def validate(
    network: nn.Module, held: ValidationSet, *, objective: Any, batch: int
) -> dict[str, float]:
    """Mean loss, and hard Dice (argmax) of lesions, caps and both over the whole set."""
    network.eval()
    device = next(network.parameters()).device
    losses: list[float] = []
    hits = dict.fromkeys((name for name, _ in TARGETS), 0.0)
    sizes = dict.fromkeys(hits, 0.0)
    for first in range(0, len(held.image), batch):
        image = held.image[first : first + batch].to(device, torch.float32)
        image = image.contiguous(memory_format=torch.channels_last)
        allowed = held.allowed[first : first + batch].to(device)
        logits = network(image).float()
        losses.append(float(objective(logits, allowed)["loss"]))
        found = logits.argmax(1)
        for name, classes in TARGETS:
            inside, known = membership(allowed, classes)
            mask = torch.isin(found, torch.tensor(classes, device=device)) & known
            hits[name] += float((mask & inside).sum())
            sizes[name] += float(mask.sum() + inside.sum())
    scores = {f"valid_{n}": 2 * hits[n] / sizes[n] if sizes[n] else 1.0 for n in hits}
    return {"valid_loss": float(np.mean(losses)), **scores}
