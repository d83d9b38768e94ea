"""New UIDs for old ones: the same new one wherever, and whenever, the same old one stands.

A new UID is "2.25." and a UUID (version 8) made of HMAC-SHA256 over the old one, keyed with the
secret of the run. Without the secret nobody can tell which old UID it stands for, not even by
trying all UIDs of a scanner; with it, another run gives the same UIDs again.
"""

from __future__ import annotations

import hmac
import uuid
from hashlib import sha256

from pydicom.datadict import dictionary_keyword

__all__ = ["UidMap", "names_a_class"]

STANDARD_ROOT = "1.2.840.10008."
_CODES = frozenset({"CodingSchemeUID", "ContextUID", "MappingResourceUID"})


class UidMap:
    """Old UID -> new UID under one secret; remembers what it was asked for."""

    __slots__ = ("_secret", "seen")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.seen: dict[str, str] = {}

    def new(self, uid: str) -> str:
        """The UID in place of `uid`; those of the standard itself (classes, ...) stay."""
        old = uid.strip(" \0")
        if not old or old.startswith(STANDARD_ROOT):
            return old
        if old not in self.seen:
            number = bytearray(digest(self._secret, "uid", old)[:16])
            number[6] = number[6] & 0x0F | 0x80  # version 8: made from data
            number[8] = number[8] & 0x3F | 0x80  # variant of RFC 9562
            self.seen[old] = f"2.25.{uuid.UUID(bytes=bytes(number)).int}"
        return self.seen[old]


def digest(secret: bytes, purpose: str, *parts: str) -> bytes:
    """32 bytes that depend on the secret, on what they are for, and on `parts`."""
    keyed = hmac.new(secret, digestmod=sha256)
    for part in (purpose, *parts):
        content = part.encode("utf-8", errors="surrogateescape")
        keyed.update(len(content).to_bytes(8, "big") + content)
    return keyed.digest()


def names_a_class(tag: int) -> bool:
    """Whether a UID says what kind of thing something is, rather than which one."""
    try:
        keyword = dictionary_keyword(tag)
    except KeyError:
        return False
    return "SOPClass" in keyword or "TransferSyntax" in keyword or keyword in _CODES
