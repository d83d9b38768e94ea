"""What is known of a run of `leuko train`: its recipe, how long it trained, which scans it saw."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

__all__ = ["Stage", "case_key", "recipe_of", "stages", "trained_on", "weights_in"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One run on the way to some weights: its steps, slices seen, minutes and seed."""

    name: str
    step: int
    slices: int
    minutes: float | None
    seed: int


def weights_in(place: Path) -> Path:
    """The checkpoint of a run's folder, final.pt before last.ckpt; anything else is itself."""
    for name in ("final.pt", "last.ckpt"):
        if (place / name).is_file():
            return place / name
    return place


def stages(checkpoint: Path) -> list[Stage]:
    """The run of a checkpoint and those that it started from, the first first."""
    found: list[Stage] = []
    for path, content, recipe in _followed(checkpoint, "init_from"):
        step = int(content.get("step", content.get("global_step", 0)))
        found.append(
            Stage(
                name=str(recipe.get("name", path.parent.name)),
                step=step,
                slices=step * int(recipe.get("optimisation", {}).get("batch", 0)),
                minutes=_minutes(path, content),
                seed=int(recipe.get("seed", 0)),
            )
        )
    return found[::-1]


def trained_on(checkpoint: Path) -> set[str]:
    """GROUP/CASE of the real scans of a run's recipe, and of the runs that it started from.

    Runs whose anatomy it keeps count too, those that it learned from beside the truth, and all
    that it is the mean of.
    """
    found: set[str] = set()
    for _, content, first in _followed(checkpoint, "init_from", "keep_from", "distil_from"):
        for recipe in _recipes(content, first):
            data = recipe.get("data", {})
            if data.get("real_share", 0) > 0:
                found |= {case_key(Path(case["flair"])) for case in data.get("cases", ())}
    return found


def recipe_of(checkpoint: Path) -> dict[str, Any]:
    """What the run was made by: in final.pt, or beside it; empty where neither knows."""
    return next(_followed(checkpoint))[2]


def case_key(flair: Path) -> str:
    """GROUP/CASE of a scan's path."""
    return "/".join(flair.parts[-3:-1])


def _followed(
    checkpoint: Path, *links: str
) -> Iterator[tuple[Path, dict[str, Any], dict[str, Any]]]:
    """Path, content and recipe of a checkpoint, then of what it started from, where that is there.

    `links` are the recipe's fields that name a run, or several, to follow.
    """
    waiting, done = [weights_in(checkpoint)], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in done or not path.is_file():
            continue
        done.add(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
        recipe = content.get("recipe")
        beside = path.with_name("recipe.json")
        if recipe is None and beside.is_file():
            recipe = json.loads(beside.read_bytes())
        recipe = dict(recipe or {})
        yield path, content, recipe
        for each, link in itertools.product(_recipes(content, recipe), links):
            named = each.get(link) or ()
            places = (named,) if isinstance(named, str) else named
            waiting += [weights_in(Path(place)) for place in places]


def _recipes(content: dict[str, Any], recipe: dict[str, Any]) -> list[dict[str, Any]]:
    """The recipe of a checkpoint, and those of the other runs that it is the mean of."""
    return [recipe, *(other for other in content.get("others", ()) if other)]


def _minutes(path: Path, content: dict[str, Any]) -> float | None:
    if "seconds" in content:
        return float(content["seconds"]) / 60
    table = path.with_name("metrics.csv")
    if not table.is_file():
        return None
    with table.open(newline="", encoding="utf-8") as file:
        return max((float(row["minutes"]) for row in csv.DictReader(file)), default=None)
