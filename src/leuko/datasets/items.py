"""One example of a data set: whose it is, its channels, its truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Item"]


@dataclass(frozen=True, slots=True)
class Item:
    """Files of one example; `name` is unique in its data set.

    `images` are channels (FLAIR, T1 ...): the first decides the grid, the others are brought onto
    it. `region` is a mask in which intensities are scaled and to which the search is confined.
    `subject` is the person: a split never divides one. `category` is the class of a whole example,
    empty where there is none.
    """

    name: str
    subject: str
    images: tuple[Path, ...]
    label: Path | None = None
    region: Path | None = None
    site: str = ""
    category: str = ""
