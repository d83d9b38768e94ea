"""What a page of scores says, decided and rounded: sections of tables, charts and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from leuko.report.document_pieces import Measure, Notice, Picture
from leuko.report.drawing import Drawing

__all__ = ["Cell", "Chart", "Column", "Definition", "Figure", "ScorePage", "Section", "Table"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; `number` aligns right, `explained` is shown under the pointer."""

    title: str
    number: bool = True
    explained: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of a table; rows are sorted by `order` where it is given, else by the text."""

    text: str
    order: float | None = None
    strong: bool = False


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
class Figure:
    """A picture of a case: its name and scores above, where it was cut below."""

    title: str
    text: str
    picture: Picture
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A number's name and how it is computed."""

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


@dataclass(frozen=True, slots=True)
class ScorePage:
    """The whole page of `leuko evaluate` or `leuko compare`."""

    title: str
    subject: str
    created: str
    version: str
    lead: str
    more: str
    care: tuple[str, ...]
    headline: tuple[Measure, ...]
    sections: tuple[Section, ...]
    research_use: str
