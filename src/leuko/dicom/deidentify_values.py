"""Values in place of identifying ones: dummies, dates that are shifted, words known to be harmless.

Everything here works on text and knows no data set.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType

__all__ = ["DUMMIES", "REMOVED", "cleaned_text", "shifted"]

REMOVED = "REMOVED"
DUMMIES = MappingProxyType(
    {
        **dict.fromkeys(("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT", "PN"), REMOVED),
        "AS": "000Y",
        "DA": "19000101",
        "TM": "000000",
        "DT": "19000101000000",
        "DS": "0",
        "IS": "0",
        "UR": "urn:removed",
        **dict.fromkeys(("OB", "UN", "OW"), b"\0\0"),
        **dict.fromkeys(("OF", "OL"), b"\0" * 4),
        **dict.fromkeys(("OD", "OV"), b"\0" * 8),
        **dict.fromkeys(("US", "SS", "UL", "SL", "SV", "UV", "AT"), 0),
        **dict.fromkeys(("FL", "FD"), 0.0),
    }
)
"""A value of each representation that says nothing; UIDs are mapped, sequences gone through."""

_DATE = re.compile(r"(\d{4})[.]?(\d{2})?[.]?(\d{2})?(.*)", re.DOTALL)


def shifted(text: str, *, days: int, vr: str) -> str:
    """A date (DA), date and time (DT) or time (TM) `days` later; the time of day stays.

    A DT keeps its precision. What is no date becomes the dummy of its representation.
    """
    value = text.strip(" \0")
    if vr == "TM" or not value:
        return value
    match = _DATE.fullmatch(value)
    if match is None or (vr == "DA" and match[4]):
        return str(DUMMIES[vr])
    year, month, day, rest = match.groups()
    try:
        moved = date(int(year), int(month or 1), int(day or 1)) + timedelta(days=days)
    except (ValueError, OverflowError):
        return str(DUMMIES[vr])
    if moved.year < 1000:
        return str(DUMMIES[vr])
    kept = 4 + (2 if month else 0) + (2 if day else 0)
    return f"{moved:%Y%m%d}"[:kept] + (rest if day else "")


_WORD = re.compile(r"[A-Za-z0-9*+.]+")
_UNITS = "mm|cm|ms|s|x|t|deg|hz|khz|min|sec"
_SIZE = r"\d{1,3}(?:\.\d+)?"
_NUMBER = re.compile(
    rf"\d{{1,3}}(?:\.\d{{1,3}})?(?:{_UNITS})?|b\d{{1,5}}|(?:te|tr|ti)\d{{1,5}}|[sep]\d{{1,2}}"
    rf"|{_SIZE}x{_SIZE}(?:x{_SIZE})?(?:mm)?"
)


@cache
def _terms() -> frozenset[str]:
    text = files("leuko.dicom").joinpath("terms.txt").read_text(encoding="utf-8")
    return frozenset(" ".join(line for line in text.splitlines() if line[0] != "#").split())


def cleaned_text(text: str, *, without: Collection[str] = ()) -> str:
    """The words of a description that are terms of imaging or short numbers; '' where none is.

    Made for descriptions such as `t2_tirm_tra_dark-fluid Dr. Smith`: names, sites and dates are
    in no list of harmless words, so that they go without having to be recognised. `without` are
    words (in lower case) that go all the same: those of a patient called Long.
    """
    kept = []
    for word in _WORD.findall(re.sub(r"[_/-]", " ", text)):
        core = word.strip(".").lower().lstrip("*")
        harmless = core in _terms() or _NUMBER.fullmatch(core) is not None
        if core and harmless and core not in without:
            kept.append(word.strip("."))
    spoken = any(letter.isalpha() for word in kept for letter in word)
    return " ".join(kept) if spoken else ""
