"""What pages and documents are put together from: sections of tables, charts and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leuko.report.document_pieces import Notice, Picture
from leuko.report.drawing import Drawing

__all__ = ["Cell", "Chart", "Column", "Definition", "Figure", "Plot", "Section", "Table"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; `number` aligns right, `explained` is shown under the pointer."""

    title: str
    number: bool = True
    explained: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of a table; rows are sorted by `order` where it is given, else by the text.

    `link` leads to another page; `span` columns are taken, as by a long text at a row's end.
    """

    text: str
    order: float | None = None
    strong: bool = False
    link: str = ""
    span: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, as many as `columns`; `sortable` by a click on a heading."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""
    sortable: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its heading, and what is to be known for reading it."""

    title: str
    drawing: Drawing
    note: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart with its title, how to read it, and how much of the width it takes."""

    title: str
    drawing: Drawing
    note: str = ""
    size: Literal["wide", "half", "third"] = "half"


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of a case: its name and scores above, where it was cut below."""

    title: str
    text: str
    picture: Picture
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A number's name, or a term, and what it is."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page; what is empty is left out. `legend` is (text, colour) of its pictures."""

    name: str
    title: str
    note: str = ""
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    definitions: tuple[Definition, ...] = ()
    notices: tuple[Notice, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
