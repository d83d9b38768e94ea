"""A training run on images with truth: started, resumed after a kill, finished with its weights.

runs/NAME/ holds recipe.yaml and recipe.json, items.json (every item's files), split.json, last.ckpt
(the whole state), metrics.csv, curves.png, TensorBoard's files, best.pt and, in the end, final.pt.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import random
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from leuko.datasets.cache import cached
from leuko.datasets.items import Item
from leuko.datasets.layouts import read_layout
from leuko.datasets.splits import Split
from leuko.errors import Interrupted, LeukoError, OutOfResources, UsageError
from leuko.networks.catalogue import architecture
from leuko.preparation.case import CasePlan, PreparedCase
from leuko.training import losses
from leuko.training.curves import draw_curves
from leuko.training.run import precision_of, quietly
from leuko.training.supervised.dividing import split_items
from leuko.training.supervised.module import TaskModule, build_network
from leuko.training.supervised.recipe import TaskRecipe, to_plain
from leuko.training.supervised.resuming import (
    fingerprint,
    is_prolonged,
    require_same_data,
    require_same_recipe,
    split_plain,
)
from leuko.training.supervised.samples import Example, Samples
from leuko.training.supervised.truth import Classes, categories_of, classes_of, numbered
from leuko.training.supervised.variants import write_recipe
from leuko.training.supervised.watching import Progress, Validator, columns, panels
from leuko.training.supervised.writing import writing_run
from leuko.training.watching import Checkpoints, Metrics
from leuko.training.weights import load_state, start_from

__all__ = ["FINAL", "STATE", "TaskOutcome", "train_task"]

log = logging.getLogger(__name__)
NOWHERE = -1  # a label that counts nowhere
SHOWN = 3  # items in a message, after the first
ENOUGH = 8  # cases that tell how large the others are
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


@dataclass(frozen=True, slots=True)
class _Data:
    """Prepared examples of a run and what they are examples of."""

    train: list[Example]
    valid: list[Example]
    classes: Classes
    channels: tuple[str, ...]
    beta: float | None


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
    _require_devices(devices)
    _require_known(recipe)
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
    with writing_run(folder):
        _write_json(folder / "recipe.json", to_plain(recipe))
        write_recipe(recipe, folder / "recipe.yaml")
        _write_json(folder / "items.json", [_as_plain(item) for item in items])
        _write_json(folder / "split.json", dataclasses.asdict(split))
    tell(
        f"{len(items)} items: {len(split.train)} to train on, {len(split.valid)} to choose the "
        f"best weights, {len(split.test)} to test."
    )
    data = _load(recipe, items, split, tell=tell)
    _require_memory(recipe, channels=len(data.channels))
    content = fingerprint(data.train)
    require_same_data(saved, content, name=recipe.name)
    _seed(recipe.seed)
    network = build_network(recipe, channels=len(data.channels), classes=len(data.classes.names))
    samples = Samples(
        data.train,
        plan=recipe.case,
        augmentation=recipe.augmentation,
        foreground=recipe.sampling.foreground,
        seed=recipe.seed,
    )
    module = TaskModule(recipe, network=network, samples=samples, beta=data.beta)
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


def _fit(
    module: TaskModule,
    data: _Data,
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
    plan = recipe.optimisation
    handler = signal.getsignal(signal.SIGINT)
    with quietly():
        trainer = Trainer(
            accelerator="auto",
            devices=devices,
            strategy="auto",
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
            use_distributed_sampler=False,
        )
        try:
            trainer.fit(module, ckpt_path=state if resumed else None, weights_only=False)
        except SystemExit:
            signal.signal(signal.SIGINT, handler)
            saved = "; its state is saved" if module.global_step else ""
            raise Interrupted(
                f"Training stopped at step {module.global_step}{saved}.",
                hint="The same command continues it.",
            ) from None
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise _too_large(recipe) from error
        except RuntimeError as error:
            if "out of memory" in str(error) or "can't allocate memory" in str(error):
                raise _too_large(recipe) from error
            if "DataLoader worker" in str(error) and "killed by signal" in str(error):
                raise OutOfResources(
                    "A process that draws samples was ended by the system, most likely for want "
                    "of memory.",
                    hint="Lower sampling.workers; the same command goes on from the last state.",
                ) from error
            raise
    _write_weights(folder / FINAL, module, data, {})


def _load(
    recipe: TaskRecipe, items: Sequence[Item], split: Split, *, tell: Callable[[str], None]
) -> _Data:
    """Read and prepare the items to train on and to validate with."""
    by_name = {item.name: item for item in items}
    wanted = split.train + _some(split.valid, recipe.validation.items)
    cache = Path(recipe.sampling.cache) if recipe.sampling.cache else None
    cases = _prepared([by_name[name] for name in wanted], plan=recipe.case, cache=cache)
    channels = {case.image.shape[0] for case in cases.values()}
    if len(channels) != 1:
        raise UsageError(
            f"Items have different numbers of channels: {sorted(channels)}.",
            hint="Each item needs the same images in the same order.",
        )
    if recipe.task == "classification":
        classes = categories_of([by_name[name].category for name in wanted])
        number = {name: index for index, name in enumerate(classes.names)}
        made = {name: Example(cases[name], None, number[by_name[name].category]) for name in wanted}
        beta = None
    else:
        training = {name: cases[name] for name in split.train}
        classes = classes_of(training, named=recipe.data.classes, others=recipe.other_labels)
        made = {name: _labelled(case, classes) for name, case in cases.items()}
        labels = [made[name].label for name in split.train]
        beta = losses.background_share(label for label in labels if label is not None)
        tell(
            f"Classes: {', '.join(classes.names)}; background is {100 * beta:.2f} % of the voxels "
            f"to train on (beta {beta:.5f})."
        )
    return _Data(
        train=[made[name] for name in split.train],
        valid=[made[name] for name in wanted[len(split.train) :]],
        classes=classes,
        channels=_channel_names(recipe, channels.pop()),
        beta=beta,
    )


def _prepared(
    items: Sequence[Item], *, plan: CasePlan, cache: Path | None
) -> dict[str, PreparedCase]:
    """Each item's case by name. What is wrong with some is raised with the names of the next."""
    cases: dict[str, PreparedCase] = {}
    failed: dict[str, LeukoError] = {}
    taken = 0
    for item in items:
        try:
            case = cached(item, plan=plan, folder=cache)
        except LeukoError as error:
            failed[item.name] = error
            if len(failed) > SHOWN:
                break
            continue
        if not failed:
            cases[item.name] = case
            taken += case.image.nbytes + (0 if case.label is None else 2 * case.label.nbytes)
        if cache is None and len(cases) >= ENOUGH:
            _require_room(taken / len(cases) * (len(items) - len(cases)), count=len(items))
    if failed:
        (name, first), *others = failed.items()
        raise type(first)(f"Item {name}: {first.what}{_also(others)}", hint=first.hint) from first
    return cases


def _also(others: Sequence[tuple[str, LeukoError]]) -> str:
    """That other items cannot be used either."""
    if not others:
        return ""
    more = " and more" if len(others) >= SHOWN else ""
    return f" Not usable either: {', '.join(name for name, _ in others)}{more}."


def _require_room(needed: float, *, count: int) -> None:
    """OutOfResources where the cases to come do not fit into memory."""
    free = _free_memory()
    if free is not None and needed > free:
        raise OutOfResources(
            f"The {count} images to train with do not fit into memory: about "
            f"{needed / 1e9:.0f} GB more are needed, {free / 1e9:.0f} GB are free.",
            hint="Keep them prepared on the disk with sampling.cache: FOLDER, or set a coarser "
            "case.spacing.",
        )


def _labelled(case: PreparedCase, classes: Classes) -> Example:
    if case.label is None:
        raise UsageError(
            "An item to train on has no mask.", hint="Give every image a mask, or leave it out."
        )
    label = numbered(case.label, classes)
    if case.region is not None:
        label = np.where(case.region, label, np.int16(NOWHERE))  # beyond it nothing is learned
    return Example(case, label)


def _channel_names(recipe: TaskRecipe, count: int) -> tuple[str, ...]:
    """What the channels are called: the folders, columns or parts of names they come from."""
    given = tuple(Path(name).name for name in recipe.data.channels())
    return given if len(given) == count else tuple(f"image {k + 1}" for k in range(count))


def _some(names: tuple[str, ...], most: int) -> tuple[str, ...]:
    if not most or len(names) <= most:
        return names
    step = len(names) / most
    return tuple(names[int(k * step)] for k in range(most))


def _outcome(folder: Path, module: TaskModule, data: _Data) -> TaskOutcome:
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


def _write_weights(path: Path, module: TaskModule, data: _Data, scores: Mapping[str, Any]) -> None:
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


def _require_devices(devices: int | str) -> None:
    """UsageError where graphics cards are asked for that are not there."""
    there = torch.cuda.device_count()
    if devices != "auto" and (not isinstance(devices, int) or devices < 1):
        raise UsageError(
            f"'{devices}' is no number of graphics cards.", hint="Give 1, 2, ... or auto."
        )
    if isinstance(devices, int) and devices > max(there, 1):
        raise UsageError(
            f"{devices} graphics cards were asked for; torch finds {there or 'none'}.",
            hint="Leave out --devices: without a card training runs on the processor. If there is "
            "a card, install a torch with CUDA and a driver that fits it.",
        )


def _require_known(recipe: TaskRecipe) -> None:
    """UsageError for what network, loss or precision refuse, before any image is read."""
    name = str(recipe.network["name"])
    made_for = architecture(name).task
    if made_for != recipe.task:
        raise UsageError(
            f"The network '{name}' is for {made_for}, the recipe's task is {recipe.task}.",
            hint="leuko networks lists what each is for.",
        )
    build_network(recipe, channels=max(1, len(recipe.data.channels())), classes=2)
    options = dict(recipe.loss.options)
    if losses.takes_shares(recipe.loss.name, options):
        options = losses.with_beta(recipe.loss.name, options, beta=0.5)
    losses.build(recipe.loss.name, options, target="labels")
    precision_of(recipe.optimisation)


def _require_memory(recipe: TaskRecipe, *, channels: int) -> None:
    """OutOfResources where already a batch's images exceed what the processor's memory has left.

    Else the system would end the process without a word.
    """
    free = _free_memory()
    crops = recipe.optimisation.batch * channels * (2 * recipe.case.neighbours + 1)
    if free is not None and 4 * crops * math.prod(recipe.case.size) > free:
        raise _too_large(recipe)


def _free_memory() -> int | None:
    """Bytes that programs may still take; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(kilobytes[0]) if kilobytes else None


def _clear(folder: Path) -> None:
    """Take away what a run has left."""
    for name in (STATE, BEST, FINAL, "metrics.csv", "curves.png"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)


def _too_large(recipe: TaskRecipe) -> OutOfResources:
    size = "x".join(map(str, recipe.case.size))
    return OutOfResources(
        f"A batch of {recipe.optimisation.batch} crops of {size} does not fit into memory.",
        hint="Lower optimisation.batch, case.size or the network's width; with 16-bit numbers "
        "(optimisation.precision: auto on a GPU) it takes half.",
    )


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
