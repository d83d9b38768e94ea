"""The files of a run that hold weights: last.ckpt (the whole state) and final.pt (the result)."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from leuko.errors import ReadError, UsageError
from leuko.training.recipe import Recipe, to_plain

__all__ = ["Reached", "load_state", "load_weights", "reached", "start_from", "write_final"]

AVERAGE = "average."


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


def start_from(path: Path, *networks: nn.Module) -> None:
    """Copy the averaged weights of a run into networks; UsageError where they do not fit."""
    weights = load_weights(path)
    for network in networks:
        try:
            network.load_state_dict(weights)
        except RuntimeError:
            raise UsageError(
                f"The weights of {path.name} belong to another network than the recipe's.",
                hint="Give the recipe the network (name, width, levels, norm) of those weights.",
            ) from None


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
    return content
