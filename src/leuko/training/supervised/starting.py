"""A first recipe for a data set, from what exploring it suggests; sized for a processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from leuko.datasets.layouts import DataSource
from leuko.errors import UsageError
from leuko.exploration.suggest import Suggestion
from leuko.training.supervised.recipe import TaskRecipe, parse_task

__all__ = ["first_recipe"]

STEPS = 1000
BATCH = {2: 8, 3: 2}
LEVELS = {2: 5, 3: 4}
WIDTH = 16
MOST_LABELS = 40  # of masks that nobody has described


def first_recipe(
    source: DataSource, suggestion: Suggestion, *, name: str
) -> tuple[TaskRecipe, tuple[str, ...]]:
    """A U-Net (or a ResNet for whole images) trained on `source`, and the reasons for its numbers.

    Paths become absolute, so that the written recipe works from anywhere. UsageError (exit 2) where
    the masks hold so many labels that they are hardly masks.
    """
    if len(suggestion.values) > MOST_LABELS:
        raise UsageError(
            f"The masks hold {len(suggestion.values)} different values: are these masks?",
            hint="Check that images and masks are not swapped, and that masks were not saved as "
            "JPEG or resized with smoothing. An atlas with that many labels needs a recipe that "
            "names them in data.classes.",
        )
    segments = suggestion.task == "segmentation"
    case: dict[str, Any] = {
        "dims": suggestion.dims,
        "axis": suggestion.axis,
        "spacing": suggestion.spacing,
        "intensity": suggestion.intensity,
        "window": suggestion.window,
        "size": list(suggestion.size),
    }
    network: dict[str, Any] = (
        {
            "name": "unet",
            "width": WIDTH,
            "levels": LEVELS[suggestion.dims],
            "norm": "batch" if suggestion.dims == 2 else "instance",
        }
        if segments
        else {"name": "resnet"}
    )
    content = {
        "task": suggestion.task,
        "name": name,
        "data": msgspec.to_builtins(_absolute(source)) | {"classes": _classes(suggestion)},
        "case": case,
        "network": network,
        "loss": {"name": suggestion.loss},
        "optimisation": {
            "steps": STEPS,
            "batch": BATCH[suggestion.dims],
            "lr": 2e-3 if segments else 1e-3,
            "warmup_steps": 50,
            "ema_decay": 0.99,
        },
        "validation": {"every_steps": STEPS // 5},
    }
    return parse_task(content, name=name), suggestion.reasons


def _classes(suggestion: Suggestion) -> dict[int, str]:
    """Names of the labels, background apart; whole images have none."""
    if suggestion.task == "classification":
        return {}
    named = zip(suggestion.values, suggestion.classes, strict=True)
    return {value: name for value, name in named if value}


def _absolute(source: DataSource) -> DataSource:
    def whole(path: str) -> str:
        return str(Path(path).expanduser().resolve()) if path else ""

    images = source.images
    folders = source.layout == "folders"
    if folders:
        images = whole(images) if isinstance(images, str) else tuple(whole(i) for i in images)
    return msgspec.structs.replace(
        source,
        images=images,
        masks=whole(source.masks) if folders else source.masks,
        regions=whole(source.regions),
        list=whole(source.list),
        root=whole(source.root),
    )
