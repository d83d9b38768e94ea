"""A training run on images with truth: started, resumed after a kill, finished with its weights.

runs/NAME/ holds recipe.yaml and recipe.json, items.json (every item's files), split.json, last.ckpt
(the whole state), metrics.csv, curves.png, TensorBoard's files, best.pt and, in the end, final.pt.
"""

from __future__ import annotations

import dataclasses
import logging
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from leuko.datasets.items import Item
from leuko.datasets.layouts import read_layout
from leuko.datasets.splits import Split
from leuko.errors import OutOfResources
from leuko.training.curves import draw_curves
from leuko.training.fitting import fit
from leuko.training.supervised.dividing import split_items
from leuko.training.supervised.fitness import (
    require_devices,
    require_known,
    require_memory,
    too_large,
)
from leuko.training.supervised.loading import Data, load_data
from leuko.training.supervised.module import TaskModule, build_network
from leuko.training.supervised.recipe import TaskRecipe, to_plain, write_recipe
from leuko.training.supervised.resuming import (
    fingerprint,
    is_prolonged,
    require_same_data,
    require_same_recipe,
    split_plain,
)
from leuko.training.supervised.samples import Samples
from leuko.training.supervised.watching import Progress, Validator, columns, panels
from leuko.training.supervised.writing import writing_run
from leuko.training.watching import Checkpoints, Metrics
from leuko.training.weights import load_state, start_from

__all__ = ["FINAL", "STATE", "TaskOutcome", "train_task"]

log = logging.getLogger(__name__)
STATE, BEST, FINAL = "last.ckpt", "best.pt", "final.pt"


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """Where a run ended: folder, step, best validation score (nan without validation items)."""

    folder: Path
    step: int
    score: float
    scores: Mapping[str, float]
    beta: float | None
    seconds: float


def train_task(
    recipe: TaskRecipe,
    *,
    out: Path = Path("runs"),
    part: str = "",
    fresh: bool = False,
    tell: Callable[[str], None] = log.info,
    devices: int | str = "auto",
    partial: bool = False,
) -> TaskOutcome:
    """Train to the end of the recipe's schedule in the folder out/NAME (and `part` below it).

    A run that has a state there goes on from it, to the same weights, bit by bit on one machine
    with one thread, as if it had not been stopped; `fresh` starts over. `tell` gets a line every
    `checkpoint.report_s` seconds. `partial`: of `init_from` the weights that fit are enough.
    UsageError where the state belongs to another recipe; OutOfResources when memory runs out;
    Interrupted on Ctrl-C, after saving.
    """
    require_devices(devices)
    require_known(recipe)
    torch.set_num_threads(recipe.optimisation.threads)
    folder = out / recipe.name / part
    state = folder / STATE
    with writing_run(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            _clear(folder)
    saved = load_state(state) if state.is_file() else None
    items = read_layout(recipe.data)
    split = split_items(items, recipe.split)
    ended = load_state(folder / FINAL) if (folder / FINAL).is_file() else None
    require_same_recipe(saved or ended, recipe, split)
    _note(folder, recipe, items, split)
    tell(
        f"{len(items)} items: {len(split.train)} to train on, {len(split.valid)} to choose the "
        f"best weights, {len(split.test)} to test."
    )
    data = load_data(recipe, items, split, tell=tell)
    require_memory(recipe, channels=len(data.channels))
    content = fingerprint(data.train)
    require_same_data(saved, content, name=recipe.name)
    module = _module(recipe, data)
    module.kept = {"recipe": to_plain(recipe), "split": split_plain(split), "content": content}
    if recipe.init_from and saved is None:
        taken = start_from(Path(recipe.init_from), module.network, module.average, partial=partial)
        tell(f"Starting from the weights of {Path(recipe.init_from).name}: {taken}")
    step = 0 if saved is None else int(saved["global_step"])
    module.first_step = step
    if ended is None or (saved is not None and is_prolonged(saved, recipe)):
        if saved is not None:
            tell(f"Resuming at step {step}.")
        # What an earlier run without a state has left is none of this one's.
        for name in (FINAL,) if saved is not None else (FINAL, BEST):
            (folder / name).unlink(missing_ok=True)
        with writing_run(folder):
            _fit(module, data, folder, resumed=bool(saved), step=step, tell=tell, devices=devices)
    else:
        tell(
            f"This run is finished, at step {ended['step']}. More optimisation.steps go on with "
            "it, --fresh starts over."
        )
    return _outcome(folder, module, data)


def _note(folder: Path, recipe: TaskRecipe, items: Sequence[Item], split: Split) -> None:
    """Write what the run is of into its folder."""
    with writing_run(folder):
        _write_json(folder / "recipe.json", to_plain(recipe))
        write_recipe(recipe, folder / "recipe.yaml")
        _write_json(folder / "items.json", [_as_plain(item) for item in items])
        _write_json(folder / "split.json", dataclasses.asdict(split))


def _module(recipe: TaskRecipe, data: Data) -> TaskModule:
    """The network of a recipe with its samples, before the first step."""
    _seed(recipe.seed)
    network = build_network(recipe, channels=len(data.channels), classes=len(data.classes.names))
    samples = Samples(
        data.train,
        plan=recipe.case,
        augmentation=recipe.augmentation,
        foreground=recipe.sampling.foreground,
        seed=recipe.seed,
    )
    return TaskModule(recipe, network=network, samples=samples, beta=data.beta)


def _fit(
    module: TaskModule,
    data: Data,
    folder: Path,
    *,
    resumed: bool,
    step: int,
    tell: Callable[[str], None],
    devices: int | str,
) -> None:
    recipe = module.recipe
    state = folder / STATE
    names = data.classes.names
    metrics = Metrics(
        folder / "metrics.csv", from_step=step, columns=columns(names, task=recipe.task)
    )
    callbacks: list[Any] = [Progress(metrics, every_s=recipe.checkpoint.report_s, tell=tell)]
    if data.valid:
        callbacks.append(
            Validator(
                data.valid,
                names=names,
                metrics=metrics,
                keep=lambda m, scores: _write_weights(folder / BEST, m, data, scores),
                tell=tell,
            )
        )
    # Last, so that a saved state holds what the validation of its step has found.
    callbacks.append(Checkpoints(state, every_s=recipe.checkpoint.every_s))
    try:
        fit(
            module,
            folder=folder,
            callbacks=callbacks,
            state=state if resumed else None,
            devices=devices,
        )
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise too_large(recipe) from error
    except RuntimeError as error:
        if "out of memory" in str(error) or "can't allocate memory" in str(error):
            raise too_large(recipe) from error
        if "DataLoader worker" in str(error) and "killed by signal" in str(error):
            raise OutOfResources(
                "A process that draws samples was ended by the system, most likely for want "
                "of memory.",
                hint="Lower sampling.workers; the same command goes on from the last state.",
            ) from error
        raise
    _write_weights(folder / FINAL, module, data, {})


def _outcome(folder: Path, module: TaskModule, data: Data) -> TaskOutcome:
    draw_curves(
        folder / "metrics.csv",
        folder / "curves.png",
        panels=panels(data.classes.names, task=module.recipe.task),
    )
    best = folder / (BEST if (folder / BEST).is_file() else FINAL)
    scores = torch.load(best, map_location="cpu", weights_only=True)["scores"]
    final = torch.load(folder / FINAL, map_location="cpu", weights_only=True)
    return TaskOutcome(
        folder,
        int(final["step"]),
        float(scores.get("score", float("nan"))),
        {key: float(value) for key, value in scores.items()},
        data.beta,
        float(final["seconds"]),
    )


def _write_weights(path: Path, module: TaskModule, data: Data, scores: Mapping[str, Any]) -> None:
    """The averaged weights with all that is needed to use them; whole or not at all."""
    if module.global_rank:
        return
    options = {key: value for key, value in module.recipe.network.items() if key != "name"}
    options |= {
        "dims": module.recipe.case.dims,
        "in_channels": len(data.channels) * (2 * module.recipe.case.neighbours + 1),
        "classes": len(data.classes.names),
    }
    aside = path.with_suffix(".part")
    torch.save(
        {
            "network": {"name": module.recipe.network["name"], "options": options},
            "state_dict": {n: t.cpu().contiguous() for n, t in module.average.state_dict().items()},
            "recipe": to_plain(module.recipe),
            "classes": list(data.classes.names),
            "values": list(data.classes.values),
            "channels": list(data.channels),
            "beta": data.beta,
            "scores": dict(scores),
            "step": module.global_step,
            "seconds": module.seconds,
        },
        aside,
    )
    aside.replace(path)


def _clear(folder: Path) -> None:
    """Take away what a run has left."""
    for name in (STATE, BEST, FINAL, "metrics.csv", "curves.png"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)


def _seed(seed: int) -> None:
    state = int(np.random.SeedSequence([seed, 0]).generate_state(1)[0])
    torch.manual_seed(state)
    random.seed(state)


def _as_plain(item: Item) -> dict[str, Any]:
    plain = dataclasses.asdict(item)
    return {key: _path_text(value) for key, value in plain.items()}


def _path_text(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.resolve())
    if isinstance(value, (tuple, list)):
        return [_path_text(one) for one in value]
    return value


def _write_json(path: Path, content: Any) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
