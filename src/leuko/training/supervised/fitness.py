"""What a recipe asks of networks, losses, cards and memory, checked before anything is spent."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from leuko.errors import OutOfResources, UsageError
from leuko.networks.catalogue import architecture
from leuko.training import losses
from leuko.training.fitting import precision_of
from leuko.training.supervised.module import build_network
from leuko.training.supervised.recipe import TaskRecipe

__all__ = ["free_memory", "require_devices", "require_known", "require_memory", "too_large"]

LEANEST = 8  # values that a network holds for each pixel of its input


def require_devices(devices: int | str) -> None:
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


def require_known(recipe: TaskRecipe) -> None:
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


def require_memory(recipe: TaskRecipe, *, channels: int) -> None:
    """OutOfResources where a batch surely exceeds what the processor's memory has left.

    Else the system would end the process without a word. Counted are the images twice (drawn,
    collected) and, without a graphics card, what the leanest network makes of them.
    """
    free = free_memory()
    values = 2 * channels * (2 * recipe.case.neighbours + 1)
    values += 0 if torch.cuda.is_available() else LEANEST
    needed = 4 * values * recipe.optimisation.batch * math.prod(recipe.case.size)
    if free is not None and needed > free:
        raise too_large(recipe)


def free_memory() -> int | None:
    """Bytes that programs may still take; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(kilobytes[0]) if kilobytes else None


def too_large(recipe: TaskRecipe) -> OutOfResources:
    """What is said where a batch does not fit."""
    size = "x".join(map(str, recipe.case.size))
    return OutOfResources(
        f"A batch of {recipe.optimisation.batch} crops of {size} does not fit into memory.",
        hint="Lower optimisation.batch, case.size or the network's width; with 16-bit numbers "
        "(optimisation.precision: auto on a GPU) it takes half.",
    )
