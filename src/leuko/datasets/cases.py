"""An item of a data set, read from its files and prepared for a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leuko.datasets.files import read_label
from leuko.datasets.items import Item
from leuko.errors import UnusableInput
from leuko.formats.read import read
from leuko.image.image import Image
from leuko.preparation.case import CasePlan, PreparedCase, prepare_case

__all__ = ["load_item"]

BLURRED = (".jpg", ".jpeg")


def load_item(item: Item, *, plan: CasePlan) -> PreparedCase:
    """Read an item's channels, label and region and prepare them.

    Raises what reading raises, and what `preparation.case.prepare_case` does; UnusableInput (exit
    4) for a mask that JPEG has blurred.
    """
    return prepare_case(
        [read(path) for path in item.images],
        plan=plan,
        label=None if item.label is None else _label(item.label),
        region=None if item.region is None else read_label(item.region),
    )


def _label(path: Path) -> Image:
    """The truth in a file; JPEG invents values between labels."""
    label = read_label(path)
    if path.suffix.lower() in BLURRED and len(np.unique(label.data)) > 2:
        raise UnusableInput(
            f"The mask {path.name} was saved as JPEG, which has blurred its labels.",
            hint="Save masks as PNG, or in a format of volumes, from where they were drawn.",
        )
    return label
