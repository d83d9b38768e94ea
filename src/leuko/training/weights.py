"""The files of a run that hold weights: last.ckpt (the whole state) and final.pt (the result)."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from leuko.errors import ReadError, UsageError
from leuko.models.channels import known_channels
from leuko.models.store import CARD, checkpoint_path, load_card
from leuko.networks.folding import unfolded
from leuko.training.recipe import Recipe, to_plain

__all__ = [
    "Reached",
    "Taken",
    "load_state",
    "load_weights",
    "reached",
    "start_from",
    "weights_file",
    "write_final",
]

AVERAGE = "average."
IN_FOLDER = ("weights.pt", "best.pt", "final.pt")  # of an exported model, of a run
SHOWN = 4  # names in a message


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """The averaged weights in a final.pt or a last.ckpt; ReadError where it is neither."""
    stored: dict[str, torch.Tensor] = load_state(path)["state_dict"]
    averaged = {
        name.removeprefix(AVERAGE): tensor
        for name, tensor in stored.items()
        if name.startswith(AVERAGE)
    }
    return averaged or stored


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a saved run has come: its step and its seconds of training."""

    step: int = 0
    seconds: float = 0.0


def reached(state: Path, recipe: Recipe) -> Reached:
    """How far a saved state is; UsageError where its network is not the recipe's."""
    saved = load_state(state)
    if saved.get("network") != msgspec.to_builtins(recipe.network):
        raise UsageError(
            f"The saved run '{recipe.name}' has another network: {saved.get('network')}.",
            hint="Give the recipe another name, or start over with --fresh.",
        )
    return Reached(int(saved["global_step"]), float(saved["seconds"]))


@dataclass(frozen=True, slots=True)
class Taken:
    """What a network took from other weights: numbers taken, of how many, and what began anew.

    `fresh` names the network's tensors that kept their random start, with both shapes where the
    other weights have one of that name; `unused` those of the other weights that went nowhere;
    `widened` those whose further input channels began at 0.
    """

    numbers: int
    of: int
    fresh: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f"{self.numbers:,} of {self.of:,} weights taken over"
        if self.fresh:
            said += f"; started anew: {_some(self.fresh)}"
        if self.unused:
            said += f"; left aside: {_some(self.unused)}"
        if self.widened:
            said += f"; new input channels begin at 0: {_some(self.widened)}"
        return said + "."


def weights_file(place: Path) -> Path:
    """The file of weights for torch in a run, a model folder, or WMH weights; a file is itself.

    ReadError where there is none.
    """
    if not place.is_dir():
        return place
    for folder in (place, place / "model"):
        if (folder / CARD).is_file():
            return checkpoint_path(load_card(folder), folder=folder)
        for name in IN_FOLDER:
            if (folder / name).is_file():
                return folder / name
    raise ReadError(
        f"{place.name} holds no weights.",
        hint="Give a finished run (runs/NAME), a folder that leuko export or leuko finetune "
        "wrote, or a file such as final.pt.",
    )


def start_from(
    place: Path, *networks: nn.Module, partial: bool = False, more_channels: bool = False
) -> Taken:
    """Copy the averaged weights of a run or model into networks of one kind.

    `partial` copies what has the same name and shape and leaves the rest as it was; else all must
    fit. With `more_channels` the network may see more than the weights (`models.channels`): what
    the new channels weigh begins at 0, so that it gives what the weights gave. UsageError where
    they do not fit, with `partial` where nothing does.
    """
    path = weights_file(place)
    weights = load_weights(path)
    taken = Taken(0, 0)
    for network in networks:
        own = network.state_dict()
        widened = _widened(network, weights) if more_channels else {}
        fitting = {n: t for n, t in weights.items() if n in own and own[n].shape == t.shape}
        fitting |= widened
        taken = _taken(network, weights, fitting, tuple(widened))
        if not taken.numbers or (not partial and (taken.fresh or taken.unused)):
            raise UsageError(
                f"The weights of {path.name} belong to another network than the recipe's"
                + (f": nothing of it has their names and shapes ({taken})" if partial else "")
                + ".",
                hint="Give the recipe the network (name, width, levels, norm) of those weights.",
            )
        network.load_state_dict({**own, **fitting})
    return taken


def _widened(network: nn.Module, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The first convolution of `weights` (and what else sees the input), with 0 for new channels.

    Empty where the network has no more input channels than the weights.
    """
    convolutions = {
        f"{name}.weight": module.weight
        for name, module in network.named_modules()
        if isinstance(module, (nn.Conv2d, nn.Conv3d)) and f"{name}.weight" in weights
    }
    if not convolutions:
        return {}
    first = next(iter(convolutions))
    known, wanted = weights[first].shape[1], convolutions[first].shape[1]
    found = {}
    for name, own in convolutions.items():
        there = weights[name]
        alike = (own.shape[0], *own.shape[2:]) == (there.shape[0], *there.shape[2:])
        if alike and known == there.shape[1] < own.shape[1] == wanted:
            found[name] = own.detach().new_zeros(own.shape)
            found[name][:, list(known_channels(wanted, fewer=known))] = there
    return found


def _taken(
    network: nn.Module,
    weights: Mapping[str, torch.Tensor],
    fitting: Mapping[str, torch.Tensor],
    widened: tuple[str, ...],
) -> Taken:
    """What of `weights` fits a network, told by its parameters and statistics."""
    trained = {name: parameter.numel() for name, parameter in network.named_parameters()}
    fresh = []
    for name, tensor in network.state_dict().items():
        if name not in fitting:
            there = weights.get(name)
            shapes = (
                f" {tuple(tensor.shape)}, there {tuple(there.shape)}" if there is not None else ""
            )
            fresh.append(name + shapes)
    return Taken(
        numbers=sum(count for name, count in trained.items() if name in fitting),
        of=sum(trained.values()),
        fresh=tuple(fresh),
        unused=tuple(name for name in weights if name not in network.state_dict()),
        widened=widened,
    )


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def write_final(path: Path, *, state: Path, recipe: Recipe) -> int:
    """Write final.pt from a saved state, and return its step.

    It holds 'network' ({'name', 'options'}), 'state_dict' (averaged weights), 'recipe' and 'step'.
    """
    saved = load_state(state)
    step = int(saved["global_step"])
    aside = path.with_suffix(".part")
    torch.save(
        {
            "network": {"name": recipe.network.name, "options": recipe.network.options()},
            "state_dict": {name: t.contiguous() for name, t in load_weights(state).items()},
            "recipe": to_plain(recipe),
            "step": step,
        },
        aside,
    )
    aside.replace(path)
    return step


def load_state(path: Path) -> dict[str, Any]:
    """The content of a file of torch.save; tensors, numbers, strings and lists only."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ReadError(
            f"{path.name} cannot be read as weights: {type(error).__name__}.",
            hint="Give a final.pt or last.ckpt that leuko train wrote.",
        ) from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise ReadError(
            f"{path.name} holds no weights of a run.",
            hint="Give a final.pt or last.ckpt that leuko train wrote.",
        )
    content["state_dict"] = unfolded(content["state_dict"], content.get("folds", ()))
    return content
