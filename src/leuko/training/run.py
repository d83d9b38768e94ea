"""A training run from a recipe: started, resumed after a kill, finished with final.pt.

runs/NAME/ holds recipe.json, last.ckpt (the whole state), metrics.csv, curves.png, TensorBoard's
files, validation.npz and, in the end, final.pt.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import logging
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from leuko.compute import has_fast_bf16
from leuko.errors import Interrupted, LeukoError, UsageError
from leuko.training.curves import draw_curves
from leuko.training.feed import Feed, FeedDataset
from leuko.training.module import SegmentationModule
from leuko.training.recipe import Optimisation, Recipe, load_recipe
from leuko.training.sources import SourcePlan, plan_of, stream
from leuko.training.validation import ValidationSet, Validator
from leuko.training.watching import Checkpoints, Metrics, Reports
from leuko.training.weights import (
    Reached,
    load_weights,
    reached,
    start_from,
    weights_file,
    write_final,
)

__all__ = ["Outcome", "precision_of", "quietly", "train"]

log = logging.getLogger(__name__)
STATE = "last.ckpt"
FINAL = "final.pt"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a run ended: its step, its weights and its curves."""

    step: int
    weights: Path
    curves: Path


def train(
    recipe: Recipe,
    *,
    out: Path = Path("runs"),
    fresh: bool = False,
    tell: Callable[[str], None] = log.info,
    generator: str | None = None,
) -> Outcome:
    """Train to the end of the recipe's schedule in the folder out/NAME.

    A run that has a state there is resumed; `fresh` starts over (the old state is kept beside as
    last.ckpt.old). `tell` gets a line every `checkpoint.report_s` seconds. UsageError where the
    state belongs to another network; Interrupted on Ctrl-C, after saving.
    """
    torch.set_num_threads(recipe.optimisation.threads)
    folder = out / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / STATE
    if fresh and state.is_file():
        state.replace(state.with_name(STATE + ".old"))
        (folder / "metrics.csv").unlink(missing_ok=True)
    start = reached(state, recipe) if state.is_file() else Reached()
    plan = plan_of(recipe.data) if generator is None else plan_of(recipe.data, generator=generator)
    (folder / "recipe.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(recipe), indent=2) + b"\n"
    )

    # The start decides the initial weights; later draws must not repeat those before the kill.
    torch.manual_seed(int(np.random.SeedSequence([recipe.seed, start.step]).generate_state(1)[0]))
    module = SegmentationModule(recipe)
    module.seconds = start.seconds
    if recipe.init_from and not start.step:
        start_from(Path(recipe.init_from), module.network, module.average)
        tell(f"Starting from the weights of {Path(recipe.init_from).name}.")
    if recipe.keep_from:
        module.keep(load_weights(weights_file(Path(recipe.keep_from))))
    if start.step:
        tell(f"Resuming at step {start.step}.")
        draw_curves(folder / "metrics.csv", folder / "curves.png")
    if start.step >= recipe.optimisation.steps or module.done >= 1.0:
        return _finish(folder, module, state)
    metrics = Metrics(folder / "metrics.csv", from_step=start.step)
    held = _validation(folder, plan, recipe)
    with Feed(
        plan, seed=recipe.seed, start_step=start.step, batch=recipe.optimisation.batch
    ) as feed:
        callbacks: list[Any] = [
            Reports(feed, metrics, every_s=recipe.checkpoint.report_s, tell=tell),
            Checkpoints(state, every_s=recipe.checkpoint.every_s),
        ]
        if held is not None:
            callbacks.append(
                Validator(held, metrics, every_steps=recipe.validation.every_steps, tell=tell)
            )
        _fit(module, feed, callbacks, folder, state if start.step else None)
    return _finish(folder, module, state)


def _fit(
    module: SegmentationModule,
    feed: Feed,
    callbacks: list[Any],
    folder: Path,
    state: Path | None,
) -> None:
    """Let Lightning train until the schedule ends; Interrupted on Ctrl-C, the state saved."""
    plan = module.recipe.optimisation
    handler = signal.getsignal(signal.SIGINT)
    with quietly():
        trainer = Trainer(
            accelerator="auto",
            devices=1,
            precision=precision_of(plan),
            max_steps=plan.steps,
            gradient_clip_val=plan.clip,
            logger=TensorBoardLogger(folder, name=None, version="tensorboard"),
            callbacks=callbacks,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
            num_sanity_val_steps=0,
        )
        loader = DataLoader(FeedDataset(feed), batch_size=None, num_workers=0)
        try:
            trainer.fit(module, loader, ckpt_path=state, weights_only=False)
        except SystemExit:
            # Lightning turns Ctrl-C into an exit of its own and leaves the signal ignored.
            signal.signal(signal.SIGINT, handler)
            raise Interrupted(
                f"Training stopped at step {module.global_step}; its state is saved.",
                hint="The same command continues it.",
            ) from None


def _finish(folder: Path, module: SegmentationModule, state: Path) -> Outcome:
    """Write the curves and final.pt: the averaged weights with what is needed to use them."""
    step = write_final(folder / FINAL, state=state, recipe=module.recipe)
    draw_curves(folder / "metrics.csv", folder / "curves.png")
    return Outcome(step, folder / FINAL, folder / "curves.png")


def _validation(folder: Path, plan: SourcePlan, recipe: Recipe) -> ValidationSet | None:
    """The fixed synthetic set of a run, made once; None where the recipe has none."""
    count = recipe.validation.slices
    if not count or not plan.labelmaps:
        return None
    generated = msgspec.structs.replace(plan.data, real_share=0.0)
    slices = stream(dataclasses.replace(plan, data=generated), seed=recipe.validation.seed)
    return ValidationSet.of(folder / "validation.npz", slices, count)


def precision_of(plan: Optimisation) -> Any:
    """Lightning's name of the number format; 'auto' is bfloat16 where that is fast.

    UsageError for f16 without a GPU: its loss scaling exists only there.
    """
    if plan.precision == "f16":
        if not torch.cuda.is_available():
            raise UsageError(
                "precision f16 needs a CUDA GPU, and none is visible.",
                hint="Set optimisation.precision to auto.",
            )
        return "16-mixed"
    fast = torch.cuda.is_available() or has_fast_bf16()
    bf16 = plan.precision == "bf16" or (plan.precision == "auto" and fast)
    return "bf16-mixed" if bf16 else "32-true"


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Lightning's tips and warnings about choices made here on purpose stay out of the way."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def main() -> None:
    """`python -m leuko.training.run RECIPE [--data FOLDER] [--out FOLDER] [--fresh]`."""
    parser = argparse.ArgumentParser(prog="python -m leuko.training.run")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--fresh", action="store_true")
    given = parser.parse_args()

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        outcome = train(
            load_recipe(given.recipe, data=given.data), out=given.out, fresh=given.fresh, tell=tell
        )
    except LeukoError as error:
        sys.stderr.write(f"{error.what}\n{error.hint}\n")
        raise SystemExit(error.exit_code) from None
    tell(f"Done at step {outcome.step}: {outcome.weights}")


if __name__ == "__main__":
    main()
