"""Elements as the file has them: what kind of value it is, its bytes, its text."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.datadict import dictionary_VR, private_dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from leuko.dicom.profile import row_of

__all__ = [
    "FREE_TEXT",
    "TEXT",
    "bytes_of",
    "is_empty",
    "is_public_code",
    "private_representation",
    "representation",
    "texts_of",
]

FREE_TEXT = frozenset({"PN", "LT", "ST", "UT"})
TEXT = frozenset(
    {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
)
_SCHEMES = frozenset(
    {"DCM", "SCT", "SRT", "SNM3", "SNO", "LN", "UCUM", "RADLEX", "FMA", "NCIT", "UMLS", "MDC",
     "ICD10", "I10", "I10P", "I9", "I9C", "ICDO3", "99LEUKO"}
)  # fmt: skip


def representation(ds: Dataset, tag: BaseTag) -> str | None:
    """What kind of value this is: the dictionary's word, checked against the file's own.

    None where the dictionary does not know the attribute, or the file gives text for what must be
    something else. A choice such as `US or SS` is the file's.
    """
    said = ds.get_item(tag).VR
    try:
        known = dictionary_VR(tag)
    except KeyError:
        return said if row_of(int(tag)) is not None else None
    if " or " in known:
        known = said if said in known.split(" or ") else known.split(" or ")[0]
    if said in (None, "UN") or said == known:
        return known
    if (said in TEXT or said == "SQ") and known not in TEXT:
        return None
    return known if known in FREE_TEXT or said not in TEXT else said


def private_representation(tag: BaseTag, creator: str) -> str:
    """What the makers' dictionaries say of a private element; UN where they say nothing."""
    try:
        return private_dictionary_VR(tag, creator)
    except KeyError:
        return "UN"


def bytes_of(ds: Dataset, tag: BaseTag) -> bytes:
    """The value as the file has it; of one that was decoded, its text."""
    value = ds.get_item(tag).value
    if isinstance(value, bytes):
        return value
    return "\\".join(texts_of(ds, tag)).encode()


def texts_of(ds: Dataset, tag: BaseTag) -> list[str]:
    """The parts of a value as text, padding removed; bytes are taken one a letter."""
    item = ds.get_item(tag)
    value: object = item.value
    if isinstance(value, bytes):
        return [part.strip(" \0") for part in value.decode("latin-1").split("\\")]
    if value is None:
        return [""]
    several = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    return [str(part).strip(" \0") for part in several]


def is_empty(ds: Dataset, tag: BaseTag) -> bool:
    """Whether an element has no value."""
    item = ds.get_item(tag)
    return item.value in (None, b"", "", []) or item.value == []


def is_public_code(item: Dataset) -> bool:
    """Whether an item is a code of a scheme that is public, and not a site's own."""
    scheme = str(item.get("CodingSchemeDesignator") or "")
    return scheme in _SCHEMES
