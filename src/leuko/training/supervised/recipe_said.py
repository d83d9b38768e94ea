"""What is wrong in a recipe, in words: the field, what it is, and what it may be."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

__all__ = ["explained"]

PLACE = re.compile(r"(?s)(.*) - at `\$\.?([^`]*)`$")
UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")


def explained(error: Exception, kind: type[msgspec.Struct]) -> tuple[str, str]:
    """What msgspec says of a value for `kind`, with the field's name, and what is allowed there."""
    text = str(error)
    match = PLACE.match(text)
    said, place = (match.group(1), match.group(2)) if match else (text, "")
    if unknown := UNKNOWN.match(said):
        there = f" in {place}" if place else ""
        owner = _type_at(kind, place)
        known = ", ".join(owner.__struct_fields__) if _is_struct(owner) else ""
        hint = f"Known{there}: {known}." if known else ""
        return f"there is no field {unknown.group(1)}{there}", hint
    choices = _choices(_type_at(kind, place)) if place else ()
    hint = f"Choose from: {', '.join(choices)}." if choices else ""
    return (f"{place}: {said}" if place else said), hint


def _type_at(kind: Any, place: str) -> Any:
    """The type of a dotted field; None where it is no field of a struct."""
    for name in filter(None, place.split(".")):
        if not _is_struct(kind):
            return None
        kind = get_type_hints(kind).get(name)
    return kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _choices(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is not Literal:
        return ()
    return tuple(str(value) for value in get_args(kind) if value != "")
