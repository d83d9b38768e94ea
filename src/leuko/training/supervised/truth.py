"""What the truth of a data set may be, and what is said when it is something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from leuko.errors import UnusableInput, UsageError
from leuko.preparation.case import PreparedCase

__all__ = ["Classes", "categories_of", "classes_of", "numbered"]

BACKGROUND = "background"


class Classes(msgspec.Struct, frozen=True):
    """Names of the classes in the order of the network's outputs, and their labels in the files."""

    names: tuple[str, ...]
    values: tuple[int, ...]


def classes_of(
    cases: Mapping[str, PreparedCase], *, named: Mapping[int, str], others: str = "refuse"
) -> Classes:
    """The classes of segmentation truth: `named` (label: name), or what the masks hold.

    Masks of one value (255 in pictures) hold one class. UsageError where labels are not 0, 1 ...
    n-1 and not named, unless `others` is 'background'.
    """
    found = sorted({int(v) for case in cases.values() for v in np.unique(_labels(case))})
    present = [value for value in found if value]
    if named:
        unknown = [value for value in present if value not in named]
        if unknown and others != "background":
            raise UsageError(
                f"The masks hold labels {_listed(unknown)} that data.classes does not name.",
                hint="Name every label of the masks, or take the rest as background: "
                "other_labels: background.",
            )
        if not set(named) & set(present):
            raise UnusableInput(
                f"No mask of the training items holds a label of data.classes; they hold "
                f"{_listed(found)}.",
                hint="Check the numbers in data.classes.",
            )
        values = sorted(value for value in named if value)
        return Classes((BACKGROUND, *(named[v] for v in values)), (0, *values))
    if not present:
        raise UnusableInput(
            "All masks of the training items are empty.",
            hint="Check that images and masks are not swapped, and that masks hold labels from 1.",
        )
    if len(present) == 1:
        return Classes((BACKGROUND, "foreground"), (0, present[0]))
    if present != list(range(1, len(present) + 1)):
        raise UsageError(
            f"The masks hold labels {_listed(found)}, not 0, 1 ... {len(present)}.",
            hint="Are these masks, not images? Otherwise name each label in data.classes: "
            "{1: edema, 4: core}.",
        )
    return Classes((BACKGROUND, *(f"class {v}" for v in present)), (0, *present))


def numbered(labels: npt.NDArray[np.int16], classes: Classes) -> npt.NDArray[np.int16]:
    """Labels of a file as the numbers of the network's classes."""
    if set(np.unique(labels).tolist()) <= set(range(len(classes.values))) and (
        classes.values == tuple(range(len(classes.values)))
    ):
        return labels
    found = np.zeros_like(labels)
    for index, value in enumerate(classes.values):
        found[labels == value] = index
    return found


def categories_of(categories: Sequence[str]) -> Classes:
    """The classes of whole examples, sorted by name; UsageError where there are less than two."""
    names = tuple(sorted({name for name in categories if name}))
    if len(names) < 2 or not all(categories):
        missing = sum(not name for name in categories)
        raise UsageError(
            f"Classification needs a category for each item and at least two of them; found "
            f"{_listed(names) or 'none'}, and {missing} items without.",
            hint="Give a column category in the list, or data.category: mask or folder.",
        )
    return Classes(names, tuple(range(len(names))))


def _labels(case: PreparedCase) -> npt.NDArray[np.int16]:
    if case.label is None:
        raise UsageError(
            "An item to train on has no mask.", hint="Give a mask for every image, or leave it out."
        )
    return case.label


def _listed(values: Sequence[object]) -> str:
    shown = ", ".join(str(value) for value in values[:8])
    return shown + (f" ... ({len(values)} in all)" if len(values) > 8 else "")
