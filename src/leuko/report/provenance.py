"""The lines that say where a report comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.report import rounding
from leuko.report.document import Entry
from leuko.report.wording import Wording, english

__all__ = ["entries", "file_name", "geometry", "recorded", "text_of", "time_of"]

# What can only be a path: it begins at a root, a home, a drive or a folder's dots.
PATH = re.compile(r"(~|\.{0,2}/|[A-Za-z]:[\\/]|\\\\)")
FILES = {"input", "input_name", "mask", "mask_name", "t1_name"}
SILENT = {"program"}  # the page names it
ISO_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)")


def entries(
    provenance: Mapping[str, object], *, image: Image, definition: str | None, words: Wording
) -> tuple[Entry, ...]:
    """The scan's file and grid, then every value of the provenance; nested ones in a line each."""
    lines: list[Entry] = []
    if image.source is not None:
        lines.append(Entry(words("provenance.input"), file_name(image.source.name)))
        lines.append(Entry(words("provenance.input_sha256"), image.source.sha256))
    lines.append(Entry(words("provenance.geometry"), geometry(image.grid, words)))
    if definition is not None:
        lines.append(Entry(words("provenance.definition"), definition))
    lines += recorded(provenance, words=words, said={entry.label for entry in lines})
    return tuple(lines)


def geometry(grid: Grid, words: Wording) -> str:
    """The voxels of a scan, their size, and the axes of its file."""
    text = words(
        "provenance.geometry.value",
        shape=" × ".join(str(length) for length in grid.shape),
        spacing=" × ".join(f"{length:.4g}" for length in grid.spacing),
    )
    return text + (f", {grid.orientation.code}" if grid.oriented else "")


def recorded(
    provenance: Mapping[str, object], *, words: Wording, said: set[str]
) -> Iterator[Entry]:
    """Every value that is known, nested ones in a line each; a label in `said` is left out."""
    said = set(said)
    for name, value in _flat(provenance):
        key = f"provenance.{name}"
        label = words(key) if key in words else words.translated(_label(name))
        if label not in said and name not in SILENT and value is not None and value != "":
            said.add(label)
            text = file_name(str(value)) if name in FILES else time_of(value, words)
            yield Entry(label, text)


def time_of(value: object, words: Wording | None = None) -> str:
    """A value as text; an ISO time of UTC as people write it, to the minute."""
    text = text_of(value, words)
    found = ISO_TIME.fullmatch(text)
    return f"{found[1]} {found[2]} UTC" if found else text


def text_of(value: object, words: Wording | None = None) -> str:
    """A value as one line of text; of what looks like a path only the last part."""
    words = words or english()
    if isinstance(value, PurePath) or (isinstance(value, str) and PATH.match(value)):
        return file_name(str(value))
    text = rounding.plain(value)
    if isinstance(value, float):
        return words.numerals.written(text)
    return _line(words.translated(text))


def file_name(name: str) -> str:
    """The last part of a path of any system, in one line."""
    return _line(PurePosixPath(PureWindowsPath(name).name).name)


def _label(name: str) -> str:
    """'parameters.min_lesion_mm3' as 'Min lesion mm³'."""
    text = name.rpartition(".")[2].replace("_", " ").replace("mm3", "mm³")
    return text[:1].upper() + text[1:]


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
