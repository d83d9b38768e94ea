"""A training run from a recipe: started, resumed after a kill, finished with final.pt.

runs/NAME/ holds recipe.json, last.ckpt (the whole state), metrics.csv, curves.png, TensorBoard's
files, validation.npz and, in the end, final.pt.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import logging
import os
import pickle
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
from leuko.errors import Interrupted, LeukoError, ReadError, UsageError
from leuko.training.curves import draw_curves
from leuko.training.feed import Feed, FeedDataset
from leuko.training.module import SegmentationModule
from leuko.training.recipe import Optimisation, Recipe, load_recipe, to_plain
from leuko.training.sources import SourcePlan, plan_of, stream
from leuko.training.watching import Checkpoints, Metrics, Reports, ValidationSet, Validator

__all__ = ["Outcome", "load_weights", "train"]

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
        os.replace(state, state.with_name(STATE + ".old"))
        (folder / "metrics.csv").unlink(missing_ok=True)
    start_step = _check_state(state, recipe) if state.is_file() else 0
    plan = plan_of(recipe.data) if generator is None else plan_of(recipe.data, generator=generator)
    (folder / "recipe.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(recipe), indent=2) + b"\n"
    )

    # The start decides the initial weights; later draws must not repeat those before the kill.
    torch.manual_seed(int(np.random.SeedSequence([recipe.seed, start_step]).generate_state(1)[0]))
    module = SegmentationModule(recipe)
    if recipe.init_from and not start_step:
        start = load_weights(Path(recipe.init_from))
        module.network.load_state_dict(start)
        module.average.load_state_dict(start)
        tell(f"Starting from the weights of {Path(recipe.init_from).name}.")
    if start_step:
        tell(f"Resuming at step {start_step}.")
        draw_curves(folder / "metrics.csv", folder / "curves.png")
    metrics = Metrics(folder / "metrics.csv", from_step=start_step)
    held = _validation(folder, plan, recipe)
    with Feed(
        plan, seed=recipe.seed, start_step=start_step, batch=recipe.optimisation.batch
    ) as feed:
        callbacks: list[Any] = [
            Reports(feed, metrics, every_s=recipe.checkpoint.report_s, tell=tell),
            Checkpoints(state, every_s=recipe.checkpoint.every_s),
        ]
        if held is not None:
            callbacks.append(
                Validator(
                    held, metrics, every_steps=recipe.validation.every_steps, tell=tell
                )
            )
        if start_step < recipe.optimisation.steps and module.done < 1.0:
            _fit(module, feed, callbacks, folder, state if start_step else None)
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
    with _quiet():
        trainer = Trainer(
            accelerator="auto",
            devices=1,
            precision=_precision(plan),
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
    saved = torch.load(state, map_location="cpu", weights_only=False)
    weights = {
        name.removeprefix("average."): tensor.contiguous()
        for name, tensor in saved["state_dict"].items()
        if name.startswith("average.")
    }
    recipe = module.recipe
    final = folder / FINAL
    aside = final.with_suffix(".part")
    torch.save(
        {
            "network": {"name": recipe.network.name, "options": recipe.network.options()},
            "state_dict": weights,
            "recipe": to_plain(recipe),
            "step": saved["global_step"],
        },
        aside,
    )
    os.replace(aside, final)
    draw_curves(folder / "metrics.csv", folder / "curves.png")
    return Outcome(int(saved["global_step"]), final, folder / "curves.png")


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """The averaged weights in a final.pt or a last.ckpt; ReadError where it is neither."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=False)
        stored: dict[str, torch.Tensor] = content["state_dict"]
    except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise ReadError(
            f"{path.name} holds no weights of a run: {error}.",
            hint="Give a final.pt or last.ckpt of leuko train.",
        ) from error
    averaged = {
        name.removeprefix("average."): tensor
        for name, tensor in stored.items()
        if name.startswith("average.")
    }
    return averaged or stored


def _check_state(state: Path, recipe: Recipe) -> int:
    """The step of a saved state; UsageError where its network is not the recipe's."""
    saved = torch.load(state, map_location="cpu", weights_only=False)
    if saved["network"] != msgspec.to_builtins(recipe.network):
        raise UsageError(
            f"The saved run '{recipe.name}' has another network: {saved['network']}.",
            hint="Give the recipe another name, or start over with --fresh.",
        )
    return int(saved["global_step"])


def _validation(folder: Path, plan: SourcePlan, recipe: Recipe) -> ValidationSet | None:
    """The fixed synthetic set of a run, made once; None where the recipe has none."""
    count = recipe.validation.slices
    if not count or not plan.labelmaps:
        return None
    generated = msgspec.structs.replace(plan.data, real_share=0.0)
    slices = stream(
        dataclasses.replace(plan, data=generated), seed=recipe.validation.seed
    )
    return ValidationSet.of(folder / "validation.npz", slices, count)


def _precision(plan: Optimisation) -> Any:
    """Lightning's name of the number format; 'auto' is bfloat16 where that is fast."""
    fast = torch.cuda.is_available() or has_fast_bf16()
    bf16 = plan.precision == "bf16" or (plan.precision == "auto" and fast)
    return "bf16-mixed" if bf16 else "32-true"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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
