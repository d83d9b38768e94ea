"""Data sets in the layouts that people have: folders, a list, BIDS, Medical Decathlon, nnU-Net."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from leuko.datasets.files import read_label
from leuko.datasets.items import Item
from leuko.datasets.layouts_folders import read_folders
from leuko.datasets.layouts_list import read_list
from leuko.datasets.layouts_source import LAYOUTS, DataSource, Layout, in_order, some
from leuko.errors import UsageError

__all__ = ["LAYOUTS", "DataSource", "Layout", "read_layout"]

_READERS = {"folders": read_folders, "list": read_list}


def read_layout(source: DataSource, *, base: Path | None = None) -> tuple[Item, ...]:
    """The examples of a data set, by name as people count; the order of files does not matter.

    Relative places count from `base`, by default the working folder. With `category: mask` every
    mask is read. Raises ReadError (exit 3) where a folder or a file is not there, UsageError
    (exit 2) for what is missing, double, empty or not understood.
    """
    items = in_order(_READERS[source.layout](source, base=base or Path()))
    if source.category == "mask":
        return tuple(replace(item, category=_presence(item)) for item in _masked(items))
    if source.category == "folder" and source.layout != "folders":
        raise UsageError(
            f"category: folder does not go with the layout '{source.layout}'.",
            hint="It is for the layout folders; a list has a column category.",
        )
    return items


def _masked(items: tuple[Item, ...]) -> tuple[Item, ...]:
    without = [item.name for item in items if item.label is None]
    if without:
        raise UsageError(
            f"category: mask needs a mask of each image; {len(without)} have none: "
            f"{some(without)}.",
            hint="Add masks: to the description of the data.",
        )
    return items


def _presence(item: Item) -> str:
    if item.label is None:
        return ""
    return "present" if read_label(item.label).data.any() else "absent"
