"""The losses by name; importing this module loads no torch.

There are two kinds of truth, and a name may exist for both. For target 'labels', a loss is called
with logits (N, K, *spatial), float32, and labels (N, *spatial), integers 0..K-1, where -1 counts
nowhere; for classification without spatial axes. For target 'allowed', with logits (B, C, H, W)
and `allowed` (B, H, W), an integer whose bit c is set where class c is possible. Either returns a
`Parts` mapping with the scalar 'loss' to minimise and its components.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from leuko.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

__all__ = [
    "LABEL_LOSSES",
    "LOSSES",
    "LossRecord",
    "Objective",
    "Parts",
    "background_share",
    "build",
    "class_shares",
    "takes_shares",
    "with_beta",
]

Parts = dict[str, "Tensor"]
Objective = Callable[["Tensor", "Tensor"], "dict[str, Tensor]"]


@dataclass(frozen=True, slots=True)
class LossRecord:
    """Where a loss is defined, and what it is in a line."""

    module: str
    factory: str
    summary: str


_MODULE = "leuko.training.objectives"
LOSSES: Mapping[str, LossRecord] = MappingProxyType(
    {
        "marginal-dice": LossRecord(
            _MODULE, "MarginalDice", "marginal cross-entropy and Dice of lesions, caps and both"
        ),
        "small-lesions": LossRecord(
            "leuko.training.objectives_small_lesions",
            "SmallLesions",
            "marginal-dice, pixels of small lesions counted several times",
        ),
        "cross-entropy": LossRecord(_MODULE, "MarginalCrossEntropy", "marginal cross-entropy"),
        "dice": LossRecord(_MODULE, "LesionDice", "Dice of lesions, caps and both, over the batch"),
        "focal": LossRecord(_MODULE, "Focal", "cross-entropy that fades where it is already right"),
        "tversky": LossRecord(_MODULE, "Tversky", "Dice that weighs misses and excess apart"),
    }
)


_ENTROPY = "leuko.training.label_losses"
_OVERLAP = "leuko.training.label_losses_overlap"
_SHAPE = "leuko.training.label_losses_shape"
_COMBINED = "leuko.training.label_losses_combined"
LABEL_LOSSES: Mapping[str, LossRecord] = MappingProxyType(
    {
        "cross-entropy": LossRecord(
            _ENTROPY, "CrossEntropy", "cross-entropy, classes weighted where asked for"
        ),
        "dice": LossRecord(_OVERLAP, "Dice", "soft Dice, mean over classes"),
        "dice-ce": LossRecord(_COMBINED, "DiceCrossEntropy", "soft Dice plus cross-entropy"),
        "balanced-ce": LossRecord(
            _ENTROPY, "BalancedCrossEntropy", "cross-entropy balanced over the training set"
        ),
        "balanced-dice-ce": LossRecord(
            _COMBINED, "BalancedDiceCrossEntropy", "soft Dice plus balanced cross-entropy"
        ),
        "focal": LossRecord(_ENTROPY, "Focal", "cross-entropy that fades where it is right"),
        "tversky": LossRecord(_OVERLAP, "Tversky", "Dice that weighs misses and excess apart"),
        "focal-tversky": LossRecord(
            _OVERLAP, "FocalTversky", "Tversky that dwells on badly found classes"
        ),
        "generalised-dice": LossRecord(
            _OVERLAP, "GeneralisedDice", "Dice of all classes, the small ones weighing more"
        ),
        "boundary": LossRecord(
            _SHAPE, "Boundary", "distance to the boundary of what is wrong; for sums"
        ),
        "blob-dice": LossRecord(_SHAPE, "BlobDice", "Dice in which every lesion counts alike"),
        "top-k": LossRecord(_ENTROPY, "TopK", "cross-entropy of the worst voxels"),
        "sum": LossRecord(_COMBINED, "Sum", "weighted sum of other losses"),
    }
)


def build(
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    target: Literal["labels", "allowed"] = "allowed",
) -> Objective:
    """The loss `name` for a kind of truth; UsageError for an unknown name or a wrong option."""
    known = LABEL_LOSSES if target == "labels" else LOSSES
    try:
        record = known[name]
    except KeyError:
        raise UsageError(
            f"There is no loss '{name}'.", hint=f"Choose from: {', '.join(known)}."
        ) from None
    factory = getattr(importlib.import_module(record.module), record.factory)
    try:
        if target == "labels":
            return cast(Objective, msgspec.convert(dict(options or {}), factory))
        return cast(Objective, factory(**(options or {})))
    except (TypeError, msgspec.ValidationError) as error:
        raise UsageError(
            f"The loss '{name}' refused its options: {error}.", hint="See docs/losses.md."
        ) from None


def takes_shares(name: str, options: Mapping[str, Any] | None = None) -> bool:
    """Whether a loss on labels, or a part of a sum, still lacks `beta` or `shares`."""
    given = options or {}
    if name == "sum":
        return any(takes_shares(part["name"], part.get("options")) for part in _parts(given))
    return name.startswith("balanced-") and not {"beta", "shares"} & set(given)


def with_beta(name: str, options: Mapping[str, Any] | None, *, beta: float) -> dict[str, Any]:
    """The options of a loss on labels, `beta` put in wherever it is taken and not given."""
    filled = dict(options or {})
    if name == "sum":
        filled["parts"] = [
            {**part, "options": with_beta(part["name"], part.get("options"), beta=beta)}
            for part in _parts(filled)
        ]
    elif takes_shares(name, filled):
        filled["beta"] = beta
    return filled


def background_share(labels: Iterable[npt.NDArray[np.integer[Any]]]) -> float:
    """beta: the mean over images of the share of voxels that are 0; below 0 counts nowhere.

    UsageError where there is no image.
    """
    return class_shares(labels, classes=1)[0]


def class_shares(
    labels: Iterable[npt.NDArray[np.integer[Any]]], *, classes: int
) -> tuple[float, ...]:
    """The mean over images of the share of voxels of every class."""
    import numpy as np

    shares = []
    for label in labels:
        values = np.asarray(label)
        known = int((values >= 0).sum())
        if known:
            shares.append([int((values == c).sum()) / known for c in range(classes)])
    if not shares:
        raise UsageError("There are no labels to balance by.", hint="Give the training set's.")
    return tuple(float(share) for share in np.mean(shares, axis=0))


def _parts(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a sum as far as they are well formed; `build` refuses the others."""
    parts = options.get("parts") or []
    return [part for part in parts if isinstance(part, Mapping) and "name" in part]
