"""The Basic Application Level Confidentiality Profile: what becomes of which attribute.

The table is `profile.txt`, facts of DICOM PS3.15 2026d, Table E.1-1, all of its rows. Two
independent transcriptions of the standard agree on it (a test counts the rows and compares the
names with the dictionary of attributes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

__all__ = [
    "EDITION",
    "OPTION_CODES",
    "Options",
    "Row",
    "decide",
    "is_identifying",
    "row_of",
    "table",
]

EDITION = "PS3.15 2026d"
Dates = Literal["", "full", "modified"]

# What CID 7050 (PS3.16) calls the profile and its options; the letters are those of profile.txt.
PROFILE_CODE = ("113100", "Basic Application Confidentiality Profile")
CLEAN_PIXELS_CODE = ("113101", "Clean Pixel Data Option")
OPTION_CODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "g": ("113103", "Clean Graphics Option"),
        "s": ("113104", "Clean Structured Content Option"),
        "t": ("113105", "Clean Descriptors Option"),
        "f": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
        "m": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        "p": ("113108", "Retain Patient Characteristics Option"),
        "d": ("113109", "Retain Device Identity Option"),
        "u": ("113110", "Retain UIDs Option"),
        "v": ("113111", "Retain Safe Private Option"),
        "i": ("113112", "Retain Institution Identity Option"),
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the profile (PS3.15 E.3); none is in force unless asked for."""

    retain_safe_private: bool = False
    retain_uids: bool = False
    retain_device: bool = False
    retain_institution: bool = False
    retain_patient_characteristics: bool = False
    retain_dates: Dates = ""
    clean_descriptors: bool = False
    clean_structured_content: bool = False
    clean_graphics: bool = False

    @property
    def letters(self) -> str:
        """The options in force as the letters of profile.txt."""
        chosen = {
            "v": self.retain_safe_private,
            "u": self.retain_uids,
            "d": self.retain_device,
            "i": self.retain_institution,
            "p": self.retain_patient_characteristics,
            "f": self.retain_dates == "full",
            "m": self.retain_dates == "modified",
            "t": self.clean_descriptors,
            "s": self.clean_structured_content,
            "g": self.clean_graphics,
        }
        return "".join(letter for letter, wanted in chosen.items() if wanted)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of Table E.1-1: its tag (hexadecimal, xx for repeating groups), action and options."""

    tag: str
    action: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)


@cache
def table() -> Mapping[str, Row]:
    """Every row by its tag; the row `private` stands for all attributes of odd groups."""
    rows: dict[str, Row] = {}
    text = files("leuko.dicom").joinpath("profile.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        tag, action, options, name = line.split("\t")
        made = {part[0]: part[1] for part in options.split() if part != "-"}
        rows[tag] = Row(tag, action, name, MappingProxyType(made))
    return MappingProxyType(rows)


@cache
def row_of(tag: int) -> Row | None:
    """The row that governs an attribute; None where the table does not name it."""
    rows = table()
    group = tag >> 16
    if group & 1:
        return rows["private"]
    if group & 0xFF00 == 0x5000:
        return rows["50xxxxxx"]
    if group & 0xFF00 == 0x6000:
        return rows.get(f"60xx{tag & 0xFFFF:04x}")
    return rows.get(f"{tag:08x}")


def decide(row: Row, letters: str) -> tuple[str, str]:
    """The action under the options `letters`, and the option that gave it ('' for the profile).

    Keeping wins over cleaning, except that dates which are to be modified are modified, whatever
    else would keep them.
    """
    active = {letter: made for letter, made in row.options.items() if letter in letters}
    if "m" in active:
        return "C", "m"
    for wanted in ("K", "C"):
        for letter, made in active.items():
            if made == wanted:
                return wanted, letter
    return row.action, ""


# Groups that speak of the patient, the visit and the people around, whatever the option.
_OF_PEOPLE = frozenset({0x0010, 0x0032, 0x0038, 0x4000, 0x4008})


@cache
def is_identifying(tag: int) -> bool:
    """Whether an attribute is masked in listings: it says who the patient is, or who was there.

    That is what the profile removes or replaces, but for UIDs, for dates, and for descriptions of
    images: these are what a listing is read for. Private attributes count as identifying.
    """
    row = row_of(tag)
    if row is None:
        return _is_a_name(tag)
    if tag >> 16 in _OF_PEOPLE or tag >> 16 & 1:
        return True
    return "U" not in row.action and not {"f", "t"} & row.options.keys()


def _is_a_name(tag: int) -> bool:
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(tag) == "PN"
    except KeyError:
        return False
