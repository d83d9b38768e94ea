"""The recipe of a training on images with truth: one YAML file, unknown fields refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from leuko.datasets.layouts import DataSource
from leuko.errors import UsageError
from leuko.preparation.case import CasePlan
from leuko.training.recipe import Checkpoint, Loss, Optimisation, parse_yaml, read_text
from leuko.training.supervised.augment_plan import AugmentPlan
from leuko.training.supervised.recipe_said import explained

__all__ = [
    "Sampling",
    "SplitPlan",
    "TaskRecipe",
    "Validation",
    "is_task",
    "load_task",
    "parse_task",
    "to_plain",
    "write_recipe",
]

Positive = Annotated[int, msgspec.Meta(ge=1)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class SplitPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is trained on, who chooses the best weights, who is only tested; whole subjects.

    `subjects`: shares of subjects at random; `folds`: fold `fold` of `folds` is tested; `sites`:
    all of `site` is tested; `file`: a JSON file with the lists train, valid, test of item names.
    """

    kind: Literal["subjects", "folds", "sites", "file"] = "subjects"
    valid: Share = 0.15
    test: Share = 0.2
    folds: Annotated[int, msgspec.Meta(ge=2)] = 5
    fold: Natural = 0
    site: str = ""
    file: str = ""
    seed: Natural = 1


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How crops are drawn: the share centred on foreground, and the processes that draw them."""

    foreground: Share = 0.5
    workers: Natural = 0  # 0: in the training process
    cache: str = ""  # folder of prepared cases; empty: they are kept in memory


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the validation items are scored; these scores choose best.pt."""

    every_steps: Positive = 250
    patience: Natural = 0  # validations without a better score before stopping; 0: never
    items: Natural = 0  # at most this many of them; 0: all


class TaskRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides a training run on images with truth."""

    task: Literal["segmentation", "classification"]
    name: str
    data: DataSource
    # Labels that data.classes does not name: refused, or taken as background.
    other_labels: Literal["refuse", "background"] = "refuse"
    seed: Natural = 1
    case: CasePlan = CasePlan()
    split: SplitPlan = SplitPlan()
    sampling: Sampling = Sampling()
    augmentation: AugmentPlan = AugmentPlan()
    network: dict[str, Any] = msgspec.field(default_factory=lambda: {"name": "unet"})
    loss: Loss = Loss(name="")  # empty: dice-ce, or cross-entropy to classify
    # How common classes are in use: as a balanced loss weighed them, or as in the training data.
    prior: Literal["loss", "data"] = "loss"
    optimisation: Optimisation = msgspec.field(
        default_factory=lambda: Optimisation(steps=2000, lr=1e-3, warmup_steps=50)
    )
    validation: Validation = Validation()
    checkpoint: Checkpoint = Checkpoint()
    init_from: str | None = None  # weights to start from: best.pt, final.pt or weights.pt


def is_task(content: Any) -> bool:
    """Whether a recipe's content is of a task with data of its own, not of the generator."""
    return isinstance(content, dict) and "task" in content


def load_task(path: Path, *, data: Path | None = None) -> TaskRecipe:
    """The recipe in a YAML file, ${DATA} in its paths replaced by `data`, ${RECIPE} by its folder.

    ReadError where the file cannot be read, UsageError where it is not a valid recipe.
    """
    content = parse_yaml(read_text(path), data=data, name=path.name, folder=path.parent)
    return parse_task(content, name=path.name)


def parse_task(content: Any, *, name: str = "recipe") -> TaskRecipe:
    """The recipe of parsed YAML; UsageError where it is not valid."""
    try:
        recipe = msgspec.convert(content, TaskRecipe)
    except (msgspec.ValidationError, ValueError) as error:
        said, hint = explained(error, TaskRecipe)
        raise UsageError(
            f"{name} is not a valid recipe: {said}.",
            hint=hint or "docs/train.md lists the fields; recipes/ has examples.",
        ) from None
    if not recipe.loss.name:
        usual = "dice-ce" if recipe.task == "segmentation" else "cross-entropy"
        recipe = msgspec.structs.replace(recipe, loss=Loss(name=usual, options=recipe.loss.options))
    problems = []
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", recipe.name):
        problems.append(f"name '{recipe.name}' must be usable as a folder's name")
    if "name" not in recipe.network:
        problems.append("network has no name")
    if recipe.optimisation.precision not in ("auto", "bf16", "f16", "f32"):
        problems.append("optimisation.precision must be auto, bf16, f16 or f32")
    if recipe.prior == "data" and recipe.loss.name != "balanced-ce":
        problems.append("prior: data takes back the weights of loss balanced-ce alone")
    if recipe.split.kind == "folds" and recipe.split.fold >= recipe.split.folds:
        problems.append(f"split.fold counts from 0 to {recipe.split.folds - 1}")
    if problems:
        raise UsageError(f"{name}: {'; '.join(problems)}.", hint="Correct the recipe.")
    return recipe


def to_plain(recipe: TaskRecipe) -> dict[str, Any]:
    """The recipe as dictionaries, lists and numbers, for checkpoints."""
    plain: dict[str, Any] = msgspec.to_builtins(recipe)
    return plain


def write_recipe(recipe: TaskRecipe, path: Path) -> None:
    """A recipe as YAML, with the fields that are not defaults."""
    path.write_text(yaml.safe_dump(to_plain(recipe), sort_keys=False), encoding="utf-8")
