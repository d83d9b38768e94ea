"""Which attributes an object must have (their type in PS3.3), where the profile asks for it.

`attributes.txt` holds the types of the fifty attributes whose action is a compound such as X/Z/D,
at the top of the objects of every storage SOP class and in the items of every sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["resolve", "type_of"]

DICOM_ROOT = "1.2.840.10008."


@cache
def _types() -> tuple[Mapping[str, Mapping[int, int]], Mapping[int, Mapping[int, int]]]:
    """By SOP class and by the tag of the sequence around: tag -> type."""
    by_class: dict[str, dict[int, int]] = {}
    by_sequence: dict[int, dict[int, int]] = {}
    text = files("leuko.dicom").joinpath("attributes.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        place, _, listed = line.partition("\t")
        types = {int(part[:8], 16): int(part[9:]) for part in listed.split()}
        where, _, what = place.partition(" ")
        if where == "of":
            by_class[DICOM_ROOT + what] = types
        else:
            by_sequence[int(what, 16)] = types
    return by_class, by_sequence


def type_of(tag: int, *, sop_class: str, sequence: int = 0) -> int:
    """1 (needs a value), 2 (needs to be there), 3 (optional), 0 where it is not known.

    `sequence` is the tag of the sequence in whose item the attribute lies; 0: at the top.
    """
    by_class, by_sequence = _types()
    if sequence:
        return by_sequence.get(sequence, {}).get(tag, 0)
    types = by_class.get(sop_class)
    return 0 if types is None else types.get(tag, 3)


def resolve(action: str, *, needed: int) -> str:
    """The one letter that a compound action means for an attribute of type `needed`.

    What is optional is removed. Where the type is not known, the object stays valid whatever the
    type is: a dummy (D) before an empty value (Z), new UIDs (U) before both.
    """
    letters = action.replace("*", "").split("/")
    if len(letters) == 1:
        return letters[0]
    if needed == 3 and "X" in letters:
        return "X"
    if "U" in letters:
        return "U"
    if needed >= 2 and "Z" in letters:
        return "Z"
    return "D" if "D" in letters else "Z"
