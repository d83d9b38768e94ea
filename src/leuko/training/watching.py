"""What looks on while a run trains: progress lines, metrics.csv, checkpoints."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from leuko.training.feed import Feed
from leuko.training.module import SegmentationModule

__all__ = ["Checkpoints", "Metrics", "Reports"]

COLUMNS = (
    "step",
    "minutes",
    "lr",
    "loss",
    "dice_lesion",
    "dice_cap_rim",
    "dice_both",
    "slices_per_s",
    "waiting",
    "reuse",
    "valid_loss",
    "valid_lesion",
    "valid_cap_rim",
    "valid_both",
)


class Metrics:
    """metrics.csv of a run: a row a report, flushed at once, continued on resume."""

    def __init__(self, path: Path, *, from_step: int, columns: Sequence[str] = COLUMNS) -> None:
        self._path = path
        self._columns = tuple(columns)
        rows = self._rows() if path.is_file() else []
        kept = [row for row in rows if int(row["step"]) <= from_step]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns, restval="")
            writer.writeheader()
            writer.writerows(kept)

    def add(self, **values: float) -> None:
        """Append a row of the values that have a column."""
        row = {k: f"{v:.6g}" for k, v in values.items() if k in self._columns}
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns, restval="").writerow(row)

    def _rows(self) -> list[dict[str, str]]:
        with self._path.open(newline="", encoding="utf-8") as file:
            return [{k: row.get(k, "") for k in self._columns} for row in csv.DictReader(file)]


class Reports(Callback):
    """Tells progress every `every_s` seconds: speed, loss, and the share of time spent waiting."""

    def __init__(
        self, feed: Feed, metrics: Metrics, *, every_s: float, tell: Callable[[str], None]
    ) -> None:
        self._feed = feed
        self._metrics = metrics
        self._every_s = every_s
        self._tell = tell
        self._sums: dict[str, float] = {}
        self._steps = 0
        self._since = 0.0
        self._waited = 0.0

    def on_train_start(self, *_: Any) -> None:
        """Start the clock."""
        self._since = time.perf_counter()
        self._waited = self._feed.flow.waited_s

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Add up; every `every_s` seconds, tell."""
        for name, value in pl_module.latest.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._steps += 1
        if time.perf_counter() - self._since >= self._every_s:
            self._report(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Tell the last steps."""
        if self._steps:
            self._report(trainer, pl_module)

    def _report(self, trainer: Trainer, module: SegmentationModule) -> None:
        flow = self._feed.flow
        seconds = max(time.perf_counter() - self._since, 1e-9)
        speed = self._steps * module.recipe.optimisation.batch / seconds
        waiting = (flow.waited_s - self._waited) / seconds
        means = {name: value / self._steps for name, value in self._sums.items()}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        values = {
            "step": float(module.global_step),
            "minutes": module.seconds / 60.0,
            "lr": rate,
            "slices_per_s": speed,
            "waiting": waiting,
            "reuse": flow.drawn / max(flow.made, 1),
            **means,
        }
        self._metrics.add(**values)
        for logger in trainer.loggers:
            logger.log_metrics(values, step=module.global_step)
        parts = " ".join(f"{name} {value:.3f}" for name, value in means.items())
        self._tell(
            f"step {module.global_step} ({100 * module.done:.1f} %, {module.seconds / 60:.1f} min)"
            f" {parts} | {speed:.1f} slices/s, waiting {100 * waiting:.0f} %,"
            f" reuse {values['reuse']:.2f}, lr {rate:.2e}"
        )
        self._sums, self._steps = {}, 0
        self._since, self._waited = time.perf_counter(), flow.waited_s


class Checkpoints(Callback):
    """Saves the whole state every `every_s` seconds, at the end, and on Ctrl-C.

    A new file takes the old one's place in one move, so that a kill leaves one or the other.
    """

    def __init__(self, path: Path, *, every_s: float) -> None:
        self._path = path
        self._every_s = every_s
        self._since = time.perf_counter()

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Save when it is time."""
        if time.perf_counter() - self._since >= self._every_s:
            self._save(trainer)

    def on_train_end(self, trainer: Trainer, *_: Any) -> None:
        """Save the end."""
        self._save(trainer)

    def on_exception(self, trainer: Trainer, pl_module: Any, exception: BaseException) -> None:
        """Save on Ctrl-C: nothing of the run is lost."""
        if isinstance(exception, KeyboardInterrupt) and pl_module.global_step:
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        aside = self._path.with_suffix(".part")
        trainer.save_checkpoint(aside)
        aside.replace(self._path)
        self._since = time.perf_counter()
