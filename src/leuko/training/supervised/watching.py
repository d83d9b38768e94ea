"""What looks on while a task trains: progress lines, validation, best weights, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from lightning.pytorch import Callback, Trainer

from leuko.training.supervised.module import TaskModule
from leuko.training.supervised.prior import prior_offset
from leuko.training.supervised.recipe import to_plain
from leuko.training.supervised.samples import Example
from leuko.training.supervised.scoring import runner, score_categories, score_masks
from leuko.training.watching import Metrics

__all__ = ["Progress", "Validator", "columns", "panels"]


def columns(names: Sequence[str], *, task: str) -> tuple[str, ...]:
    """The columns of metrics.csv."""
    scored = (
        tuple(f"valid_dice_{name}" for name in names[1:])
        if task == "segmentation"
        else ("valid_accuracy", "valid_balanced_accuracy")
    )
    return ("step", "minutes", "lr", "loss", "samples_per_s", "waiting", "valid_score", *scored)


def panels(names: Sequence[str], *, task: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the learning curves show: titles and columns of metrics.csv."""
    scored = columns(names, task=task)[7:]
    return (
        ("Loss", ("loss",)),
        ("Validation: Dice" if task == "segmentation" else "Validation: accuracy", scored),
        ("Validation: score that chooses the best weights", ("valid_score",)),
        ("Learning rate", ("lr",)),
        ("Samples per second", ("samples_per_s",)),
        ("Share of time waiting for samples", ("waiting",)),
    )


class Progress(Callback):
    """Tells how far training is every `every_s` seconds, and writes it to metrics.csv."""

    def __init__(self, metrics: Metrics, *, every_s: float, tell: Callable[[str], None]) -> None:
        self._metrics = metrics
        self._every_s = every_s
        self._tell = tell
        self._losses: list[float] = []
        self._since = (0.0, 0.0)  # seconds trained and waited at the last report

    def on_train_start(self, _: Trainer, pl_module: Any) -> None:
        """Start counting."""
        self._since = (pl_module.seconds, pl_module.waited)

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Add up; every `every_s` seconds, tell."""
        self._losses.append(pl_module.latest["loss"])
        if pl_module.seconds - self._since[0] >= self._every_s:
            self._report(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Tell the last steps."""
        if self._losses:
            self._report(trainer, pl_module)

    def _report(self, trainer: Trainer, module: TaskModule) -> None:
        seconds = max(module.seconds - self._since[0], 1e-9)
        waiting = (module.waited - self._since[1]) / seconds
        speed = len(self._losses) * module.recipe.optimisation.batch / seconds
        values = {
            "step": float(module.global_step),
            "minutes": module.seconds / 60.0,
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
            "loss": sum(self._losses) / len(self._losses),
            "samples_per_s": speed,
            "waiting": waiting,
        }
        self._metrics.add(**values)
        for logger in trainer.loggers:
            logger.log_metrics(values, step=module.global_step)
        left = module.seconds * (1.0 - module.done) / max(module.done, 1e-9)
        self._tell(
            f"step {module.global_step} of {module.recipe.optimisation.steps} "
            f"({100 * module.done:.0f} %, {_clock(left)} left): loss {values['loss']:.3f}, "
            f"{speed:.1f} samples/s, waiting {100 * waiting:.0f} %"
        )
        self._losses = []
        self._since = (module.seconds, module.waited)


class Validator(Callback):
    """Scores the averaged weights on validation items; keeps the best; stops when none follow.

    Its state is part of the checkpoint, so that a resumed run knows the best score so far.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        *,
        names: Sequence[str],
        metrics: Metrics,
        keep: Callable[[TaskModule, dict[str, float]], None],
        tell: Callable[[str], None],
    ) -> None:
        self._examples = examples
        self._names = names
        self._metrics = metrics
        self._keep = keep
        self._tell = tell
        self.best = -math.inf
        self.misses = 0
        self.last_step = 0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"best": self.best, "misses": self.misses, "last_step": self.last_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state of a checkpoint."""
        self.best = float(state_dict["best"])
        self.misses = int(state_dict["misses"])
        self.last_step = int(state_dict["last_step"])

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Score when it is time."""
        plan = pl_module.recipe.validation
        if pl_module.global_step % plan.every_steps == 0:
            self._score(trainer, pl_module)
            if plan.patience and self.misses >= plan.patience:
                self._tell(f"No better score in {self.misses} validations: stopping early.")
                trainer.should_stop = True

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Score the end, unless that was just done."""
        if pl_module.global_step != self.last_step:
            self._score(trainer, pl_module)

    def _score(self, trainer: Trainer, module: TaskModule) -> None:
        started = time.perf_counter()
        score = score_masks if module.recipe.task == "segmentation" else score_categories
        offset = prior_offset(
            to_plain(module.recipe),
            beta=getattr(module.objective, "beta", None),
            classes=len(self._names),
        )
        run = runner(
            module.average, autocast=trainer.precision_plugin.forward_context, offset=offset
        )
        values = score(self._examples, plan=module.recipe.case, run=run, names=self._names)
        step = self.last_step = module.global_step
        named = {f"valid_{name}": value for name, value in values.items()}
        self._metrics.add(step=step, minutes=module.seconds / 60.0, **named)
        for logger in trainer.loggers:
            logger.log_metrics(named, step=step)
        better = values["score"] > self.best
        if better:
            self.best, self.misses = values["score"], 0
            self._keep(module, values)
        else:
            self.misses += 1
        self._tell(
            f"step {step} validation: "
            + ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in values.items())
            + (" (best)" if better else "")
            + f" in {time.perf_counter() - started:.1f} s"
        )
        module.resume_clock()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
