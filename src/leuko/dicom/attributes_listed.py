"""Every element of a DICOM file with its value, for people; what identifies is masked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.datadict import dictionary_description, private_dictionary_description
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from leuko.dicom.attributes_shown import HIDDEN, MOST_VALUES, SCREENED, header_of, value_of
from leuko.dicom.deidentify_secrets import secrets_of
from leuko.dicom.identity import tolerant
from leuko.dicom.profile import is_identifying

__all__ = ["Element", "elements"]

_NUMBERS = frozenset({"DS", "IS", "FL", "FD", "SS", "US", "SL", "UL", "AT"})
_LONGEST = 64  # characters of a value in a listing
_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a file: tag, representation, name and value, and how deep it is nested."""

    depth: int
    tag: str
    vr: str
    name: str
    value: str
    hidden: bool = False


def elements(path: str | Path, *, patient: bool = False) -> list[Element]:
    """Every element of a file with its value shortened; what identifies is masked.

    Raises ReadError (exit 3) where the file cannot be read.
    """
    header = header_of(path)
    with tolerant():
        secrets = None if patient else secrets_of(header, letters="")[0]
        listed = (
            list(_listed(header.file_meta, 0, True, None)) if "file_meta" in dir(header) else []
        )
        listed += _listed(header, 0, patient, secrets)
    return listed


def _listed(
    dataset: Dataset, depth: int, patient: bool, secrets: re.Pattern[bytes] | None
) -> Iterator[Element]:
    if depth > _DEPTH:
        return
    for tag in sorted(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # an element that no one can decode does not end the listing
            yield Element(depth, _tag(tag), "??", _name(dataset, tag), "(damaged)")
            continue
        sequence = isinstance(element.value, Items)
        hidden = not patient and not sequence and not element.is_empty and _is_masked(element)
        value = HIDDEN if hidden else _short(element)
        if secrets is not None and element.VR in SCREENED and secrets.search(value.encode()):
            value, hidden = HIDDEN, True
        yield Element(depth, _tag(tag), element.VR, _name(dataset, tag), value, hidden)
        if sequence:
            for number, item in enumerate(element.value, start=1):
                yield Element(depth + 1, "", "", f"item {number}", "")
                yield from _listed(item, depth + 1, patient, secrets)


def _is_masked(element: DataElement) -> bool:
    """Identifying by the table; of private ones those that are no plain numbers."""
    tag = int(element.tag)
    if isinstance(element.value, bytes):
        return False  # of bytes only the number is shown
    if tag >> 16 & 1 and (_is_creator(tag) or element.VR in _NUMBERS):
        return False
    return is_identifying(tag)


def _is_creator(tag: int) -> bool:
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def _tag(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _name(dataset: Dataset, tag: int) -> str:
    try:
        return dictionary_description(tag)
    except KeyError:
        pass
    if _is_creator(tag):
        return "Private Creator"
    if tag >> 16 & 1:
        creator = value_of(dataset, tag & 0xFFFF0000 | tag >> 8 & 0xFF)
        try:
            if creator is not None:
                return private_dictionary_description(tag, str(creator))
        except KeyError:
            pass
        return "Private"
    return "Unknown"


def _short(element: DataElement) -> str:
    value = element.value
    if isinstance(value, Items):
        return f"{len(value)} item{'' if len(value) == 1 else 's'}"
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if element.VR == "UI" and not isinstance(value, str):
        text = "\\".join(str(part) for part in value)
    elif hasattr(value, "__iter__") and not isinstance(value, str) and element.VR != "PN":
        parts = [str(part) for part in value]
        more = f"\\... ({len(parts)} values)" if len(parts) > MOST_VALUES else ""
        text = "\\".join(parts[:MOST_VALUES]) + more
    else:
        text = str(value)
        if element.VR == "UI" and getattr(value, "name", text) != text:
            text = f"{text} ({value.name})"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
