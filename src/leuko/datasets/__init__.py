"""Data sets: their layouts and splits, patches and slices, kept cases, tensors."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leuko.datasets.cache import cached
    from leuko.datasets.files import Example, Files, examples_in
    from leuko.datasets.items import Item
    from leuko.datasets.layouts import DataSource, detect, read_classes, read_layout, source_of
    from leuko.datasets.patches import extract_all, reassemble, sample_starts, windows
    from leuko.datasets.splits import (
        Split,
        by_subject,
        explicit,
        k_fold,
        leave_one_site_out,
        read_split,
    )
    from leuko.datasets.tensors import (
        FileDataset,
        PatchDataset,
        SliceDataset,
        from_tensor,
        to_tensor,
    )

__all__ = [
    "DataSource",
    "Example",
    "FileDataset",
    "Files",
    "Item",
    "PatchDataset",
    "SliceDataset",
    "Split",
    "by_subject",
    "cached",
    "detect",
    "examples_in",
    "explicit",
    "extract_all",
    "from_tensor",
    "k_fold",
    "leave_one_site_out",
    "read_classes",
    "read_layout",
    "read_split",
    "reassemble",
    "sample_starts",
    "source_of",
    "to_tensor",
    "windows",
]

_HOMES = {
    "DataSource": "leuko.datasets.layouts",
    "Example": "leuko.datasets.files",
    "FileDataset": "leuko.datasets.tensors",
    "Files": "leuko.datasets.files",
    "Item": "leuko.datasets.items",
    "PatchDataset": "leuko.datasets.tensors",
    "SliceDataset": "leuko.datasets.tensors",
    "Split": "leuko.datasets.splits",
    "by_subject": "leuko.datasets.splits",
    "cached": "leuko.datasets.cache",
    "detect": "leuko.datasets.layouts",
    "examples_in": "leuko.datasets.files",
    "explicit": "leuko.datasets.splits",
    "extract_all": "leuko.datasets.patches",
    "from_tensor": "leuko.datasets.tensors",
    "k_fold": "leuko.datasets.splits",
    "leave_one_site_out": "leuko.datasets.splits",
    "read_classes": "leuko.datasets.layouts",
    "read_layout": "leuko.datasets.layouts",
    "read_split": "leuko.datasets.splits",
    "reassemble": "leuko.datasets.patches",
    "sample_starts": "leuko.datasets.patches",
    "source_of": "leuko.datasets.layouts",
    "to_tensor": "leuko.datasets.tensors",
    "windows": "leuko.datasets.patches",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'leuko.datasets' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
