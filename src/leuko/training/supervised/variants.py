"""A recipe's relatives: other values of some fields, the folds of a cross-validation, a sweep."""

from __future__ import annotations

import contextlib
import copy
import csv
import io
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from leuko.errors import UsageError
from leuko.training.supervised.recipe import TaskRecipe, parse_task, to_plain

if TYPE_CHECKING:
    from leuko.training.supervised.run import TaskOutcome

__all__ = [
    "fold_recipes",
    "parse_settings",
    "run_all",
    "sweep_recipes",
    "sweep_table",
    "with_fields",
]

ALIASES = {
    "size": "case.size",
    "lr": "optimisation.lr",
    "steps": "optimisation.steps",
    "batch": "optimisation.batch",
    "network": "network.name",
    "width": "network.width",
    "loss": "loss.name",
}
Settings = Mapping[str, Any]


def parse_settings(given: Sequence[str], *, option: str) -> dict[str, list[Any]]:
    """FIELD=VALUE[,VALUE ...] as fields (dotted, or a short name) with their values.

    Values are read as YAML is; `128x192` is a size, and of `size=128` the crop is square. Commas
    inside brackets do not part values. UsageError (exit 2) where a text is no such assignment.
    """
    found: dict[str, list[Any]] = {}
    for text in given:
        field, equals, values = text.partition("=")
        if not (field and equals and values):
            raise UsageError(
                f"{option} {text} is no assignment.",
                hint=f"Write {option} FIELD=VALUE, for example {option} optimisation.steps=500.",
            )
        name = ALIASES.get(field, field)
        parts = list(_parted(values))
        found[name] = [_size(part) if name == "case.size" else _value(part) for part in parts]
    return found


def with_fields(recipe: TaskRecipe, fields: Settings) -> TaskRecipe:
    """The recipe with other values in some (dotted) fields; UsageError for what does not fit.

    A size of one number is taken for every axis.
    """
    plain = copy.deepcopy(to_plain(recipe))
    for name, value in fields.items():
        place: Any = plain
        *path, last = name.split(".")
        for part in path:
            place = place.get(part) if isinstance(place, dict) else None
        is_free = path in (["network"], ["loss", "options"])
        if not isinstance(place, dict) or not (last in place or is_free):
            raise UsageError(
                f"A recipe has no field {name}.", hint="Fields are listed in docs/train.md."
            )
        square = name == "case.size" and isinstance(value, int)
        place[last] = [value] * recipe.case.dims if square else value
    return parse_task(plain, name=recipe.name)


def fold_recipes(recipe: TaskRecipe) -> dict[str, TaskRecipe]:
    """A recipe for every fold of its cross-validation, by the folder's name."""
    folds = recipe.split.folds
    return {
        f"fold-{k}": with_fields(recipe, {"split.kind": "folds", "split.fold": k})
        for k in range(folds)
    }


def sweep_recipes(
    recipe: TaskRecipe, axes: Mapping[str, Sequence[Any]]
) -> dict[str, tuple[Settings, TaskRecipe]]:
    """A recipe for every combination of values, with its settings, by the folder's name."""
    found: dict[str, tuple[Settings, TaskRecipe]] = {}
    for values in itertools.product(*axes.values()):
        settings = dict(zip(axes, values, strict=True))
        name = "-".join(_word(value) for value in values)
        found[f"sweep/{name}"] = (settings, with_fields(recipe, settings))
    return found


def run_all(
    recipes: Mapping[str, TaskRecipe],
    *,
    train: Callable[[TaskRecipe, str], TaskOutcome],
) -> dict[str, TaskOutcome]:
    """Train each, one after the other; what is finished already only says so again."""
    return {name: train(recipe, name) for name, recipe in recipes.items()}


def sweep_table(
    outcomes: Mapping[str, TaskOutcome], sweep: Mapping[str, tuple[Settings, TaskRecipe]]
) -> str:
    """A row a run, best first: model, size, rate, Dice and Jaccard of the validation items."""
    rows = []
    for name, outcome in outcomes.items():
        recipe = sweep[name][1]
        dice = [v for key, v in outcome.scores.items() if key.startswith("dice_")]
        jaccard = [v / (2.0 - v) for v in dice]
        rows.append(
            [
                str(recipe.network["name"]),
                "x".join(map(str, recipe.case.size)),
                f"{recipe.optimisation.lr:g}",
                f"{outcome.score:.4f}",
                f"{sum(jaccard) / len(jaccard):.4f}" if jaccard else "n/a",
                *(_word(value) for value in sweep[name][0].values()),
            ]
        )
    rows.sort(key=lambda row: -float(row[3]) if not math.isnan(float(row[3])) else math.inf)
    settings = list(next(iter(sweep.values()))[0])
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(["model", "size", "rate", "dice", "jaccard", *settings])
    writer.writerows(rows)
    return text.getvalue()


def _parted(text: str) -> list[str]:
    """Split at commas outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _value(text: str) -> Any:
    if "e" in text.lower():  # YAML takes 1e-3 for a word
        with contextlib.suppress(ValueError):
            return float(text)
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _size(text: str) -> Any:
    if "x" in text:
        return [_value(part) for part in text.split("x")]
    return _value(text)


def _word(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, (list, tuple)) else f"{value}"
