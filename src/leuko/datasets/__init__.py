"""Folders of images and masks as training cases; images as tensors."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leuko.datasets.files import Example, Files, examples_in
    from leuko.datasets.tensors import FileDataset, from_tensor, to_tensor

__all__ = ["Example", "FileDataset", "Files", "examples_in", "from_tensor", "to_tensor"]

_HOMES = {
    "Example": "leuko.datasets.files",
    "FileDataset": "leuko.datasets.tensors",
    "Files": "leuko.datasets.files",
    "examples_in": "leuko.datasets.files",
    "from_tensor": "leuko.datasets.tensors",
    "to_tensor": "leuko.datasets.tensors",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'leuko.datasets' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
