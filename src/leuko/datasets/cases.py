"""An item of a data set, read from its files and prepared for a network."""

from __future__ import annotations

from leuko.datasets.files import read_label
from leuko.datasets.items import Item
from leuko.formats.read import read
from leuko.preparation.case import CasePlan, PreparedCase, prepare_case

__all__ = ["load_item"]


def load_item(item: Item, *, plan: CasePlan) -> PreparedCase:
    """Read an item's channels, label and region and prepare them.

    Raises what reading raises, and what `preparation.case.prepare_case` does.
    """
    return prepare_case(
        [read(path) for path in item.images],
        plan=plan,
        label=None if item.label is None else read_label(item.label),
        region=None if item.region is None else read_label(item.region),
    )
