"""Data sets in the layouts that people have: folders, a list, BIDS, Medical Decathlon, nnU-Net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from leuko.datasets.files import read_label
from leuko.datasets.items import Item
from leuko.datasets.layouts_bids import read_bids
from leuko.datasets.layouts_described import (
    DESCRIPTION,
    described_classes,
    read_decathlon,
    read_description,
    read_nnunet,
)
from leuko.datasets.layouts_folders import read_folders
from leuko.datasets.layouts_list import read_list
from leuko.datasets.layouts_source import LAYOUTS, DataSource, Layout, folder_at, in_order, some
from leuko.errors import ReadError, UsageError

__all__ = ["LAYOUTS", "DataSource", "Layout", "detect", "read_classes", "read_layout", "source_of"]

_READERS: dict[Layout, Callable[..., list[Item]]] = {
    "folders": read_folders,
    "list": read_list,
    "bids": read_bids,
    "decathlon": read_decathlon,
    "nnunet": read_nnunet,
}
_USED = {  # fields of a source, besides those of all layouts
    "folders": {"images", "masks", "regions"},
    "list": {"list", "images", "root"},
    "bids": {"root", "images", "masks"},
    "decathlon": {"root"},
    "nnunet": {"root"},
}
_IMAGES = ("images", "image", "imgs", "img", "imagesTr", "scans")
_MASKS = ("masks", "mask", "labels", "label", "labelsTr", "segmentations", "seg", "truth")


def read_layout(source: DataSource, *, base: Path | None = None) -> tuple[Item, ...]:
    """The examples of a data set, by name as people count; the order of files does not matter.

    Relative places count from `base`, by default the working folder. With `category: mask` every
    mask is read. Raises ReadError (exit 3) where a folder or a file is not there, UsageError
    (exit 2) for what is missing, double, empty or not understood.
    """
    _require_used(source)
    items = in_order(_READERS[source.layout](source, base=base or Path()))
    if source.category == "mask":
        return tuple(replace(item, category=_presence(item)) for item in _masked(items))
    return items


def read_classes(source: DataSource, *, base: Path | None = None) -> dict[int, str]:
    """The names of the labels: those of the source, else of its dataset.json; empty where none."""
    if source.classes or not source.root:
        return dict(source.classes)
    root = folder_at(base or Path(), source.root)
    return described_classes(root) if (root / DESCRIPTION).is_file() else {}


def detect(path: Path) -> Layout:
    """The layout of a data set in a folder, or of a list file.

    Raises ReadError (exit 3) where nothing is there, UsageError (exit 2) where it is none.
    """
    if path.is_file():
        return "list"
    if not path.is_dir():
        raise ReadError(f"There is no {path.name}.", hint="Check the path.")
    if (path / DESCRIPTION).is_file() and isinstance(read_description(path).get("training"), list):
        return "nnunet" if _numbered(path) else "decathlon"
    if _numbered(path):
        return "nnunet"
    if (path / "dataset_description.json").is_file() or any(path.glob("sub-*/")):
        return "bids"
    if _child(path, _IMAGES):
        return "folders"
    raise UsageError(
        f"{path.name} is laid out in no way that leuko knows.",
        hint="Name two folders images and masks in it, or say where the images and masks are "
        "(layout: folders, images: ..., masks: ...). docs/datasets.md shows all layouts.",
    )


def source_of(path: Path) -> DataSource:
    """The source of a data set that is laid out as usual. Raises as `detect`."""
    layout = detect(path)
    if layout == "list":
        return DataSource(layout=layout, list=str(path))
    if layout != "folders":
        return DataSource(layout=layout, root=str(path))
    return DataSource(layout=layout, images=_child(path, _IMAGES), masks=_child(path, _MASKS))


def _numbered(path: Path) -> bool:
    return any((path / "imagesTr").glob("*_0000.*"))


def _child(path: Path, names: tuple[str, ...]) -> str:
    """The path of the first of these folders that is there; empty where none."""
    held = {child.name.casefold(): child for child in path.iterdir() if child.is_dir()}
    found = [held[name.casefold()] for name in names if name.casefold() in held]
    return str(found[0]) if found else ""


def _require_used(source: DataSource) -> None:
    given = [
        field for field in ("images", "masks", "regions", "list", "root") if getattr(source, field)
    ]
    stray = [field for field in given if field not in _USED[source.layout]]
    if stray:
        raise UsageError(
            f"{stray[0]}: does not go with the layout '{source.layout}'.",
            hint=f"It takes {', '.join(sorted(_USED[source.layout]))}.",
        )
    if source.category == "folder" and source.layout != "folders":
        raise UsageError(
            f"category: folder does not go with the layout '{source.layout}'.",
            hint="It is for the layout folders; a list has a column category.",
        )


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
