"""A training run from a recipe: started, resumed after a kill, finished with final.pt.

runs/NAME/ holds recipe.json, last.ckpt (the whole state), metrics.csv, curves.png, TensorBoard's
files, validation.npz and, in the end, final.pt.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch.utils.data import DataLoader

from leuko.errors import LeukoError
from leuko.training.curves import draw_curves
from leuko.training.feed import Feed, FeedDataset
from leuko.training.fitting import fit
from leuko.training.module import SegmentationModule
from leuko.training.recipe import Recipe, load_recipe
from leuko.training.sources import SourcePlan, plan_of, stream
from leuko.training.validation import ValidationSet, Validator
from leuko.training.watching import Checkpoints, Metrics, Reports
from leuko.training.weights import (
    Reached,
    reached,
    start_from,
    write_final,
)

__all__ = ["Outcome", "train"]

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
        taken = start_from(
            Path(recipe.init_from), module.network, module.average, more_channels=True
        )
        tell(f"Starting from the weights of {Path(recipe.init_from).name}.")
        if taken.widened:
            tell("They have fewer input channels; what the new ones weigh begins at 0.")
    if recipe.keep_from:
        module.keep(Path(recipe.keep_from))
    if recipe.distil_from:
        module.distil(recipe.distil_from)
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
        fit(
            module,
            folder=folder,
            callbacks=callbacks,
            state=state if start.step else None,
            loader=DataLoader(FeedDataset(feed), batch_size=None, num_workers=0),
        )
    return _finish(folder, module, state)


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
    return ValidationSet.of(folder / "validation.npz", slices, count, channels=plan.data.channels)


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
