"""The items of a run, read and prepared: to train on, and to choose the best weights with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leuko.datasets.cache import cached
from leuko.datasets.items import Item
from leuko.datasets.splits import Split
from leuko.errors import LeukoError, OutOfResources, UnusableInput, UsageError
from leuko.preparation.case import CasePlan, PreparedCase
from leuko.training import losses
from leuko.training.supervised.fitness import free_memory
from leuko.training.supervised.recipe import TaskRecipe
from leuko.training.supervised.samples import Example
from leuko.training.supervised.truth import Classes, categories_of, classes_of, numbered

__all__ = ["Data", "load_data"]

NOWHERE = -1  # a label that counts nowhere
SHOWN = 3  # items in a message, after the first
ENOUGH = 8  # cases that tell how large the others are


@dataclass(frozen=True, slots=True)
class Data:
    """Prepared examples of a run and what they are examples of."""

    train: list[Example]
    valid: list[Example]
    classes: Classes
    channels: tuple[str, ...]
    beta: float | None


def load_data(
    recipe: TaskRecipe, items: Sequence[Item], split: Split, *, tell: Callable[[str], None]
) -> Data:
    """Read and prepare the items to train on and to validate with."""
    by_name = {item.name: item for item in items}
    wanted = split.train + _some(split.valid, recipe.validation.items)
    cache = Path(recipe.sampling.cache) if recipe.sampling.cache else None
    cases = _prepared([by_name[name] for name in wanted], plan=recipe.case, cache=cache)
    _tell_blank(cases, tell=tell)
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
    return Data(
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


def _tell_blank(cases: Mapping[str, PreparedCase], *, tell: Callable[[str], None]) -> None:
    """Say which images hold one value alone; UnusableInput where all do."""
    blank = [
        name
        for name, case in cases.items()
        if any(channel.min() == channel.max() for channel in case.image)
    ]
    if not blank:
        return
    shown = ", ".join(blank[:SHOWN]) + (" ..." if len(blank) > SHOWN else "")
    if len(blank) == len(cases):
        raise UnusableInput(
            f"Every image to train with holds one value alone, such as {shown}.",
            hint="Check that the images are those you mean, and case.window if you set one.",
        )
    tell(f"Warning: {len(blank)} of {len(cases)} images hold one value alone: {shown}.")


def _also(others: Sequence[tuple[str, LeukoError]]) -> str:
    """That other items cannot be used either."""
    if not others:
        return ""
    more = " and more" if len(others) >= SHOWN else ""
    return f" Not usable either: {', '.join(name for name, _ in others)}{more}."


def _require_room(needed: float, *, count: int) -> None:
    """OutOfResources where the cases to come do not fit into memory."""
    free = free_memory()
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
