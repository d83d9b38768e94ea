"""What the page of a data set says: texts, tables, charts and pictures, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.report.document import Measure, Notice, Picture
from leuko.report.sections import Definition, Plot

__all__ = [
    "CasePicture",
    "ExplorationPage",
    "Rows",
    "Unusual",
]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: headings, which of them are numbers, and as many texts in every row."""

    heads: tuple[str, ...]
    numbers: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    first: int = 0  # rows before the rest folds up; 0: all are shown


@dataclass(frozen=True, slots=True)
class Unusual:
    """A case and what is unusual about it; `grave` where it is a warning."""

    case: str
    what: str
    code: str
    grave: bool


@dataclass(frozen=True, slots=True)
class CasePicture:
    """A slice of a case, what it is called, and why it is shown among the first."""

    case: str
    text: str
    picture: Picture
    why: str = ""


@dataclass(frozen=True, slots=True)
class ExplorationPage:
    """The page of a data set, from top to bottom."""

    name: str
    created: str
    version: str
    summary: tuple[str, ...]
    headline: tuple[Measure, ...]
    notices: tuple[Notice, ...]
    unusual: tuple[Unusual, ...]
    unusual_note: str
    pictures: tuple[CasePicture, ...]
    pictures_note: str
    plots: tuple[Plot, ...]
    classes: Rows | None
    sites: Rows | None
    grids: Rows | None
    suggestion: Rows | None
    recipe: str
    cases: Rows
    definitions: tuple[Definition, ...]
    legend: tuple[tuple[str, str], ...] = ()  # colour, class
