"""Whether a saved run may be gone on with: the same recipe, the same split, the same data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from leuko.datasets.splits import Split
from leuko.errors import UsageError
from leuko.training.supervised.recipe import TaskRecipe, parse_task, to_plain
from leuko.training.supervised.samples import Example

__all__ = [
    "fingerprint",
    "is_prolonged",
    "require_same_data",
    "require_same_recipe",
    "split_plain",
]

# These may change between stop and resume: how long and how often, where files are (what they hold
# is compared itself), and what only decides speed.
FREE = (
    "name", "checkpoint", "validation", "data.images", "data.masks", "data.regions", "data.list",
    "data.root", "split.file", "sampling.workers", "sampling.cache", *(
        f"optimisation.{field}" for field in ("steps", "minutes", "threads")
    ),
)  # fmt: skip
LIMITS = ("optimisation.steps", "optimisation.minutes", "validation.patience")
SHOWN = 3
HINT = "Give the run another name (--name), the values it began with, or start over with --fresh."


def split_plain(split: Split) -> dict[str, list[str]]:
    """A split as lists of names, for a state."""
    return {part: list(getattr(split, part)) for part in ("train", "valid", "test")}


def require_same_recipe(saved: Mapping[str, Any] | None, recipe: TaskRecipe, split: Split) -> None:
    """UsageError where a saved state (or final.pt) is of another recipe or another split.

    How long and how often may differ, and where the files are. A state that does not say its recipe
    is compared by its network.
    """
    if saved is None:
        return
    own = _flat(_json(to_plain(recipe)))
    if "recipe" in saved:
        old = _flat(_json(_completed(saved["recipe"])))
    else:
        old = {k: v for k, v in own.items() if not k.startswith("network.")}
        old |= _flat({"network": _json(saved.get("network", {}))})
    changed = [
        f"{field} was {_said(old.get(field))} and is {_said(own.get(field))}"
        for field in sorted({*own, *old})
        if own.get(field) != old.get(field) and not _is_free(field)
    ]
    if changed:
        more = len(changed) - SHOWN
        said = "; ".join(changed[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
        raise UsageError(f"The saved run '{recipe.name}' has another recipe: {said}.", hint=HINT)
    if saved.get("split", split_plain(split)) != split_plain(split):
        raise UsageError(
            f"The saved run '{recipe.name}' was split otherwise: items were added, taken away or "
            "renamed since.",
            hint=HINT,
        )


def require_same_data(saved: Mapping[str, Any] | None, content: str, *, name: str) -> None:
    """UsageError where the training items of a saved state held something else."""
    if saved is not None and saved.get("content", content) != content:
        raise UsageError(
            f"The saved run '{name}' was trained on other images or masks of the same names.",
            hint=HINT,
        )


def fingerprint(examples: Sequence[Example]) -> str:
    """What training items hold: all of their labels, and of each image the middle slice."""
    digest = hashlib.sha256()
    for example in examples:
        image = example.case.image
        digest.update(repr((image.shape, example.case.spacing, example.category)).encode())
        digest.update(image[:, image.shape[1] // 2].tobytes())
        if example.label is not None:
            digest.update(example.label.tobytes())
    return digest.hexdigest()


def is_prolonged(saved: Mapping[str, Any] | None, recipe: TaskRecipe) -> bool:
    """Whether a finished run is now asked to go on for longer than it was."""
    if saved is None or "recipe" not in saved:
        return False
    own, old = _flat(_json(to_plain(recipe))), _flat(_json(saved["recipe"]))
    step = int(saved.get("global_step", saved.get("step", 0)))
    return step < recipe.optimisation.steps and any(own.get(k) != old.get(k) for k in LIMITS)


def _completed(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """A saved recipe with the defaults of fields that its version of leuko had not."""
    try:
        return to_plain(parse_task(content))
    except UsageError:
        return content


def _is_free(field: str) -> bool:
    return any(field == free or field.startswith(f"{free}.") for free in FREE)


def _flat(content: Any, place: str = "") -> dict[str, Any]:
    """Nested dictionaries as dotted names."""
    if not isinstance(content, dict):
        return {place: content}
    found: dict[str, Any] = {}
    for key, value in content.items():
        found |= _flat(value, f"{place}.{key}" if place else str(key))
    return found


def _json(content: Any) -> Any:
    """As JSON has it, so that tuples are lists and numbers of keys words."""
    return msgspec.json.decode(msgspec.json.encode(content))


def _said(value: Any) -> str:
    return "not set" if value is None or value == "" else str(value)
