"""The layout `list`: a table (.tsv, .csv) or JSON file with a row for each example."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leuko.datasets.files import is_picture, natural, stem
from leuko.datasets.items import Item
from leuko.datasets.layouts_folders import bids_subject, require_told
from leuko.datasets.layouts_source import DataSource, folder_at, required, some
from leuko.errors import ReadError, UsageError

__all__ = ["read_list", "read_rows"]

NUMBERED = re.compile(r"image_?\d+")
# Columns that are channels where none is called image.
CONTRASTS = ("flair", "t1", "t1w", "t1c", "t1ce", "t1gd", "t2", "t2w", "pd", "dwi", "adc", "swi",
             "ct", "pet")  # fmt: skip
ENDS = {".tsv": "\t", ".csv": ","}
COLUMNS = "columns image (or image_0, image_1 ..., or flair, t1 ...), mask, region, subject, site, \
category, name"

Row = Mapping[str, Any]


def read_list(source: DataSource, *, base: Path) -> list[Item]:
    """The items of a list file; its paths count from `root`, or from its own folder.

    Raises ReadError (exit 3) where it or a file it names is not there, UsageError (exit 2) where
    it cannot be understood.
    """
    path = base / Path(required(source, "list")).expanduser()
    rows = read_rows(path)
    folder = folder_at(base, source.root) if source.root else path.parent
    columns = _channels(source, rows, file=path.name)
    missing: list[str] = []
    items = [
        _item(source, row, columns, file=path, folder=folder, line=line, missing=missing)
        for line, row in enumerate(rows, 1)
    ]
    if missing:
        raise ReadError(
            f"{len(missing)} of the files that {path.name} names are not there: {some(missing)}.",
            hint="Paths in a list count from its folder, or from root: where that is given.",
        )
    alone = [item for item, row in zip(items, rows, strict=True) if not row.get("subject")]
    if not source.subject and all(is_picture(item.images[0]) for item in alone):
        require_told(item.name for item in alone)
    return items


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a .tsv, .csv or .json file, column names in small letters.

    JSON is a list of objects, or an object with such a list as `items`, `training` or `data`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"The list {path.name} cannot be read.", hint="Check the path; it is a text file."
        ) from error
    end = path.suffix.lower()
    if end == ".json":
        rows = _from_json(text, file=path.name)
    elif end in ENDS:
        rows = _from_table(text, separator=ENDS[end], file=path.name)
    else:
        raise UsageError(
            f"{path.name} is no list that leuko knows.", hint="End its name in .tsv, .csv or .json."
        )
    if not rows:
        raise UsageError(f"The list {path.name} is empty.", hint=f"A row an example; {COLUMNS}.")
    return rows


def _from_table(text: str, *, separator: str, file: str) -> list[dict[str, Any]]:
    lines = list(csv.reader(text.splitlines(), delimiter=separator))
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        return []
    heads = [head.strip().casefold() for head in lines[0]]
    if len(set(heads)) < len(heads):
        raise UsageError(f"{file} has two columns of one name.", hint="Give each its own name.")
    wrong = [n for n, line in enumerate(lines[1:], 1) if len(line) != len(heads)]
    if wrong:
        raise UsageError(
            f"Row {wrong[0]} of {file} has {len(lines[wrong[0]])} cells, the heading {len(heads)}.",
            hint="Separate cells by tabs in .tsv, by commas in .csv; leave empty ones empty.",
        )
    return [dict(zip(heads, (cell.strip() for cell in line), strict=True)) for line in lines[1:]]


def _from_json(text: str, *, file: str) -> list[dict[str, Any]]:
    try:
        held = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{file} is no JSON: {error.msg} in line {error.lineno}.", hint="Correct that line."
        ) from error
    if isinstance(held, dict):
        held = next((held[key] for key in ("items", "training", "data") if key in held), None)
    if not isinstance(held, list) or not all(isinstance(row, dict) for row in held):
        raise UsageError(
            f"{file} holds no list of examples.", hint=f"A list of objects with {COLUMNS}."
        )
    return [{str(key).casefold(): value for key, value in row.items()} for row in held]


def _channels(source: DataSource, rows: Sequence[Row], *, file: str) -> tuple[str, ...]:
    """The columns that are channels, in order."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    named = tuple(name.casefold() for name in source.channels())
    lost = [name for name in named if name not in heads]
    if lost:
        raise UsageError(
            f"{file} has no column {lost[0]}; its columns are {', '.join(heads)}.",
            hint="images: names the columns that are channels.",
        )
    if named:
        return named
    if "image" in heads:
        return ("image",)
    numbered = sorted((head for head in heads if NUMBERED.fullmatch(head)), key=natural)
    found = tuple(numbered) or tuple(head for head in heads if head in CONTRASTS)
    if not found:
        raise UsageError(
            f"{file} has no column of images; its columns are {', '.join(heads)}.",
            hint=f"Use the {COLUMNS}; or name the channels' columns in images:.",
        )
    return found


def _item(
    source: DataSource,
    row: Row,
    columns: Sequence[str],
    *,
    file: Path,
    folder: Path,
    line: int,
    missing: list[str],
) -> Item:
    def located(place: str) -> Path:
        path = folder / Path(place).expanduser()
        if not path.exists():
            missing.append(path.name)
        return path

    def cell(*heads: str) -> str:
        value = next((row[head] for head in heads if row.get(head) not in (None, "")), "")
        return str(value)

    places = [place for column in columns for place in _places(row.get(column))]
    if len(places) < len(columns):
        empty = next(column for column in columns if not _places(row.get(column)))
        raise UsageError(
            f"Row {line} of {file.name} has no {empty}.",
            hint="Each example needs every channel; remove the row or the column.",
        )
    images = tuple(located(place) for place in places)
    mask, region = cell("mask", "label"), cell("region")
    name = cell("name") or "_".join((*_kept(places[0]), stem(images[0])))
    subject = cell("subject") or source.subject_of(name, otherwise=bids_subject(name) or name)
    return Item(
        name=name,
        subject=subject,
        images=images,
        label=located(mask) if mask else None,
        region=located(region) if region else None,
        site=cell("site") or source.site_of(name),
        category=cell("category", "class"),
    )


def _places(value: object) -> list[str]:
    if value is None or value == "":
        return []
    return [str(place) for place in value] if isinstance(value, list) else [str(value)]


def _kept(place: str) -> tuple[str, ...]:
    """The folders of a path that are part of the example's name: those below the list."""
    path = Path(place)
    if path.is_absolute():
        return path.parent.parts[-1:]
    return tuple(part for part in path.parent.parts if part not in ("..", ".", "~"))
