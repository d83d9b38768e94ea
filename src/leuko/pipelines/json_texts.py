"""JSON as we write it, for readers: indented, with a line's end; and the schema of a record."""

from __future__ import annotations

import msgspec

__all__ = ["indented", "schema_of"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def indented(content: object) -> bytes:
    """The content as JSON text, UTF-8, indented by 2; a number that is not finite is null."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def schema_of(record: type) -> bytes:
    """The JSON schema (draft 2020-12) of a type of records, as text."""
    return indented({"$schema": DRAFT, **msgspec.json.schema(record)})
