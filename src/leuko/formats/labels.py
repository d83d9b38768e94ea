"""Names and colours of the values of a label map, and the tables in which other programs keep them.

Tables are text: FSLeyes' lookup table, FreeSurfer's colour table (freeview), ITK-SNAP's label
descriptions, BIDS' `_dseg.tsv`, and JSON. Colours are red, green, blue from 0 to 255.
"""

from __future__ import annotations

import colorsys
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from leuko.errors import ReadError, UsageError

__all__ = ["TABLES", "Label", "LabelTable", "label_table", "read_labels"]

Rgb = tuple[int, int, int]
MAX_TABLE = 1 << 22
MAX_LABELS = 65_535
_GOLDEN = 0.618033988749895  # steps of the hue that never come close to an earlier one
_SNAP = re.compile(
    r'^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+[\d.eE+-]+\s+\d+\s+\d+\s+"(.*)"\s*$', re.MULTILINE
)
_PART = r"([01](?:\.\d*)?|\.\d+)"  # of a colour, from 0 to 1
_FSLEYES = re.compile(rf"^\s*(\d+)\s+{_PART}\s+{_PART}\s+{_PART}\s+(\S.*)$", re.MULTILINE)
_FREESURFER = re.compile(
    r"^\s*(\d+)\s+(\S+)\s+(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s*$", re.MULTILINE
)
_HEX = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})(?:[0-9a-fA-F]{2})?$")


@dataclass(frozen=True, slots=True)
class Label:
    """A value of a label map with its name and colour."""

    value: int
    name: str
    colour: Rgb


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Labels by rising value; 0 is background and never listed."""

    labels: tuple[Label, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.labels)

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def completed(self, values: Iterable[int]) -> LabelTable:
        """This table with an entry for each of `values` (positive) that has none yet."""
        known = {label.value for label in self.labels}
        more = [_unnamed(value) for value in values if value > 0 and value not in known]
        return LabelTable(tuple(sorted((*self.labels, *more), key=lambda label: label.value)))

    def freesurfer(self) -> str:
        """FreeSurfer's colour table, for freeview: value, name, red, green, blue, transparency."""
        rows = ["# value name red green blue alpha", "0 Unknown 0 0 0 0"]
        for label in self.labels:
            name = "_".join(label.name.split()) or f"Label_{label.value}"
            rows.append(f"{label.value} {name} {' '.join(map(str, label.colour))} 0")
        return "\n".join(rows) + "\n"

    def fsleyes(self) -> str:
        """FSLeyes' lookup table: value, red, green, blue from 0 to 1, name."""
        rows = []
        for label in self.labels:
            colour = " ".join(f"{part / 255:.5f}" for part in label.colour)
            rows.append(f"{label.value} {colour} {' '.join(label.name.split())}")
        return "".join(f"{row}\n" for row in rows)

    def itksnap(self) -> str:
        """ITK-SNAP's label descriptions (Segmentation > Import Label Descriptions)."""
        rows = [
            "# index red green blue opacity visible mesh name",
            '0 0 0 0 0 0 0 "Clear Label"',
        ]
        for label in self.labels:
            name = label.name.replace('"', "'")
            rows.append(f'{label.value} {" ".join(map(str, label.colour))} 1 1 1 "{name}"')
        return "\n".join(rows) + "\n"

    def bids(self) -> str:
        """BIDS' table beside a discrete segmentation (`_dseg.tsv`): index, name, colour."""
        text = io.StringIO()
        rows = csv.writer(text, delimiter="\t", lineterminator="\n")
        rows.writerow(("index", "name", "color"))
        rows.writerow((0, "Background", "#000000"))
        for label in self.labels:
            rows.writerow((label.value, " ".join(label.name.split()), _hex(label.colour)))
        return text.getvalue()

    def as_json(self) -> str:
        """Value to name and colour, as JSON."""
        content = {
            str(label.value): {"name": label.name, "color": _hex(label.colour)} for label in self
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


# Suffix of the companion file -> how to write it.
TABLES = {
    ".tsv": LabelTable.bids,
    ".lut": LabelTable.fsleyes,
    ".freesurfer.txt": LabelTable.freesurfer,
    ".itksnap.txt": LabelTable.itksnap,
    ".labels.json": LabelTable.as_json,
}


def label_table(names: Mapping[int, str], colours: Mapping[int, Rgb] | None = None) -> LabelTable:
    """A table from names by value; colours that are not given are drawn apart from each other.

    Raises UsageError (exit 2) for values that are no positive whole numbers.
    """
    given = colours or {}
    labels = []
    for value, name in sorted(names.items()):
        if value == 0:
            continue
        if not 0 < value < 2**31:
            raise UsageError(
                f"A label cannot have the value {value}.", hint="Labels are whole numbers above 0."
            )
        clean = " ".join(str(name).split()) or f"Label {value}"
        labels.append(Label(int(value), clean, given.get(value, _distinct(value))))
    return LabelTable(tuple(labels))


def read_labels(path: Path) -> LabelTable:
    """The table in a file of FreeSurfer, ITK-SNAP, BIDS (.tsv), CSV or JSON, by its content.

    Raises ReadError (exit 3) where it is none of these.
    """
    try:
        if path.stat().st_size > MAX_TABLE:
            raise ReadError(f"{path.name} is too large for a table of labels.", hint=_FORMATS)
        text = path.read_text(encoding="utf-8-sig")
    except ReadError:
        raise
    except (OSError, UnicodeDecodeError):
        raise ReadError(f"{path.name} cannot be read as a table of labels.", hint=_FORMATS) from (
            None
        )
    for parse in (_from_json, _from_snap, _from_fsleyes, _from_freesurfer, _from_rows):
        found = parse(text)
        if found:
            names = {value: name for value, (name, _) in found.items()}
            colours = {value: colour for value, (_, colour) in found.items() if colour}
            return label_table(names, colours)
    raise ReadError(f"{path.name} holds no table of labels.", hint=_FORMATS)


_FORMATS = (
    "Give a table of FreeSurfer (value name r g b a), of FSLeyes, of ITK-SNAP, of BIDS (.tsv with "
    'index and name), or JSON such as {"1": "lesion"}.'
)
_Found = dict[int, tuple[str, Rgb | None]]


def _from_json(text: str) -> _Found:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    found: _Found = {}
    for key, value in content.items() if isinstance(content, dict) else ():
        if not str(key).isdigit() or len(found) > MAX_LABELS:
            continue
        if isinstance(value, dict):
            found[int(key)] = (str(value.get("name", "")), _colour(str(value.get("color", ""))))
        else:
            found[int(key)] = (str(value), None)
    return found


def _from_snap(text: str) -> _Found:
    return {
        int(m[1]): (m[5], (int(m[2]) & 255, int(m[3]) & 255, int(m[4]) & 255))
        for m in _SNAP.finditer(text)
    }


def _from_fsleyes(text: str) -> _Found:
    found: _Found = {}
    for m in _FSLEYES.finditer(text):
        red, green, blue = (min(round(255 * float(part)), 255) for part in m.groups()[1:4])
        found[int(m[1])] = (m[5], (red, green, blue))
    return found


def _from_freesurfer(text: str) -> _Found:
    return {
        int(m[1]): (m[2], (int(m[3]) & 255, int(m[4]) & 255, int(m[5]) & 255))
        for m in _FREESURFER.finditer(text)
    }


def _from_rows(text: str) -> _Found:
    """BIDS' table, or any with a heading for values and names, between tabs, commas or blanks."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return {}
    mark = "\t" if "\t" in lines[0] else ","
    rows = csv.DictReader(lines, delimiter=mark)
    headings = {str(h).strip().lower(): h for h in rows.fieldnames or ()}
    index = next((headings[h] for h in ("index", "value", "label", "id") if h in headings), None)
    named = next((headings[h] for h in ("name", "structure", "region") if h in headings), None)
    colour = next((headings[h] for h in ("color", "colour") if h in headings), None)
    found: _Found = {}
    if index is None or named is None:
        return found
    for row in rows:
        value = str(row.get(index) or "").strip()
        if value.isdigit():
            shade = _colour(str(row.get(colour) or "")) if colour else None
            found[int(value)] = (str(row.get(named) or ""), shade)
    return found


def _colour(text: str) -> Rgb | None:
    found = _HEX.match(text.strip())
    return (int(found[1], 16), int(found[2], 16), int(found[3], 16)) if found else None


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _unnamed(value: int) -> Label:
    return Label(value, f"Label {value}", _distinct(value))


def _distinct(value: int) -> Rgb:
    """A colour for a value: neighbours differ in hue, then in lightness."""
    hue = (value * _GOLDEN) % 1.0
    light = (0.6, 0.45, 0.72)[(value // 7) % 3]
    red, green, blue = colorsys.hls_to_rgb(hue, light, 0.75)
    return round(255 * red), round(255 * green), round(255 * blue)
